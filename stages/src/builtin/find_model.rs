//! `find_model`: which model version to use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::estimate::{Estimate, Forecast};
use crate::model::catalog;
use crate::model::versions::{self, Which};
use crate::stage::{Runs, Stage, WorkspacePath};

/// Finds a model version. Reads names and small files only.
#[derive(Debug)]
pub struct FindModel;

/// Inputs of `find_model`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindModelInputs {
    /// Folder of model versions.
    pub models: WorkspacePath,
    /// `latest` (the newest complete version), `current` (the one that was promoted; the latest, with a warning, if none was or it
    /// is gone) or the name of a version.
    #[serde(default = "latest")]
    #[schemars(length(min = 1))]
    pub which: String,
}

fn latest() -> String {
    "latest".to_owned()
}

/// What `find_model` returns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FindModelOutput {
    /// Where the version lies.
    pub path: String,
    /// The version's name.
    pub version: String,
    /// Figures by name: those of its training, such as `loss` and `train_rmse`, and those of the newest evaluation that was recorded
    /// with it, such as `rmse`.
    pub metrics: BTreeMap<String, f64>,
    /// Seconds since it was published; absent if nothing tells when that was.
    pub age_seconds: Option<f64>,
}

impl Stage for FindModel {
    const NAME: &'static str = "find_model";
    const SUMMARY: &'static str = "Finds the latest, the current or a named model version";
    const RUNS: Runs = Runs::Inline;
    type Inputs = FindModelInputs;
    type Output = FindModelOutput;

    fn estimate(inputs: &FindModelInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let folder = inputs.models.as_str().trim_end_matches('/');
        let path = match Which::from(inputs.which.as_str()) {
            Which::Latest | Which::Current => forecast.newest_model(&inputs.models)?,
            Which::Named(name) => format!("{folder}/{name}"),
        };
        let output = json!({ "path": path });
        Some(Estimate { rows: 0, read_bytes: 0, written_bytes: 0, memory_bytes: 0, cpu_seconds: 0.0, output, remedy: "" })
    }

    fn run(inputs: FindModelInputs, context: &Context) -> Result<FindModelOutput> {
        let version = versions::find(&context.resolve(&inputs.models), &Which::from(inputs.which.as_str()), context)?;
        let now = context.clock.now();
        Ok(FindModelOutput {
            path: context.display(&version.path),
            metrics: catalog::metrics(&version, context)?,
            version: version.name,
            // A clock that was set back makes no version younger than new.
            age_seconds: version.created_at.map(|created| now.duration_since(created).as_secs_f64().max(0.0)),
        })
    }
}
