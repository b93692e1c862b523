//! recflow: see `docs/architecture.md`.

pub mod engine;
pub mod executor;
pub mod pipeline;
pub mod workspace;
