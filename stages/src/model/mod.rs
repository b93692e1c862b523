//! Trained models: in memory, and as versions on disk.

mod factors;

pub use factors::{AlsModel, Factors};
