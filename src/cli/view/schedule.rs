//! What people see of schedules: what each says in plain words, and its next firings.

use std::io::{self, Write};

use jiff::Timestamp;

use super::summary::table;
use super::text;
use crate::facts::firings::schedule_words;
use crate::pipeline::Pipeline;
use crate::scheduler::{DstMark, Firing};

/// Prints the pipelines with their next firings.
pub(in crate::cli) fn schedule(previews: &[(&Pipeline, Vec<Firing>)], now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    if previews.is_empty() {
        return writeln!(out, "no pipeline here has a schedule; a file says when it starts with `schedule: {{ cron: \"0 3 * * *\" }}`");
    }
    for (position, (pipeline, firings)) in previews.iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", pipeline.name)?;
        for schedule in &pipeline.schedules {
            writeln!(out, "  {}", schedule_words(schedule))?;
        }
        if firings.is_empty() {
            writeln!(out, "\n  it does not fire any more")?;
            continue;
        }
        let mut rows = table(&["  local time", "zone", "UTC", "", ""], &[]);
        for firing in firings {
            rows.add_row([
                format!("  {}", firing.local.strftime("%a %Y-%m-%d %H:%M:%S")),
                format!("{} {}", firing.local.strftime("%:z"), firing.local.time_zone().iana_name().unwrap_or_default()),
                firing.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                from_now(firing.at, now),
                firing.dst.map(remark).unwrap_or_default().to_owned(),
            ]);
        }
        writeln!(out, "\n{}", rows.trim_fmt())?;
    }
    Ok(())
}

fn remark(mark: DstMark) -> &'static str {
    match mark {
        DstMark::Gap => "makes up for a time that the clock jumps over",
        DstMark::Overlap => "a time that comes twice",
    }
}

/// How far away: `in 3h`; empty for the past, which `--from` may ask for.
fn from_now(at: Timestamp, now: Timestamp) -> String {
    text::ahead(at.as_millisecond() - now.as_millisecond())
}
