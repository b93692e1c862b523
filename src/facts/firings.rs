//! When a pipeline will start by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use crate::pipeline::Pipeline;
use crate::scheduler::{Firing, firings};

/// An instant at which a pipeline will be due.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FiringFact {
    /// The pipeline, in a list of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The instant, RFC 3339, in UTC.
    pub time: String,
    /// The wall clock of the schedule's zone, with its offset.
    pub local: String,
    /// `gap` or `overlap` where a change of that clock plays a part.
    pub dst: Option<&'static str>,
}

impl FiringFact {
    /// A firing; `pipeline` names what fires in a list of several.
    pub fn of(firing: &Firing, pipeline: Option<String>) -> Self {
        let local = firing.local.timestamp().display_with_offset(firing.local.offset()).to_string();
        Self { pipeline, time: firing.at.to_string(), local, dst: firing.dst.map(|mark| mark.word()) }
    }
}

/// The next `count` firings of all schedules of a pipeline, in order; an instant counts once. `after` says behind which instant to look, in
/// the zone of a schedule.
///
/// # Errors
/// Those of `after`.
pub fn preview<E>(pipeline: &Pipeline, count: usize, after: impl Fn(&TimeZone) -> Result<Timestamp, E>) -> Result<Vec<Firing>, E> {
    let mut merged: BTreeMap<Timestamp, Firing> = BTreeMap::new();
    for schedule in &pipeline.schedules {
        for firing in firings(schedule, after(&schedule.timezone)?).take(count) {
            merged.entry(firing.at).or_insert(firing);
        }
    }
    Ok(merged.into_values().take(count).collect())
}
