//! Server-Sent Events: what changes, told as it happens, to whoever watches.
//!
//! ```text
//! triggers in the store ─▶ change (the newest 20,000) ─▶ feed (one reader) ─▶ every viewer of `changes`
//! log file of an attempt ─────────────────────────────────────────────────▶ each viewer of `logs`
//! ```
//!
//! An event's id says where its viewer stands: a number in the store, or a place in a file. Who connects again sends it as `Last-Event-ID` and
//! goes on behind it, whatever happened to the connection or to the daemon. A viewer that reads slowly holds up nobody and costs no memory: it
//! is served from the store at its own pace. A connection ends after a while, so that who may no longer watch stops watching.

mod changes;
mod feed;
mod logs;
mod sender;

pub(crate) use changes::operations as change_operations;
pub use feed::Feed;
pub(crate) use logs::operations as log_operations;
