//! `recommend`: the best items for all users of a model, or for some, as a table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::model::{self, AlsModel};
use crate::recommend::batch::{Batch, K_MAX};
use crate::recommend::seen::Seen;
use crate::recommend::table::Target;
use crate::stage::{Runs, Stage, WorkspacePath};

/// Recommends items to many users.
#[derive(Debug)]
pub struct Recommend;

/// Inputs of `recommend`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendInputs {
    /// The model version's folder; also one that Spark saved.
    pub model: WorkspacePath,
    /// Where the table goes: a file that ends in .parquet, or a folder that will hold one. What is there is replaced in one step.
    pub output: WorkspacePath,
    /// Items a user.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = K_MAX))]
    pub k: usize,
    /// Users to recommend to; by default all that the model knows. Those that it does not know are counted and left out.
    pub users: Option<Vec<i32>>,
    /// Dataset of ratings: what a user has rated there is not recommended to them.
    pub exclude_seen: Option<WorkspacePath>,
    /// Items that are recommended to nobody.
    #[serde(default)]
    pub exclude_items: Vec<i32>,
}

fn ten() -> usize {
    10
}

/// What `recommend` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendOutput {
    /// The table, as it was given: one row a recommendation, with the columns user, rank, item and score.
    pub path: String,
    /// Users with at least one row.
    pub users: u64,
    /// Rows.
    pub rows: u64,
    /// Items a user; fewer where everything else was excluded.
    pub k: u64,
    /// Users that were asked for and that the model does not know.
    pub cold_users: u64,
}

impl Stage for Recommend {
    const NAME: &'static str = "recommend";
    const SUMMARY: &'static str = "Writes the best items of each user to a Parquet table";
    const RUNS: Runs = Runs::Child;
    type Inputs = RecommendInputs;
    type Output = RecommendOutput;

    fn run(inputs: RecommendInputs, context: &Context) -> Result<RecommendOutput> {
        if !(1..=K_MAX).contains(&inputs.k) {
            return Err(StageError::input(format!("`k` must be 1 to {K_MAX}, found {}", inputs.k)));
        }
        let target = Target::of(&context.resolve(&inputs.output), context)?;
        if let Some(output) = target.published(&context.publish_key) {
            context.info(format!("`{}` was already published by this task; nothing to do", inputs.output));
            return serde_json::from_value(output)
                .map_err(|error| StageError::bug(format!("the output recorded in `{}` is unreadable: {error}", inputs.output)));
        }
        context.progress("read", 0, None, Unit::Rows);
        let model = model::open(&context.resolve(&inputs.model))?;
        let (users, cold) = wanted(inputs.users.as_deref(), &model);
        warn_of_cold(&cold, context);
        let seen = match &inputs.exclude_seen {
            Some(path) => Seen::read(&Dataset::open(&context.resolve(path), context)?, &model, context)?,
            None => Seen::nothing(model.users().ids().len()),
        };
        let mut excluded = inputs.exclude_items.clone();
        excluded.sort_unstable();
        let batch = Batch { model: &model, users: &users, k: inputs.k, seen: &seen, excluded: &excluded };
        let mut output =
            RecommendOutput { path: inputs.output.to_string(), users: 0, rows: 0, k: inputs.k as u64, cold_users: cold.len() as u64 };
        target.publish(
            context,
            |take| batch.run(context, take),
            |written| {
                (output.users, output.rows) = (written.users, written.rows);
                // A struct of text and numbers always becomes JSON.
                serde_json::to_value(&output).unwrap_or_default()
            },
        )?;
        Ok(output)
    }
}

/// The rows of the users to recommend to, ascending, each once; and the ids that the model does not know.
fn wanted(users: Option<&[i32]>, model: &AlsModel) -> (Vec<u32>, Vec<i32>) {
    let ids = model.users().ids();
    let Some(users) = users else { return ((0..).take(ids.len()).collect(), Vec::new()) };
    let mut users = users.to_vec();
    users.sort_unstable();
    users.dedup();
    let cold = users.iter().copied().filter(|&user| ids.row(user).is_none()).collect();
    (users.iter().filter_map(|&user| ids.row(user)).collect(), cold)
}

fn warn_of_cold(cold: &[i32], context: &Context) {
    if cold.is_empty() {
        return;
    }
    let first: Vec<String> = cold.iter().take(5).map(i32::to_string).collect();
    let more = if cold.len() > first.len() { ", …" } else { "" };
    context.warn(format!("nothing is recommended to {} users that the model does not know: {}{more}", cold.len(), first.join(", ")));
}
