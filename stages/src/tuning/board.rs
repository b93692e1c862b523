//! Where trainings, which end in any order, put down what came of them.
//!
//! A trial has one place a fold. Whoever fills the last of them in a rung tells the world: a line in the log, a point of the
//! metric's series, the best score so far. What is put down does not depend on who was first.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::search::Parameters;
use super::trial::{State, Trial, mean_and_std};
use crate::context::{Context, Progress, Report, Unit};
use crate::metrics::metric::{Direction, Metric};

/// What came of a trial on one fold.
#[derive(Debug, Clone, Default)]
struct Place {
    /// At the rung that was reached last.
    score: Option<f64>,
    error: Option<String>,
    sweeps: usize,
    seconds: f64,
}

/// A trial's places.
#[derive(Debug, Clone)]
struct Row {
    parameters: Parameters,
    places: Vec<Place>,
    /// Places that are still to be filled in this rung.
    open: usize,
    state: State,
}

/// Sweeps so far.
#[derive(Debug, Clone, Copy, Default)]
struct Sweeps {
    /// All that were made.
    made: u64,
    /// Those that brought a training further than it had been.
    new: u64,
    /// New ones that there will be if no trial fails.
    planned: u64,
}

#[derive(Debug)]
struct Kept {
    rows: Vec<Row>,
    sweeps: Sweeps,
    best: Option<f64>,
}

/// The places of all trials.
pub(super) struct Board<'a> {
    kept: Mutex<Kept>,
    metric: Metric,
    context: &'a Context,
}

impl<'a> Board<'a> {
    /// A board for trials of these parameters on so many folds, which will take `planned` sweeps.
    pub(super) fn new(proposals: &[Parameters], folds: usize, planned: u64, metric: Metric, context: &'a Context) -> Self {
        let row = |&parameters| Row { parameters, places: vec![Place::default(); folds], open: 0, state: State::Completed };
        let sweeps = Sweeps { planned, ..Sweeps::default() };
        let kept = Kept { rows: proposals.iter().map(row).collect(), sweeps, best: None };
        Self { kept: Mutex::new(kept), metric, context }
    }

    /// What is kept is consistent at every moment, so a panic elsewhere does not spoil it.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A rung begins in which all places of `trial` will be filled.
    pub(super) fn open(&self, trial: usize) {
        let mut kept = self.kept();
        let row = &mut kept.rows[trial];
        row.open = row.places.len();
    }

    /// A training has swept once more; `is_new` if it had never been as far.
    pub(super) fn swept(&self, is_new: bool) {
        let mut kept = self.kept();
        kept.sweeps.made += 1;
        if is_new {
            kept.sweeps.new += 1;
            let Kept { sweeps, best, .. } = *kept;
            drop(kept);
            self.report(sweeps, best);
        }
    }

    fn report(&self, sweeps: Sweeps, best: Option<f64>) {
        let metrics: BTreeMap<String, f64> = best.map(|best| (format!("best_{}", self.metric.name()), best)).into_iter().collect();
        let progress =
            Progress { phase: "sweeps".to_owned(), done: sweeps.new, total: Some(sweeps.planned), unit: Unit::Iterations, metrics };
        self.context.reporter.report(Report::Progress(progress));
    }

    /// The score of `trial` on a fold after `sweeps`, or why there is none; `seconds` since it was last put down.
    pub(super) fn put(&self, trial: usize, fold: usize, sweeps: usize, seconds: f64, score: Result<f64, String>) {
        let mut kept = self.kept();
        let row = &mut kept.rows[trial];
        let place = &mut row.places[fold];
        place.sweeps = sweeps;
        place.seconds += seconds;
        match score {
            Ok(score) => place.score = Some(score),
            Err(error) => (place.score, place.error) = (None, Some(error)),
        }
        row.open -= 1;
        if row.open > 0 {
            return;
        }
        let trial = row.trial(trial);
        if let Some(mean) = trial.mean {
            let best = kept.best.map_or(mean, |best| self.better(best, mean));
            kept.best = Some(best);
        }
        drop(kept);
        self.tell(&trial);
    }

    /// `trial` was refused before any training.
    pub(super) fn refuse(&self, trial: usize, error: &str) {
        let mut kept = self.kept();
        let row = &mut kept.rows[trial];
        row.places.iter_mut().for_each(|place| place.error = Some(error.to_owned()));
        let trial = row.trial(trial);
        drop(kept);
        self.tell(&trial);
    }

    /// `trial` goes no further.
    pub(super) fn stop(&self, trial: usize) {
        self.kept().rows[trial].state = State::Stopped;
    }

    fn better(&self, a: f64, b: f64) -> f64 {
        match self.metric.direction() {
            Direction::Minimize => a.min(b),
            Direction::Maximize => a.max(b),
        }
    }

    fn tell(&self, trial: &Trial) {
        let Trial { number, parameters, scores, iterations, seconds, .. } = trial;
        let Parameters { rank, reg, alpha, biases, .. } = parameters;
        let biases = if *biases { ", biases" } else { "" };
        let what = format!("trial {number} (rank {rank}, reg {reg}, alpha {alpha}{biases}, {iterations} sweeps)");
        match (trial.mean, trial.std, &trial.error) {
            (Some(mean), Some(std), None) => {
                self.context.metric(self.metric.name(), *number, mean);
                let spread = if scores.len() > 1 { format!(" ± {std:.4}") } else { String::new() };
                self.context.info(format!("{what}: {} {mean:.4}{spread} in {seconds:.2} s", self.metric.name()));
            }
            _ => self.context.warn(format!("{what} failed: {}", trial.error.as_deref().unwrap_or("it has no score"))),
        }
    }

    /// The mean score of a trial in the rung that was last; `None` if it failed.
    pub(super) fn mean(&self, trial: usize) -> Option<f64> {
        self.kept().rows[trial].trial(trial).mean
    }

    /// All trials as they are now, and how many sweeps were made.
    pub(super) fn finish(self) -> (Vec<Trial>, u64) {
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        (kept.rows.iter().enumerate().map(|(index, row)| row.trial(index)).collect(), kept.sweeps.made)
    }
}

impl Row {
    /// The trial as it is now.
    fn trial(&self, index: usize) -> Trial {
        let several = self.places.len() > 1;
        let error = self.places.iter().zip(1..).find_map(|(place, fold)| {
            let error = place.error.as_ref()?;
            Some(if several && place.sweeps > 0 { format!("fold {fold}: {error}") } else { error.clone() })
        });
        let scores: Vec<f64> = if error.is_some() { Vec::new() } else { self.places.iter().filter_map(|place| place.score).collect() };
        let figures = (scores.len() == self.places.len()).then(|| mean_and_std(&scores));
        Trial {
            number: index as u64 + 1,
            parameters: self.parameters,
            state: if figures.is_some() { self.state } else { State::Failed },
            scores,
            mean: figures.map(|(mean, _)| mean),
            std: figures.map(|(_, std)| std),
            iterations: self.places.iter().map(|place| place.sweeps).max().unwrap_or(0) as u64,
            seconds: self.places.iter().map(|place| place.seconds).sum(),
            error,
        }
    }
}
