//! Alternating least squares with weighted-λ regularisation.
//!
//! # Objective
//!
//! With ratings `r_ui` of the observed cells, factors `x_u`, `y_i` of `rank` floats and `n_u`, `n_i` the number of
//! ratings of a user and of an item, ALS minimises
//!
//! ```text
//! Σ_(u,i) (r_ui - x_u·y_i)²  +  λ ( Σ_u n_u |x_u|² + Σ_i n_i |y_i|² )                     explicit
//! Σ_u Σ_i c_ui (p_ui - x_u·y_i)²  +  the same,  c = 1 + α |r|,  p = 1 if r > 0 else 0     implicit
//! ```
//!
//! the implicit sum over *all* cells (unobserved: r = 0), and `n` counting positive ratings only. This is Spark's
//! objective (`reg_scaling: als-wr`); `plain` puts 1 for every `n`. No centring, no biases, unless asked for: with `biases`
//! `x_u·y_i + b_u + b_i + μ` stands in place of `x_u·y_i`, regularised alike.
//!
//! Ratings may have weights `w` (recency): then `w (r - x·y)²` stands in the explicit sum and `n` is the sum of `w`; in the implicit one
//! `c = 1 + α |r| w`.
//!
//! Each half-step fixes one side and solves the other, row by row: `(Σ y yᵀ + λ n I) x = Σ r y`. A sweep
//! solves the items first, from unit-norm Gaussian user factors or those of an older model, then the users, as Spark does.
//! [`Solver`] says how a row is solved: exactly, or improved from what it was, which never raises the loss either.
//!
//! With `momentum` a sweep starts from where the users are heading, which takes fewer of them; the loss may then rise for a sweep.
//!
//! With `nonnegative` the same objective is minimised over factors of at least 0, each row exactly.
//!
//! # How data moves
//!
//! [`AlsParams`] → `check` → [`AlsValidParams`] → `fit(`[`RatingMatrix`](crate::matrix::RatingMatrix)`)` → [`Fit`]. Whoever wants a say
//! between the sweeps, to look at held-out ratings, stop early, keep a checkpoint or wait, drives a [`Trainer`].
//!
//! | module | what it is for |
//! |---|---|
//! | [`hyperparams`] | what can be chosen, and within which limits |
//! | [`init`](self) | the factors to start from |
//! | [`algorithm`] | the sweeps, the loss, what is reported |
//! | `momentum` | where the next sweep starts from |
//! | `half_step` | all rows of one side, in parallel |
//! | `rows` | the ratings of one side |
//! | `pass` | the ratings of one row: their factors gathered, and summed over |
//! | `normal_equation` | one row exactly: Gram, solve, loss |
//! | `batch` | a few such rows solved side by side |
//! | `cg`, `blocks` | one row by conjugate gradients, or by iALS++ |
//! | `cost` | which of them a row is solved by |
//! | `bias` | biases as two more factors |
//! | `exact` | the same in f64, slow and clear: for rows that f32 cannot solve |
//! | `nnls` | the same for factors that must not be negative, in f64 |
//! | `fold_in` | one user more, after the training |
//! | [`errors`] | what can go wrong |
//!
//! # Precision and determinism
//!
//! Factors are f32. A row's normal equations are summed in f32 over panels of 128 ratings, the panels of a
//! *segment* of 4096 again in f32 and segments in f64, so that rounding grows with the logarithm of a row's length.
//! A row whose pivots differ by more than a factor of 100 is summed up and solved again in f64. The loss is summed in f64.
//!
//! For a seed, factors are bit-identical on one instruction set whatever the number of threads: a row's arithmetic
//! has a fixed order, long rows are cut at fixed places, and sums over rows are taken in the order of the rows.
//!
//! # Sources
//!
//! Zhou, Wilkinson, Schreiber, Pan: *Large-scale Parallel Collaborative Filtering for the Netflix Prize*, AAIM 2008
//! (ALS-WR). Takács, Pilászy, Tikk: *Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering*, RecSys 2011 (`cg`).
//! Rendle, Krichene, Zhang, Koren: *iALS++: Speeding up Matrix Factorization with Subspace Optimization*, 2021 (`ials++`). Lawson, Hanson: *Solving Least Squares Problems*, 1974 (`nonnegative`). Hu, Koren, Volinsky: *Collaborative Filtering for Implicit Feedback Datasets*, ICDM 2008. Apache Spark,
//! `ml.recommendation.ALS`.

pub mod algorithm;
mod batch;
mod bias;
mod blocks;
mod cg;
mod cost;
pub mod errors;
mod exact;
mod fold_in;
mod half_step;
pub mod hyperparams;
mod init;
mod momentum;
mod nnls;
mod normal_equation;
mod objective;
mod pass;
mod rows;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod solver_tests;
#[cfg(test)]
mod tests;

pub use algorithm::{Fit, Iteration, Trainer};
pub use errors::{FitError, ParamError, Side};
pub use fold_in::FoldIn;
pub use hyperparams::{AlsParams, AlsValidParams, RegScaling, Solver};
