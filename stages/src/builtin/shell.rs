//! `shell`: another program. Only its contract is here; the executor starts the program.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Result, StageError};
use crate::stage::{Runs, Stage, WorkspacePath};

/// Runs a command or a script.
#[derive(Debug)]
pub struct Shell;

/// Inputs of `shell`. Exactly one of `command` and `script` is given.
///
/// Pipeline parameters reach the program as `RECFLOW_PARAM_<NAME>`; they are never spliced into a script.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShellInputs {
    /// The program and its arguments, started without a shell: `["python", "score.py"]`.
    #[schemars(length(min = 1))]
    pub command: Option<Vec<Argument>>,
    /// A script that `sh` runs with `-e`. Templates are not expanded in it; use `env`.
    #[schemars(length(min = 1))]
    pub script: Option<String>,
    /// More environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, Value>,
    /// Working directory; the workspace by default.
    pub cwd: Option<WorkspacePath>,
}

/// An argument of a program: text, or a number or truth value that a template gave, which is passed as text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Argument(Value);

impl Argument {
    fn text(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl JsonSchema for Argument {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Argument".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments.
    Arguments(Vec<String>),
    /// A script for `sh`.
    Script(String),
}

impl ShellInputs {
    /// What to start; an error if `command` and `script` are both there, or neither.
    pub fn what(&self) -> Result<Command> {
        match (&self.command, &self.script) {
            (Some(arguments), None) => Ok(Command::Arguments(arguments.iter().map(Argument::text).collect())),
            (None, Some(script)) => Ok(Command::Script(script.clone())),
            (Some(_), Some(_)) => Err(StageError::input("stage `shell` takes `command` or `script`, not both")),
            (None, None) => Err(StageError::input("stage `shell` needs `command` or `script`")),
        }
    }
}

impl Stage for Shell {
    const NAME: &'static str = "shell";
    const SUMMARY: &'static str = "Runs a program; its output is what it writes to $RECFLOW_OUTPUT";
    const RUNS: Runs = Runs::Program;
    type Inputs = ShellInputs;
    /// Whatever the program wrote: unknown before it ran.
    type Output = Value;

    fn run(_: ShellInputs, _: &Context) -> Result<Value> {
        Err(StageError::bug("the executor runs `shell` itself"))
    }
}
