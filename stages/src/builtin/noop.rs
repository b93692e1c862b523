//! `noop`: does nothing. The side of a branch that has nothing to do, or a join.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::stage::{Runs, Stage};

/// Does nothing and succeeds.
#[derive(Debug)]
pub struct Noop;

/// `noop` takes no inputs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoopInputs {}

/// `noop` returns an empty map.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NoopOutput {}

impl Stage for Noop {
    const NAME: &'static str = "noop";
    const SUMMARY: &'static str = "Does nothing and succeeds";
    const RUNS: Runs = Runs::Inline;
    type Inputs = NoopInputs;
    type Output = NoopOutput;

    fn run(NoopInputs {}: NoopInputs, _: &Context) -> Result<NoopOutput> {
        Ok(NoopOutput {})
    }
}
