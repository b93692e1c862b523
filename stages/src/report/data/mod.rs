//! What stages returned, as far as reports show it.
//!
//! These types read less than the outputs hold and miss nothing that is absent: an output of an older recflow, or one that a person wrote, is
//! shown as far as it goes.

pub mod drift;
pub mod evaluation;
pub mod models;
pub mod training;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Result, StageError};

/// Reads `value`, what the input `input` holds, as the output of `stage`.
///
/// # Errors
/// It is something else.
pub fn decode<T: DeserializeOwned>(value: Value, input: &str, stage: &str) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        StageError::input(format!("`{input}` is not an output of `{stage}`: {error}"))
            .with_hint(format!("give the whole output of a task: {input}: \"{{{{ tasks.ID.output }}}}\""))
    })
}
