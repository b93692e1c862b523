//! recflow: see `docs/architecture.md`.

pub mod cli;
pub mod engine;
pub mod executor;
pub mod facts;
pub mod pipeline;
pub mod scheduler;
pub mod server;
pub mod shipped;
pub mod simulation;
pub mod upkeep;
pub mod workspace;
