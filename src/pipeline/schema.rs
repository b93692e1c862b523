//! The JSON Schema (2020-12) of the language, for editors: `recflow schema`.
//!
//! Every stage's inputs are in it. Wherever an input takes a value, it takes a template as well. The schema is for
//! completion and quick feedback; what it cannot say (edges, references, cron) only `recflow validate` checks.

use recflow_stages::{Catalog, StageSpec};
use serde_json::{Map, Value, json};

use super::model::{TaskId, TriggerRule};
use super::params::ParamType;
use super::schedule::{Catchup, Dst, Overlap};
use super::trigger::EndStatus;

/// [`json_schema`] as the text of a file, such as the `recflow.schema.json` that pipelines name in their first line.
pub fn file_text(catalog: &Catalog) -> String {
    format!("{:#}\n", json_schema(catalog))
}

/// The schema of a pipeline that uses the stages of `catalog`.
pub fn json_schema(catalog: &Catalog) -> Value {
    let id = format!("^[A-Za-z][A-Za-z0-9_-]{{0,{}}}$", TaskId::MAX_LENGTH - 1);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "recflow pipeline",
        "type": "object",
        "required": ["tasks"],
        "additionalProperties": false,
        "patternProperties": { "^x-": { "description": "Free for notes and anchors." } },
        "properties": {
            "name": { "type": "string", "pattern": id, "description": "The pipeline's name; the file's stem by default." },
            "description": { "type": "string", "description": "For people." },
            "tags": { "$ref": "#/$defs/names", "description": "For filters." },
            "params": {
                "type": "object",
                "description": "Parameters of a run, read as `params.NAME`.",
                "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 100 },
                "additionalProperties": { "$ref": "#/$defs/param" },
            },
            "schedule": {
                "description": "When it starts by itself.",
                "anyOf": [{ "$ref": "#/$defs/schedule" }, { "type": "array", "items": { "$ref": "#/$defs/schedule" } }],
            },
            "on": {
                "description": "What else makes it start: a run of another pipeline, a dataset, a file.",
                "anyOf": [{ "$ref": "#/$defs/trigger" }, { "type": "array", "items": { "$ref": "#/$defs/trigger" } }],
            },
            "paused": { "type": "boolean", "default": false, "description": "Whether it starts by itself only once it was unpaused." },
            "max_active_runs": { "type": "integer", "minimum": 1, "maximum": 10_000, "description": "How many runs may be active at once." },
            "max_active_tasks": { "type": "integer", "minimum": 1, "maximum": 10_000, "description": "How many of its tasks, over all its runs, may run at once." },
            "priority": { "type": "integer", "minimum": -1000, "maximum": 1000, "default": 0, "description": "Runs of higher priority start first, and so do their tasks." },
            "defaults": { "type": "object", "description": "What tasks inherit.", "additionalProperties": false, "properties": attempts() },
            "env": {
                "$ref": "#/$defs/env",
                "description": "Environment of all tasks, read as `env.NAME`. Without a value, a variable is passed through.",
            },
            "tasks": {
                "type": "object",
                "description": "The tasks by their ids.",
                "minProperties": 1,
                "propertyNames": { "pattern": id },
                "additionalProperties": { "$ref": "#/$defs/task" },
            },
        },
        "$defs": definitions(catalog),
    })
}

fn definitions(catalog: &Catalog) -> Value {
    json!({
        "names": {
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        },
        "duration": {
            "type": "string",
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 1,
            "examples": ["500ms", "30s", "5m", "1h30m", "2d"],
        },
        "template": { "type": "string", "pattern": "\\{\\{[\\s\\S]*\\}\\}" },
        "condition": { "type": ["string", "boolean"], "description": "An expression without braces that is true or false." },
        "env": variables(&["string", "number", "boolean", "null"]),
        "param": param(),
        "schedule": schedule(),
        "trigger": trigger(),
        "task": task(catalog),
    })
}

/// What a name looks like.
const NAME: &str = "^[A-Za-z][A-Za-z0-9_-]{0,99}$";

/// A map of environment variables whose values are of these types.
fn variables(types: &[&str]) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^(?!RECFLOW_)[A-Za-z_][A-Za-z0-9_]*$" },
        "additionalProperties": { "type": types },
    })
}

