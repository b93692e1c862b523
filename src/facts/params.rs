//! The parameters of a pipeline as a JSON Schema (draft 2020-12): what a form is made of, and what a program checks its values against.

use serde_json::{Map, Value, json};

use crate::pipeline::{ParamSpec, ParamType, Pipeline};

/// The schema of the object that a run's `params` may be.
pub fn schema(pipeline: &Pipeline) -> Value {
    let properties: Map<String, Value> = pipeline.params.iter().map(|param| (param.name.clone(), of(param))).collect();
    let required: Vec<&str> = pipeline.params.iter().filter(|param| param.required).map(|param| param.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of(param: &ParamSpec) -> Value {
    let mut schema = Map::new();
    let kind = match &param.kind {
        ParamType::Integer => "integer",
        ParamType::Number => "number",
        ParamType::Boolean => "boolean",
        ParamType::String | ParamType::Path | ParamType::Date | ParamType::Enum(_) => "string",
    };
    schema.insert("type".to_owned(), kind.into());
    match &param.kind {
        ParamType::Path | ParamType::Date => _ = schema.insert("format".to_owned(), param.kind.word().into()),
        ParamType::Enum(words) => _ = schema.insert("enum".to_owned(), words.clone().into()),
        ParamType::String | ParamType::Integer | ParamType::Number | ParamType::Boolean => {}
    }
    let optional = [
        ("description", param.description.clone().map(Value::from)),
        ("minimum", param.minimum.map(number)),
        ("maximum", param.maximum.map(number)),
        // The pattern has to match the whole text; a schema's need not.
        ("pattern", param.pattern.as_ref().map(|pattern| format!("^(?:{})$", pattern.as_str()).into())),
        ("default", param.default.clone()),
    ];
    schema.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(schema)
}

/// A bound without a fraction that nobody wrote.
fn number(bound: f64) -> Value {
    if bound.fract() == 0.0 && bound.abs() < 9e15 { json!(bound as i64) } else { json!(bound) }
}

#[cfg(test)]
mod tests {
    use recflow_stages::Catalog;

    use super::*;
    use crate::pipeline::load;

    #[test]
    fn a_schema_says_what_the_pipeline_accepts() {
        let text = "
params:
  rank: { type: integer, default: 64, minimum: 1, maximum: 1000, description: Floats in a factor }
  ratio: { type: number, maximum: 0.5 }
  day: { type: date, required: true }
  mode: { type: enum, values: [fast, exact], default: fast }
  name: { type: string, pattern: '[a-z]+' }
tasks: { a: { stage: noop } }
";
        let loaded = load(text, "p.yaml", Catalog::builtin());
        let found = schema(loaded.pipeline.as_ref().unwrap_or_else(|| panic!("{}", loaded.render(false))));
        let expected = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "rank": { "type": "integer", "description": "Floats in a factor", "minimum": 1, "maximum": 1000, "default": 64 },
                "ratio": { "type": "number", "maximum": 0.5 },
                "day": { "type": "string", "format": "date" },
                "mode": { "type": "string", "enum": ["fast", "exact"], "default": "fast" },
                "name": { "type": "string", "pattern": "^(?:[a-z]+)$" },
            },
            "required": ["day"],
            "additionalProperties": false,
        });
        assert_eq!(found, expected);
    }
}
