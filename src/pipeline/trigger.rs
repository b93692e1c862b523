//! `on:` of a pipeline: what makes it start besides the clock. Checked here; acted upon by the scheduler.

use std::time::Duration;

use super::schedule::words;
use super::template::{Expression, TemplateMap};

/// Something in the world that starts a run of the pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct EventTrigger {
    /// What is watched.
    pub source: EventSource,
    /// If this is false, nothing starts. Reads `run` (of a pipeline) or `event` (of a dataset or file).
    pub when: Option<Expression>,
    /// How long it has to be quiet before a run starts; what happens in between leads to one run.
    pub debounce: Duration,
    /// Parameters of the run. Reads what `when` reads.
    pub params: TemplateMap,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSource {
    /// The end of a run of another pipeline.
    Pipeline {
        /// Its name.
        name: String,
        /// How the run has to end.
        status: EndStatus,
    },
    /// A new snapshot of the dataset at this path, relative to the workspace.
    Dataset {
        /// The path.
        path: String,
    },
    /// A complete new file.
    File {
        /// Where: a path relative to the workspace, in whose last part `*` stands for any text and `?` for one character.
        pattern: String,
    },
}

impl EventTrigger {
    /// How long a file has to stay as it is to count as complete, unless `debounce` says otherwise.
    pub const FILE_QUIET: Duration = Duration::from_secs(2);

    /// What it watches and under which condition, as one line: its name in the store.
    pub fn key(&self) -> String {
        let source = match &self.source {
            EventSource::Pipeline { name, status } => format!("pipeline {name} {}", status.as_str()),
            EventSource::Dataset { path } => format!("dataset {path}"),
            EventSource::File { pattern } => format!("file {pattern}"),
        };
        match &self.when {
            Some(when) => format!("{source} when {}", when.source().trim()),
            None => source,
        }
    }
}

words! {
    /// How a run of the other pipeline has to end.
    EndStatus {
        /// Well.
        #[default]
        Succeeded = "succeeded",
        /// Badly.
        Failed = "failed",
        /// By somebody's wish.
        Cancelled = "cancelled",
        /// In any of these ways.
        Any = "any",
    }
}
