//! What people are told of malformed lines, and whether there were too many.

use std::path::{Path, PathBuf};

use super::rejects::Rejected;
use super::tolerance::MaxBadRows;
use crate::context::Context;
use crate::error::{Result, StageError};

/// What was read of one input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<'a> {
    /// What people call it: see [`name`].
    pub(crate) name: &'a str,
    /// Lines, or rows of a table.
    pub(crate) lines: u64,
    /// Ratings.
    pub(crate) good: u64,
    pub(crate) max_bad_rows: Option<MaxBadRows>,
    /// What a good line looks like: the remedy where there is none.
    pub(crate) expected: &'a str,
}

/// Reports the rejected lines as warnings.
///
/// # Errors
/// More of them than `max_bad_rows` allows. Without a limit any number is accepted as long as a single row is good: a file
/// without one is not of this format at all.
pub(crate) fn conclude(count: Count<'_>, rejected: &Rejected, context: &Context) -> Result<()> {
    report(count, rejected, context);
    let (bad, good, name) = (rejected.total(), count.good, count.name);
    let failed = match count.max_bad_rows {
        Some(limit) if !limit.allows(bad, good) => {
            StageError::input(format!("{name} has {bad} malformed lines beside {good} good rows, `max_bad_rows` allows {limit}"))
                .with_hint("mend the file, or raise `max_bad_rows`")
        }
        None if good == 0 && bad > 0 => StageError::input(format!("{name} has no good row: all {bad} lines with content were rejected"))
            .with_hint(format!("expected {}; `max_bad_rows` set to a number accepts the file", count.expected)),
        _ => return Ok(()),
    };
    Err(rejected.examples.iter().take(3).fold(failed, |failed, example| failed.with_cause(example)))
}

fn report(count: Count<'_>, rejected: &Rejected, context: &Context) {
    if rejected.total() == 0 {
        return;
    }
    let kinds: Vec<String> = rejected.by_kind.iter().map(|(defect, count)| format!("{count} {}", defect.name())).collect();
    let file = rejected.file.as_deref().map(|file| format!("; all of them are in `{}`", context.display(file))).unwrap_or_default();
    context.warn(format!("{} of {} lines of {} were rejected ({}){file}", rejected.total(), count.lines, count.name, kinds.join(", ")));
    for example in &rejected.examples {
        context.warn(example.clone());
    }
}

/// The files as people speak of them.
pub(crate) fn name(files: &[PathBuf], context: &Context) -> String {
    let shown = |path: &Path| format!("`{}`", context.display(path));
    match files {
        [] => "no file".to_owned(),
        [one] => shown(one),
        [first, .., last] => format!("{} to {} ({} files)", shown(first), shown(last), files.len()),
    }
}
