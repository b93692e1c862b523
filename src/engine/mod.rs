//! How a run advances.
//!
//! | module | what it is for |
//! |---|---|
//! | [`core`] | decides: a pure state machine, without I/O |
//! | `driver` | feeds the state machine, records what it says, then does it |
//! | `attempts` | the driver's half that deals with attempts: how one starts, reports, ends |
//! | `commit` | the driver's half that records, and what happens when it cannot |
//! | `drain` | the driver's half that comes to an end while runs are under way |
//! | `service` | the loop around a driver, which waits |
//! | `message` | what a driver is told, and by what handle |
//! | `enqueue` | the rows of a new run, whoever creates it |
//! | `claim` | how a run comes to be executed here, within `max_active_runs` |
//! | `mark`, `wish` | tasks that people declare ended; what they want of runs that another process executes |
//! | `wake`, `request` | a datagram that has an owner look at once; a wish and its answer |
//! | `ready`, `limits` | whose turn it is, and what fits |
//! | `launch`, `resume` | how a run comes to a driver: new, or from the store |
//! | `prepare` | `when`, branches and inputs of a task whose turn has come |
//! | `journal` | what the next transaction will write |
//! | `alarms`, `budget` | timers; slots and threads |
//! | [`owner`] | which process owns a run, and whether it is alive |
//! | [`notice`] | what watchers are told |
//! | [`entropy`] | randomness, behind a trait |

mod alarms;
mod attempts;
mod budget;
mod claim;
mod commit;
pub mod core;
mod drain;
mod driver;
mod enqueue;
pub mod entropy;
mod journal;
mod launch;
mod limits;
mod live;
mod mark;
mod message;
pub mod notice;
pub mod owner;
mod prepare;
mod ready;
mod request;
mod resume;
mod service;
mod wake;
mod wish;

#[cfg(test)]
mod tests;

pub use claim::{Claim, Claims};
pub use commit::Patience;
pub use core::Mark;
pub use driver::{Driver, Options, Parts, timestamp};
pub use enqueue::{Enqueue, enqueue, pin};
pub use launch::{AtLimit, Launch};
pub use live::stage_name;
pub use message::{Answer, Handle, Message, Reply};
pub use notice::{Nobody, Notice, Observer, TaskNotice};
pub use owner::Role;
pub use request::{Granted, request};
pub use resume::{Standing, standing};
pub use service::Service;
pub use wake::wake;
pub use wish::{MarkTask, Wish, ask};
