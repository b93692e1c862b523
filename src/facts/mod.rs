//! What people and programs are shown of a workspace: serde types, and the functions that fill them from the store and the files.
//!
//! The command line prints these types as JSON and draws tables of them; the HTTP API answers with them. Each is a stable contract with a
//! JSON Schema. Nothing here writes.
//!
//! | module | what it shows |
//! |---|---|
//! | [`run`], [`task`], [`list`] | a run, its tasks, pages of runs |
//! | [`run_detail`], [`task_detail`], [`events`], [`log`] | everything about a run: its graph, its tasks, what happened, what they wrote |
//! | [`dashboard`], [`overview`] | what is under way, what failed, who is at work |
//! | [`pipelines`], [`grid`], [`graph`], [`params`] | pipelines with their last runs, their tasks, their parameters |
//! | [`known`], [`definitions`] | which pipelines there are; texts, parsed once |
//! | [`drift`], [`reports`], [`overviews`] | looks for drift over time, pages, what is in datasets |
//! | [`system`] | daemon, store, limits, growth |
//! | [`history`], [`firings`] | what was due and what became of it; what will be due |
//! | [`units`], [`values`] | instants and sizes; fields of outputs |

pub mod dashboard;
pub mod definitions;
pub mod drift;
pub mod events;
pub mod firings;
pub mod graph;
pub mod grid;
pub mod history;
pub mod known;
pub mod list;
pub mod log;
pub mod overview;
pub mod overviews;
pub mod params;
pub mod pipelines;
pub mod reports;
pub mod run;
pub mod run_detail;
pub mod system;
pub mod task;
pub mod task_detail;
pub mod units;
pub mod values;

pub use definitions::Definitions;
pub use overviews::Overviews;
pub use run::{ListedRun, RunReport, brief, full};
pub use task::TaskReport;
