//! recflow: see `docs/architecture.md`.
pub mod pipeline;
