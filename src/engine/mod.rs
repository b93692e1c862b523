//! How a run advances.
//!
//! | module | what it is for |
//! |---|---|
//! | [`core`] | decides: a pure state machine, without I/O |
//! | `driver` | feeds the state machine, records what it says, then does it |
//! | `attempts` | the driver's half that deals with attempts: how one starts, reports, ends |
//! | `launch`, `resume` | how a run comes to a driver: new, or from the store |
//! | `prepare` | `when`, branches and inputs of a task whose turn has come |
//! | `journal` | what the next transaction will write |
//! | `budget` | slots and threads |
//! | [`owner`] | which process owns a run, and whether it is alive |
//! | [`notice`] | what watchers are told |
//! | [`entropy`] | randomness, behind a trait |

mod attempts;
mod budget;
pub mod core;
mod driver;
pub mod entropy;
mod journal;
mod launch;
mod live;
pub mod notice;
pub mod owner;
mod prepare;
mod resume;

pub use driver::{Driver, Handle, Options, timestamp};
pub use launch::Launch;
pub use live::stage_name;
pub use notice::{Nobody, Notice, Observer, TaskNotice};
pub use resume::{Standing, standing};
