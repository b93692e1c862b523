//! A look at everything that could be wrong with a workspace: each check has a verdict, what was found, and a remedy.
//!
//! A check never changes anything and never stops the others; what cannot be asked is a finding too.

mod runs;
mod store;
mod system;
mod workspace;

use recflow_stages::Context;
use recflow_stages::clock::Clock;
use schemars::JsonSchema;
use serde::Serialize;

use crate::workspace::Workspace;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Something does not work, or soon will not.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DoctorCheck")]
pub struct Check {
    /// What: `disk`.
    pub name: &'static str,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn error(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Error, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks at everything. `models` is the folder of model versions; `context` reads datasets and models.
pub fn examine(workspace: &Workspace, models: &str, context: &Context, clock: &dyn Clock) -> Vec<Check> {
    let (mut checks, reader) = store::examine(workspace);
    if let Some(reader) = &reader {
        checks.extend(runs::examine(reader, workspace, clock));
    }
    checks.extend(system::examine(workspace, clock));
    checks.extend(workspace::examine(workspace, models, context, clock));
    checks
}
