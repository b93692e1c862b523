//! recflow's stages and the data plane under them.
//!
//! A *stage* is a kind of work: a name, typed inputs, a typed output and a Rust implementation. This
//! crate knows nothing of runs, pipelines or SQLite: a stage is handed a [`Context`] (where to write,
//! how to report, when to stop) and returns its output or a [`StageError`]. It never calls up.
//!
//! Reading order:
//!
//! | module | what it is for |
//! |---|---|
//! | [`stage`] | the [`Stage`] trait, its erased form and the [`Catalog`] of what is built in |
//! | [`context`] | what a running stage may reach: workspace, publish key, clock, progress, cancellation |
//! | [`schema`] | checks a JSON value against the schema of a stage's inputs |
//! | [`storage`] | every write to disk, behind a trait that tests make fail |
//! | [`byte_size`] | numbers of bytes as people write them |
//! | [`date`] | days since 1970-01-01 and the calendar |
//! | [`intake`] | what all readers of rating files share |
//! | [`netflix`] | the Netflix Prize text format |
//! | [`import`] | CSV and Parquet with any columns |
//! | [`names`] | ids that are not numbers |
//! | [`dataset`] | hive-partitioned Parquet, published as snapshots |
//! | [`matrix`] | ratings as compressed sparse rows |
//! | [`als`] | alternating least squares |
//! | [`model`] | model versions on disk, in Spark's `ALSModel` layout |
//! | [`recommend`] | lists of recommended items, in bulk and one by one |
//! | [`serving`] | a model that answers many people, for as long as it serves |
//! | [`export`] | what recflow holds, as CSV, Parquet or NumPy |
//! | [`split`] | which ratings are held out of a training |
//! | [`tuning`] | hyper-parameter search |
//! | [`metrics`] | RMSE, MAE, ranking metrics and baselines |
//! | [`drift`] | how far two sets of ratings or predictions lie apart, and whether that matters |
//! | [`report`] | charts and pages for people |
//! | [`stream`] | stream files: claimed, read, split, archived, each rating once |
//! | [`builtin`] | the stages themselves |

pub mod als;
pub mod builtin;
pub mod byte_size;
pub mod clock;
pub mod context;
pub mod dataset;
pub mod date;
pub mod drift;
pub mod error;
pub mod estimate;
pub mod export;
pub mod failpoint;
pub mod import;
pub mod intake;
mod kernel;
pub mod matrix;
pub mod metrics;
pub mod model;
pub mod names;
pub mod netflix;
mod parquet_guard;
pub mod ratings;
pub mod recommend;
pub mod report;
pub mod schema;
pub mod serving;
pub mod split;
pub mod stage;
pub mod storage;
pub mod stream;
pub mod tuning;

pub use context::{CancelToken, Context, Level, Progress, PublishKey, Report, Reporter, Unit};
pub use error::{ErrorKind, Result, StageError};
pub use ratings::Ratings;
pub use stage::{AnyStage, Catalog, Misfit, Runs, Stage, StageSpec, WorkspacePath};
