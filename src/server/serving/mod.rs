//! The recommender: the model that serves, kept in memory, asked by many at once.
//!
//! ```text
//! REST (api::serving) ─┐                          ┌─▶ shelf: the model of a folder, swapped when another is promoted
//!                      ├─▶ Recommender: checks ───┤
//! gRPC (grpc) ─────────┘                          └─▶ queue ─▶ one thread: all that wait in one scan ─▶ answers
//! ```
//!
//! A request takes the model that serves when it comes, and keeps it until it is answered: a promotion meanwhile takes nothing away from it. Nothing
//! is loaded before somebody asks; what is loaded stays.

mod figures;
pub(super) mod grpc;
mod queue;
mod recommender;
mod shelf;

#[cfg(test)]
mod tests;

pub(crate) use figures::Figures;
pub(crate) use recommender::Predicted;
pub use recommender::Recommender;
pub(crate) use shelf::Standing;

/// The folder of model versions unless a request names another.
pub(crate) const MODELS: &str = "models/artifacts";
