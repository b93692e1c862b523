//! `recflow stage`: runs one stage by itself, recorded as a run of one task.

use std::io::{self, Write};

use recflow_stages::{Catalog, schema};
use serde_json::{Map, Value, json};

use super::Terminal;
use super::exit::{Exit, Failure};
use super::load;
use super::run::{Execution, launch};
use crate::workspace::Workspace;

/// Arguments of `recflow stage`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow stage generate output=data/combined ratings=100000
  recflow stage train_als ratings=data/processed/parquet/train models=models/artifacts rank=32
  recflow stage shell command='[\"echo\", \"hello\"]'")]
pub(super) struct Args {
    /// The stage; `recflow stages` lists them.
    name: String,
    /// Inputs. A value is JSON where the input is not text.
    #[arg(value_name = "KEY=VALUE")]
    inputs: Vec<String>,
    #[command(flatten)]
    execution: Execution,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let catalog = Catalog::builtin();
    let Some(stage) = catalog.get(&args.name) else {
        let names: Vec<&str> = catalog.iter().map(|stage| stage.spec.name).collect();
        return Err(Failure::usage(format!("unknown stage `{}`", args.name)).with_hint(format!("the stages are {}", names.join(", "))));
    };
    let mut inputs = Map::new();
    for pair in &args.inputs {
        let Some((key, text)) = pair.split_once('=') else {
            return Err(Failure::usage(format!("`{pair}` has no `=`")).with_hint("write inputs as KEY=VALUE"));
        };
        inputs.insert(key.to_owned(), typed(text, stage.spec.inputs.pointer(&format!("/properties/{key}"))));
    }
    if let Err(error) = stage.check(&Value::Object(inputs.clone())) {
        return Err(Failure::usage(error.to_string()).with_hint(error.hint.unwrap_or_default()));
    }
    let document = json!({
        "name": format!("stage-{}", args.name.replace('_', "-")),
        "description": format!("`recflow stage {}`", args.name),
        "tasks": { (args.name.clone()): { "stage": args.name, "with": literal(&args.name, inputs) } },
    });
    // JSON is YAML: what is pinned to the run can be run again as it is.
    let text = serde_json::to_string_pretty(&document).map_err(io::Error::from)?;
    let loaded = crate::pipeline::load(&text, "<recflow stage>", catalog);
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    launch(source, Map::new(), &args.execution, workspace, terminal, out)
}

/// A value as the stage's schema wants it: text where text fits, else JSON.
fn typed(text: &str, expected: Option<&Value>) -> Value {
    let as_text = Value::String(text.to_owned());
    let fits = |value: &Value| expected.is_some_and(|expected| schema::check(expected, value).is_empty());
    let as_json: Option<Value> = serde_json::from_str(text).ok();
    match as_json {
        // Where a text and a list both fit, what is written as a list is one.
        Some(list) if list.is_array() && fits(&list) => list,
        Some(value) if !fits(&as_text) => value,
        _ => as_text,
    }
}

/// Inputs that mean what they say. A script is no template in the first place.
fn literal(stage: &str, inputs: Map<String, Value>) -> Value {
    let is_script = |key: &str| stage == "shell" && key == "script";
    inputs.into_iter().map(|(key, value)| if is_script(&key) { (key, value) } else { (key, raw(value)) }).collect()
}

/// What was typed on the command line is no template: `{{` stays as it is.
fn raw(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("{{") || text.contains("{%") || text.contains("{#") => {
            let quoted = serde_json::to_string(&text).unwrap_or_default();
            Value::String(format!("{{{{ {quoted} }}}}"))
        }
        Value::Array(items) => items.into_iter().map(raw).collect(),
        Value::Object(members) => members.into_iter().map(|(key, member)| (key, raw(member))).collect(),
        other => other,
    }
}
