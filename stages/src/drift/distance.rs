//! All distances of two samples at once, as they are reported.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classes::Classes;
use super::divergence::{Smoothing, jensen_shannon, kl, psi};
use super::sample::Sample;
use super::two_sample::{ChiSquare, Test, chi_square, kolmogorov_smirnov, wasserstein};

/// What the original stack adds to each share.
const ORIGINAL_EPSILON: f64 = 1e-10;

/// How far the current sample lies from the original one.
///
/// Divergences and chi-square are of the histograms; means, medians, Kolmogorov-Smirnov and Wasserstein of the values themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Distance {
    /// Kullback-Leibler divergence original‖current in nats, with half an observation added to each class: the one that decides.
    pub kl_divergence: f64,
    /// The same with 1e-10 added to each share, as the original stack has it: for comparison, it does not decide.
    pub kl_divergence_epsilon: f64,
    /// Population stability index, with half an observation added to each class.
    pub psi: f64,
    /// Jensen-Shannon distance, from 0 to √ln 2 ≈ 0.83.
    pub jensen_shannon: f64,
    /// Two-sample Kolmogorov-Smirnov test.
    pub kolmogorov_smirnov: Test,
    /// Chi-square test of homogeneity.
    pub chi_square: ChiSquare,
    /// First Wasserstein distance, in stars.
    pub wasserstein: f64,
    /// Mean of the original values.
    pub mean_original: f64,
    /// Mean of the current values.
    pub mean_current: f64,
    /// How far the mean has risen, in stars; negative if it fell.
    pub mean_shift: f64,
    /// Exact median of the original values.
    pub median_original: f64,
    /// Exact median of the current values.
    pub median_current: f64,
    /// How far the median has risen, in stars; negative if it fell.
    pub median_shift: f64,
    /// The histograms: each class with its counts.
    pub histogram: Vec<Bar>,
}

/// A class of two histograms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Bar {
    /// The rating, or the prediction rounded to one.
    pub value: f32,
    /// How often it occurs in the original sample.
    pub original: u64,
    /// How often it occurs in the current sample.
    pub current: u64,
}

impl Distance {
    /// Compares two samples; `class` says which class a value belongs to. `None` if a sample is empty.
    pub fn of(original: &Sample, current: &Sample, class: impl Fn(f32) -> f32) -> Option<Self> {
        let (mean_original, mean_current) = (original.mean()?, current.mean()?);
        let (median_original, median_current) = (original.median()?, current.median()?);
        let classes = Classes::of(&original.map(&class), &current.map(&class));
        let Classes { values, original: before, current: after } = &classes;
        let bars = values.iter().zip(before.iter().zip(after));
        Some(Self {
            kl_divergence: kl(before, after, Smoothing::AddHalf),
            kl_divergence_epsilon: kl(before, after, Smoothing::Epsilon(ORIGINAL_EPSILON)),
            psi: psi(before, after),
            jensen_shannon: jensen_shannon(before, after),
            kolmogorov_smirnov: kolmogorov_smirnov(original, current),
            chi_square: chi_square(&classes),
            wasserstein: wasserstein(original, current),
            mean_original,
            mean_current,
            mean_shift: mean_current - mean_original,
            median_original,
            median_current,
            median_shift: median_current - median_original,
            histogram: bars.map(|(&value, (&original, &current))| Bar { value, original, current }).collect(),
        })
    }
}
