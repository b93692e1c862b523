//! What makes runs start: the clock, events, people.
//!
//! ```text
//! files ──▶ catalog ──┐
//! Schedule ─▶ firing ─┴▶ slots ─▶ tick ──▶ runs in the store that nobody owns ──▶ queue ──▶ engine
//! files, datasets, ends of runs ─▶ events ─┘
//! ```
//!
//! `firing`, `slots` and `overlap` are pure functions of schedule and time. `tick`, `events`, `backfill` and `by_hand` derive everything from the store, the
//! clock and the [`world::World`], which come in from outside, so that a simulator plays them. [`daemon`] is the loop around all of it. The rules are
//! written down for people in `docs/scheduling.md`.

pub mod backfill;
pub mod by_hand;
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
