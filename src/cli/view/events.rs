//! What people see of the history: a line for each slot or run.

use std::io::{self, Write};

use recflow_state::UnixMs;

use super::summary::{print_table, table};
use super::text;
use crate::facts::history::Entry;

/// A reason is cut to so many characters; `--json` has it whole.
const REASON_CHARS_MAX: usize = 60;

/// Prints the history, newest first.
pub(in crate::cli) fn events(entries: &[Entry], now: UnixMs, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = table(&["when", "pipeline", "due", "became", "run", "time", "why"], &[5]);
    for entry in entries {
        let due = match (&entry.due, &entry.due_until) {
            (Some(due), Some(until)) => format!("{due} to {until} ({} slots)", text::count(entry.slots.into())),
            (Some(due), None) => due.clone(),
            (None, _) => entry.trigger.map(|trigger| format!("({trigger})")).unwrap_or_default(),
        };
        rows.add_row([
            text::ago(now.0.saturating_sub(entry.at.0)),
            entry.pipeline.clone(),
            due,
            entry.became.clone(),
            entry.run.clone().unwrap_or_default(),
            entry.seconds.map(text::duration).unwrap_or_default(),
            cut(entry.reason.as_deref().unwrap_or_default()),
        ]);
    }
    // A reason may contain the word too, and the last place would be coloured: the table stays plain where there is one.
    let states: Vec<&str> = entries.iter().map(|entry| if entry.reason.is_some() { "" } else { entry.became.as_str() }).collect();
    print_table(&rows, &states, color, out)
}

/// The first line of a text, at a length that fits.
pub(super) fn cut(reason: &str) -> String {
    let line = text::plain(reason.lines().next().unwrap_or_default());
    match line.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
