//! `promote`: champion against challenger; the better one serves.
//!
//! The challenger becomes current if, on the test ratings that both models can score, its metric is worse by no more than `tolerance`.
//! Whatever the outcome, a record says who won, by how much, and why ([`model::promotion`](crate::model::promotion)); a
//! challenger that lost stays where it is.
//!
//! The comparison takes seconds and no lock. If somebody else promotes meanwhile, the link is not what the decision was made
//! about, and the challenger has to face the new champion.

mod stand;
#[cfg(test)]
mod tests;
mod verdict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Unit};
use crate::error::{ErrorKind, Result, StageError};
use crate::metrics::Metric;
use crate::model::promotion::{Decision, Draft, History, Pointer, Promotion, Standing, pointer, settle};
use crate::stage::{Runs, Stage, WorkspacePath};
use stand::{Bench, Opponent};
use verdict::judge;

/// How often a decision is made anew because another one came first. Each time somebody did promote.
const TRIES_MAX: usize = 20;

/// Decides whether a new version shall serve.
#[derive(Debug)]
pub struct Promote;

/// Inputs of `promote`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteInputs {
    /// Folder of model versions; its link `current` names the one that serves.
    pub models: WorkspacePath,
    /// The version that may become current: its name, or its path (whatever has a `/` in it).
    #[schemars(length(min = 1))]
    pub challenger: String,
    /// Dataset of ratings that decides: neither model was trained on it.
    pub ratings: WorkspacePath,
    /// The version to compare with, name or path; by default the current one. Without any, the challenger is promoted.
    pub champion: Option<String>,
    /// What decides.
    #[serde(default)]
    pub metric: Metric,
    /// How much worse the challenger may be and still win, in the unit of the metric: stars for rmse and mae, else a share of 1.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub tolerance: f64,
    /// Share of the test ratings, 0 to 1, that the challenger must be able to score: it cannot win by knowing little.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub min_coverage: f64,
    /// Dataset that the challenger was trained on, for ranking metrics: items that a user rated there are not in a list.
    pub train: Option<WorkspacePath>,
    /// Length of a ranked list.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100_000))]
    pub k: usize,
    /// A test item is relevant to a user who rated it at least this.
    #[serde(default = "four")]
    pub rating_threshold: f64,
}

fn ten() -> usize {
    10
}

fn four() -> f64 {
    4.0
}

/// What `promote` returns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PromoteOutput {
    /// Whether the challenger became current.
    pub promoted: bool,
    /// The version that serves now; absent if none does.
    pub current: Option<String>,
    /// The version that served before; absent if none did.
    pub previous: Option<String>,
    /// Why, in words with figures.
    pub reason: String,
    /// What decided.
    pub metric: Metric,
    /// Test ratings that all who took part can score.
    pub pairs: u64,
    /// How the champion did; absent if there was none.
    pub champion: Option<Standing>,
    /// How the challenger did.
    pub challenger: Standing,
}

impl PromoteOutput {
    /// The output that a record stands for; `None` if a person decided.
    fn of(record: Promotion) -> Option<Self> {
        let Promotion { promoted, version, previous, reason, comparison, .. } = record;
        let comparison = comparison?;
        Some(Self {
            promoted,
            current: if promoted { Some(version) } else { previous.clone() },
            previous,
            reason,
            metric: comparison.metric,
            pairs: comparison.pairs,
            champion: comparison.champion,
            challenger: comparison.challenger,
        })
    }
}

impl Stage for Promote {
    const NAME: &'static str = "promote";
    const SUMMARY: &'static str = "Compares a new model version with the current one and makes the better one current";
    const RUNS: Runs = Runs::Child;
    type Inputs = PromoteInputs;
    type Output = PromoteOutput;

    fn run(inputs: PromoteInputs, context: &Context) -> Result<PromoteOutput> {
        let models = context.resolve(&inputs.models);
        if let Some(done) = History::read(&models, context)?.by_key(&context.publish_key).cloned().and_then(PromoteOutput::of) {
            context.info("this task has decided already; nothing to do");
            return Ok(done);
        }
        context.progress("read", 0, None, Unit::Rows);
        let bench = Bench::prepare(&inputs, &models, context)?;
        for _ in 0..TRIES_MAX {
            context.check_cancelled()?;
            let seen = pointer::read(&models)?;
            let draft = decide(&inputs, &bench, seen.as_ref(), context)?;
            if let Some(record) = settle(&models, draft, seen.as_ref(), context)? {
                context.info(format!("{}: {}", if record.promoted { "promoted" } else { "not promoted" }, record.reason));
                return PromoteOutput::of(record).ok_or_else(|| StageError::bug("the record of a comparison lacks it"));
            }
            context.info("another version was promoted meanwhile; comparing with that one");
        }
        let message = format!("another version was promoted {TRIES_MAX} times while this one was compared");
        Err(StageError::new(ErrorKind::Io, message).with_hint("run it again when fewer tasks promote at once"))
    }
}

/// Makes the decision, given what is current.
fn decide(inputs: &PromoteInputs, bench: &Bench<'_>, current: Option<&Pointer>, context: &Context) -> Result<Draft> {
    let version = bench.version().to_owned();
    let opponent = bench.opponent(inputs.champion.as_deref(), current, context)?;
    let comparison = bench.compare(&opponent, context)?;
    let verdict = match &opponent {
        Opponent::Itself => verdict::Verdict { promoted: false, reason: format!("{version} is the current version already") },
        Opponent::None { why } => judge(&comparison, inputs.min_coverage, Some(why)),
        Opponent::Champion { .. } => judge(&comparison, inputs.min_coverage, None),
    };
    Ok(Draft {
        decision: Decision::Comparison,
        promoted: verdict.promoted,
        version,
        restores: None,
        reason: verdict.reason,
        comparison: Some(comparison),
    })
}
