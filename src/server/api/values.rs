//! Values that queries and bodies share: instants, folders, states. Each says in its schema what it takes.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use recflow_state::{Trigger, UnixMs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::pipeline::duration;
use crate::pipeline::instant::Moment;
use crate::workspace::Workspace;

/// An instant: RFC 3339, a date or a time in UTC, or an age such as `2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instant {
    /// So it was written.
    Moment(Moment),
    /// So long before now.
    Ago(Duration),
}

impl Instant {
    /// The instant, of a day the first; `None` beyond the years that are known.
    pub(super) fn start(self, now: UnixMs) -> Option<UnixMs> {
        match self {
            Self::Moment(moment) => moment.start(&TimeZone::UTC).map(|at| UnixMs(at.as_millisecond())),
            Self::Ago(age) => Some(UnixMs(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))),
        }
    }

    /// As it was written, for schedules that read a local time in their own zone.
    pub(super) fn moment(self, now: UnixMs) -> Moment {
        match self {
            Self::Moment(moment) => moment,
            Self::Ago(_) => Moment::Instant(crate::engine::timestamp(self.start(now).unwrap_or(now))),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let age = || duration::parse(&text).ok().map(Self::Ago);
        Moment::parse(&text).map(Self::Moment).or_else(age).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no date or time, such as 2026-01-31, 2026-01-31T06:00:00Z or 2d (ago)"))
        })
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A folder or file inside of the workspace: relative, without `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inside(String);

/// What a path inside of the workspace looks like: parts that neither are nor begin with `..`, without control characters.
const INSIDE: &str = r"^(\.?[^/.\x00-\x1f\x7f][^/\x00-\x1f\x7f]*)(/\.?[^/.\x00-\x1f\x7f][^/\x00-\x1f\x7f]*)*$";

impl Inside {
    /// Where model versions lie unless told otherwise.
    pub(super) fn models() -> Self {
        Self("models/artifacts".to_owned())
    }

    /// Checks that `text` leads nowhere else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            let stem = part.strip_prefix('.').unwrap_or(part);
            !stem.is_empty() && !stem.starts_with('.') && !part.chars().any(|c| c.is_ascii_control())
        };
        text.split('/').all(is_part).then(|| Self(text.to_owned()))
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where that is.
    pub(super) fn of(&self, workspace: &Workspace) -> PathBuf {
        workspace.root().join(Path::new(&self.0))
    }
}

impl<'de> Deserialize<'de> for Inside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no path inside of the workspace, such as data/processed")))
    }
}

impl JsonSchema for Inside {
    fn schema_name() -> Cow<'static, str> {
        "Inside".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": INSIDE })
    }
}

/// A whole number from `MIN` to `MAX`, in a query or a body, however JSON writes it: `30` and `30.0` are the same number to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Within<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Within<MIN, MAX> {
    /// The number.
    pub(super) fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u32(WithinVisitor)
    }
}

struct WithinVisitor<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> Visitor<'_> for WithinVisitor<MIN, MAX> {
    type Value = Within<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        let within = u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        within.map(Within).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        let whole = number.fract() == 0.0 && (f64::from(MIN)..=f64::from(MAX)).contains(&number);
        if whole { Ok(Within(number as u32)) } else { Err(E::invalid_value(Unexpected::Float(number), &self)) }
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Within<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// Why somebody does something, for people who read about it later: at most 1,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Words(pub(super) String);

impl Words {
    /// Most characters.
    const MAX: usize = 1_000;
}

impl TryFrom<String> for Words {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().count() {
            count if count <= Self::MAX => Ok(Self(text)),
            count => Err(format!("expected at most {} characters, not {count}", Self::MAX)),
        }
    }
}

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": Self::MAX })
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What created a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CreatedBy {
    Manual,
    Schedule,
    Backfill,
    Event,
    Simulation,
}

impl From<CreatedBy> for Trigger {
    fn from(word: CreatedBy) -> Self {
        match word {
            CreatedBy::Manual => Self::Manual,
            CreatedBy::Schedule => Self::Schedule,
            CreatedBy::Backfill => Self::Backfill,
            CreatedBy::Event => Self::Event,
            CreatedBy::Simulation => Self::Simulation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_of_the_workspace_is_none() {
        for text in ["a", "models/artifacts", ".hidden/x", "a b/ü", "x..y"] {
            assert!(Inside::parse(text).is_some(), "{text}");
        }
        for text in ["", "/", "/etc", "..", "a/..", "a/../b", "./a", "a//b", "a/", "a\0b", "a/\n", "..."] {
            assert!(Inside::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_instant_is_a_time_a_day_in_utc_or_an_age() {
        let read = |text: &str| serde_json::from_value::<Instant>(text.into()).ok().and_then(|instant| instant.start(UnixMs(3_600_000)));
        assert_eq!(read("1970-01-02"), Some(UnixMs(86_400_000)));
        assert_eq!(read("1970-01-01T01:00:00+01:00"), Some(UnixMs(0)));
        assert_eq!(read("30m"), Some(UnixMs(1_800_000)));
        assert_eq!(read("yesterday"), None);
    }
}
