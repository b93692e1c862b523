//! Two samples as histograms over the same classes.

use super::sample::{Sample, merged};

/// The histogram of two samples. A class is a value that occurs in at least one of them: what neither has says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classes {
    /// The value of each class, ascending.
    pub values: Vec<f32>,
    /// How often it occurs in the original sample.
    pub original: Vec<u64>,
    /// How often it occurs in the current sample.
    pub current: Vec<u64>,
}

impl Classes {
    /// The classes of two samples.
    pub fn of(original: &Sample, current: &Sample) -> Self {
        let mut classes = Self::default();
        for (value, in_original, in_current) in merged(original, current) {
            classes.values.push(value);
            classes.original.push(in_original);
            classes.current.push(in_current);
        }
        classes
    }
}

/// Most steps of a scale.
const MAX_STEPS: f32 = 1000.0;

/// The ratings that a person can give.
///
/// Whole stars from the lowest to the highest rating if all are whole, half stars if all are multiples of a half, otherwise the
/// ratings that occur.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Ascending; never empty.
    steps: Vec<f32>,
}

impl Scale {
    /// The scale of ratings that occur; `None` if there are none.
    pub fn of(ratings: &Sample) -> Option<Self> {
        let values = ratings.values();
        let (&lowest, &highest) = (values.first()?, values.last()?);
        let multiples_of = |step: f32| values.iter().all(|value| (value / step).fract() == 0.0);
        let steps = match [1.0, 0.5].into_iter().find(|&step| multiples_of(step)) {
            Some(step) if (highest - lowest) / step <= MAX_STEPS => {
                let count = ((highest - lowest) / step) as u16;
                (0..=count).map(|place| lowest + f32::from(place) * step).collect()
            }
            _ => values.to_vec(),
        };
        Some(Self { steps })
    }

    /// The step that is closest to `value`: rounded, half-way up, and clipped to the scale.
    pub fn round(&self, value: f32) -> f32 {
        let above = self.steps.partition_point(|&step| step < value).min(self.steps.len() - 1);
        let (below, above) = (self.steps[above.saturating_sub(1)], self.steps[above]);
        if value - below < above - value { below } else { above }
    }
}
