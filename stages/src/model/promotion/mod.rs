//! Which version serves, and why: the link `current`, and a record of every decision.
//!
//! ```text
//! models/artifacts/
//!   current -> .promotions/7/version_20250301_031500
//!   .promotions/
//!     7/promotion.json                        who won, by how much, why, when, by which task
//!       version_20250301_031500 -> ../../version_20250301_031500
//!     8/promotion.json                        a challenger that lost: recorded, nothing switched
//!   version_20250301_031500/
//! ```
//!
//! The record is written first. Replacing `current`, whose text names version *and* record, is the one step that makes both
//! true: at no instant does a version serve without its reason, and a process that dies before leaves a record that nothing
//! leads to. `docs/decisions/015-promotion-pointer.md` has the alternatives.
//!
//! Each promoting record names the one that it replaced, so the history is the chain that begins at the link. A link
//! that a person made (`current -> version_…`) works too; then the newest promoting record is taken for the chain's head. Where there is
//! no link, nothing was promoted.
//!
//! | module | what it is for |
//! |---|---|
//! | [`pointer`](mod@pointer) | what the link names, and replacing it |
//! | [`record`] | a decision as it is stored |
//! | [`history`] | all decisions that took effect |
//! | [`settle`](mod@settle) | makes one: by comparison, by hand, or back |

pub mod history;
pub mod pointer;
pub mod record;
pub mod settle;

#[cfg(test)]
mod tests;

pub use history::History;
pub use pointer::Pointer;
pub use record::{Comparison, Decision, Promotion, Standing};
pub use settle::{Draft, by_hand, rollback, settle};
