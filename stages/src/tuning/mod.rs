//! Hyper-parameter search: which `rank`, `reg`, `alpha` and `max_iter` predict ratings best that were not trained on.
//!
//! # How data moves
//!
//! ```text
//! Search ── grid, random ──▶ [Parameters] ─┐
//!                                          ├──▶ Tuner ── rung by rung: train, score, drop the worst ──▶ [Trial] ──▶ best
//! Ratings ── Validation ──▶ [Fold] ────────┘
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`search`] | what may be tried of each parameter |
//! | [`proposals`] | the combinations that are tried: all of a grid, or some at random |
//! | [`folds`] | what is trained on and what is held out; the matrix of each fold, which all trials share |
//! | [`metric`] | what a trial is judged by |
//! | [`halving`] | successive halving: how many sweeps before the worst trials are stopped |
//! | [`memory`] | how many trainings fit beside each other |
//! | [`tuner`] | the search itself |
//! | `board` | where trainings, which end in any order, put down what came of them |
//! | [`trial`] | what is recorded of each trial, and which is best |
//! | [`table`] | the trials as CSV |
//!
//! # Determinism
//!
//! Trials, their scores and the best one depend on the ratings, the inputs and the seed alone: not on the number of threads, on how many
//! trainings run beside each other, or on the memory. Random trials are numbered streams, so more of them begin with the same ones. A
//! training that is stopped and goes on has the factors of one that was never stopped; where memory does not hold the
//! factors of all that wait, a training begins again, which costs sweeps and changes nothing.
//!
//! # Sources
//!
//! Bergstra, Bengio: *Random Search for Hyper-Parameter Optimization*, JMLR 2012. Jamieson, Talwalkar: *Non-stochastic Best Arm
//! Identification and Hyperparameter Optimization*, AISTATS 2016 (successive halving). Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar:
//! *Hyperband*, JMLR 2018 (the rungs of one bracket).

mod board;
pub mod folds;
pub mod halving;
pub mod memory;
pub mod metric;
pub mod proposals;
pub mod search;
pub mod table;
pub mod trial;
pub mod tuner;

#[cfg(test)]
mod tests;

pub use folds::{Fold, Validation};
pub use metric::Judge;
pub use search::{Parameters, Search};
pub use trial::Trial;
pub use tuner::{Found, Halving, Tuner};
