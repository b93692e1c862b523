//! `params`: what the pipeline declares.

use super::fields::{Fields, text, wrong_type};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::params::{ParamSpec, ParamType, Pattern};
use crate::pipeline::source::Source;
use crate::pipeline::yaml::{Entry, Kind};

/// The keys of a parameter.
pub(crate) const KEYS: [&str; 8] = ["type", "description", "default", "values", "minimum", "maximum", "pattern", "required"];

pub(super) fn read_all(pipeline: &Fields<'_>, source: &Source, findings: &mut Findings) -> Vec<ParamSpec> {
    let Some(entry) = pipeline.get("params") else { return Vec::new() };
    let Kind::Map(entries) = &entry.value.kind else {
        findings.push(wrong_type(&entry.value, "`params`", "a map of parameters"));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| read_one(entry, source, findings)).collect()
}

/// A parameter, even if parts of it are wrong: its name is declared, and references to it are not mistakes too.
fn read_one(entry: &Entry, source: &Source, findings: &mut Findings) -> Option<ParamSpec> {
    let name = entry.key.value.clone();
    check_name(entry, findings);
    let Kind::Map(entries) = &entry.value.kind else {
        let written = source.slice(entry.value.span);
        let word = match &entry.value.kind {
            Kind::Bool(_) => "boolean",
            Kind::Number(number) if number.is_f64() => "number",
            Kind::Number(_) => "integer",
            _ => "string",
        };
        let error = wrong_type(&entry.value, &format!("the parameter `{name}`"), "a map with its type");
        let hint = match entry.value.kind {
            Kind::List(_) => format!("write `{name}: {{ type: enum, values: … }}`"),
            Kind::Null => format!("write `{name}: {{ type: {word} }}`"),
            _ => format!("write `{name}: {{ type: {word}, default: {written} }}`"),
        };
        findings.push(error.hint(hint));
        return Some(any_text(name));
    };
    let fields = Fields::open(entries, entry.value.span, "a parameter", &KEYS, findings);
    let (kind, known) = match read_type(&fields, entry, findings) {
        Some(kind) => (kind, true),
        None => (ParamType::String, false),
    };
    let mut param = ParamSpec {
        name,
        description: fields.text("description", findings).map(|text| text.value),
        default: None,
        minimum: fields.number("minimum", f64::MIN..=f64::MAX, findings),
        maximum: fields.number("maximum", f64::MIN..=f64::MAX, findings),
        pattern: read_pattern(&fields, findings),
        required: fields.flag("required", findings).unwrap_or(false),
        kind,
    };
    if known {
        check_limits(&fields, &param, findings);
        read_default(&fields, &mut param, findings);
    }
    Some(param)
}

fn any_text(name: String) -> ParamSpec {
    let (minimum, maximum, pattern) = (None, None, None);
    ParamSpec { name, kind: ParamType::String, description: None, default: None, minimum, maximum, pattern, required: false }
}

fn check_name(entry: &Entry, findings: &mut Findings) {
    let name = &entry.key.value;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 100;
    if !is_name {
        let error = Diagnostic::error("invalid-name", entry.key.span, format!("`{name}` cannot be the name of a parameter"));
        findings.push(error.hint("a name has letters, digits and `_`, so that `params.NAME` and $RECFLOW_PARAM_NAME work"));
    }
}

fn read_type(fields: &Fields<'_>, entry: &Entry, findings: &mut Findings) -> Option<ParamType> {
    if fields.get("type").is_none() {
        let error = Diagnostic::error("missing-key", entry.key.span, format!("the parameter `{}` has no `type`", entry.key.value));
        findings.push(error.hint(format!("types: {}", ParamType::WORDS.join(", "))));
        return None;
    }
    let parse = |word: &str| ParamType::WORDS.contains(&word).then(|| word.to_owned());
    let word = fields.word("type", &ParamType::WORDS, parse, findings)?.value;
    let values = fields.get("values");
    if word != "enum"
        && let Some(values) = values
    {
        let error = Diagnostic::error("invalid-param", values.key.span, format!("`values` belongs to the type `enum`, not `{word}`"));
        findings.push(error);
    }
    Some(match word.as_str() {
        "integer" => ParamType::Integer,
        "number" => ParamType::Number,
        "boolean" => ParamType::Boolean,
        "path" => ParamType::Path,
        "date" => ParamType::Date,
        "enum" => ParamType::Enum(read_values(fields, entry, findings)?),
        _ => ParamType::String,
    })
}

fn read_values(fields: &Fields<'_>, entry: &Entry, findings: &mut Findings) -> Option<Vec<String>> {
    match fields.get("values").map(|entry| &entry.value) {
        Some(node) => match &node.kind {
            Kind::List(items) if !items.is_empty() => {
                let values: Vec<_> = items.iter().filter_map(|item| text(item, "an element of `values`", findings)).collect();
                (values.len() == items.len()).then(|| values.into_iter().map(|value| value.value).collect())
            }
            _ => {
                findings.push(wrong_type(node, "`values`", "a list of texts"));
                None
            }
        },
        None => {
            let error = Diagnostic::error("missing-key", entry.key.span, format!("the parameter `{}` has no `values`", entry.key.value));
            findings.push(error.hint("list what it may be: `values: [snappy, zstd]`"));
            None
        }
    }
}

fn read_pattern(fields: &Fields<'_>, findings: &mut Findings) -> Option<Pattern> {
    let text = fields.text("pattern", findings)?;
    Pattern::new(&text.value)
        .map_err(|message| {
            let error = Diagnostic::error("invalid-param", text.span, format!("the pattern is not a regular expression: {message}"));
            findings.push(error);
        })
        .ok()
}

fn check_limits(fields: &Fields<'_>, param: &ParamSpec, findings: &mut Findings) {
    let is_number = matches!(param.kind, ParamType::Integer | ParamType::Number);
    let is_text = matches!(param.kind, ParamType::String | ParamType::Path);
    for (key, allowed) in [("minimum", is_number), ("maximum", is_number), ("pattern", is_text)] {
        if let Some(entry) = fields.get(key).filter(|_| !allowed) {
            let message = format!("`{key}` means nothing for the type `{}`", param.kind.word());
            findings.push(Diagnostic::error("invalid-param", entry.key.span, message));
        }
    }
    if let (Some(least), Some(most), Some(entry)) = (param.minimum, param.maximum, fields.get("maximum"))
        && least > most
    {
        findings.push(Diagnostic::error("invalid-param", entry.value.span, format!("the maximum {most} is below the minimum {least}")));
    }
}

fn read_default(fields: &Fields<'_>, param: &mut ParamSpec, findings: &mut Findings) {
    let Some(entry) = fields.get("default") else { return };
    if param.required {
        let error = Diagnostic::error("invalid-param", entry.key.span, "a required parameter never uses its default");
        findings.push(error.hint("remove `default` or `required`"));
    }
    if matches!(entry.value.kind, Kind::Null) {
        return; // The same as no default.
    }
    match param.check(entry.value.to_json()) {
        Ok(value) => param.default = Some(value),
        Err(message) => {
            let mut error =
                Diagnostic::error("invalid-param", entry.value.span, format!("the default of `{}` does not fit: {message}", param.name));
            if matches!(param.kind, ParamType::String | ParamType::Path | ParamType::Enum(_)) && !matches!(entry.value.kind, Kind::Text(_))
            {
                error = error.hint("put text in quotes");
            }
            findings.push(error);
        }
    }
}
