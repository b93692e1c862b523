//! Holds bounds against facts, one outcome each.

use std::borrow::Cow;
use std::fs;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::facts::Facts;
use super::{CheckInputs, FileBounds, MetricBounds, Outcome};
use crate::context::Context;
use crate::date::format_iso;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A length of time as people write it: `36h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Age {
    seconds: f64,
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
        match duration {
            Ok(duration) if duration >= SignedDuration::ZERO => Ok(Self { seconds: duration.as_secs_f64() }),
            _ => Err(serde::de::Error::custom(format!("`{text}` is no length of time; write it as 36h, 7d or 1h30m"))),
        }
    }
}

impl JsonSchema for Age {
    fn schema_name() -> Cow<'static, str> {
        "Age".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 2 })
    }
}

/// The outcomes so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) outcomes: Vec<Outcome>,
}

/// Which side of a bound is allowed; the bound itself always is.
#[derive(Clone, Copy)]
enum Side {
    AtLeast,
    AtMost,
}

impl Checks {
    /// Holds one bound against one value. `what` says in words what the value is; `show` how a number of its kind is written.
    fn hold(&mut self, name: impl Into<String>, what: &str, value: Option<f64>, (side, bound): (Side, f64), show: fn(f64) -> String) {
        let (words, passed) = match side {
            Side::AtLeast => ("at least", value.is_some_and(|value| value >= bound)),
            Side::AtMost => ("at most", value.is_some_and(|value| value <= bound)),
        };
        let found = value.map_or_else(|| "nothing".to_owned(), show);
        let message = format!("{what}: found {found}, allowed {words} {}", show(bound));
        self.outcomes.push(Outcome { name: name.into(), value, bound, passed, message });
    }

    /// The bounds of the dataset.
    pub(super) fn dataset(&mut self, inputs: &CheckInputs, facts: &Facts, context: &Context) {
        let path = inputs.ratings.as_ref().map(|path| path.as_str()).unwrap_or_default();
        let of = |what: &str| format!("{what} of `{path}`");
        let at_least = |bound: u64| (Side::AtLeast, bound as f64);
        if let Some(bound) = inputs.min_rows {
            self.hold("min_rows", &of("rows"), Some(facts.rows as f64), at_least(bound), plain);
        }
        if let Some(bound) = inputs.max_rows {
            self.hold("max_rows", &of("rows"), Some(facts.rows as f64), (Side::AtMost, bound as f64), plain);
        }
        let content = facts.content.as_ref();
        if let Some(bound) = inputs.min_users {
            self.hold("min_users", &of("users"), content.map(|content| content.users as f64), at_least(bound), plain);
        }
        if let Some(bound) = inputs.min_items {
            self.hold("min_items", &of("items"), content.map(|content| content.items as f64), at_least(bound), plain);
        }
        if let Some(range) = inputs.rating_range {
            let ends = content.and_then(|content| content.ratings);
            let (lowest, highest) = (ends.map(|ends| f64::from(ends.0)), ends.map(|ends| f64::from(ends.1)));
            self.hold("rating_range.min", &of("lowest rating"), lowest, (Side::AtLeast, f64::from(range.min())), plain);
            self.hold("rating_range.max", &of("highest rating"), highest, (Side::AtMost, f64::from(range.max())), plain);
        }
        if let Some(bound) = inputs.max_age {
            let newest = content.and_then(|content| content.newest);
            // A rating of a day may be as young as the end of that day.
            let age = newest.map(|day| age(context.logical_date.as_second(), (i64::from(day) + 1) * DAY));
            let what = newest.map_or_else(|| of("newest date"), |day| format!("{}, {}, age", of("newest date"), format_iso(day)));
            self.hold("max_age", &what, age, (Side::AtMost, bound.seconds), seconds);
        }
        if let Some(bound) = inputs.max_snapshot_age {
            let age = facts.published_at.map(|at| age(context.clock.now().as_second(), at.as_second()));
            self.hold("max_snapshot_age", &of("age of the snapshot"), age, (Side::AtMost, bound.seconds), seconds);
        }
        if let Some(bound) = inputs.max_null_share {
            self.hold("max_null_share", &of("share of rows with a null"), Some(facts.null_share()), (Side::AtMost, bound), plain);
        }
    }

    /// The bounds of a file. That it is there is the least that is asked.
    pub(super) fn file(&mut self, file: &FileBounds, context: &Context) {
        let FileBounds { path, min_bytes, max_bytes, max_age } = file;
        let metadata = fs::metadata(context.resolve(path)).ok().filter(fs::Metadata::is_file);
        let bytes = metadata.as_ref().map(|metadata| metadata.len() as f64);
        let name = |bound: &str| format!("files.{path}.{bound}");
        let least = min_bytes.unwrap_or(0) as f64;
        self.hold(name("min_bytes"), &format!("bytes of `{path}`"), bytes, (Side::AtLeast, least), plain);
        if let Some(most) = max_bytes {
            self.hold(name("max_bytes"), &format!("bytes of `{path}`"), bytes, (Side::AtMost, *most as f64), plain);
        }
        if let Some(most) = max_age {
            let changed = metadata.and_then(|metadata| Timestamp::try_from(metadata.modified().ok()?).ok());
            let age = changed.map(|changed| age(context.clock.now().as_second(), changed.as_second()));
            self.hold(name("max_age"), &format!("age of `{path}`"), age, (Side::AtMost, most.seconds), seconds);
        }
    }

    /// The bounds of a figure.
    pub(super) fn metric(&mut self, metric: &str, bounds: &MetricBounds) {
        for (kind, side, bound) in [("min", Side::AtLeast, bounds.min), ("max", Side::AtMost, bounds.max)] {
            let Some(bound) = bound else { continue };
            self.hold(format!("metrics.{metric}.{kind}"), &format!("`{metric}`"), bounds.value, (side, bound), plain);
            if let Some(outcome) = self.outcomes.last_mut().filter(|outcome| outcome.value.is_none() && bounds.allow_null) {
                outcome.passed = true;
            }
        }
    }
}

/// Seconds from `then` to `now`; what lies in the future has no age.
fn age(now: i64, then: i64) -> f64 {
    now.saturating_sub(then).max(0) as f64
}

fn plain(value: f64) -> String {
    value.to_string()
}

/// Seconds in the two largest units that fit: `1d 3h`, `12m 5s`.
fn seconds(value: f64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let mut rest = value as u64;
    let mut parts = Vec::new();
    for (unit, length) in units {
        if rest >= length && parts.len() < 2 {
            parts.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}
