//! When a pipeline will start by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::pipeline::instant::Moment;
use crate::pipeline::schedule::When;
use crate::pipeline::{Pipeline, Schedule, duration};
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

/// The next `count` firings of all schedules of a pipeline strictly after `from`, in order; an instant counts once. Each schedule reads a
/// local time in its own zone; `None` if that lies beyond the years that are known.
pub fn preview(pipeline: &Pipeline, from: Moment, count: usize) -> Option<Vec<Firing>> {
    let mut merged: BTreeMap<Timestamp, Firing> = BTreeMap::new();
    for schedule in &pipeline.schedules {
        for firing in firings(schedule, from.start(&schedule.timezone)?).take(count) {
            merged.entry(firing.at).or_insert(firing);
        }
    }
    Some(merged.into_values().take(count).collect())
}

/// A schedule in words: `0 3 * * *: at 03:00, every day, in Europe/Prague`.
pub fn schedule_words(schedule: &Schedule) -> String {
    let mut words = match &schedule.when {
        When::Cron(cron) => format!("{cron}: {}, in {}", cron.words(), schedule.timezone.iana_name().unwrap_or("UTC")),
        When::Every(interval) => format!("every {}", duration::format(*interval)),
    };
    for (word, instant) in [("from", schedule.start), ("until", schedule.end)] {
        if let Some(instant) = instant {
            let zone = schedule.timezone.clone();
            words.push_str(&format!(", {word} {}", instant.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M")));
        }
    }
    words
}
