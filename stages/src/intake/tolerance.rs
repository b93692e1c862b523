//! What is still accepted: the inputs `rating_range` and `max_bad_rows`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The stars that count as a rating, both ends included. Written `0.5-5` or `[0.5, 5]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingRange {
    min: f32,
    max: f32,
}

impl RatingRange {
    /// A range; `None` unless both ends are finite and `min <= max`.
    pub fn new(min: f32, max: f32) -> Option<Self> {
        (min.is_finite() && max.is_finite() && min <= max).then_some(Self { min, max })
    }

    /// The lowest rating.
    pub fn min(self) -> f32 {
        self.min
    }

    /// The highest rating.
    pub fn max(self) -> f32 {
        self.max
    }

    /// Whether `stars` lies in the range.
    pub fn contains(self, stars: f32) -> bool {
        (self.min..=self.max).contains(&stars)
    }

    fn parse(text: &str) -> Option<Self> {
        let (min, max) = text.split_once('-')?;
        Self::new(min.trim().parse().ok()?, max.trim().parse().ok()?)
    }
}

impl Default for RatingRange {
    /// Half a star to five: MovieLens and Netflix both fit.
    fn default() -> Self {
        Self { min: 0.5, max: 5.0 }
    }
}

impl fmt::Display for RatingRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.min, self.max)
    }
}

impl Serialize for RatingRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RatingRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Ends(f32, f32),
        }
        let range = match Raw::deserialize(deserializer)? {
            Raw::Text(text) => Self::parse(&text),
            Raw::Ends(min, max) => Self::new(min, max),
        };
        range.ok_or_else(|| serde::de::Error::custom("`rating_range` is the lowest and the highest rating, such as `0.5-5` or [0.5, 5]"))
    }
}

impl JsonSchema for RatingRange {
    fn schema_name() -> Cow<'static, str> {
        "RatingRange".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "minLength": 3 },
            { "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 },
        ] })
    }
}

/// How many malformed lines are too many: a count (`100`) or a share of the lines with content (`0.01`, `"1%"`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxBadRows {
    /// At most so many.
    Count(u64),
    /// At most this share, 0-1.
    Share(f64),
}

impl MaxBadRows {
    /// Whether `bad` lines beside `good` rows are still acceptable.
    pub fn allows(self, bad: u64, good: u64) -> bool {
        match self {
            MaxBadRows::Count(most) => bad <= most,
            MaxBadRows::Share(share) => bad as f64 <= share * (bad + good) as f64,
        }
    }

    fn from_number(number: f64) -> Option<Self> {
        if number > 0.0 && number < 1.0 {
            Some(MaxBadRows::Share(number))
        } else {
            (number >= 0.0 && number.fract() == 0.0 && number <= 9e15).then_some(MaxBadRows::Count(number as u64))
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(|percent: f64| MaxBadRows::Share(percent / 100.0)),
            None => Self::from_number(text.trim().parse().ok()?),
        }
    }
}

impl fmt::Display for MaxBadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxBadRows::Count(most) => write!(f, "{most}"),
            MaxBadRows::Share(share) => write!(f, "{}%", share * 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for MaxBadRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Number(f64),
        }
        let most = match Raw::deserialize(deserializer)? {
            Raw::Text(text) => Self::parse(&text),
            Raw::Number(number) => Self::from_number(number),
        };
        most.ok_or_else(|| serde::de::Error::custom("`max_bad_rows` is a count such as 100, or a share such as 0.01 or \"1%\""))
    }
}

impl JsonSchema for MaxBadRows {
    fn schema_name() -> Cow<'static, str> {
        "MaxBadRows".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "minLength": 1 }] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_range_is_read_from_text_and_from_a_pair() {
        for value in [json!("0.5-5"), json!("0.5 - 5"), json!([0.5, 5])] {
            assert_eq!(from_value::<RatingRange>(value).unwrap(), RatingRange::default());
        }
        for wrong in [json!("5"), json!("5-1"), json!([1]), json!("a-b")] {
            assert!(from_value::<RatingRange>(wrong).is_err());
        }
        assert!(RatingRange::default().contains(0.5) && RatingRange::default().contains(5.0) && !RatingRange::default().contains(0.0));
    }

    #[test]
    fn a_limit_is_a_count_or_a_share() {
        assert_eq!(from_value::<MaxBadRows>(json!(0)).unwrap(), MaxBadRows::Count(0));
        assert_eq!(from_value::<MaxBadRows>(json!(1)).unwrap(), MaxBadRows::Count(1));
        assert_eq!(from_value::<MaxBadRows>(json!(0.25)).unwrap(), MaxBadRows::Share(0.25));
        assert_eq!(from_value::<MaxBadRows>(json!("25%")).unwrap(), MaxBadRows::Share(0.25));
        assert!(from_value::<MaxBadRows>(json!(1.5)).is_err() && from_value::<MaxBadRows>(json!("many")).is_err());
        assert!(MaxBadRows::Count(2).allows(2, 0) && !MaxBadRows::Count(2).allows(3, 1_000));
        assert!(MaxBadRows::Share(0.25).allows(1, 3) && !MaxBadRows::Share(0.25).allows(2, 3));
        assert!(MaxBadRows::Share(0.25).allows(0, 0));
    }
}