fn param() -> Value {
    json!({
        "type": "object",
        "required": ["type"],
        "additionalProperties": false,
        "properties": {
            "type": { "enum": ParamType::WORDS },
            "description": { "type": "string" },
            "default": { "description": "Its value if none is given." },
            "values": { "type": "array", "items": { "type": "string" }, "minItems": 1, "description": "What an enum may be." },
            "minimum": { "type": "number" },
            "maximum": { "type": "number" },
            "pattern": { "type": "string", "format": "regex", "description": "The whole text must match it." },
            "required": { "type": "boolean", "description": "Whether a value must be given." },
        },
        "if": { "properties": { "type": { "const": "enum" } }, "required": ["type"] },
        "then": { "required": ["values"] },
    })
}

fn schedule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "cron": { "type": "string", "description": "Minute, hour, day of month, month, day of week, as in crontab(5).", "examples": ["0 3 * * *"] },
            "every": { "$ref": "#/$defs/duration", "description": "A steady interval instead of cron." },
            "timezone": { "type": "string", "description": "IANA time zone; UTC by default.", "default": "UTC" },
            "start": { "type": "string", "description": "First date or instant." },
            "end": { "type": "string", "description": "Last date or instant." },
            "catchup": { "enum": Catchup::WORDS, "default": "latest", "description": "What happens to firings that were missed." },
            "catchup_window": { "$ref": "#/$defs/duration", "description": "Missed firings older than this are skipped." },
            "overlap": { "enum": Overlap::WORDS, "default": "queue", "description": "What happens while `max_active_runs` runs are active." },
            "dst": { "enum": Dst::WORDS, "default": "vixie", "description": "What daylight saving does to a fixed time." },
        },
        "oneOf": [{ "required": ["cron"] }, { "required": ["every"] }],
    })
}

fn trigger() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "pipeline": { "type": "string", "description": "Starts when a run of this pipeline ends." },
            "status": { "enum": EndStatus::WORDS, "default": "succeeded", "description": "How that run has to end." },
            "dataset": { "type": "string", "description": "Starts when the dataset at this path has a new snapshot." },
            "file": { "type": "string", "description": "Starts when a new file is complete; `*` and `?` in its name.", "examples": ["data/inbox/*.csv"] },
            "when": { "$ref": "#/$defs/condition", "description": "Reads `run` (of a pipeline) or `event` (of a dataset or file)." },
            "debounce": { "$ref": "#/$defs/duration", "description": "How long it has to be quiet first." },
            "params": { "type": "object", "description": "Parameters of the run; templates read what `when` reads." },
        },
        "oneOf": [{ "required": ["pipeline"] }, { "required": ["dataset"] }, { "required": ["file"] }],
    })
}

/// The keys about attempts, of a task and of `defaults`.
fn attempts() -> Map<String, Value> {
    let keys = json!({
        "retries": { "type": "integer", "minimum": 0, "maximum": 1000, "description": "Attempts beyond the first." },
        "retry_delay": { "$ref": "#/$defs/duration", "description": "Delay before the second attempt." },
        "retry_backoff": {
            "type": "object",
            "description": "How further delays grow.",
            "additionalProperties": false,
            "properties": {
                "factor": { "type": "number", "minimum": 1, "maximum": 100, "default": 2 },
                "cap": { "$ref": "#/$defs/duration" },
                "jitter": { "anyOf": [{ "type": "boolean" }, { "type": "number", "minimum": 0, "maximum": 1 }], "default": false },
            },
        },
        "timeout": { "$ref": "#/$defs/duration", "description": "How long one attempt may take." },
    });
    match keys {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

fn task(catalog: &Catalog) -> Value {
    let stages: Vec<Value> = catalog.iter().map(|stage| json!({ "const": stage.spec.name, "description": stage.spec.summary })).collect();
    let mut properties = json!({
        "stage": { "description": "What it does.", "oneOf": stages },
        "with": { "type": "object", "description": "The inputs of its stage." },
        "needs": { "$ref": "#/$defs/names", "description": "The tasks that it waits for." },
        "when": { "$ref": "#/$defs/condition", "description": "If false, the task is skipped." },
        "branch": {
            "type": "array",
            "minItems": 1,
            "description": "Instead of a stage: decides which of the tasks directly below run. The first side whose `when` is true is taken.",
            "items": {
                "type": "object",
                "required": ["to"],
                "additionalProperties": false,
                "properties": {
                    "when": { "$ref": "#/$defs/condition", "description": "Only the last side may be without it." },
                    "to": { "$ref": "#/$defs/names", "description": "The tasks that run if this side is taken." },
                },
            },
        },
        "trigger_rule": { "enum": TriggerRule::ALL, "default": "all_success", "description": "How the ends of the tasks that it needs decide about it." },
        "allow_failure": { "type": "boolean", "default": false, "description": "Whether the run may succeed although this failed." },
        "env": variables(&["string", "number", "boolean"]),
        "pool": { "type": "string", "pattern": NAME, "description": "The pool of recflow.yaml that its attempts take slots of." },
        "pool_slots": { "type": "integer", "minimum": 1, "maximum": 10_000, "default": 1, "description": "How many slots of the pool." },
        "priority": { "type": "integer", "minimum": -1000, "maximum": 1000, "default": 0, "description": "Of the tasks that are ready, those of higher priority start first." },
        "max_active": { "type": "integer", "minimum": 1, "maximum": 10_000, "description": "How many of its attempts, over all runs, may be under way at once." },
    });
    properties["env"]["description"] = json!("Environment beside the pipeline's.");
    if let Value::Object(properties) = &mut properties {
        properties.extend(attempts());
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["stage"] }, { "required": ["branch"], "properties": { "with": false } }],
        "properties": properties,
        "allOf": catalog.iter().map(|stage| inputs_of(&stage.spec)).collect::<Vec<_>>(),
    })
}

