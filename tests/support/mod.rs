//! A catalog of stages with the contracts of the real ones, so that these tests do not change with them.

use recflow_stages::{AnyStage, Catalog, Context, Result, Runs, Stage, WorkspacePath, builtin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Defines a stage that has types and does nothing.
macro_rules! stage {
    ($stage:ident, $name:literal, $inputs:ident, $output:ident) => {
        pub(crate) struct $stage;
        impl Stage for $stage {
            const NAME: &'static str = $name;
            const SUMMARY: &'static str = "A stage of the tests";
            const RUNS: Runs = Runs::Child;
            type Inputs = $inputs;
            type Output = $output;
            fn run(_: $inputs, _: &Context) -> Result<$output> {
                unreachable!("these tests run nothing")
            }
        }
    };
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum Mode {
    Upsert,
    Overwrite,
    Append,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct EtlInputs {
    /// The raw text. Gzip is recognised.
    train_file: WorkspacePath,
    /// Where the dataset goes.
    train_output: WorkspacePath,
    /// How rows meet those that are there.
    mode: Option<Mode>,
    /// How many rows may be malformed.
    #[serde(default)]
    max_bad_rows: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Dataset {
    path: String,
    rows: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct EtlOutput {
    train: Dataset,
    test: Option<Dataset>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(crate) struct TrainInputs {
    /// Path of the dataset.
    ratings: WorkspacePath,
    /// Folder of the model versions.
    models: WorkspacePath,
    /// Length of a factor.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    rank: u32,
    /// Strength of the regularisation.
    #[serde(default)]
    #[schemars(range(min = 0))]
    reg: f64,
    /// Sizes of lists to report.
    #[serde(default)]
    k: Vec<u32>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TrainOutput {
    path: String,
    version: String,
    loss: Option<f64>,
    users: u64,
}

stage!(Etl, "etl", EtlInputs, EtlOutput);
stage!(Train, "train_als", TrainInputs, TrainOutput);

pub(crate) fn catalog() -> Catalog {
    Catalog::new([AnyStage::of::<Etl>(), AnyStage::of::<Train>(), AnyStage::of::<builtin::Noop>(), AnyStage::of::<builtin::Shell>()])
}
