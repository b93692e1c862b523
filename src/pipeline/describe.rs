//! A JSON Schema of a stage as rows that a person reads: `recflow stages NAME`.

use serde::Serialize;
use serde_json::Value;

/// One input or output field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name; fields of a map inside are `outer.inner`.
    pub name: String,
    /// Its type in words: `a whole number from 1 to 1000`.
    pub kind: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it means.
    pub about: String,
}

/// The inputs of a schema, in its order.
pub fn inputs(schema: &Value) -> Vec<Field> {
    fields(schema, "", false)
}

/// The output fields of a schema, those of maps inside it included. Empty if the stage does not know its output.
pub fn outputs(schema: &Value) -> Vec<Field> {
    fields(schema, "", true)
}

fn fields(schema: &Value, prefix: &str, deep: bool) -> Vec<Field> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = Vec::new();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let name = format!("{prefix}{key}");
        let about = property["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let default = property.get("default").filter(|default| !is_nothing(default)).cloned();
        rows.push(Field { kind: kind(property), required: required.contains(&key.as_str()), default, about, name: name.clone() });
        if deep {
            rows.extend(fields(present(property), &format!("{name}."), true));
        }
    }
    rows
}

/// A default that says no more than "optional".
fn is_nothing(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The schema of the value if it is there: an optional map is "the map, or null".
fn present(schema: &Value) -> &Value {
    let options = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    options.iter().find(|option| option["type"] != "null").unwrap_or(schema)
}

fn kind(schema: &Value) -> String {
    if let Some(allowed) = schema["enum"].as_array() {
        let words: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        return words.join(" | ");
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(options) = schema[keyword].as_array() {
            let mut words: Vec<String> = options.iter().filter(|option| option["type"] != "null").map(kind).collect();
            words.dedup();
            return words.join(" or ");
        }
    }
    if let Some(constant) = schema.get("const") {
        return constant.as_str().map_or_else(|| constant.to_string(), str::to_owned);
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    let words: Vec<String> = names.iter().map(|name| kind_of(name, schema)).collect();
    if words.is_empty() { "any value".to_owned() } else { words.join(" or ") }
}

fn kind_of(name: &str, schema: &Value) -> String {
    match name {
        "string" if schema["format"] == "path" => "path".to_owned(),
        "string" => "text".to_owned(),
        "integer" => format!("whole number{}", limits(schema)),
        "number" => format!("number{}", limits(schema)),
        "boolean" => "true or false".to_owned(),
        "array" if schema["items"].is_object() => format!("list: {}", kind(&schema["items"])),
        "array" => "list".to_owned(),
        "object" if schema["additionalProperties"].is_object() => format!("map: {}", kind(&schema["additionalProperties"])),
        "object" => "map".to_owned(),
        other => other.to_owned(),
    }
}

/// Bounds in words. Those of the integer type itself (`u32`) say nothing to a person.
fn limits(schema: &Value) -> String {
    let has_format = schema["format"].is_string();
    let bound = |key: &str| schema.get(key).filter(|bound| !(has_format && key == "minimum" && bound.as_f64() == Some(0.0)));
    let least = bound("minimum").map(|bound| format!(" from {bound}")).or(bound("exclusiveMinimum").map(|bound| format!(" above {bound}")));
    let most = bound("maximum").map(|bound| format!(" to {bound}")).or(bound("exclusiveMaximum").map(|bound| format!(" below {bound}")));
    format!("{}{}", least.unwrap_or_default(), most.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_described_in_words() {
        let schema = json!({
            "type": "object",
            "required": ["path"],
            "properties": {
                "path": { "type": "string", "format": "path", "description": "Where\nit lies." },
                "rank": { "type": "integer", "format": "uint32", "minimum": 1, "maximum": 1000, "default": 64 },
                "reg": { "type": "number", "format": "double", "exclusiveMinimum": 0 },
                "seed": { "type": ["integer", "null"], "format": "uint64", "minimum": 0, "default": null },
                "mode": { "anyOf": [{ "type": "string", "enum": ["a", "b"] }, { "type": "null" }] },
                "k": { "type": "array", "items": { "type": "integer" } },
                "env": { "type": "object", "additionalProperties": { "type": "string" } },
            },
        });
        let shown: Vec<String> = inputs(&schema).iter().map(|field| format!("{} {}: {}", field.required, field.name, field.kind)).collect();
        assert_eq!(
            shown,
            [
                "true path: path",
                "false rank: whole number from 1 to 1000",
                "false reg: number above 0",
                "false seed: whole number",
                "false mode: a | b",
                "false k: list: whole number",
                "false env: map: text",
            ]
        );
        let all = inputs(&schema);
        assert_eq!((all[0].about.as_str(), all[1].default.clone(), all[3].default.clone()), ("Where it lies.", Some(json!(64)), None));
    }

    #[test]
    fn outputs_show_what_is_inside_maps() {
        let inner = json!({ "type": "object", "properties": { "rows": { "type": "integer" } } });
        let schema = json!({ "properties": { "train": inner, "test": { "anyOf": [inner, { "type": "null" }] } } });
        let names: Vec<String> = outputs(&schema).into_iter().map(|field| field.name).collect();
        assert_eq!(names, ["train", "train.rows", "test", "test.rows"]);
        assert!(outputs(&json!(true)).is_empty());
    }
}
