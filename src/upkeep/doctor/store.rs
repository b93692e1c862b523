//! The store: whether it opens, whether its pages and rows are sound, how large it is.

use recflow_state::{Error, Reader, RunFilter, Store};

use super::Check;
use crate::workspace::Workspace;

/// A log this large means that somebody has been reading for long: SQLite cannot fold it into the file meanwhile.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// Rows of runs that are read to see whether they can be.
const RUNS_READ: u32 = 1_000;

/// The checks, and the store if it can be read.
pub(super) fn examine(workspace: &Workspace) -> (Vec<Check>, Option<Reader>) {
    match Store::open_read_only(workspace.store()) {
        Ok(reader) => (vec![pages(&reader), rows(&reader)], Some(reader)),
        Err(Error::NoStore { .. }) => (vec![Check::ok("store", "none yet: nothing has run here")], None),
        Err(error) => (vec![failed("store", &error)], None),
    }
}

fn failed(name: &'static str, error: &Error) -> Check {
    Check::error(name, error.to_string(), error.hint().unwrap_or("look at the file and its folder"))
}

fn pages(reader: &Reader) -> Check {
    let health = match reader.health() {
        Ok(health) => health,
        Err(error) => return failed("store", &error),
    };
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
    if let Some(problem) = health.problems.first() {
        let found = format!("its pages are damaged ({} or more problems): {problem}", health.problems.len());
        return Check::error("store", found, "stop all recflow processes and restore a backup: docs/operations.md");
    }
    let free = if health.free_bytes > 0 { format!(", {} of it free", mib(health.free_bytes)) } else { String::new() };
    let found = format!("sound, schema {}, {}{free}, log {}", health.schema, mib(health.bytes), mib(health.log_bytes));
    if health.log_bytes > LOG_BYTES_MAX {
        let remedy = "some program reads the store for long: a backup, or `sqlite3`; the log shrinks once it ends";
        return Check::warning("store", found, remedy);
    }
    let wasteful = health.free_bytes > (100 << 20) && health.free_bytes * 2 > health.bytes;
    match (wasteful, health.shrinks) {
        (false, _) => Check::ok("store", found),
        (true, true) => Check::warning("store", found, "`recflow prune` gives the free room back to the disk"),
        (true, false) => {
            Check::warning("store", found, "an older recflow made the file, which keeps its size; restoring a backup of it makes it small")
        }
    }
}

/// Whether rows mean something: of all runs that are not over, and the newest of the others.
fn rows(reader: &Reader) -> Check {
    let read = reader.read_around_damage(|view| {
        let open = view.non_terminal_runs()?;
        for run in &open {
            view.tasks(&run.id)?;
            view.attempts(&run.id)?;
            view.events(&run.id)?;
        }
        Ok(open.len() + view.runs(RUNS_READ, &RunFilter::default())?.len())
    });
    match read {
        Err(error) => failed("rows", &error),
        Ok((_, mut damage)) => {
            let mut known = std::collections::HashSet::new();
            damage.retain(|row| known.insert(row.to_string()));
            match damage.first() {
                None => Check::ok("rows", "the rows of open and recent runs can be read"),
                Some(first) => Check::error(
                    "rows",
                    format!("{} rows cannot be read; {first}", damage.len()),
                    "restore a backup, or delete the rows with `sqlite3` while nothing runs: docs/operations.md",
                ),
            }
        }
    }
}
