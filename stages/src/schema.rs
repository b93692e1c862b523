//! Checks a JSON value against the schema of a stage's inputs.
//!
//! Not a general validator: it knows the keywords that our own derived schemas use (`type`, `enum`, `const`,
//! `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `minItems`, `pattern` is left to the stage, `properties`,
//! `required`, `additionalProperties`, `items`, `anyOf`/`oneOf`), and its messages are for people.
//! `validate` uses it on literal inputs before a run, [`crate::AnyStage::check`] on rendered ones.

use std::fmt;

use serde_json::Value;

/// One step from the root of a value to a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Index(usize),
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    /// A required key is not there. The place is the object that lacks it.
    Missing {
        /// The key.
        key: String,
    },
    /// A key that is not known. The place is the object that has it.
    Unknown {
        /// The key.
        key: String,
        /// The keys that are known.
        known: Vec<String>,
    },
    /// A value of another type than allowed.
    Type {
        /// What is allowed, in words.
        expected: String,
        /// What was found, in words.
        found: String,
    },
    /// A value of the right type that is not allowed.
    Value {
        /// What is allowed, in words: `at least 1`, `one of a, b`.
        expected: String,
        /// The value as JSON.
        found: String,
    },
}

/// A violation of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where in the value.
    pub place: Vec<Step>,
    /// What is wrong there.
    pub wrong: Wrong,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = String::new();
        for step in &self.place {
            match step {
                Step::Key(key) if place.is_empty() => place.push_str(key),
                Step::Key(key) => place.push_str(&format!(".{key}")),
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        let at = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
        match &self.wrong {
            Wrong::Missing { key } => write!(f, "{at}`{key}` is missing"),
            Wrong::Unknown { key, .. } => write!(f, "{at}unknown input `{key}`"),
            Wrong::Type { expected, found } => write!(f, "{at}expected {expected}, found {found}"),
            Wrong::Value { expected, found } => write!(f, "{at}expected {expected}, found {found}"),
        }
    }
}

/// All violations of `schema` in `value`, in the order of the schema.
pub fn check(schema: &Value, value: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_at(schema, value, &mut Vec::new(), &mut problems);
    problems
}

fn check_at(schema: &Value, value: &Value, place: &mut Vec<Step>, problems: &mut Vec<Problem>) {
    let Some(schema) = schema.as_object() else { return };
    for keyword in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(keyword).and_then(Value::as_array) {
            check_any(options, value, place, problems);
        }
    }
    let mut wrong = |wrong| problems.push(Problem { place: place.clone(), wrong });
    if let Some(allowed) = schema.get("type")
        && !type_allows(allowed, value)
    {
        wrong(Wrong::Type { expected: type_words(allowed), found: describe(value) });
        return;
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        wrong(Wrong::Value { expected: constant.to_string(), found: value.to_string() });
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let words: Vec<String> = allowed.iter().map(bare).collect();
        wrong(Wrong::Value { expected: format!("one of {}", words.join(", ")), found: value.to_string() });
    }
    if let Some(number) = value.as_f64() {
        let bounds = [
            ("minimum", "at least", f64::ge as fn(&f64, &f64) -> bool),
            ("maximum", "at most", f64::le),
            ("exclusiveMinimum", "more than", f64::gt),
            ("exclusiveMaximum", "less than", f64::lt),
        ];
        for (keyword, words, holds) in bounds {
            if let Some(bound) = schema.get(keyword).and_then(Value::as_f64)
                && !holds(&number, &bound)
            {
                wrong(Wrong::Value { expected: format!("{words} {bound}"), found: value.to_string() });
            }
        }
    }
    if let (Some(least), Some(text)) = (schema.get("minLength").and_then(Value::as_u64), value.as_str())
        && (text.chars().count() as u64) < least
    {
        wrong(Wrong::Value { expected: format!("at least {least} characters"), found: value.to_string() });
    }
    if let (Some(least), Some(items)) = (schema.get("minItems").and_then(Value::as_u64), value.as_array())
        && (items.len() as u64) < least
    {
        wrong(Wrong::Value { expected: format!("at least {least} elements"), found: value.to_string() });
    }
    match value {
        Value::Object(members) => check_object(schema, members, place, problems),
        Value::Array(elements) => {
            if let Some(items) = schema.get("items") {
                for (index, element) in elements.iter().enumerate() {
                    place.push(Step::Index(index));
                    check_at(items, element, place, problems);
                    place.pop();
                }
            }
        }
        _ => {}
    }
}

