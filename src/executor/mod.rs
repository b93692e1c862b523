//! How an attempt executes: inline, in a child process of this binary, or as another program.
//!
//! The executor is a service on a thread of its own ([`Executor::start`] begins it); the rest of the program holds the
//! cheap [`Executor`] handle and hears of attempts through a sink of [`Update`]s. For each attempt the updates come in
//! this order: at most one [`Update::Process`], any number of [`Update::Report`], exactly one [`Update::Ended`].
//!
//! | module | what it is for |
//! |---|---|
//! | [`request`] | what the executor is asked and what it answers |
//! | [`execute`] | the executor as the engine sees it: a trait, so that a simulator can stand in |
//! | [`service`] | the thread that owns all attempts under way |
//! | [`inline`] | cheap stages, on a thread of this process |
//! | [`child`] | heavy stages: the parent's side of `recflow __attempt` |
//! | [`attempt`] | heavy stages: the child's side |
//! | [`shell`], [`output`] | other programs, and what they return |
//! | [`supervision`] | what attempts with a process share: log, pipes, watching, the reaper |
//! | [`process`] | process groups: start, stop, wait, measure, find again after a crash |
//! | [`patience`], [`memory`] | starting while the system has no room; how much memory a program held |
//! | [`reaper`] | the small process that kills what a dead owner leaves behind |
//! | [`log`] | one structured file an attempt, capped and masked |

pub mod attempt;
mod child;
mod execute;
mod inline;
pub mod log;
mod memory;
mod output;
mod patience;
pub mod process;
pub mod reaper;
mod request;
mod service;
mod shell;
mod supervision;

pub use execute::{Execute, LostAttempt};
pub use request::{Attempt, AttemptKey, Ended, Failure, HowToStop, OUTPUT_BYTES_MAX, ProcessId, Sink, Update, Work};
pub use service::Executor;
pub use shell::as_text;
