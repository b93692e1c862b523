//! Walks the JSON Schema of a stage's output along a path.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// Where one step into an output leads.
pub(super) enum Field<'s> {
    /// To a value of this schema.
    Known(&'s Value),
    /// To something that is known only when the task has run.
    Anything,
    /// Nowhere; these fields are there instead.
    Unknown(Vec<&'s str>),
}

/// The output of a branch: the tasks that the side taken names, and why.
pub(super) fn branch() -> &'static Value {
    static BRANCH: LazyLock<Value> = LazyLock::new(|| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "taken": { "type": "array", "items": { "type": "string" } },
                "reason": { "type": "string" },
            },
        })
    });
    &BRANCH
}

/// The field `key` of a value of this schema. Optional values are taken to be there.
pub(super) fn field<'s>(schema: &'s Value, key: &str) -> Field<'s> {
    let Some(object) = schema.as_object() else { return Field::Anything };
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(options) = object.get(keyword).and_then(Value::as_array) {
            return field_of_any(options, key);
        }
    }
    let properties = object.get("properties").and_then(Value::as_object);
    if let Some(found) = properties.and_then(|properties| properties.get(key)) {
        return Field::Known(found);
    }
    let names = || properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default();
    match object.get("additionalProperties") {
        Some(Value::Bool(true)) => Field::Anything,
        Some(Value::Bool(false)) => Field::Unknown(names()),
        Some(additional) => Field::Known(additional),
        // Schemas are derived from types: fields that a type does not have, its values do not have either.
        None if properties.is_some() => Field::Unknown(names()),
        None if types(schema).contains(&"object") || types(schema).is_empty() => Field::Anything,
        None => Field::Unknown(Vec::new()),
    }
}

fn field_of_any<'s>(options: &'s [Value], key: &str) -> Field<'s> {
    let mut all = Vec::new();
    let mut anything = false;
    for option in options.iter().filter(|option| types(option) != ["null"]) {
        match field(option, key) {
            Field::Known(found) => return Field::Known(found),
            Field::Anything => anything = true,
            Field::Unknown(names) => all.extend(names),
        }
    }
    if anything { Field::Anything } else { Field::Unknown(all) }
}

/// The schema of an element of a list, if it is one.
pub(super) fn element(schema: &Value) -> Option<&Value> {
    schema.get("items")
}

/// A value of this schema and its type in words; `None` if it can be of more than one type.
pub(super) fn sample(schema: &Value) -> Option<(Value, &'static str)> {
    match types(schema).as_slice() {
        ["string"] => Some((json!("text"), "a string")),
        ["integer"] => Some((json!(1), "a whole number")),
        ["number"] => Some((json!(1.0), "a number")),
        ["boolean"] => Some((json!(true), "true or false")),
        ["array"] => Some((json!([]), "a list")),
        ["object"] => Some((json!({}), "a map")),
        _ => None,
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
