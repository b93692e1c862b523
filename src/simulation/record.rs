//! What is known of a period, and the sums over all of them.

use serde::{Deserialize, Serialize};

use super::cut::Slice;
use super::measure::{Errors, Prequential, Tested};
use super::outcome::{Decision, Drift};
use super::setup::{Policy, Setup};
use recflow_stages::metrics::PairErrors;

/// A period under a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The period, and what arrived in it.
    #[serde(flatten)]
    pub slice: Slice,
    /// The run, in the store of the policy's workspace.
    pub run: String,
    /// What came of it.
    pub decision: Decision,
    /// What `detect_drift` found; absent if it did not run.
    pub drift: Option<Drift>,
    /// Why the branch went where it went.
    pub branch: Option<String>,
    /// What `promote` said; absent if it did not run.
    pub promotion: Option<String>,
    /// The model that served when the period began.
    pub model_before: String,
    /// The model that served after the run.
    pub model_after: String,
    /// The period's ratings, predicted before they were learned; absent if there are none.
    pub prequential: Option<Prequential>,
    /// The pipeline's test set after the run, by the models before and after it.
    pub test: Tested,
    /// Seconds that the run took, by the real clock.
    pub seconds: f64,
}

/// A policy through all periods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyResult {
    /// The policy.
    pub policy: Policy,
    /// Sums.
    pub totals: Totals,
    /// Its periods.
    pub periods: Vec<Record>,
}

/// Sums over all periods of a policy. Errors are over all ratings of all periods together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Ratings that arrived.
    pub ratings: u64,
    /// Models that were trained.
    pub retrainings: u64,
    /// Models that came to serve.
    pub promotions: u64,
    /// Seconds of all runs, by the real clock.
    pub seconds: f64,
    /// RMSE of the models that served, over all ratings.
    pub rmse: Option<f64>,
    /// The same of the model of the beginning: without any retraining.
    pub start_rmse: Option<f64>,
    /// RMSE of the models that served, over the ratings that they knew.
    pub known_rmse: Option<f64>,
    /// RMSE over the ratings of users that they knew.
    pub known_users_rmse: Option<f64>,
    /// RMSE over the ratings of users that they did not know.
    pub new_users_rmse: Option<f64>,
    /// Share of the ratings whose user or item they did not know.
    pub cold_share: Option<f64>,
    /// Ratings whose user and item both the model that served and that of the beginning knew.
    pub shared: u64,
    /// RMSE of the models that served, over these.
    pub shared_rmse: Option<f64>,
    /// RMSE of the model of the beginning, over these.
    pub shared_start_rmse: Option<f64>,
}

/// `result.json`: a simulation that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulationResult {
    /// Its id.
    pub id: String,
    /// What was asked for, and what it began with.
    pub setup: Setup,
    /// Ratings of the stream before `--from` and after `--to`.
    pub outside: u64,
    /// Malformed lines of the stream; they were left out.
    pub malformed: u64,
    /// The policies, in the order in which they were asked for.
    pub policies: Vec<PolicyResult>,
}

/// Squared errors, summed.
#[derive(Debug, Clone, Copy, Default)]
struct Pool {
    squares: f64,
    count: u64,
}

impl Pool {
    fn add(&mut self, rmse: Option<f64>, count: u64) {
        if let Some(rmse) = rmse {
            self.squares += rmse * rmse * count as f64;
            self.count += count;
        }
    }

    fn rmse(self) -> Option<f64> {
        (self.count > 0).then(|| (self.squares / self.count as f64).sqrt())
    }
}

impl Totals {
    /// The sums over `records`.
    pub fn of(records: &[Record]) -> Self {
        let measured = || records.iter().filter_map(|record| record.prequential.as_ref());
        let pool = |errors: &dyn Fn(&Prequential) -> PairErrors| {
            let mut pool = Pool::default();
            measured().map(errors).for_each(|errors| pool.add(errors.rmse, errors.scored));
            pool.rmse()
        };
        let shared = |rmse: &dyn Fn(&Prequential) -> Option<f64>| {
            let mut pool = Pool::default();
            measured().for_each(|measured| pool.add(rmse(measured), measured.shared.pairs));
            pool.rmse()
        };
        let ratings: u64 = records.iter().map(|record| record.slice.ratings).sum();
        let cold: u64 = measured().map(|measured| measured.model.all.cold).sum();
        let count = |is: &dyn Fn(Decision) -> bool| records.iter().filter(|record| is(record.decision)).count() as u64;
        Self {
            ratings,
            retrainings: count(&Decision::retrains),
            promotions: count(&|decision| decision == Decision::Promote),
            seconds: records.iter().map(|record| record.seconds).sum(),
            rmse: pool(&|measured| measured.model.all),
            start_rmse: pool(&|measured| measured.start.all),
            known_rmse: pool(&|measured| measured.model.known),
            known_users_rmse: pool(&|measured| measured.model.known_users.errors),
            new_users_rmse: pool(&|measured| measured.model.new_users.errors),
            cold_share: (ratings > 0).then(|| cold as f64 / ratings as f64),
            shared: measured().map(|measured| measured.shared.pairs).sum(),
            shared_rmse: shared(&|measured| measured.shared.model_rmse),
            shared_start_rmse: shared(&|measured| measured.shared.start_rmse),
        }
    }
}

impl Record {
    /// Errors of the model that served, where there was anything to predict.
    pub fn served(&self) -> Option<&Errors> {
        self.prequential.as_ref().map(|prequential| &prequential.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squared_errors_are_pooled_over_ratings_and_not_averaged_over_periods() {
        let mut pool = Pool::default();
        for (rmse, count) in [(Some(1.0), 1), (None, 0), (Some(2.0), 3)] {
            pool.add(rmse, count);
        }
        assert_eq!(pool.rmse(), Some((13.0_f64 / 4.0).sqrt()));
        assert_eq!(Pool::default().rmse(), None);
    }
}
