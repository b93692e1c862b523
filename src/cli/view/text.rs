//! Words, numbers and colours, the same everywhere.

use std::time::Duration;

pub(super) use recflow_stages::byte_size::about as bytes;
use recflow_stages::{Progress, Unit};
use recflow_state::TaskState;

/// A duration for people: `0.42s`, `3.1s`, `2m05s`, `1h02m`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{s:.2}s"),
        s if s < 60.0 => format!("{s:.1}s"),
        s if s < 3600.0 => format!("{}m{:02}s", s as u64 / 60, s as u64 % 60),
        s => format!("{}h{:02}m", s as u64 / 3600, s as u64 / 60 % 60),
    }
}

/// What a program wrote, fit for a terminal: it must not steer it. Line breaks and tabs stay.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A count with blanks between thousands: `1 234 567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A large number in three digits: `12.3k`, `4.56M`.
pub(super) fn short(number: f64) -> String {
    for (size, name) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if number >= size {
            let digits = if number / size < 10.0 { 2 } else { 1 };
            return format!("{:.digits$}{name}", number / size);
        }
    }
    format!("{number:.0}")
}

/// How long ago: `12s ago`, `3h ago`, `5d ago`.
pub(super) fn ago(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..172_800 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// What a progress says beside its bar: `parse 12 000/100 000 rows 1.2M/s loss 0.7312`.
pub(super) fn progress(progress: &Progress, elapsed: Duration) -> String {
    let unit = match progress.unit {
        Unit::Rows => "rows",
        Unit::Bytes => "bytes",
        Unit::Users => "users",
        // The phase says what is counted.
        Unit::Iterations | Unit::Items => "",
    };
    let mut text = match progress.total {
        Some(total) => format!("{} {}/{} {unit}", progress.phase, count(progress.done), count(total)),
        None => format!("{} {} {unit}", progress.phase, count(progress.done)),
    };
    text.truncate(text.trim_end().len());
    let rate = progress.done as f64 / elapsed.as_secs_f64().max(1e-3);
    if matches!(progress.unit, Unit::Rows | Unit::Bytes | Unit::Users) && progress.done > 0 {
        text.push_str(&format!("  {}/s", short(rate)));
    }
    for (name, value) in &progress.metrics {
        let value = if value.abs() < 1e3 { format!("{value:.4}") } else { short(*value) };
        text.push_str(&format!("  {name} {value}"));
    }
    text.trim_end().to_owned()
}

/// How many tasks are in which state, in the order of a task's life: `40 tasks: 28 waiting, 8 running, 4 succeeded`.
pub(super) fn tally(states: &[TaskState]) -> String {
    use TaskState::{Cancelled, Deferred, Failed, Queued, Retrying, Running, Skipped, Succeeded, UpstreamFailed, Waiting};
    let order = [Waiting, Queued, Deferred, Running, Retrying, Succeeded, Skipped, Failed, UpstreamFailed, Cancelled];
    let counts = order.iter().map(|state| (state, states.iter().filter(|other| *other == state).count()));
    let words: Vec<String> = counts.filter(|(_, count)| *count > 0).map(|(state, count)| format!("{count} {state}")).collect();
    format!("{} tasks: {}", states.len(), words.join(", "))
}

/// Colours of a state: start and end of the sequence, empty without colour.
pub(super) fn paint(state: &str, color: bool) -> (&'static str, &'static str) {
    if !color {
        return ("", "");
    }
    let start = match state {
        "succeeded" => "\x1b[32m",
        "failed" | "upstream_failed" => "\x1b[31m",
        "running" => "\x1b[36m",
        "retrying" | "cancelled" | "interrupted" => "\x1b[33m",
        _ => "\x1b[2m",
    };
    (start, "\x1b[0m")
}

/// How long until then: `in 12s`, `in 3h`; nothing if it is over.
pub(super) fn ahead(ms: i64) -> String {
    if ms < 0 { String::new() } else { format!("in {}", ago(ms).trim_end_matches(" ago")) }
}

/// A sign for the status of a run, where many stand in a row.
pub(super) fn run_sign(status: &str) -> &'static str {
    match status {
        "succeeded" => "✓",
        "failed" => "✗",
        "cancelled" => "■",
        "running" => "▸",
        "interrupted" => "!",
        _ => "·",
    }
}

/// A sign for a state. It stands beside the word, never instead of it.
pub(super) fn sign(state: TaskState) -> &'static str {
    match state {
        TaskState::Succeeded => "✓",
        TaskState::Failed => "✗",
        TaskState::UpstreamFailed => "⊘",
        TaskState::Skipped => "↷",
        TaskState::Cancelled => "■",
        TaskState::Retrying => "↻",
        TaskState::Running => "▸",
        TaskState::Deferred => "◷",
        TaskState::Waiting | TaskState::Queued => "·",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!([duration(0.004), duration(12.34), duration(125.0), duration(3_725.0)], ["0.00s", "12.3s", "2m05s", "1h02m"]);
        assert_eq!([count(0), count(999), count(1_000), count(1_234_567)], ["0", "999", "1 000", "1 234 567"]);
        assert_eq!([short(12.0), short(12_345.0), short(4.5e6)], ["12", "12.3k", "4.50M"]);
        let states = [TaskState::Succeeded, TaskState::Waiting, TaskState::Running, TaskState::Succeeded];
        assert_eq!(tally(&states), "4 tasks: 1 waiting, 1 running, 2 succeeded");
        assert_eq!([ago(900), ago(61_000), ago(7_200_000), ago(400_000_000)], ["0s ago", "1m ago", "2h ago", "4d ago"]);
    }
}
