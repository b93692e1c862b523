//! What people and programs are shown of a workspace: serde types, and the functions that fill them from the store and the files.
//!
//! The command line prints these types as JSON and draws tables of them; the HTTP API answers with them. Each is a stable contract with a
//! JSON Schema. Nothing here writes.
//!
//! | module | what it shows |
//! |---|---|
//! | [`run`], [`task`], [`list`] | a run, its tasks, pages of runs |
//! | [`dashboard`], [`known`], [`definitions`] | all pipelines, what is under way, who is at work |
//! | [`history`], [`firings`] | what was due and what became of it; what will be due |
//! | [`units`], [`values`] | instants and sizes; fields of outputs |

pub mod dashboard;
pub mod definitions;
pub mod firings;
pub mod history;
pub mod known;
pub mod list;
pub mod run;
pub mod task;
pub mod units;
pub mod values;

pub use definitions::Definitions;
pub use run::{ListedRun, RunReport, brief, full};
pub use task::TaskReport;
