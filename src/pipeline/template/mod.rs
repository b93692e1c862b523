//! The one template language: `{{ expression }}` inside text, and bare expressions in `when`.
//!
//! Expressions are Jinja's, evaluated by minijinja, and see nothing but `params`, `tasks`, `run`, `env` and
//! `secrets` (a [`Scope`]); those of a trigger see `run` or `event` alone. There are no statements (`{% … %}`) and so no loops: `a if b else c` and filters do
//! what a pipeline needs. What is undefined is an error, always. Source length, tokens (and with them the depth
//! of the parser's recursion), work and result size are capped, so that no template can hurt the process.
//!
//! Text → [`Template::parse`] → pieces → [`Template::render`] → JSON. A text that is one lone `{{ … }}` keeps the
//! JSON type of its value; in longer text, values are written as JSON, strings as they are.

mod engine;
mod expression;
mod lexer;
mod map;
mod reference;
mod scope;
mod text;

pub use engine::RenderError;
pub use expression::Expression;
pub use map::{TemplateMap, TemplateValue};
pub use scope::{RunInfo, Scope};
pub use text::Template;

pub(crate) use expression::TemplateError;
pub(crate) use reference::{Reference, Step};
pub(crate) use text::Piece;

/// The names that templates see: those of tasks, and `event`, which only triggers see.
pub(crate) const ROOTS: [&str; 6] = ["params", "tasks", "run", "env", "secrets", "event"];
/// The names that templates of tasks see.
pub(crate) const TASK_ROOTS: [&str; 5] = ["params", "tasks", "run", "env", "secrets"];
/// The fields of `run`.
pub(crate) const RUN_FIELDS: [&str; 4] = ["id", "logical_date", "pipeline", "trigger"];

#[cfg(test)]
mod tests;
