//! How a run advances: a pure state machine.
//!
//! `(RunState, Event) -> (RunState, Effects)`. No clock, disk, process or randomness: live runs, replay after a crash
//! and the simulator all call the same [`RunState::apply`]. Every event carries the instant at which it happened.
//!
//! ```text
//!                    rule holds            slot free
//!   waiting ───────────────────▶ queued ───────────────▶ running ─────▶ succeeded
//!      │                           ▲ ▲                    │ │ │
//!      │ rule can't hold,          │ │ due                │ │ └──────▶ failed
//!      │ branch, when              │ └──── retrying ◀─────┘ │ retry left
//!      ▼                           │                        │
//!   skipped, upstream_failed       └───── deferred ◀────────┘ waits for the world
//!
//!   any of these but the last three rows ── cancel ──▶ cancelled
//! ```
//!
//! Simplifications in the picture: a lost attempt goes back to `queued` without using a retry, up to
//! [`PlanTask::max_lost`] times; a `running` task that is told to stop stays `running` until its attempt has ended;
//! [`Event::Cleared`] takes ended tasks back to `waiting`; [`Event::Marked`] ends a task in a word, from any state.

mod backoff;
mod event;
mod plan;
mod rules;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use backoff::{fnv1a, retry_delay_ms};
pub use event::{Effect, Event, Mark, Outcome, Stamped, StopReason, Timer};
pub use plan::{Plan, PlanTask, TaskIx};
pub use rules::{Counts, Verdict, judge};
pub use state::{Phase, RunState, RunStatus, TaskRecord};
pub use step::{IllegalEvent, Step};
