//! A pipeline that was checked: what the engine runs.
//!
//! Built only by [`load`](super::load()), so everything here holds: `needs` and `to` are valid task numbers, the graph
//! has no cycle, every stage exists, every template compiles and refers to what can be there.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::graph::TaskGraph;
use super::params::ParamSpec;
use super::schedule::Schedule;
use super::source::Spanned;
use super::template::{Expression, Template, TemplateMap};
use super::trigger::EventTrigger;

/// The id of a task in its pipeline: `[A-Za-z][A-Za-z0-9_-]*`, at most 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    /// Longest id, in characters: ids become file names.
    pub const MAX_LENGTH: usize = 100;

    /// The id `text`, if it is one.
    pub fn new(text: &str) -> Option<Self> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let follows = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        (starts && follows && text.len() <= Self::MAX_LENGTH).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pipeline that can run.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name; the file's stem unless `name` says otherwise. Same pattern as a task id.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// For filters.
    pub tags: Vec<String>,
    /// Parameters in the order of the document.
    pub params: Vec<ParamSpec>,
    /// When it starts by itself.
    pub schedules: Vec<Schedule>,
    /// What else makes it start.
    pub triggers: Vec<EventTrigger>,
    /// Whether it starts by itself only once somebody has unpaused it.
    pub paused: bool,
    /// How many of its runs may be active at once.
    pub max_active_runs: Option<u32>,
    /// How many of its tasks, over all its runs, may run at once.
    pub max_active_tasks: Option<u32>,
    /// Its runs, and their tasks, start before those of lower priority.
    pub priority: i32,
    /// Environment variables of all its tasks, which templates read as `env.NAME`.
    pub env: Vec<(String, EnvValue)>,
    /// Tasks in the order of the document; an index is the task's number.
    pub tasks: Vec<Task>,
}

impl Pipeline {
    /// The graph of its tasks.
    pub fn graph(&self) -> TaskGraph {
        TaskGraph::new(self.tasks.iter().map(|task| task.needs.as_slice()))
    }
}

/// An environment variable of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvValue {
    /// This text. Its templates may read `params`, `run` and `secrets`.
    Set(Template),
    /// The variable of recflow's own environment, if it is set there (`NAME:` without a value).
    Inherit,
}

/// A node of the graph.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The tasks that it waits for, in the order of the document, without duplicates.
    pub needs: Vec<usize>,
    /// What it does.
    pub kind: TaskKind,
    /// If this is false when its turn comes, it is skipped.
    pub when: Option<Expression>,
    /// How the ends of the tasks that it waits for decide about it.
    pub trigger_rule: TriggerRule,
    /// How often it is tried.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Whether the run may succeed although this failed.
    pub allow_failure: bool,
    /// Environment variables beside those of the pipeline.
    pub env: Vec<(String, Template)>,
    /// The pool that its attempts take slots of, where it was named.
    pub pool: Option<Spanned<String>>,
    /// How many slots of the pool an attempt takes.
    pub pool_slots: u32,
    /// Among ready tasks of runs of the same priority, those of higher priority start first.
    pub priority: i32,
    /// How many of its attempts, over all runs, may be under way at once.
    pub max_active: Option<u32>,
}

impl Task {
    /// The pool and how many of its slots an attempt takes.
    pub fn pool(&self) -> Option<(&str, u32)> {
        self.pool.as_ref().map(|pool| (pool.value.as_str(), self.pool_slots))
    }
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum TaskKind {
    /// Runs a stage.
    Stage {
        /// Its name in the catalog.
        stage: String,
        /// Its inputs.
        with: TemplateMap,
    },
    /// Decides which of the tasks directly below it run.
    Branch {
        /// The sides in order; the first whose `when` is true is taken.
        sides: Vec<Side>,
    },
}

/// One side of a branch.
#[derive(Debug, Clone)]
pub struct Side {
    /// The condition. Only the last side may be without one; it is then the `else`.
    pub when: Option<Expression>,
    /// The tasks that run if this side is taken. All are directly below the branch.
    pub to: Vec<usize>,
}

/// How the ends of the upstream tasks decide whether a task runs: Airflow's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerRule {
    /// All succeeded.
    #[default]
    AllSuccess,
    /// All failed.
    AllFailed,
    /// All ended, however.
    AllDone,
    /// All ended and at least one succeeded.
    AllDoneMinOneSuccess,
    /// All were skipped.
    AllSkipped,
    /// One succeeded; the others are not waited for.
    OneSuccess,
    /// One failed; the others are not waited for.
    OneFailed,
    /// One succeeded or failed; the others are not waited for.
    OneDone,
    /// All ended and none failed.
    NoneFailed,
    /// All ended, none failed and at least one succeeded: the join below a branch.
    NoneFailedMinOneSuccess,
    /// All ended and none was skipped.
    NoneSkipped,
    /// At once, whatever they do.
    Always,
}

impl TriggerRule {
    /// All rules, in the order of the documentation.
    pub const ALL: [TriggerRule; 12] = [
        TriggerRule::AllSuccess,
        TriggerRule::AllFailed,
        TriggerRule::AllDone,
        TriggerRule::AllDoneMinOneSuccess,
        TriggerRule::AllSkipped,
        TriggerRule::OneSuccess,
        TriggerRule::OneFailed,
        TriggerRule::OneDone,
        TriggerRule::NoneFailed,
        TriggerRule::NoneFailedMinOneSuccess,
        TriggerRule::NoneSkipped,
        TriggerRule::Always,
    ];

    /// The word for it in a pipeline.
    pub fn as_str(self) -> &'static str {
        match self {
            TriggerRule::AllSuccess => "all_success",
            TriggerRule::AllFailed => "all_failed",
            TriggerRule::AllDone => "all_done",
            TriggerRule::AllDoneMinOneSuccess => "all_done_min_one_success",
            TriggerRule::AllSkipped => "all_skipped",
            TriggerRule::OneSuccess => "one_success",
            TriggerRule::OneFailed => "one_failed",
            TriggerRule::OneDone => "one_done",
            TriggerRule::NoneFailed => "none_failed",
            TriggerRule::NoneFailedMinOneSuccess => "none_failed_min_one_success",
            TriggerRule::NoneSkipped => "none_skipped",
            TriggerRule::Always => "always",
        }
    }

    /// The rule of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

impl fmt::Display for TriggerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often and after what delay a failed attempt is repeated.
///
/// Before try `n + 1` (counting from 1) the delay is `min(cap, ceil(delay × factor^(n-1)) × (1 + jitter × u))`, with
/// `u` in 0..1 drawn deterministically by the engine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts beyond the first.
    pub retries: u32,
    /// Delay before the second attempt.
    pub delay: Duration,
    /// By how much each further delay is longer; at least 1.
    pub factor: f64,
    /// Longest delay.
    pub cap: Option<Duration>,
    /// Share by which a delay may be longer at random: 0 is none. `jitter: true` means [`RetryPolicy::JITTER`].
    pub jitter: f64,
}

impl RetryPolicy {
    /// What `jitter: true` means: up to a quarter longer, enough to spread tasks that failed together.
    pub const JITTER: f64 = 0.25;
    /// The factor of a `retry_backoff` that does not name one.
    pub const FACTOR: f64 = 2.0;
    /// Most retries that can be asked for.
    pub const MAX_RETRIES: u32 = 1000;
}

impl Default for RetryPolicy {
    /// No retries. If only `retries` is given, they come at a steady 10 s.
    fn default() -> Self {
        Self { retries: 0, delay: Duration::from_secs(10), factor: 1.0, cap: None, jitter: 0.0 }
    }
}