/// "If the stage is this one, `with` looks like that."
fn inputs_of(spec: &StageSpec) -> Value {
    let has_required = spec.inputs["required"].as_array().is_some_and(|required| !required.is_empty());
    let mut then = json!({ "properties": { "with": with_schema(&spec.inputs) } });
    if has_required {
        then["required"] = json!(["with"]);
    }
    json!({ "if": { "properties": { "stage": { "const": spec.name } }, "required": ["stage"] }, "then": then })
}

/// The schema of inputs in which a template may stand wherever a value does. The inputs as a whole stay a map.
pub(crate) fn with_schema(inputs: &Value) -> Value {
    let mut inputs = inputs.clone();
    allow_templates_below(&mut inputs);
    if let Value::Object(members) = &mut inputs {
        members.remove("title");
    }
    inputs
}

fn allow_templates_below(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(allow_template);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = members.get_mut(key).filter(|inner| inner.is_object()) {
            allow_template(inner);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(options)) = members.get_mut(key) {
            options.iter_mut().for_each(allow_templates_below);
        }
    }
}

/// Turns a schema into "that, or a template", unless any text fits already. What editors show stays outside.
fn allow_template(schema: &mut Value) {
    allow_templates_below(schema);
    let Value::Object(members) = schema else { return };
    let is_free_text = members.get("type") == Some(&json!("string")) && !members.contains_key("enum") && !members.contains_key("pattern");
    if is_free_text || members.is_empty() {
        return;
    }
    let mut outer = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = members.remove(key) {
            outer.insert(key.to_owned(), value);
        }
    }
    outer.insert("anyOf".to_owned(), json!([std::mem::take(members), { "$ref": "#/$defs/template" }]));
    *schema = Value::Object(outer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::document;

    #[test]
    fn a_template_may_stand_wherever_a_value_may() {
        let inputs = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["path"],
            "properties": {
                "path": { "type": "string", "description": "Where." },
                "rank": { "type": "integer", "minimum": 1, "default": 64, "description": "Length." },
                "k": { "type": "array", "items": { "type": "integer" } },
            },
        });
        let template = json!({ "$ref": "#/$defs/template" });
        assert_eq!(
            with_schema(&inputs),
            json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["path"],
                "properties": {
                    "path": { "type": "string", "description": "Where." },
                    "rank": { "description": "Length.", "default": 64, "anyOf": [{ "type": "integer", "minimum": 1 }, template] },
                    "k": { "anyOf": [{ "type": "array", "items": { "anyOf": [{ "type": "integer" }, template] } }, template] },
                },
            })
        );
    }

    #[test]
    fn the_schema_knows_the_keys_that_the_reader_knows() {
        let schema = json_schema(Catalog::builtin());
        let keys = |pointer: &str| {
            let members = schema.pointer(pointer).and_then(Value::as_object).unwrap_or_else(|| panic!("no {pointer}"));
            let mut keys: Vec<String> = members.keys().cloned().collect();
            keys.sort();
            keys
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys("/properties"), sorted(&document::KEYS));
        assert_eq!(keys("/properties/defaults/properties"), sorted(&document::DEFAULTS_KEYS));
        assert_eq!(keys("/$defs/task/properties"), sorted(&document::TASK_KEYS));
        assert_eq!(keys("/$defs/param/properties"), sorted(&document::PARAM_KEYS));
        assert_eq!(keys("/$defs/schedule/properties"), sorted(&document::SCHEDULE_KEYS));
        assert_eq!(keys("/$defs/trigger/properties"), sorted(&document::TRIGGER_KEYS));
        assert!(schema["$defs"]["task"]["allOf"].as_array().expect("a list").len() >= 2, "one condition a stage");
    }
}
