//! `recommend`: the best items for all users of a model, or for some, as a table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, FLOPS, Forecast, PROCESS_BYTES, dataset_bytes};
use crate::model::{self, AlsModel};
use crate::names::{Id, Names};
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
    /// Users to recommend to, by the ids that the ratings came with; by default all that the model knows. Those that it does not know are
    /// counted and left out.
    pub users: Option<Vec<Id>>,
    /// Dataset of ratings: what a user has rated there is not recommended to them.
    pub exclude_seen: Option<WorkspacePath>,
    /// Items that are recommended to nobody.
    #[serde(default)]
    pub exclude_items: Vec<Id>,
}

fn ten() -> usize {
    10
}

/// What `recommend` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendOutput {
    /// The table, as it was given: one row a recommendation, with the columns user, rank, item and score. Users and items bear the ids that
    /// the ratings came with, numbers or text.
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

    fn estimate(inputs: &RecommendInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let model = forecast.model(&inputs.model)?;
        let seen = inputs.exclude_seen.as_ref().map_or(Some(0), |path| Some(forecast.dataset(path)?.rows))?;
        let users = inputs.users.as_ref().map_or(model.users, |users| users.len() as u64);
        let rows = users * inputs.k as u64;
        Some(Estimate {
            rows,
            read_bytes: model.bytes() + dataset_bytes(seen),
            written_bytes: rows * 9,
            memory_bytes: PROCESS_BYTES + 2 * model.bytes() + seen * 9 + rows * 24,
            cpu_seconds: users as f64 * model.items as f64 * 2.0 * model.rank as f64 / FLOPS + (seen + rows) as f64 * 6e-8,
            output: json!({ "path": inputs.output }),
            remedy: "recommend to some `users` at a time, or leave out `exclude_seen`",
        })
    }

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
        let directory = context.resolve(&inputs.model);
        let (model, names) = (model::open(&directory)?, model::names::read(&directory)?);
        let (users, cold) = wanted(inputs.users.as_deref(), &model, &names);
        warn_of_cold(&cold, context);
        let seen = match &inputs.exclude_seen {
            Some(path) => {
                let dataset = Dataset::open(&context.resolve(path), context)?;
                model::names::check_against(&directory, &dataset, path.as_str())?;
                Seen::read(&dataset, &model, context)?
            }
            None => Seen::nothing(model.users().ids().len()),
        };
        // An item that has no number is in nobody's list.
        let mut excluded: Vec<i32> = inputs.exclude_items.iter().filter_map(|item| names.item(item)).collect();
        excluded.sort_unstable();
        let batch = Batch { model: &model, users: &users, k: inputs.k, seen: &seen, excluded: &excluded };
        let mut output =
            RecommendOutput { path: inputs.output.to_string(), users: 0, rows: 0, k: inputs.k as u64, cold_users: cold.len() as u64 };
        target.publish(
            &names,
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
fn wanted(users: Option<&[Id]>, model: &AlsModel, names: &Names) -> (Vec<u32>, Vec<Id>) {
    let ids = model.users().ids();
    let Some(users) = users else { return ((0..).take(ids.len()).collect(), Vec::new()) };
    let row = |user: &Id| names.user(user).and_then(|user| ids.row(user));
    let mut known: Vec<u32> = users.iter().filter_map(row).collect();
    known.sort_unstable();
    known.dedup();
    let mut cold: Vec<Id> = users.iter().filter(|user| row(user).is_none()).cloned().collect();
    cold.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    cold.dedup_by(|a, b| a.as_text() == b.as_text());
    (known, cold)
}

fn warn_of_cold(cold: &[Id], context: &Context) {
    if cold.is_empty() {
        return;
    }
    let first: Vec<String> = cold.iter().take(5).map(Id::to_string).collect();
    let more = if cold.len() > first.len() { ", …" } else { "" };
    context.warn(format!("nothing is recommended to {} users that the model does not know: {}{more}", cold.len(), first.join(", ")));
}
