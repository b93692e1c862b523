//! What holds for any two samples.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::divergence::{Smoothing, jensen_shannon, kl, psi};
use super::resample::{Runs, multinomial};
use super::two_sample::{chi_square, kolmogorov_smirnov, wasserstein};
use super::*;

fn pair() -> impl Strategy<Value = (Sample, Sample)> {
    (counts(), counts()).prop_map(|(a, b)| (stars(&a), stars(&b)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn divergences_are_never_negative_and_vanish_for_equal_shares((a, b) in pair(), times in 1_u64..5) {
        let Classes { original, current, .. } = Classes::of(&a, &b);
        for smoothing in [Smoothing::AddHalf, Smoothing::Epsilon(1e-10)] {
            prop_assert!(kl(&original, &current, smoothing) >= 0.0);
            prop_assert_eq!(kl(&original, &original, smoothing), 0.0);
            prop_assert!((smoothing.shares(&original).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        let scaled: Vec<u64> = original.iter().map(|count| count * times).collect();
        prop_assert!(jensen_shannon(&original, &scaled) < 1e-7);
        prop_assert!(kl(&original, &scaled, Smoothing::Epsilon(1e-10)) < 1e-9);
    }

    #[test]
    fn what_has_no_direction_is_symmetric((a, b) in pair()) {
        let Classes { original, current, .. } = Classes::of(&a, &b);
        prop_assert!((psi(&original, &current) - psi(&current, &original)).abs() < 1e-12);
        let both = kl(&original, &current, Smoothing::AddHalf) + kl(&current, &original, Smoothing::AddHalf);
        prop_assert!((psi(&original, &current) - both).abs() < 1e-9);
        let distance = jensen_shannon(&original, &current);
        prop_assert!((distance - jensen_shannon(&current, &original)).abs() < 1e-12);
        prop_assert!(distance <= std::f64::consts::LN_2.sqrt() + 1e-12);
        prop_assert_eq!(kolmogorov_smirnov(&a, &b), kolmogorov_smirnov(&b, &a));
        prop_assert!((wasserstein(&a, &b) - wasserstein(&b, &a)).abs() < 1e-12);
        let (forth, back) = (chi_square(&Classes::of(&a, &b)), chi_square(&Classes::of(&b, &a)));
        prop_assert!((forth.statistic - back.statistic).abs() <= 1e-9 * forth.statistic.max(1.0));
    }

    /// A shift moves every element by as much: the earth mover's work is the shift, and nothing else changes.
    #[test]
    fn a_shift_shows_in_mean_median_and_wasserstein(counts in counts(), by in 1_u8..5) {
        let (a, by) = (stars(&counts), f32::from(by));
        let b = a.map(|value| value + by);
        let by = f64::from(by);
        prop_assert!((wasserstein(&a, &b) - by).abs() < 1e-9);
        prop_assert!((b.mean().unwrap() - a.mean().unwrap() - by).abs() < 1e-9);
        prop_assert_eq!(b.median().unwrap() - a.median().unwrap(), by);
    }

    /// The mean is the area between the distribution function and 1, so it cannot move further than the earth does.
    #[test]
    fn the_mean_moves_no_further_than_wasserstein((a, b) in pair()) {
        prop_assert!((a.mean().unwrap() - b.mean().unwrap()).abs() <= wasserstein(&a, &b) + 1e-9);
    }

    #[test]
    fn the_kolmogorov_tail_falls_from_one_to_zero(n in 1_u64..3000, steps in prop::collection::vec(0.0_f64..1.0, 2..8)) {
        let mut steps = steps;
        steps.sort_unstable_by(f64::total_cmp);
        let tails: Vec<f64> = steps.iter().map(|&d| kolmogorov::survival(n, d)).collect();
        prop_assert!(tails.iter().all(|tail| (0.0..=1.0).contains(tail)), "{tails:?}");
        prop_assert!(tails.is_sorted_by(|a, b| *a >= *b - 1e-9), "n {n}: {steps:?} give {tails:?}");
    }

    #[test]
    fn a_multinomial_draw_has_all_its_elements_where_there_is_weight(weights in counts(), draws in 0_u64..5000, seed in any::<u64>()) {
        let drawn = multinomial(&weights, draws, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(drawn.iter().sum::<u64>(), draws);
        prop_assert!(weights.iter().zip(&drawn).all(|(&weight, &count)| weight > 0 || count == 0));
    }
}

/// Means over many resamples: the mean of the sample, its standard error, and a median that stays near.
#[test]
fn resampling_a_grouped_sample_spreads_mean_and_median_as_theory_says() {
    let n = 20_000_u32;
    // Uniform on 1 to 5 and all different: more values than runs.
    let values: Vec<f32> = (0..n).map(|place| 1.0 + 4.0 * (place as f32 + 0.5) / n as f32).collect();
    let sample = Sample::from_values(values);
    let runs = Runs::of(&sample, 2, |value| usize::from(value >= 3.0));
    let draws = 2000;
    let drawn: Vec<_> = (0..draws)
        .map(|seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            rng.set_stream(seed);
            runs.draw(&mut rng)
        })
        .collect();
    assert!(drawn.iter().all(|drawn| drawn.classes.iter().sum::<u64>() == u64::from(n)));
    let moments = |of: fn(&resample::Drawn) -> f64| {
        let mean = drawn.iter().map(of).sum::<f64>() / draws as f64;
        let variance = drawn.iter().map(|drawn| (of(drawn) - mean).powi(2)).sum::<f64>() / draws as f64;
        (mean, variance.sqrt() * f64::from(n).sqrt())
    };
    // Standard deviation of the uniform distribution: 4 / √12. Of its median: 1 / (2 f √n) with the density f = 1/4.
    let (mean, spread) = moments(|drawn| drawn.mean);
    assert!((mean - 3.0).abs() < 0.001 && (spread / (4.0 / 12.0_f64.sqrt()) - 1.0).abs() < 0.06, "{mean} {spread}");
    let (median, spread) = moments(|drawn| drawn.median);
    assert!((median - 3.0).abs() < 0.002 && (spread / 2.0 - 1.0).abs() < 0.06, "{median} {spread}");
}
