//! From values to places: linear scales whose ends are round numbers.

use crate::report::number;

/// Beyond this a value is not drawn where it is but at the edge: differences of larger ones are no numbers any more.
const LARGEST: f64 = 1e300;

/// Below this it is 0: a part of it may be none any more.
const SMALLEST: f64 = 1e-300;

/// Values along an axis. Both ends are ticks, so the ticks cover all values that the scale was made for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    first: f64,
    step: f64,
    steps: usize,
    /// Where the ends lie, in the drawing's units.
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale for `values`, with about `wanted` ticks; what is no number is passed over. Without any value, from 0 to 1.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, wanted: usize) -> Self {
        let range = values.into_iter().filter(|value| value.is_finite()).fold(None, |range, value| {
            let value = if value.abs() < SMALLEST { 0.0 } else { value.clamp(-LARGEST, LARGEST) };
            Some(range.map_or((value, value), |(low, high): (f64, f64)| (low.min(value), high.max(value))))
        });
        let (mut low, mut high) = range.unwrap_or((0.0, 1.0));
        // One value, or values that cannot be told apart, lie in the middle of some room.
        let size = low.abs().max(high.abs());
        if high - low <= size * 1e-9 {
            let room = if size > 0.0 { size * 0.1 } else { 0.5 };
            (low, high) = if low == 0.0 { (0.0, 2.0 * room) } else { (low - room, high + room) };
        }
        let step = round_step((high - low) / wanted.max(1) as f64);
        let first = (low / step).floor();
        let steps = ((high / step).ceil() - first).max(1.0);
        Self { first: first * step, step, steps: steps as usize, from: 0.0, to: 1.0 }
    }

    /// The same between two places.
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// The lowest value that it covers.
    pub(super) fn low(&self) -> f64 {
        self.first
    }

    /// The highest.
    pub(super) fn high(&self) -> f64 {
        self.first + self.step * self.steps as f64
    }

    /// Where a value lies; one outside, at the nearer end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low()) / (self.high() - self.low())).clamp(0.0, 1.0);
        // What is no number has no place; callers leave it out.
        self.from + (self.to - self.from) * if share.is_nan() { 0.0 } else { share }
    }

    /// The round numbers: value, place and text of each.
    pub(super) fn ticks(&self) -> impl Iterator<Item = Tick> + '_ {
        (0..=self.steps).map(|number| {
            let value = self.first + self.step * number as f64;
            Tick { at: self.at(value), text: number::tick(value, self.step) }
        })
    }
}

/// A round number on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(values: &[f64]) -> Vec<String> {
        Scale::of(values.iter().copied(), 5).ticks().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(texts(&[0.0, 37.2]), ["0", "10", "20", "30", "40"]);
        assert_eq!(texts(&[0.91, 0.953]), ["0.91", "0.92", "0.93", "0.94", "0.95", "0.96"]);
        assert_eq!(texts(&[-0.3, 1.2]), ["−0.5", "0.0", "0.5", "1.0", "1.5"]);
        assert_eq!(texts(&[]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(&[0.0]).first().map(String::as_str), Some("0.0"));
        let one = Scale::of([4.0], 5);
        assert!(one.low() < 4.0 && one.high() > 4.0, "{one:?}");
    }

    #[test]
    fn a_value_lies_where_it_belongs_and_one_outside_at_the_edge() {
        let scale = Scale::of([0.0, 10.0], 5).between(100.0, 0.0);
        assert_eq!([0.0, 2.5, 10.0, 99.0, -1.0].map(|value| scale.at(value)), [100.0, 75.0, 0.0, 0.0, 100.0]);
    }

    proptest! {
        #[test]
        fn ticks_cover_any_values_in_few_steps(values in prop::collection::vec(any::<f64>(), 0..20), wanted in 1_usize..10) {
            let scale = Scale::of(values.iter().copied(), wanted).between(0.0, 700.0);
            let (low, high) = (scale.low(), scale.high());
            prop_assert!(low.is_finite() && high.is_finite() && low < high, "{low} {high}");
            for value in values.into_iter().filter(|value| value.is_finite()).map(|value| value.clamp(-LARGEST, LARGEST)) {
                let room = (high - low) * 1e-6;
                prop_assert!(value >= low - room && value <= high + room, "{value} outside {low} to {high}");
                prop_assert!((0.0..=700.0).contains(&scale.at(value)));
            }
            let places: Vec<f64> = scale.ticks().map(|tick| tick.at).collect();
            prop_assert!(places.len() >= 2 && places.len() <= wanted + 3, "{} ticks", places.len());
            prop_assert!(places.iter().all(|place| place.is_finite()));
        }
    }
}
