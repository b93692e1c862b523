//! What can go wrong in a training.

use std::fmt;

use crate::error::StageError;

/// A parameter outside its limits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamError {
    /// `rank` is 0 or too large.
    #[error("`rank` must be 1 to {max}, found {0}", max = super::AlsParams::RANK_MAX)]
    Rank(usize),
    /// `reg` is negative or not a number.
    #[error("`reg` must be a number of at least 0, found {0}")]
    Reg(f64),
    /// `max_iter` is 0.
    #[error("`max_iter` must be at least 1, found 0")]
    MaxIter,
    /// `alpha` is negative or not a number.
    #[error("`alpha` must be a number of at least 0, found {0}")]
    Alpha(f64),
    /// `cg_steps` is 0.
    #[error("`cg_steps` must be at least 1, found 0")]
    CgSteps,
    /// `block_size` is 0.
    #[error("`block_size` must be at least 1, found 0")]
    BlockSize,
    /// `nonnegative` with a solver that knows no signs.
    #[error("`solver: {0}` cannot keep factors from being negative: `nonnegative` goes with `cholesky` and `auto`")]
    NonnegativeSolver(&'static str),
    /// `biases` with an objective that has none.
    #[error("`biases` cannot be had with `{0}`")]
    Biases(&'static str),
}

impl From<ParamError> for StageError {
    fn from(error: ParamError) -> Self {
        StageError::input(error.to_string())
    }
}

/// Users or items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Users (`CUST_ID`).
    User,
    /// Items (`MOVIE_ID`).
    Item,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::User => "user",
            Side::Item => "item",
        })
    }
}

/// Why a training ended without factors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// A row's normal equation has no unique solution, not even in f64.
    #[error("the equation of {side} {id} ({ratings} ratings, rank {rank}) is singular")]
    Singular {
        /// Which side.
        side: Side,
        /// The id in the data.
        id: i32,
        /// How many ratings the row has.
        ratings: usize,
        /// Unknowns of the equation.
        rank: usize,
    },
    /// A row's factors overflowed.
    #[error("the factors of {side} {id} ({ratings} ratings, rank {rank}) are not finite numbers")]
    NonFinite {
        /// Which side.
        side: Side,
        /// The id in the data.
        id: i32,
        /// How many ratings the row has.
        ratings: usize,
        /// Floats in a factor.
        rank: usize,
    },
    /// The training was told to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<FitError> for StageError {
    fn from(error: FitError) -> Self {
        match error {
            // Beyond `rank` ratings too many of them say the same.
            FitError::Singular { ratings, rank, .. } if ratings < rank => {
                let hint =
                    format!("raise `reg` (0.1, say), or lower `rank` to {ratings} at most: so few ratings do not determine {rank} factors");
                StageError::numeric(error.to_string()).with_hint(hint)
            }
            FitError::Singular { .. } => StageError::numeric(error.to_string()).with_hint("raise `reg` (0.1, say), or lower `rank`"),
            FitError::NonFinite { side, id, .. } => StageError::numeric(error.to_string())
                .with_hint(format!("look for huge ratings of {side} {id} in the data, and raise `reg`")),
            FitError::Cancelled => StageError::cancelled(),
        }
    }
}
