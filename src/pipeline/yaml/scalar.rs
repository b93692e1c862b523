//! The core schema of YAML 1.2: which plain scalars are not text.

use serde_json::Number;

use super::node::Kind;

/// What a plain (unquoted) scalar means.
///
/// Numbers that JSON cannot hold (`.inf`, `.nan`, integers beyond 64 bits) and numbers with a leading zero stay
/// text: the type check of the place that takes them then says so, and nothing is silently another number.
pub(super) fn resolve(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).map_or_else(|| Kind::Text(text.to_owned()), Kind::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return unsigned(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return unsigned(digits, 8);
    }
    let unsigned_part = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut digits = unsigned_part.bytes();
    let first = digits.next()?;
    let leading_zero = first == b'0' && digits.next().is_some_and(|byte| byte.is_ascii_digit());
    if leading_zero || !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    if unsigned_part.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        return text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    }
    let is_float = unsigned_part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    // Rust's reader accepts exactly the core schema's floats here, `.5` and `5.` among them.
    if is_float { text.parse::<f64>().ok().and_then(Number::from_f64) } else { None }
}

fn unsigned(digits: &str, radix: u32) -> Option<Number> {
    // `from_str_radix` would accept a sign.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, radix).ok().map(Number::from) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn to_json(text: &str) -> Value {
        match resolve(text) {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number(number) => Value::Number(number),
            _ => Value::String(text.to_owned()),
        }
    }

    #[test]
    fn the_core_schema_decides_what_is_not_text() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("5.", json!(5.0)),
            ("1e3", json!(1000.0)),
            ("-1.5E-2", json!(-0.015)),
        ];
        for (text, value) in cases {
            assert_eq!(to_json(text), value, "{text}");
        }
    }

    #[test]
    fn what_other_yaml_versions_read_otherwise_stays_text() {
        for text in [
            "no",
            "yes",
            "on",
            "off",
            "y",
            "010",
            "-007",
            "00.5",
            "1_000",
            "0b11",
            "12:30",
            "2005-12-31",
            "1.2.3",
            ".inf",
            "-.INF",
            ".nan",
            "18446744073709551616",
            "1e999",
            ".",
            "+",
            "-",
            "e5",
            "1e",
            "0x",
            "0x-1",
            "0o8",
            "infinity",
            "nan",
        ] {
            assert_eq!(to_json(text), json!(text), "{text}");
        }
    }
}
