//! The search itself: trials are trained on every fold, in rungs, several beside each other.
//!
//! Without early stopping there is one rung, and trials that differ in `max_iter` alone are one training that is looked at several
//! times. With it, each rung of [`halving`] trains what is left further and drops the worst.
//!
//! A rung is a list of trainings, each of one candidate on one fold. As many workers as the [plan](super::memory::plan) allows take them
//! from the list in order; each training is parallel inside, so threads without a training of their own help. All of it runs in rayon's current
//! pool, where a waiting worker may take up another: there are never more trainings under way than workers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::board::Board;
use super::folds::Fold;
use super::halving;
use super::memory::{self, Footprint, Plan};
use super::metric::Judge;
use super::search::Parameters;
use super::trial::{Standing, State, Trial};
use crate::als::{AlsParams, AlsValidParams, FitError, Trainer};
use crate::byte_size::ByteSize;
use crate::context::Context;
use crate::error::{Result, StageError};

/// When successive halving compares trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halving {
    /// One trial in so many goes on, at least 2.
    pub eta: usize,
    /// Sweeps that every trial gets, at least 1.
    pub min_iter: usize,
}

/// A search that can be run.
#[derive(Debug)]
pub struct Tuner<'a> {
    /// What is trained on and what is held out.
    pub folds: &'a [Fold],
    /// What trials are judged by.
    pub judge: &'a Judge,
    /// What all trials have in common: seed, `implicit`, `nonnegative`, `reg_scaling`, `solver`.
    pub base: &'a AlsParams,
    /// Early stopping, if any.
    pub halving: Option<Halving>,
    /// Bytes that factors and workspaces may take together.
    pub memory: u64,
    /// The most trainings beside each other, at least 1.
    pub parallel_max: usize,
    /// Who hears of it, and when to stop.
    pub context: &'a Context,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Every trial, in order.
    pub trials: Vec<Trial>,
    /// The place of the best in `trials`.
    pub best: usize,
    /// Sweeps that were made, over all trials and folds.
    pub sweeps: u64,
    /// The most trainings that ran beside each other.
    pub parallel: usize,
}

/// A trial that a training is judged for after so many sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    sweeps: usize,
    trial: usize,
}

/// A training that serves one trial, or several that differ in `max_iter` alone.
struct Candidate<'a> {
    params: AlsValidParams,
    /// Ascending in sweeps.
    looks: Vec<Look>,
    footprint: Footprint,
    /// Of each fold the training, while it waits for the next rung.
    waiting: Vec<Mutex<Option<Trainer<'a>>>>,
}

impl<'a> Tuner<'a> {
    /// Tries all of `proposals`, of which there is at least one.
    ///
    /// # Errors
    /// Parameters outside their limits; `max_iter` that varies under early stopping; no trial that fits into the memory or ends with a score;
    /// cancellation.
    pub fn run(&self, proposals: &[Parameters]) -> Result<Found> {
        let rungs = self.rungs(proposals)?;
        let mut candidates = self.candidates(proposals)?;
        let planned = self.planned_sweeps(&candidates, &rungs);
        let board = Board::new(proposals, self.folds.len(), planned, self.judge.metric(), self.context);
        self.refuse_what_does_not_fit(&mut candidates, &board)?;
        let mut parallel = 0;
        let mut before = 0;
        for (index, &rung) in rungs.iter().enumerate() {
            let is_last = index + 1 == rungs.len();
            parallel = parallel.max(self.rung(&candidates, rung, before, is_last, &board)?);
            before = rung.unwrap_or(0);
            if let (false, Some(Halving { eta, .. })) = (is_last, self.halving) {
                let count = halving::survivors(candidates.len(), eta);
                candidates = self.survivors(candidates, count, &board);
            }
        }
        self.found(board, parallel)
    }

    /// After how many sweeps there is a rung; `None` for the only one there is without early stopping.
    fn rungs(&self, proposals: &[Parameters]) -> Result<Vec<Option<usize>>> {
        let Some(Halving { eta, min_iter }) = self.halving else { return Ok(vec![None]) };
        let max_iter = proposals[0].max_iter;
        if proposals.iter().any(|proposal| proposal.max_iter != max_iter) {
            let message = "`search.max_iter` varies, and successive halving is what decides how many sweeps a trial gets";
            return Err(StageError::input(message).with_hint("give one `max_iter`, the most sweeps; or write `early_stopping: none`"));
        }
        Ok(halving::rungs(max_iter, min_iter, eta, proposals.len())?.into_iter().map(Some).collect())
    }

