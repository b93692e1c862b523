//! Divergences of two histograms over the same classes.
//!
//! `p` are the shares of the classes in the original sample, `q` in the current one. An empty class would make the first two infinite, so
//! shares are [smoothed](Smoothing); the Jensen-Shannon distance needs no smoothing.

/// How shares are kept away from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Half an observation is added to each class: the posterior mean under Jeffreys' prior, `(n_i + ½) / (n + K/2)` (Krichevsky, Trofimov 1981).
    /// What one missing rating out of n can do shrinks with n.
    AddHalf,
    /// This much is added to each share, `(n_i / n + ε) / (1 + K ε)`. With 1e-10 a single class that is empty on one side weighs
    /// as much as `p_i · ln(p_i · 1e10)`.
    Epsilon(f64),
}

impl Smoothing {
    /// The smoothed shares.
    pub fn shares(self, counts: &[u64]) -> Vec<f64> {
        let (n, k) = (total(counts), counts.len() as f64);
        let share = |count: &u64| match self {
            Smoothing::AddHalf => (*count as f64 + 0.5) / (n + 0.5 * k),
            Smoothing::Epsilon(epsilon) => (*count as f64 / n.max(1.0) + epsilon) / (1.0 + k * epsilon),
        };
        counts.iter().map(share).collect()
    }
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().sum::<u64>() as f64
}

/// Kullback-Leibler divergence of the current from the original histogram, `Σ p ln(p / q)`, in nats: how badly `q` describes
/// data that follow `p` (Kullback, Leibler 1951). At least 0, and 0 for equal shares. `scipy.stats.entropy(p, q)` of the smoothed shares.
pub fn kl(original: &[u64], current: &[u64], smoothing: Smoothing) -> f64 {
    let (p, q) = (smoothing.shares(original), smoothing.shares(current));
    // Rounding may leave a hair below the 0 of equal shares.
    relative_entropy(&p, &q).max(0.0)
}

fn relative_entropy(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum()
}

/// Population stability index, `Σ (p - q) ln(p / q)`: the divergences in both directions, added (Jeffreys 1946; the name and the
/// rule of thumb, over 0.25 is a major shift, come from credit scoring: Siddiqi 2006). Shares with add-½ smoothing.
pub fn psi(original: &[u64], current: &[u64]) -> f64 {
    let (p, q) = (Smoothing::AddHalf.shares(original), Smoothing::AddHalf.shares(current));
    p.iter().zip(&q).map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

/// Jensen-Shannon distance: the root of the mean divergence of both from their average, `√((KL(p‖m) + KL(q‖m)) / 2)` with `m = (p + q) / 2`
/// (Lin 1991; Endres, Schindelin 2003). From 0 to √ln 2; symmetric; a metric. `scipy.spatial.distance.jensenshannon` of the raw shares.
/// 0 if a histogram is empty.
pub fn jensen_shannon(original: &[u64], current: &[u64]) -> f64 {
    jensen_shannon_of(original.iter().copied().zip(current.iter().copied()), total(original), total(current))
}

/// The same over any classes, given the totals of both.
pub(super) fn jensen_shannon_of(classes: impl Iterator<Item = (u64, u64)>, original: f64, current: f64) -> f64 {
    if original == 0.0 || current == 0.0 {
        return 0.0;
    }
    let term = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).ln() } else { 0.0 };
    let sum: f64 = classes
        .map(|(in_original, in_current)| {
            let (p, q) = (in_original as f64 / original, in_current as f64 / current);
            let middle = f64::midpoint(p, q);
            term(p, middle) + term(q, middle)
        })
        .sum();
    (sum / 2.0).max(0.0).sqrt()
}
