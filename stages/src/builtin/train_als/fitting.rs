//! The sweeps, and what happens between them: held-out ratings are scored, a checkpoint is kept, the end is decided.

use std::collections::BTreeMap;
use std::time::Instant;

use super::checkpoint::Checkpoint;
use super::checkpoint_file::{State, StateRef};
use super::early_stopping::{EarlyStopping, Watch};
use super::holdout::Holdout;
use crate::als::{AlsValidParams, Fit, Iteration, Trainer};
use crate::context::{Context, Progress, Report, Unit};
use crate::error::Result;
use crate::failpoint;
use crate::matrix::RatingMatrix;
use crate::model::AlsModel;

/// What to train, and how to look at it.
pub(super) struct Fitting<'a> {
    pub(super) params: &'a AlsValidParams,
    pub(super) matrix: &'a RatingMatrix,
    pub(super) holdout: Option<&'a Holdout>,
    /// The model to start from.
    pub(super) warm_start: Option<&'a AlsModel>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) context: &'a Context,
}

/// A training that is over.
pub(super) struct Fitted {
    pub(super) fit: Fit,
    /// Wall-clock seconds of the sweeps, those before a crash included.
    pub(super) seconds: f64,
    /// The sweep whose factors these are.
    pub(super) chosen: Iteration,
    /// The one with the lowest error on held-out ratings.
    pub(super) best: Option<usize>,
}

impl Fitting<'_> {
    /// Trains, from the checkpoint on if there is one.
    ///
    /// # Errors
    /// Those of [`Trainer::sweep`].
    pub(super) fn run(&self, checkpoint: &mut Checkpoint<'_>) -> Result<Fitted> {
        let (params, matrix) = (self.params, self.matrix);
        let mut watch = Watch::new(self.early_stopping);
        let (mut trainer, mut iterations, mut seconds, mut best) = match checkpoint.load(matrix) {
            None => {
                let start = |older: &AlsModel| Trainer::warm(params, matrix, older);
                (self.warm_start.map_or_else(|| Trainer::new(params, matrix), start), Vec::new(), 0.0, None)
            }
            Some(State { iterations, seconds, model, best, previous }) => {
                self.context.info(format!("resumed from iteration {}", iterations.len()));
                let trainer = Trainer::resumed(params, matrix, model, &iterations, previous);
                (trainer, iterations, seconds, best)
            }
        };
        for iteration in &iterations {
            watch.see(iteration);
            // Again, so that the series of this attempt is whole.
            self.report(iteration);
        }
        while iterations.len() < params.get().max_iter && !watch.is_over() {
            if self.early_stopping.is_some() && watch.best() == Some(iterations.len()) {
                best = Some(trainer.model().clone());
            }
            // Not the context's clock: in a simulation that one stands still.
            let started = Instant::now();
            let mut iteration = trainer.sweep(&self.context.cancel)?;
            iteration.holdout_rmse = self.holdout.map(|holdout| holdout.rmse(trainer.model()));
            seconds += started.elapsed().as_secs_f64();
            iterations.push(iteration);
            watch.see(&iteration);
            self.report(&iteration);
            let best = best.as_ref().filter(|_| watch.goes_back());
            let (model, previous) = (trainer.model(), trainer.previous_users());
            checkpoint.keep(StateRef { iterations: &iterations, seconds, model, best, previous });
            failpoint::hit("train.after_sweep");
        }
        let instruction_set = trainer.instruction_set();
        let goes_back = watch.goes_back();
        let chosen = watch.best().filter(|_| goes_back).unwrap_or(iterations.len());
        let model = best.filter(|_| goes_back).unwrap_or_else(|| trainer.into_model());
        if iterations.len() < params.get().max_iter {
            let message = format!("stopped after iteration {}: no better on held-out ratings since iteration {chosen}", iterations.len());
            self.context.info(message);
        }
        let chosen = iterations[chosen - 1];
        Ok(Fitted { fit: Fit { model, iterations, instruction_set }, seconds, chosen, best: watch.best() })
    }

    fn report(&self, iteration: &Iteration) {
        let Iteration { number, loss, train_rmse, holdout_rmse } = *iteration;
        let step = number as u64;
        let figures = [("loss", Some(loss)), ("train_rmse", train_rmse), ("holdout_rmse", holdout_rmse)];
        let metrics: BTreeMap<String, f64> = figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for (name, value) in &metrics {
            self.context.metric(name, step, *value);
        }
        let total = Some(self.params.get().max_iter as u64);
        let progress = Progress { phase: "iteration".to_owned(), done: step, total, unit: Unit::Iterations, metrics };
        self.context.reporter.report(Report::Progress(progress));
    }
}