    /// The trainings that `proposals` need, in their order.
    fn candidates(&self, proposals: &[Parameters]) -> Result<Vec<Candidate<'a>>> {
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        for (trial, proposal) in proposals.iter().enumerate() {
            let params = proposal.of(self.base)?;
            let look = Look { sweeps: proposal.max_iter, trial };
            // Only how long they train tells them apart.
            let same = |candidate: &&mut Candidate<'_>| {
                let other = candidate.params.get();
                *params.get() == AlsParams { max_iter: proposal.max_iter, ..other.clone() }
            };
            if let Some(candidate) = candidates.iter_mut().find(same) {
                candidate.looks.push(look);
                candidate.looks.sort_by_key(|look| look.sweeps);
                continue;
            }
            let threads = rayon::current_num_threads();
            let footprints = self.folds.iter().map(|fold| Footprint::of(params.get(), &fold.matrix, threads));
            let footprint = footprints.max_by_key(|footprint| footprint.running).unwrap_or_default();
            let waiting = self.folds.iter().map(|_| Mutex::new(None)).collect();
            candidates.push(Candidate { params, looks: vec![look], footprint, waiting });
        }
        Ok(candidates)
    }

    /// Sweeps there will be if every trial has a score and every training that waits is kept.
    fn planned_sweeps(&self, candidates: &[Candidate<'_>], rungs: &[Option<usize>]) -> u64 {
        let (mut left, mut before, mut planned) = (candidates.len(), 0, 0);
        for rung in rungs {
            match (rung, self.halving) {
                (Some(sweeps), Some(Halving { eta, .. })) => {
                    planned += left * (sweeps - before);
                    (left, before) = (halving::survivors(left, eta), *sweeps);
                }
                _ => planned += candidates.iter().filter_map(|candidate| candidate.looks.last()).map(|look| look.sweeps).sum::<usize>(),
            }
        }
        (planned * self.folds.len()) as u64
    }

    /// Drops what cannot be trained even alone.
    fn refuse_what_does_not_fit(&self, candidates: &mut Vec<Candidate<'a>>, board: &Board<'_>) -> Result<()> {
        let needed = candidates.iter().map(|candidate| candidate.footprint.running).min().unwrap_or(0);
        let in_words = |bytes: u64| ByteSize::mebibytes(bytes.div_ceil(1 << 20));
        let left = ByteSize::mebibytes(self.memory >> 20);
        if needed > self.memory {
            let message = format!("no trial fits into memory: the smallest needs about {} and {left} are left for it", in_words(needed));
            return Err(StageError::input(message).with_hint("raise `memory_limit`, lower `rank`, or hold out once instead of `k_fold`"));
        }
        candidates.retain(|candidate| {
            let running = candidate.footprint.running;
            if running > self.memory {
                let error = format!("it needs about {} of memory and {left} are left for it", in_words(running));
                candidate.looks.iter().for_each(|look| board.refuse(look.trial, &error));
            }
            running <= self.memory
        });
        Ok(())
    }

    /// Trains all candidates, best first, up to a rung. Returns how many ran beside each other.
    fn rung(&self, candidates: &[Candidate<'a>], rung: Option<usize>, before: usize, is_last: bool, board: &Board<'_>) -> Result<usize> {
        let units: Vec<(&Candidate<'a>, usize)> =
            candidates.iter().flat_map(|candidate| (0..self.folds.len()).map(move |fold| (candidate, fold))).collect();
        let footprints: Vec<Footprint> = units.iter().map(|(candidate, _)| candidate.footprint).collect();
        let held: Vec<bool> = units.iter().map(|(candidate, fold)| candidate.slot(*fold).is_some()).collect();
        let Plan { parallel, keep } = memory::plan(&footprints, &held, self.memory, self.parallel_max);
        let looks: Vec<Vec<Look>> = candidates.iter().map(|candidate| candidate.looks_at(rung)).collect();
        looks.iter().flatten().for_each(|look| board.open(look.trial));
        let next = AtomicUsize::new(0);
        (0..parallel).into_par_iter().with_max_len(1).try_for_each(|_| -> Result<()> {
            loop {
                let unit = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(candidate, fold)) = units.get(unit) else { return Ok(()) };
                self.context.check_cancelled()?;
                let training = self.train(candidate, fold, &looks[unit / self.folds.len()], before, board)?;
                *candidate.slot(fold) = training.filter(|_| keep[unit] && !is_last);
            }
        })?;
        Ok(parallel.min(units.len()))
    }

    /// Trains a candidate on a fold until its last look, from where it waits or from the beginning. `None` if it failed.
    fn train(
        &self,
        candidate: &Candidate<'a>,
        fold: usize,
        looks: &[Look],
        before: usize,
        board: &Board<'_>,
    ) -> Result<Option<Trainer<'a>>> {
        let started = self.context.clock.now();
        let Fold { matrix, .. } = &self.folds[fold];
        let waiting = candidate.slot(fold).take();
        let mut training = waiting.unwrap_or_else(|| Trainer::new(&candidate.params, matrix));
        for (index, look) in looks.iter().enumerate() {
            let score = loop {
                if training.sweeps() >= look.sweeps {
                    let score = self.judge.score(training.model(), fold, &self.folds[fold], self.context)?;
                    break score.ok_or_else(|| "its predictions are not finite numbers".to_owned());
                }
                match training.sweep(&self.context.cancel) {
                    Ok(iteration) => board.swept(iteration.number > before),
                    Err(FitError::Cancelled) => return Err(FitError::Cancelled.into()),
                    Err(error) => break Err(error.to_string()),
                }
            };
            let seconds = self.context.clock.now().duration_since(started).as_secs_f64();
            if let Err(error) = score {
                // What failed now does not get better with more sweeps.
                looks[index..].iter().for_each(|look| board.put(look.trial, fold, training.sweeps(), seconds, Err(error.clone())));
                return Ok(None);
            }
            board.put(look.trial, fold, training.sweeps(), seconds, score);
        }
        Ok(Some(training))
    }

    /// The `count` best candidates of those that have a score, best first. The others are stopped here.
    fn survivors(&self, candidates: Vec<Candidate<'a>>, count: usize, board: &Board<'_>) -> Vec<Candidate<'a>> {
        let scored = candidates.into_iter().filter_map(|candidate| {
            let trial = candidate.looks[0].trial;
            Some((self.standing(candidate.params.get(), trial, board.mean(trial)?), candidate))
        });
        let mut ranked: Vec<(Standing, Candidate<'a>)> = scored.collect();
        ranked.sort_by(|a, b| a.0.better_first(&b.0, self.judge.metric().direction()));
        for (_, stopped) in ranked.drain(count.min(ranked.len())..) {
            board.stop(stopped.looks[0].trial);
        }
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }

    fn standing(&self, params: &AlsParams, trial: usize, score: f64) -> Standing {
        let AlsParams { rank, reg, alpha, max_iter, biases, .. } = *params;
        let matrix = &self.folds[0].matrix;
        let cost = Parameters { rank, reg, alpha, max_iter, biases }.cost(matrix.nnz(), matrix.users().len() + matrix.items().len());
        Standing { score, cost, number: trial as u64 + 1 }
    }

    fn found(&self, board: Board<'_>, parallel: usize) -> Result<Found> {
        let (trials, sweeps) = board.finish();
        let completed = trials.iter().enumerate().filter(|(_, trial)| trial.state == State::Completed);
        let standings = completed.filter_map(|(index, trial)| {
            let Parameters { rank, reg, alpha, max_iter, biases } = trial.parameters;
            let params = AlsParams { rank, reg, alpha, max_iter, biases, ..self.base.clone() };
            Some((index, self.standing(&params, index, trial.mean?)))
        });
        let best = standings.min_by(|a, b| a.1.better_first(&b.1, self.judge.metric().direction())).map(|(index, _)| index);
        let Some(best) = best else {
            let error = trials.iter().find_map(|trial| trial.error.as_deref()).unwrap_or("no reason is known");
            let message = format!("no trial of {} was completed; the first that failed: {error}", trials.len());
            return Err(StageError::numeric(message).with_hint("search for a higher `reg`, or a lower `rank`"));
        };
        Ok(Found { trials, best, sweeps, parallel })
    }
}

impl<'a> Candidate<'a> {
    /// The training that waits, of a fold. Each is taken and put back by one worker at a time.
    fn slot(&self, fold: usize) -> std::sync::MutexGuard<'_, Option<Trainer<'a>>> {
        self.waiting[fold].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is judged in a rung: its trial after the rung's sweeps, or all of its trials.
    fn looks_at(&self, rung: Option<usize>) -> Vec<Look> {
        match rung {
            Some(sweeps) => vec![Look { sweeps, trial: self.looks[0].trial }],
            None => self.looks.clone(),
        }
    }
}
