//! Known answers from scipy 1.17 and numpy 2.4, laws, and how often the decision is right.

mod known;
mod laws;
mod rates;
mod words;

use proptest::prelude::*;

use super::*;
use crate::context::{Context, PublishKey};

/// A sample of values with counts.
fn sample(counts: &[(f32, u64)]) -> Sample {
    Sample::from_counts(counts.iter().copied())
}

/// Values of the grid 1, 2, … with these counts.
fn stars(counts: &[u64]) -> Sample {
    Sample::from_counts((1_u16..).map(f32::from).zip(counts.iter().copied()))
}

fn context() -> Context {
    Context::plain("/nonexistent", PublishKey::new("run", "drift", 0))
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "found {found}, expected {expected}");
}

/// Counts of up to twelve classes, at least one of which is not empty.
fn counts() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![Just(0), 1_u64..2000], 2..12).prop_filter("empty", |counts| counts.iter().any(|&count| count > 0))
}
