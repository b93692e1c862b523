//! Everything that recflow keeps in SQLite, behind typed calls. Knows nothing of YAML or of stages.
//!
//! One file, `state.db`, holds which runs there were, how far each task came, and every value that a task
//! returned. A process that runs pipelines opens a [`Store`]; a process that only looks (`recflow status`)
//! opens a [`Reader`]. Data moves in two shapes:
//!
//! ```text
//! Store::write(|tx| ...)    one transaction: all of it is kept, or nothing     Tx    (writes, and reads)
//! Store::read(|view| ...)   one snapshot: nothing changes while it is read     View  (reads)
//! Reader::read(|view| ...)  the same, for a process that never writes
//! ```
//!
//! The event log of a run is the truth; the columns of `run`, `task` and `attempt` are what people and the
//! scheduler ask for without replaying it, written in the same transaction.
//!
//! # Settings, and the guarantee that each one buys
//!
//! | setting | guarantee |
//! |---|---|
//! | `journal_mode = WAL` | readers never wait for the writer, nor it for them; each sees one committed state |
//! | `synchronous = NORMAL` | `kill -9` of any process loses nothing that [`Store::write`] reported as kept. A power cut keeps the file sound, but may lose the commits since the last checkpoint (at most about 4 MB of them) |
//! | `BEGIN IMMEDIATE` for every write | a transaction takes the write lock before it reads, so it never fails half-way because another process wrote in between |
//! | `busy_timeout = 5 s` | two processes that write take turns; "database is locked" cannot happen unless one of them holds the lock for 5 s, which is then reported as [`Error::Busy`] |
//! | `foreign_keys = ON` | no task, attempt, event or output without its run |
//! | `wal_autocheckpoint = 1000`, `journal_size_limit = 16 MiB` | the log beside the store is folded into it every 1,000 pages, and does not stay large after a long read |
//! | `auto_vacuum = INCREMENTAL`, of stores made since schema 3 | what `recflow prune` deletes can be given back to the disk in small steps; without it the file keeps its size and the room is used again |
//! | `trusted_schema = OFF` | a store that somebody else wrote cannot run functions through its schema |
//! | `STRICT` tables | a column holds what its type says, or the write fails |
//!
//! WAL needs shared memory, so the store must lie on a local disk, not on NFS.
//!
//! Reading order: [`ids`], [`status`], [`rows`] (the words), [`store`], [`tx`], [`view`] (the calls), [`scheduling`] (what starts runs),
//! [`control`] (who executes them, and what people want of them), [`listing`], [`browse`] (many runs at once), [`changes`] (what browsers follow), [`access`] (who may ask the
//! daemon), [`retention`] (what is deleted), [`health`] (checks and copies), [`damage`], [`error`].

pub mod access;
pub mod browse;
pub mod changes;
mod connection;
pub mod control;
pub mod damage;
pub mod error;
pub mod health;
pub mod ids;
mod json;
pub mod listing;
mod migrate;
pub mod retention;
pub mod rows;
pub mod scheduling;
mod select;
pub mod status;
pub mod store;
pub mod tx;
pub mod view;

pub use access::{AuditFilter, AuditRow, LinkRow, SessionRow, TokenRow, UserRow};
pub use browse::{StageOutput, TaskStanding, VersionRow};
pub use changes::ChangeRow;
pub use control::{ControlRow, RunningTask};
pub use damage::Damage;
pub use error::{Candidate, Error, Result};
pub use health::Health;
pub use ids::{RunId, UnixMs, VersionId};
pub use listing::TaskUnderWay;
pub use retention::Kept;
pub use rows::{AttemptRow, EventRow, MetricRow, NewRun, NewTask, PipelineText, Run, RunFilter, TaskRow};
pub use scheduling::{Backfill, PipelineRow, RunEnd, SlotDecision, SlotRow, TriggerStateRow};
pub use status::{AttemptState, RunStatus, TaskState, Trigger};
pub use store::{Fault, Moment, Reader, Store};
pub use tx::{OUTPUT_BYTES_MAX, OUTPUT_DEPTH_MAX, Tx, check_output};
pub use view::View;
