//! One number from several metrics: each over its threshold, weighted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distance::Distance;
use crate::error::{Result, StageError};

/// How far the weights may sum beside 1: what adding decimal fractions in binary costs.
const TOLERANCE: f64 = 1e-9;

/// A metric that can take part in the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Metric {
    /// Kullback-Leibler divergence with add-½ smoothing.
    Kl,
    /// Shift of the mean, up or down.
    Mean,
    /// Shift of the median, up or down.
    Median,
    /// Population stability index.
    Psi,
    /// Jensen-Shannon distance.
    JensenShannon,
    /// Rise of the RMSE; of the model only.
    RmseIncrease,
    /// Rise of the MAE; of the model only.
    MaeIncrease,
}

impl Metric {
    /// All of them, in the order in which reasons name them.
    pub const ALL: [Metric; 7] =
        [Metric::Kl, Metric::Mean, Metric::Median, Metric::Psi, Metric::JensenShannon, Metric::RmseIncrease, Metric::MaeIncrease];

    /// As reasons name it.
    pub fn words(self) -> &'static str {
        match self {
            Metric::Kl => "KL",
            Metric::Mean => "mean shift",
            Metric::Median => "median shift",
            Metric::Psi => "PSI",
            Metric::JensenShannon => "Jensen-Shannon distance",
            Metric::RmseIncrease => "RMSE increase",
            Metric::MaeIncrease => "MAE increase",
        }
    }

    /// Decimals that reasons show: hundredths of stars, thousandths of divergences.
    pub(super) fn decimals(self) -> usize {
        match self {
            Metric::Kl | Metric::Psi | Metric::JensenShannon => 3,
            Metric::Mean | Metric::Median | Metric::RmseIncrease | Metric::MaeIncrease => 2,
        }
    }
}

/// The value of a metric above which it speaks for drift; each more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Thresholds {
    /// Of the Kullback-Leibler divergence, in nats.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub kl: f64,
    /// Of the shift of the mean, in stars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub mean: f64,
    /// Of the shift of the median, in stars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub median: f64,
    /// Of the population stability index.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub psi: f64,
    /// Of the Jensen-Shannon distance.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub jensen_shannon: f64,
    /// Of the rise of the RMSE, in stars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rmse_increase: f64,
    /// Of the rise of the MAE, in stars.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub mae_increase: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { kl: 0.1, mean: 0.2, median: 0.5, psi: 0.25, jensen_shannon: 0.1, rmse_increase: 0.1, mae_increase: 0.1 }
    }
}

/// The metrics that take part in the score, those with a weight above 0. One that is left out has the weight 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Weights {
    /// Of the Kullback-Leibler divergence.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub kl: f64,
    /// Of the shift of the mean.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub mean: f64,
    /// Of the shift of the median.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub median: f64,
    /// Of the population stability index.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub psi: f64,
    /// Of the Jensen-Shannon distance.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub jensen_shannon: f64,
    /// Of the rise of the RMSE. Added to the model's score, it does not count for the sum of 1.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub rmse_increase: f64,
    /// Of the rise of the MAE. Added to the model's score, it does not count for the sum of 1.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub mae_increase: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { kl: 0.5, mean: 0.3, median: 0.2, psi: 0.0, jensen_shannon: 0.0, rmse_increase: 0.0, mae_increase: 0.0 }
    }
}

impl Weights {
    /// Checks that the weights of distributions sum to 1.
    ///
    /// # Errors
    /// They do not, or one is negative or no number.
    pub fn check(&self) -> Result<()> {
        for metric in Metric::ALL {
            let weight = self.of(metric);
            if !(weight.is_finite() && weight >= 0.0) {
                let message = format!("the weight of {} is {weight}, expected at least 0", metric.words());
                return Err(StageError::input(message).with_hint("a metric with the weight 0 does not take part"));
            }
        }
        let sum = self.kl + self.mean + self.median + self.psi + self.jensen_shannon;
        if (sum - 1.0).abs() <= TOLERANCE {
            return Ok(());
        }
        let given: Vec<String> = Metric::ALL[..5]
            .iter()
            .filter(|&&metric| self.of(metric) > 0.0)
            .map(|&metric| format!("{} {}", metric.words(), self.of(metric)))
            .collect();
        let sum = format!("{sum:.9}");
        let sum = sum.trim_end_matches('0').trim_end_matches('.');
        let message = format!(
            "the weights sum to {sum}, not to 1: {}",
            if given.is_empty() { "none is above 0".to_owned() } else { given.join(", ") }
        );
        Err(StageError::input(message).with_hint("`weights` names the metrics that take part; one that is left out has the weight 0"))
    }

    fn of(&self, metric: Metric) -> f64 {
        let Self { kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase } = *self;
        [kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase][metric as usize]
    }
}

/// Thresholds and weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rules {
    /// The value of each metric above which it speaks for drift.
    pub thresholds: Thresholds,
    /// How much each counts.
    pub weights: Weights,
}

/// The metrics that may take part, of one side (the data, or the model); sizes, so none is negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Kullback-Leibler divergence with add-½ smoothing.
    pub kl: f64,
    /// Size of the shift of the mean.
    pub mean: f64,
    /// Size of the shift of the median.
    pub median: f64,
    /// Population stability index.
    pub psi: f64,
    /// Jensen-Shannon distance.
    pub jensen_shannon: f64,
    /// Rise of the RMSE; 0 if it fell or is not known.
    pub rmse_increase: f64,
    /// Rise of the MAE; 0 if it fell or is not known.
    pub mae_increase: f64,
}

impl From<&Distance> for Figures {
    fn from(distance: &Distance) -> Self {
        Self {
            kl: distance.kl_divergence,
            mean: distance.mean_shift.abs(),
            median: distance.median_shift.abs(),
            psi: distance.psi,
            jensen_shannon: distance.jensen_shannon,
            ..Self::default()
        }
    }
}

impl Figures {
    fn of(&self, metric: Metric) -> f64 {
        let Self { kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase } = *self;
        [kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase][metric as usize]
    }
}

/// What one metric adds to a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Term {
    /// The metric.
    pub metric: Metric,
    /// Its value; the size of a shift.
    pub value: f64,
    /// Above this it speaks for drift.
    pub threshold: f64,
    /// How much it counts.
    pub weight: f64,
}

impl Term {
    /// What it adds: `weight · value / threshold`.
    pub fn contribution(&self) -> f64 {
        self.weight * self.value / self.threshold
    }

    /// Whether it speaks for drift.
    pub fn is_over(&self) -> bool {
        self.value > self.threshold
    }
}

impl Rules {
    /// The terms of the metrics that take part.
    pub fn terms<'a>(&'a self, figures: &'a Figures) -> impl Iterator<Item = Term> + 'a {
        let Thresholds { kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase } = self.thresholds;
        let thresholds = [kl, mean, median, psi, jensen_shannon, rmse_increase, mae_increase];
        let term = move |metric: Metric| Term {
            metric,
            value: figures.of(metric),
            threshold: thresholds[metric as usize],
            weight: self.weights.of(metric),
        };
        Metric::ALL.into_iter().map(term).filter(|term| term.weight > 0.0)
    }

    /// The sum of all contributions. Above 1, a weighted mean of the metrics lies above their thresholds.
    pub fn score(&self, figures: &Figures) -> f64 {
        self.terms(figures).map(|term| term.contribution()).sum()
    }
}
