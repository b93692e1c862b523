//! The pipeline language: what a pipeline is, and everything that can be known of one before it runs.
//!
//! ```text
//! YAML text → nodes with places → Document (as typed) → Pipeline (checked)
//!   yaml/        source            document/             check/ → model
//! ```
//!
//! [`load()`] does all of it and returns every mistake at once as [`Diagnostic`]s, which `render` shows with their
//! source lines. A [`Pipeline`] exists only if there was no error. At run time the engine uses its templates
//! ([`template`]) and [`Pipeline::resolve_params`]; `schema` describes the language to editors, `graph` and `draw`
//! show the tasks. Nothing here knows of runs, processes, SQLite or time.

mod check;
mod diagnostic;
mod document;
mod load;
mod model;
mod params;
mod render;
mod settings;
mod source;
mod values;
mod yaml;

pub(crate) mod suggest;

pub mod cron;
pub mod describe;
pub mod draw;
pub mod duration;
pub mod export;
pub mod graph;
pub mod instant;
pub mod schedule;
pub mod schema;
pub mod template;
pub mod trigger;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use graph::TaskGraph;
pub use load::{Loaded, files_in, load, load_file, load_from};
pub use model::{EnvValue, Pipeline, RetryPolicy, Side, Task, TaskId, TaskKind, TriggerRule};
pub use params::{ParamInput, ParamProblem, ParamSpec, ParamType, Pattern};
pub use render::{DiagnosticReport, FileReport};
pub use schedule::Schedule;
pub use settings::{Limits, LoadedSettings, Retention, Settings, load_settings};
pub use source::{Position, Source, Span, Spanned};
pub use template::{Expression, RenderError, RunInfo, Scope, Template, TemplateMap, TemplateValue};
pub use trigger::{EndStatus, EventSource, EventTrigger};
pub use values::{Values, load_values};
pub use yaml::MAX_BYTES;
