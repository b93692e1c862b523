//! Momentum between sweeps: the next one starts from where the users are heading rather than from where they are.
//!
//! ```text
//! V = U_k + β (U_k - U_(k-1)),     β = (n - 1) / (n + 2)
//! ```
//!
//! `n` counts the sweeps since the start, or since one that raised the loss: then the users have been carried too far, and it starts anew. The state of ALS between two
//! sweeps is one side alone, so nothing else is carried on, and what a sweep ends with is an ordinary half-step over the users. Nesterov's sequence, for ALS with restarts:
//! Mitchell, Ye, De Sterck: *Nesterov Acceleration of Alternating Least Squares for Canonical Tensor Decomposition*, Numerical Linear
//! Algebra with Applications 27, 2020. O'Donoghue, Candès: *Adaptive Restart for Accelerated Gradient Schemes*, 2015.

use rayon::prelude::*;

use super::algorithm::Iteration;
use crate::kernel::Aligned;
use crate::model::Factors;

/// How the sweeps before lead into the next one.
#[derive(Debug, Clone)]
pub(super) struct Momentum {
    /// The users after the sweep before the last, padded rows; none before there were two.
    previous: Option<Aligned>,
    /// Sweeps since the start or the last restart.
    sweeps: u32,
    /// The loss of the last sweep.
    loss: f64,
}

impl Momentum {
    /// That of a training before its first sweep.
    pub(super) fn new() -> Self {
        Self { previous: None, sweeps: 0, loss: f64::INFINITY }
    }

    /// That of a training after these sweeps; `previous` are the users after the last but one.
    pub(super) fn resumed(iterations: &[Iteration], previous: Option<Factors>) -> Self {
        let mut momentum = Self::new();
        iterations.iter().for_each(|iteration| momentum.see(iteration.loss));
        momentum.previous = previous.map(Factors::into_padded_rows);
        momentum
    }

    /// The users after the last sweep but one, if there was one.
    pub(super) fn previous(&self) -> Option<&[f32]> {
        self.previous.as_ref().map(Aligned::as_slice)
    }

    /// Notes the loss of a sweep.
    pub(super) fn see(&mut self, loss: f64) {
        self.sweeps = if loss > self.loss { 1 } else { self.sweeps + 1 };
        self.loss = loss;
    }

    /// Carries the users on, before a sweep.
    pub(super) fn carry(&mut self, users: &mut [f32], nonnegative: bool) {
        if self.sweeps == 0 {
            return;
        }
        let beta = self.weight();
        let Some(previous) = &mut self.previous else {
            let mut previous = Aligned::zeroed(users.len());
            previous.as_mut_slice().copy_from_slice(users);
            self.previous = Some(previous);
            return;
        };
        let least = if nonnegative { 0.0 } else { f32::NEG_INFINITY };
        users.par_iter_mut().zip(previous.as_mut_slice()).with_min_len(4096).for_each(|(user, previous)| {
            let carried = *user + beta * (*user - *previous);
            *previous = *user;
            *user = carried.max(least);
        });
    }

    /// β
    fn weight(&self) -> f32 {
        (self.sweeps.saturating_sub(1) as f32) / (self.sweeps + 2) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_grows_until_the_loss_rises() {
        let mut momentum = Momentum::new();
        let weights = [9.0, 8.0, 7.0, 7.5, 7.4].map(|loss| {
            momentum.see(loss);
            momentum.weight()
        });
        assert_eq!(weights, [0.0, 0.25, 0.4, 0.0, 0.25]);
    }

    #[test]
    fn users_are_carried_on_by_their_last_step() {
        let mut momentum = Momentum::new();
        let mut users = [1.0_f32; 16];
        momentum.carry(&mut users, false);
        assert_eq!((users, momentum.previous()), ([1.0; 16], None));
        momentum.see(3.0);
        momentum.carry(&mut users, false);
        assert_eq!((users, momentum.previous()), ([1.0; 16], Some(&[1.0; 16][..])));
        momentum.see(2.0);
        users = [5.0; 16];
        momentum.carry(&mut users, false);
        assert_eq!((users, momentum.previous()), ([6.0; 16], Some(&[5.0; 16][..])));
        momentum.see(1.0);
        users = [-5.0; 16];
        momentum.carry(&mut users, true);
        assert_eq!(users, [0.0; 16]);
    }
}
