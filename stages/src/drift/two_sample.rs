//! Whether two samples follow one distribution, and how far one must be moved to become the other.
//!
//! The p-values say how often chance alone gives at least such a statistic. With many rows they are small for differences that nobody
//! would retrain for, so they are reported and do not decide.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma_ur;

use super::classes::Classes;
use super::kolmogorov;
use super::sample::{Sample, merged};

/// A statistic and the chance of one at least as large, if both samples follow one distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Test {
    /// The statistic.
    pub statistic: f64,
    /// From 0 to 1.
    pub p_value: f64,
}

/// Two-sample Kolmogorov-Smirnov test: the largest distance of the two distribution functions (Smirnov 1939). Equal values are
/// stepped over together, so ties are exact in the statistic and make the p-value conservative. p is that of a one-sample statistic of
/// `n m / (n + m)` elements, rounded: `scipy.stats.ks_2samp(…, method="asymp")`.
///
/// 0 and 1 if a sample is empty.
pub fn kolmogorov_smirnov(original: &Sample, current: &Sample) -> Test {
    let (n, m) = (original.len() as f64, current.len() as f64);
    if original.is_empty() || current.is_empty() {
        return Test { statistic: 0.0, p_value: 1.0 };
    }
    let (mut below_original, mut below_current, mut statistic) = (0, 0, 0.0_f64);
    for (_, in_original, in_current) in merged(original, current) {
        below_original += in_original;
        below_current += in_current;
        statistic = statistic.max((below_original as f64 / n - below_current as f64 / m).abs());
    }
    let effective = (n * (m / (n + m))).round_ties_even().max(1.0) as u64;
    Test { statistic, p_value: kolmogorov::survival(effective, statistic) }
}

/// A chi-square statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ChiSquare {
    /// `Σ (observed - expected)² / expected` over the classes of both samples.
    pub statistic: f64,
    /// Classes that occur, less one.
    pub degrees_of_freedom: u64,
    /// From 0 to 1.
    pub p_value: f64,
}

/// Chi-square test of homogeneity (Pearson 1900), without continuity correction. Classes that neither sample has are left out:
/// `scipy.stats.chi2_contingency(table, correction=False)` without the empty columns.
///
/// 0 and 1 if there are less than two classes or a sample is empty.
pub fn chi_square(classes: &Classes) -> ChiSquare {
    let (n, m) = (classes.original.iter().sum::<u64>() as f64, classes.current.iter().sum::<u64>() as f64);
    let pairs = || classes.original.iter().zip(&classes.current).filter(|(a, b)| **a + **b > 0);
    let degrees_of_freedom = (pairs().count() as u64).saturating_sub(1);
    if n == 0.0 || m == 0.0 || degrees_of_freedom == 0 {
        return ChiSquare { statistic: 0.0, degrees_of_freedom, p_value: 1.0 };
    }
    let term = |observed: u64, expected: f64| (observed as f64 - expected).powi(2) / expected;
    let statistic = pairs()
        .map(|(&in_original, &in_current)| {
            let share = (in_original + in_current) as f64 / (n + m);
            term(in_original, share * n) + term(in_current, share * m)
        })
        .sum();
    ChiSquare { statistic, degrees_of_freedom, p_value: chi_square_survival(degrees_of_freedom, statistic) }
}

/// The chance that a chi-square variable of `degrees` (at least 1) exceeds `statistic`: `Q(degrees / 2, statistic / 2)`.
fn chi_square_survival(degrees: u64, statistic: f64) -> f64 {
    if statistic > 0.0 { gamma_ur(degrees as f64 / 2.0, statistic / 2.0).clamp(0.0, 1.0) } else { 1.0 }
}

/// First Wasserstein distance: the area between the two distribution functions, which is the least mean distance by which values must
/// be moved to turn one sample into the other. In the unit of the values. `scipy.stats.wasserstein_distance`. 0 if a sample is empty.
pub fn wasserstein(original: &Sample, current: &Sample) -> f64 {
    if original.is_empty() || current.is_empty() {
        return 0.0;
    }
    let (n, m) = (original.len() as f64, current.len() as f64);
    let (mut below_original, mut below_current, mut area) = (0, 0, 0.0);
    let mut before: Option<f32> = None;
    for (value, in_original, in_current) in merged(original, current) {
        let width = before.map_or(0.0, |before| f64::from(value) - f64::from(before));
        area += width * (below_original as f64 / n - below_current as f64 / m).abs();
        below_original += in_original;
        below_current += in_current;
        before = Some(value);
    }
    area
}
