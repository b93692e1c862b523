//! Trained models: in memory, and as versions on disk.
//!
//! # A version on disk
//!
//! ```text
//! models/artifacts/
//!   current -> .promotions/7/version_20250301_031500   which one serves, and by which decision: see [`promotion`]
//!   version_20250301_031500/                  Spark's ALSModel layout; `ALSModel.load` opens it
//!     metadata/part-00000                     one line of JSON: class, parameters, rank
//!     userFactors/part-00000-….snappy.parquet id int32, features list<float>
//!     itemFactors/part-00000-….snappy.parquet
//!     ids/{users,items}.parquet               the original ids, where they are not numbers: see [`names`]
//!     recflow.json                            what Spark has no place for: see [`ModelRecord`]
//!     evaluations/                            what `evaluate` measured, where asked to record it
//! ```
//!
//! Names are UTC to the second, `_001`, `_002`, … where two fall into one second, so names sort by time.
//!
//! A version is complete or invisible: it is written into a hidden sibling, put on stable storage, and renamed, once
//! ([`publish()`]). Models that Spark saved open too ([`open`]): several part files, no `recflow.json`.
//!
//! | module | what it is for |
//! |---|---|
//! | [`factors`](AlsModel) | a model in memory |
//! | [`cold_start`](ColdStart) | what it predicts for users and items that it does not know |
//! | [`publish`](mod@publish) | writes a version |
//! | [`load`] | reads one, refusing what cannot be right |
//! | [`names`] | the original ids of users and items |
//! | [`versions`] | which versions there are, which is newest, current, or bears a publish key |
//! | [`record`] | `recflow.json` |
//! | [`evaluations`] | `evaluations/`: figures on test sets, kept with the version |
//! | [`promotion`] | which version serves, and why |
//! | [`catalog`] | a version as people see it: parameters, data, figures, decisions |
//! | [`prune`](mod@prune) | removes old versions |
//! | `spark` | `metadata/` |
//! | `parquet_factors` | `userFactors/`, `itemFactors/` |

pub mod catalog;
mod cold_start;
pub mod evaluations;
mod factors;
pub mod load;
pub mod names;
mod parquet_factors;
pub mod promotion;
pub mod prune;
pub mod publish;
pub mod record;
mod spark;
pub mod versions;

#[cfg(test)]
pub(crate) mod tests;

pub use cold_start::{ColdRule, ColdStart};
pub use factors::{AlsModel, Factors};
pub use load::open;
pub use prune::{Pruned, prune};
pub(crate) use publish::parquet_to_io;
pub use publish::{publish, publish_named};
pub use record::ModelRecord;
pub use versions::{Version, Which};
