//! The [`Stage`] trait and the [`Catalog`] of the stages that are built in.
//!
//! A stage is written once, typed ([`Stage`]); the orchestrator sees it erased ([`AnyStage`]): JSON in, JSON
//! out, with a JSON Schema on both sides. The schema comes from the types, so `validate`, `recflow stages`,
//! editors and the program that runs cannot disagree.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Forecast};
use crate::schema;

/// How an attempt of a stage executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// In the orchestrator's own process: the work takes microseconds and little memory.
    Inline,
    /// In a child process of the same binary, which can be killed and measured.
    Child,
    /// Another program (`shell`): the executor starts it, no Rust code of ours runs.
    Program,
}

/// A kind of work: typed inputs, typed output, an implementation.
///
/// Inputs derive `Deserialize` with `deny_unknown_fields` and `JsonSchema`; every field has a doc comment
/// (it is what `recflow stages NAME` prints) and either a `#[serde(default)]` or is required.
pub trait Stage: 'static {
    /// The stable name that pipelines use.
    const NAME: &'static str;
    /// One sentence for `recflow stages`.
    const SUMMARY: &'static str;
    /// How an attempt executes.
    const RUNS: Runs;
    /// Whether the work gains from several threads. A stage that gains little gets one, and leaves the others to those that run beside it.
    const PARALLEL: bool = true;
    /// What `with:` holds.
    type Inputs: DeserializeOwned + JsonSchema;
    /// What later tasks read as `tasks.ID.output`.
    type Output: Serialize + JsonSchema;

    /// Checks what the schema of the inputs cannot say. `validate` asks it of what is written in the file, and each attempt before it starts.
    ///
    /// # Errors
    /// The first input that cannot be right.
    fn check(_: &Self::Inputs) -> Result<(), Misfit> {
        Ok(())
    }

    /// What the work will take, and tells the forecast what it will have written. `None` where that is not known.
    fn estimate(_: &Self::Inputs, _: &mut Forecast) -> Option<Estimate> {
        None
    }

    /// Does the work. Publishes in one atomic step at its end, so that an attempt that dies can run again. A stage that has nothing to do
    /// may return [`StageError::skipped`]: the task then is skipped.
    fn run(inputs: Self::Inputs, context: &Context) -> Result<Self::Output>;
}

/// An input that fits the schema and cannot be right all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The name of the input.
    pub input: &'static str,
    /// What is wrong with it, and the remedy.
    pub error: StageError,
}

/// What is known of a stage without running it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StageSpec {
    /// The stable name that pipelines use.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// How an attempt executes.
    pub runs: Runs,
    /// Whether the work takes part in sharing the threads of the machine.
    pub parallel: bool,
    /// JSON Schema (2020-12, no `$ref`) of `with:`.
    pub inputs: Value,
    /// JSON Schema of the output. `true` where the stage does not know it (`shell`).
    pub output: Value,
}

/// A stage without its types.
pub struct AnyStage {
    /// What is known of it.
    pub spec: StageSpec,
    run: fn(Value, &Context) -> Result<Value>,
    misfit: fn(&Value) -> Option<Misfit>,
    estimate: fn(&Value, &mut Forecast) -> Option<Estimate>,
}

impl fmt::Debug for AnyStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStage").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl AnyStage {
    /// Erases the types of `S`.
    pub fn of<S: Stage>() -> Self {
        let spec = StageSpec {
            name: S::NAME,
            summary: S::SUMMARY,
            runs: S::RUNS,
            parallel: S::PARALLEL && S::RUNS == Runs::Child,
            inputs: schema_of::<S::Inputs>(),
            output: schema_of::<S::Output>(),
        };
        Self { spec, run: run_erased::<S>, misfit: misfit_erased::<S>, estimate: estimate_erased::<S> }
    }

    /// Checks `inputs` against the schema, then runs the stage.
    pub fn run(&self, inputs: Map<String, Value>, context: &Context) -> Result<Value> {
        let inputs = Value::Object(inputs);
        self.check(&inputs)?;
        (self.run)(inputs, context)
    }

    /// Checks rendered inputs against the schema: the same check that `validate` makes of literal ones.
    pub fn check(&self, inputs: &Value) -> Result<()> {
        let problems = schema::check(&self.spec.inputs, inputs);
        let Some(first) = problems.first() else {
            let Some(Misfit { input, error }) = self.misfit(inputs) else { return Ok(()) };
            let message = format!("invalid inputs for stage `{}`: `{input}`: {}", self.spec.name, error.message);
            return Err(StageError { message, ..error });
        };
        let mut error = StageError::input(format!("invalid inputs for stage `{}`: {first}", self.spec.name));
        for problem in &problems[1..] {
            error = error.with_cause(problem);
        }
        Err(error.with_hint(format!("`recflow stages {}` lists the inputs", self.spec.name)))
    }

    /// What the work on these inputs will take. `None` where that is not known, or if something does not fit.
    pub fn estimate(&self, inputs: &Value, forecast: &mut Forecast) -> Option<Estimate> {
        (self.estimate)(inputs, forecast)
    }

    /// The first input that fits the schema and cannot be right all the same. `None` also if something does not fit.
    pub fn misfit(&self, inputs: &Value) -> Option<Misfit> {
        (self.misfit)(inputs)
    }
}

fn estimate_erased<S: Stage>(inputs: &Value, forecast: &mut Forecast) -> Option<Estimate> {
    S::estimate(&S::Inputs::deserialize(inputs).ok()?, forecast)
}

fn misfit_erased<S: Stage>(inputs: &Value) -> Option<Misfit> {
    S::check(&S::Inputs::deserialize(inputs).ok()?).err()
}

fn run_erased<S: Stage>(inputs: Value, context: &Context) -> Result<Value> {
    let inputs: S::Inputs =
        serde_json::from_value(inputs).map_err(|error| StageError::input(format!("invalid inputs for stage `{}`: {error}", S::NAME)))?;
    let output = S::run(inputs, context)?;
    serde_json::to_value(output).map_err(|error| StageError::bug(format!("the output of stage `{}` is not JSON: {error}", S::NAME)))
}

/// The schema of a type with everything in place: no `$ref`, no `$schema` line.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value()
}

/// The stages that a pipeline may name.
#[derive(Debug)]
pub struct Catalog {
    stages: BTreeMap<&'static str, AnyStage>,
}

impl Catalog {
    /// A catalog of the given stages.
    pub fn new(stages: impl IntoIterator<Item = AnyStage>) -> Self {
        Self { stages: stages.into_iter().map(|stage| (stage.spec.name, stage)).collect() }
    }

    /// The stages built into this binary.
    pub fn builtin() -> &'static Catalog {
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(crate::builtin::all()));
        &BUILTIN
    }

    /// The stage of that name.
    pub fn get(&self, name: &str) -> Option<&AnyStage> {
        self.stages.get(name)
    }

    /// All stages, by name.
    pub fn iter(&self) -> impl Iterator<Item = &AnyStage> {
        self.stages.values()
    }
}

/// A path as an input names it: relative to the workspace, or absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkspacePath(String);

impl WorkspacePath {
    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for WorkspacePath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for WorkspacePath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WorkspacePath".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "path", "minLength": 1 })
    }
}