fn check_object(
    schema: &serde_json::Map<String, Value>,
    members: &serde_json::Map<String, Value>,
    place: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for key in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(key) {
            problems.push(Problem { place: place.clone(), wrong: Wrong::Missing { key: key.to_owned() } });
        }
    }
    for (key, member) in members {
        if let Some(property) = properties.and_then(|properties| properties.get(key)) {
            place.push(Step::Key(key.clone()));
            check_at(property, member, place, problems);
            place.pop();
            continue;
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {
                let known = properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default();
                problems.push(Problem { place: place.clone(), wrong: Wrong::Unknown { key: key.clone(), known } });
            }
            Some(additional) => {
                place.push(Step::Key(key.clone()));
                check_at(additional, member, place, problems);
                place.pop();
            }
            None => {}
        }
    }
}

/// A value must fit one of `options`. The messages of the option it comes closest to are kept, where closest
/// means the right type. Options that are all constants (an enum with documented variants) are listed together.
fn check_any(options: &[Value], value: &Value, place: &mut Vec<Step>, problems: &mut Vec<Problem>) {
    let constants: Option<Vec<&Value>> = options.iter().map(|option| option.get("const")).collect();
    if let Some(constants) = constants {
        if !constants.contains(&value) {
            let words: Vec<String> = constants.into_iter().map(bare).collect();
            let wrong = Wrong::Value { expected: format!("one of {}", words.join(", ")), found: value.to_string() };
            problems.push(Problem { place: place.clone(), wrong });
        }
        return;
    }
    let mut closest: Option<Vec<Problem>> = None;
    for option in options {
        let mut found = Vec::new();
        check_at(option, value, place, &mut found);
        if found.is_empty() {
            return;
        }
        let wrong_type = found.iter().any(|problem| problem.place == *place && matches!(problem.wrong, Wrong::Type { .. }));
        if !wrong_type && closest.is_none() {
            closest = Some(found);
        }
    }
    match closest {
        Some(found) => problems.extend(found),
        None => {
            let words: Vec<String> = options.iter().filter_map(|option| option.get("type")).map(type_words).collect();
            let wrong = Wrong::Type { expected: words.join(" or "), found: describe(value) };
            problems.push(Problem { place: place.clone(), wrong });
        }
    }
}

fn type_allows(allowed: &Value, value: &Value) -> bool {
    match allowed {
        Value::String(name) => type_is(name, value),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(|name| type_is(name, value)),
        _ => true,
    }
}

fn type_is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn type_words(allowed: &Value) -> String {
    let word = |name: &str| match name {
        "null" => "nothing",
        "boolean" => "true or false",
        "string" => "a string",
        "number" => "a number",
        "integer" => "a whole number",
        "array" => "a list",
        "object" => "a map",
        _ => "another type",
    };
    match allowed {
        Value::String(name) => word(name).to_owned(),
        Value::Array(names) => {
            let words: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| *name != "null").map(word).collect();
            words.join(" or ")
        }
        _ => "another type".to_owned(),
    }
}

/// A value in words, for messages: `the string "x"`, `a list`.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("{value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(schema: Value, value: Value) -> Vec<String> {
        check(&schema, &value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_kind_of_problem_names_its_place() {
        let schema = json!({
            "type": "object", "required": ["ratings"], "additionalProperties": false,
            "properties": {
                "ratings": { "type": "string" },
                "rank": { "type": "integer", "minimum": 1 },
                "mode": { "type": "string", "enum": ["upsert", "append"] },
                "k": { "type": "array", "items": { "type": "integer" } },
            }
        });
        let value = json!({ "rank": 0, "mode": "merge", "k": [1, "two"], "rnak": 3 });
        assert_eq!(
            messages(schema, value),
            [
                "`ratings` is missing",
                "`rank`: expected at least 1, found 0",
                "`mode`: expected one of upsert, append, found \"merge\"",
                "`k[1]`: expected a whole number, found the string \"two\"",
                "unknown input `rnak`",
            ]
        );
    }

    #[test]
    fn a_whole_float_is_an_integer_and_a_half_is_not() {
        assert!(messages(json!({ "type": "integer" }), json!(3.0)).is_empty());
        assert_eq!(messages(json!({ "type": "integer" }), json!(3.5)), ["expected a whole number, found the number 3.5"]);
    }

    #[test]
    fn a_choice_of_constants_lists_them_all() {
        let schema = json!({ "oneOf": [{ "type": "string", "const": "als-wr" }, { "type": "string", "const": "plain" }] });
        assert!(messages(schema.clone(), json!("plain")).is_empty());
        assert_eq!(messages(schema, json!("als")), ["expected one of als-wr, plain, found \"als\""]);
    }

    #[test]
    fn a_choice_reports_the_option_of_the_right_type() {
        let schema = json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] });
        assert!(messages(schema.clone(), json!("x")).is_empty());
        assert_eq!(messages(schema.clone(), json!(-1)), ["expected at least 0, found -1"]);
        assert_eq!(messages(schema, json!([])), ["expected a whole number or a string, found a list"]);
    }
}
