//! When pipelines start by themselves, as pure functions of schedule and time: no clock, disk or store is read here.
//!
//! ```text
//! Schedule ──▶ firing: at which instants ──▶ slots: which of them run, which are skipped and why
//!                                            overlap: what a slot does while earlier runs are active
//! ```
//!
//! The rules are written down for people in `docs/scheduling.md`.

pub mod catalog;
pub mod daemon;
pub mod events;
pub mod firing;
pub mod look;
pub mod overlap;
mod queue;
pub mod slots;
pub mod tick;
pub mod world;

pub use firing::{DstMark, Firing, Firings, firings};
pub use overlap::{Admission, on_overlap};
pub use slots::{Look, Plan, Reason, Skipped, Slot, first_watermark, key, plan};
