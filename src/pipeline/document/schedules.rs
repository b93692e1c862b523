//! `schedule`: one map or a list of maps.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fields::{Fields, wrong_type};
use crate::pipeline::cron::{Cron, CronProblem};
use crate::pipeline::diagnostic::{Diagnostic, Findings};
use crate::pipeline::instant::{FORMS, Moment};
use crate::pipeline::schedule::{Catchup, Dst, Overlap, Schedule, When};
use crate::pipeline::source::Source;
use crate::pipeline::yaml::{Kind, Node};

/// The keys of a schedule.
pub(crate) const KEYS: [&str; 9] = ["cron", "every", "timezone", "start", "end", "catchup", "catchup_window", "overlap", "dst"];

pub(super) fn read_all(pipeline: &Fields<'_>, source: &Source, findings: &mut Findings) -> Vec<Schedule> {
    match pipeline.get("schedule").map(|entry| &entry.value) {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => items.iter().filter_map(|item| read_one(item, source, findings)).collect(),
        Some(node) => read_one(node, source, findings).into_iter().collect(),
    }
}

fn read_one(node: &Node, source: &Source, findings: &mut Findings) -> Option<Schedule> {
    if let Kind::Text(text) = &node.kind {
        let field = if Cron::parse(text).is_ok() { "cron" } else { "every" };
        findings.push(wrong_type(node, "a schedule", "a map").hint(format!("write `{{ {field}: {text:?} }}`")));
        return None;
    }
    let fields = Fields::of(node, "a schedule", &KEYS, findings)?;
    let timezone = read_timezone(&fields, findings);
    let when = read_when(&fields, source, findings);
    // Without a zone the instants cannot be told; its own mistake was reported.
    let zone = timezone.clone().unwrap_or(TimeZone::UTC);
    let start = read_instant("start", &fields, &zone, findings);
    let end = read_instant("end", &fields, &zone, findings);
    if let (Some(start), Some(end), Some(entry)) = (start, end, fields.get("end"))
        && end <= start
    {
        findings.push(Diagnostic::error("invalid-value", entry.value.span, "the schedule ends before it starts"));
    }
    let catchup = fields.word("catchup", Catchup::WORDS, Catchup::from_word, findings);
    let catchup_window = fields.duration("catchup_window", findings);
    let overlap = fields.word("overlap", Overlap::WORDS, Overlap::from_word, findings);
    let dst = fields.word("dst", Dst::WORDS, Dst::from_word, findings);
    Some(Schedule {
        when: when?,
        timezone: timezone?,
        start,
        end,
        catchup: catchup.map(|word| word.value).unwrap_or_default(),
        catchup_window,
        overlap: overlap.map(|word| word.value).unwrap_or_default(),
        dst: dst.map(|word| word.value).unwrap_or_default(),
    })
}

fn read_when(fields: &Fields<'_>, source: &Source, findings: &mut Findings) -> Option<When> {
    match (fields.get("cron"), fields.get("every")) {
        (Some(_), Some(every)) => {
            let error = Diagnostic::error("invalid-value", every.key.span, "a schedule has `cron` or `every`, not both");
            findings.push(error.hint("for both, write a list of two schedules"));
            None
        }
        (None, None) => {
            let error = Diagnostic::error("missing-key", fields.span, "a schedule needs `cron` or `every`");
            findings.push(error.hint("such as `cron: \"0 3 * * *\"` or `every: 10m`"));
            None
        }
        (None, Some(every)) => {
            let interval = fields.duration("every", findings)?;
            if interval < Duration::from_secs(1) {
                findings.push(Diagnostic::error("invalid-duration", every.value.span, "the shortest interval is one second"));
                return None;
            }
            Some(When::Every(interval))
        }
        (Some(entry), None) => {
            let text = fields.text("cron", findings)?;
            let at = |problem: &CronProblem| entry.value.locate(source, problem.range.start, problem.range.end);
            match Cron::parse(&text.value) {
                Ok(cron) => {
                    for surprise in cron.surprises() {
                        findings.push(Diagnostic::warning("cron-step", at(&surprise), surprise.message.clone()).hint_if(surprise.hint));
                    }
                    Some(When::Cron(cron))
                }
                Err(problems) => {
                    for problem in problems {
                        findings.push(Diagnostic::error("invalid-cron", at(&problem), problem.message.clone()).hint_if(problem.hint));
                    }
                    None
                }
            }
        }
    }
}

fn read_timezone(fields: &Fields<'_>, findings: &mut Findings) -> Option<TimeZone> {
    if fields.get("timezone").is_none() {
        return Some(TimeZone::UTC);
    }
    let name = fields.text("timezone", findings)?;
    let zone = TimeZone::get(&name.value).ok();
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let close = findings.did_you_mean(&name.value, known.iter().map(String::as_str));
        let hint = close.unwrap_or_else(|| "use a name of the IANA database, such as Europe/Prague, or UTC".to_owned());
        findings.push(Diagnostic::error("unknown-timezone", name.span, format!("unknown time zone `{}`", name.value)).hint(hint));
    }
    zone
}

/// An instant (RFC 3339), or a local date or time in the schedule's zone.
fn read_instant(key: &str, fields: &Fields<'_>, zone: &TimeZone, findings: &mut Findings) -> Option<Timestamp> {
    let text = fields.text(key, findings)?;
    let instant = Moment::parse(&text.value).and_then(|moment| moment.start(zone));
    if instant.is_none() {
        let error = Diagnostic::error("invalid-value", text.span, format!("`{}` is not a date or time", text.value));
        findings.push(error.hint(FORMS));
    }
    instant
}
