//! Which method solves a row, and what `solver: auto` goes by.
//!
//! The cost of a row of `n` ratings, in operations at the speed of the Gram kernel (one `GRAM` operation is one multiplication or addition there):
//!
//! ```text
//! exact      n k (k + 1)  +  CHOLESKY k³ / 3
//! gradients  (steps + 1) (n 4 k MEMORY  +  [implicit] 2 k² MEMORY)          rows that stay in the cache
//! ```
//!
//! Passes of conjugate gradients wait for memory where the Gram kernel computes, so an operation of theirs takes longer. Longer rows, which every
//! pass would gather again from all over the other side's factors, cost [`GATHERED`] of an operation in place of `MEMORY`. The model depends on the length of the row
//! and the parameters alone, so factors stay the same for any number of threads.

use super::hyperparams::{AlsParams, Solver};

/// How long an operation of a pass takes whose rows come from the second-level cache, in operations of the Gram kernel.
const MEMORY: f64 = 3.0;

/// The same where every pass gathers its rows again.
const GATHERED: f64 = 9.0;

/// How long an operation of a factorisation takes: a third of them wait for the one before.
const CHOLESKY: f64 = 3.0;

/// How one row is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The whole equation.
    Exact,
    /// Conjugate gradients.
    Gradients { steps: usize },
    /// Blocks of factors.
    Blocks { block: usize },
}

/// The method for a row of `length` ratings; of up to `resident_max` the factors stay in the cache.
pub(super) fn choose(params: &AlsParams, stride: usize, length: usize, resident_max: usize) -> Method {
    match params.solver {
        Solver::Cholesky => Method::Exact,
        Solver::Cg => Method::Gradients { steps: params.cg_steps },
        // One block is the equation itself.
        Solver::IalsPlusPlus if params.block_size >= params.width() => Method::Exact,
        Solver::IalsPlusPlus => Method::Blocks { block: params.block_size },
        Solver::Auto if params.nonnegative => Method::Exact,
        Solver::Auto => {
            let (n, k) = (length as f64, stride as f64);
            let exact = n * k * (k + 1.0) + CHOLESKY * k.powi(3) / 3.0;
            let speed = if length <= resident_max { MEMORY } else { GATHERED };
            let all_cells = if params.implicit { 2.0 * k * k * MEMORY } else { 0.0 };
            let gradients = (params.cg_steps as f64 + 1.0) * (n * 4.0 * k * speed + all_cells);
            if gradients < exact { Method::Gradients { steps: params.cg_steps } } else { Method::Exact }
        }
    }
}
