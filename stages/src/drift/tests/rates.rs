//! How often a drift is detected, and how often chance is taken for one.
//!
//! Method: an original set of 80,000 ratings, and a stream of n ratings from the same distribution, in half of the tests moved until its own
//! mean (the achieved one: a scale clips) lies 0.5 stars from the original's.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bootstrap::{Resampling, Side, interval};
use super::decision::{Decision, Evidence, Subject};
use super::resample::multinomial;
use super::score::Figures;
use super::*;

/// Shares of the ratings, in thousandths, and the step of the scale: MovieLens 100K, the Netflix Prize, ml-latest-small, and one of harsh raters whose
/// median lies on the edge between two stars.
const DISTRIBUTIONS: [(&[u64], f32); 4] = [
    (&[61, 114, 271, 342, 212], 1.0),
    (&[46, 101, 287, 336, 230], 1.0),
    (&[14, 28, 18, 75, 55, 199, 130, 266, 84, 131], 0.5),
    (&[200, 300, 300, 150, 50], 1.0),
];

const SEEDS: u64 = 100;

/// The decision on the data alone, with the default rules, as the stage takes it.
fn decide(original: &Sample, current: &Sample, seed: u64) -> Decision {
    let rules = Rules::default();
    let figures = Figures::from(&Distance::of(original, current, |value| value).unwrap());
    let side = Side::new(original, current, |value| value, None);
    let how = Resampling { resamples: 1000, confidence: 0.8, seed };
    let interval = interval(&[side], &rules, how, &context()).unwrap();
    Decision::of(&Evidence { rows: current.len(), min_rows: 100, subject: Subject::Data, figures, interval }, &rules)
}

fn on_scale(counts: Vec<u64>, step: f32) -> Sample {
    Sample::from_counts((1_u16..).map(|place| f32::from(place) * step).zip(counts))
}

/// How one rating of a drifting stream changes, on a scale of `steps` steps of `step` stars.
type Move = fn(place: usize, up: bool, step: f32, steps: usize) -> usize;

/// By one star, as far as the scale goes.
fn one_star(place: usize, up: bool, step: f32, steps: usize) -> usize {
    let star = (1.0 / step) as usize;
    if up { (place + star).min(steps - 1) } else { place.saturating_sub(star) }
}

/// To the end of the scale.
fn extreme(_: usize, up: bool, _: f32, steps: usize) -> usize {
    if up { steps - 1 } else { 0 }
}

/// `n` ratings, moved until their mean lies half a star beside `mean`; then a random share `keep` of them.
fn drifted((shares, step): (&[u64], f32), n: u64, mean: f64, (up, how): (bool, Move), keep: f64, rng: &mut ChaCha8Rng) -> Sample {
    let drawn = multinomial(shares, n, rng);
    let mut places: Vec<usize> = drawn.iter().enumerate().flat_map(|(place, &count)| vec![place; count as usize]).collect();
    places.shuffle(rng);
    let stars = |place: usize| f64::from(step) * (place + 1) as f64;
    let target = n as f64 * (mean + if up { 0.5 } else { -0.5 });
    let mut sum: f64 = places.iter().map(|&place| stars(place)).sum();
    'moving: for _ in 0..4 {
        for place in &mut places {
            if (sum >= target) == up {
                break 'moving;
            }
            let moved = how(*place, up, step, shares.len());
            sum += stars(moved) - stars(*place);
            *place = moved;
        }
    }
    assert_eq!(sum >= target, up, "the mean was not achieved");
    let mut counts = vec![0; shares.len()];
    places.into_iter().filter(|_| rng.random_bool(keep)).for_each(|place| counts[place] += 1);
    on_scale(counts, step)
}

/// In how many of the seeds `stream(original, rng)` triggers a retrain.
fn triggered((shares, step): (&[u64], f32), stream: impl Fn(&Sample, &mut ChaCha8Rng) -> Sample) -> usize {
    let one = |seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let original = on_scale(multinomial(shares, 80_000, &mut rng), step);
        let current = stream(&original, &mut rng);
        decide(&original, &current, seed).should_retrain
    };
    (0..SEEDS).filter(|&seed| one(seed)).count()
}

#[test]
fn half_a_star_up_or_down_is_detected_with_a_thousand_ratings() {
    for distribution in DISTRIBUTIONS {
        for up in [true, false] {
            for how in [one_star as Move, extreme] {
                let detected =
                    triggered(distribution, |original, rng| drifted(distribution, 1000, original.mean().unwrap(), (up, how), 1.0, rng));
                assert!(detected >= 99, "{distribution:?}, up {up}: {detected} of {SEEDS}");
            }
        }
    }
}

/// `process_stream` puts a fifth of the stream aside for testing, which moves the mean of the rest.
#[test]
fn half_a_star_is_detected_when_four_fifths_of_the_thousand_are_for_training() {
    for distribution in &DISTRIBUTIONS[..3] {
        for up in [true, false] {
            let stream =
                |original: &Sample, rng: &mut ChaCha8Rng| drifted(*distribution, 1000, original.mean().unwrap(), (up, one_star), 0.8, rng);
            let detected = triggered(*distribution, stream);
            assert!(detected >= 99, "{distribution:?}, up {up}: {detected} of {SEEDS}");
        }
    }
}

#[test]
fn without_drift_hardly_anything_triggers() {
    for distribution in DISTRIBUTIONS {
        for rows in [100, 1000, 10_000] {
            let false_alarms = triggered(distribution, |_, rng| on_scale(multinomial(distribution.0, rows, rng), distribution.1));
            assert!(false_alarms <= 5, "{distribution:?}, {rows} ratings: {false_alarms} of {SEEDS}");
        }
    }
}

/// Without the interval and the floor, fifty ratings would trigger a retrain now and then.
#[test]
fn fifty_ratings_never_trigger() {
    let harsh = DISTRIBUTIONS[0];
    let over = |original: &Sample, rng: &mut ChaCha8Rng| drifted(harsh, 50, original.mean().unwrap(), (false, one_star), 1.0, rng);
    assert_eq!(triggered(harsh, over), 0);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let original = on_scale(multinomial(harsh.0, 80_000, &mut rng), 1.0);
    assert_eq!(decide(&original, &over(&original, &mut rng), 0).line(), "not enough data: 50 of 100 rows");
}

#[test]
fn the_same_seed_gives_the_same_interval_whatever_the_number_of_threads() {
    let (original, current) = (stars(&[61, 114, 271, 342, 212]), stars(&[20, 30, 40, 30, 10]));
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let side = Side::new(&original, &current, |value| value, None);
        let how = Resampling { resamples: 500, confidence: 0.8, seed };
        pool.install(|| interval(&[side], &Rules::default(), how, &context()).unwrap())
    };
    assert_eq!(with(1, 7), with(3, 7));
    assert_ne!(with(1, 7), with(1, 8));
    let interval = with(2, 7);
    assert!(interval.lower < interval.upper, "{interval:?}");
}
