//! How a run advances.

pub mod core;
