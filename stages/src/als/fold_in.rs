//! One user more, against the items of a finished training.

use sprs::CsMatI;

use super::errors::{FitError, Side};
use super::half_step::{HalfStep, gram_of_all};
use super::hyperparams::AlsValidParams;
use super::normal_equation::{Equations, Rows};
use super::objective::Objective;
use crate::context::CancelToken;
use crate::kernel::{Aligned, Kernel, padded};
use crate::model::Factors;

impl AlsValidParams {
    /// The factors, `rank` of them, that a half-step over the users would give one with these `ratings` of `items`: row numbers, strictly
    /// ascending, and values. The same digits as in the training, on the same instruction set.
    ///
    /// # Errors
    /// An equation without a unique or finite solution; the id that the error names is 0.
    ///
    /// Panics if the rank is not that of `items`, or if the row numbers do not ascend or lie beyond the last row.
    pub fn fold_in(&self, items: &Factors, ratings: &[(u32, f32)]) -> Result<Vec<f32>, FitError> {
        let (params, kernel) = (self.get(), Kernel::detect());
        assert_eq!(params.rank, items.rank());
        let (columns, values): (Vec<u32>, Vec<f32>) = ratings.iter().copied().unzip();
        let row = CsMatI::new((1, items.ids().len()), vec![0, columns.len()], columns, values);
        let source = items.padded_rows();
        let equations = Equations {
            kernel,
            objective: Objective::new(params),
            rank: params.rank,
            nonnegative: params.nonnegative,
            rows: Rows(vec![&row]),
            source,
            base: params.implicit.then(|| gram_of_all(kernel, source, params.rank)),
        };
        let mut factors = Aligned::zeroed(padded(params.rank));
        let step = HalfStep { equations, side: Side::User, ids: &[0], with_error: false, cancel: &CancelToken::new() };
        step.run(factors.as_mut_slice())?;
        Ok(factors.as_slice()[..params.rank].to_vec())
    }
}
