//! What people see of datasets.

use std::io::{self, Write};
use std::path::Path;

use recflow_stages::dataset::{Listed, Mode, Overview, Pruned, RolledBack, SnapshotInfo};

use super::summary::table;
use super::text;

/// Length of the longest bar of a histogram.
const BAR_CHARS: u64 = 40;

/// Prints a dataset in full.
pub(in crate::cli) fn dataset(path: &Path, overview: &Overview, out: &mut dyn Write) -> io::Result<()> {
    let info = &overview.info;
    writeln!(out, "{}  {} rows in {} files, {}", path.display(), text::count(info.rows), text::count(info.files), text::bytes(info.bytes))?;
    let columns: Vec<String> = overview.columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect();
    writeln!(out)?;
    match info.snapshot {
        Some(snapshot) => writeln!(out, "snapshot     {snapshot} ({})", origin(info))?,
        None => writeln!(out, "snapshot     none: a plain folder, adopted by the first stage that writes to it")?,
    }
    writeln!(out, "written      {}by {}", info.created_at.as_ref().map(|at| format!("{at} ")).unwrap_or_default(), info.created_by)?;
    if let Some(key) = &info.publish_key {
        writeln!(out, "publish key  {key}")?;
    }
    writeln!(out, "fingerprint  {}", info.fingerprint)?;
    writeln!(out, "schema       {}", columns.join(", "))?;
    if let Some(ids) = &info.ids {
        let side = |count: Option<u64>, what| count.map(|count| format!("{} {what}", text::count(count)));
        let sides: Vec<String> = [side(ids.users, "users"), side(ids.items, "items")].into_iter().flatten().collect();
        writeln!(out, "ids          mapped, {}", sides.join(", "))?;
    }
    writeln!(out, "folder       {}", overview.dir.display())?;
    let ratings = overview.ratings.iter().map(|entry| (entry.rating.to_string(), entry.rows)).collect::<Vec<_>>();
    bars("rating", &ratings, out)?;
    let months = overview.months.iter().map(|entry| (format!("{}-{:02}", entry.month.year, entry.month.month), entry.rows));
    bars("month", &months.collect::<Vec<_>>(), out)
}

/// How the content came about, in words.
fn origin(info: &SnapshotInfo) -> String {
    match (info.mode, info.restores) {
        (_, Some(restores)) => format!("rollback to {restores}"),
        (Some(Mode::Upsert), _) => "upsert".to_owned(),
        (Some(Mode::Overwrite), _) => "overwrite".to_owned(),
        (Some(Mode::Append), _) => "append".to_owned(),
        (None, None) => "adopted".to_owned(),
    }
}

/// A histogram: a line for each value, with its count and a bar.
fn bars(title: &str, rows: &[(String, u64)], out: &mut dyn Write) -> io::Result<()> {
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    let mut lines = table(&[title, "rows", ""], &[1]);
    for (name, count) in rows {
        // In 128 bits, and rounded up: no value that occurs is without a bar.
        let length = (u128::from(*count) * u128::from(BAR_CHARS)).div_ceil(u128::from(most)) as usize;
        lines.add_row([name.clone(), text::count(*count), "█".repeat(length)]);
    }
    writeln!(out, "\n{}", lines.trim_fmt())
}

/// Prints the snapshots of a dataset, newest first.
pub(in crate::cli) fn history(snapshots: &[SnapshotInfo], out: &mut dyn Write) -> io::Result<()> {
    if snapshots.is_empty() {
        return writeln!(out, "no snapshots: a plain folder that another program wrote");
    }
    let mut lines = table(&["snapshot", "", "written", "rows", "files", "size", "origin", "publish key"], &[0, 3, 4, 5]);
    for (position, info) in snapshots.iter().enumerate() {
        lines.add_row([
            info.snapshot.map(|snapshot| snapshot.to_string()).unwrap_or_default(),
            if position == 0 { "current".to_owned() } else { String::new() },
            info.created_at.clone().unwrap_or_default(),
            text::count(info.rows),
            text::count(info.files),
            text::bytes(info.bytes),
            origin(info),
            info.publish_key.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]);
    }
    writeln!(out, "{}", lines.trim_fmt())
}

/// Prints the datasets of a folder.
pub(in crate::cli) fn datasets(found: &[Listed], out: &mut dyn Write) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "no datasets here; `recflow stage etl` writes one");
    }
    let mut lines = table(&["dataset", "snapshot", "rows", "files", "size", "written"], &[1, 2, 3, 4]);
    for Listed { path, info, error } in found {
        let path = path.display().to_string();
        match (info, error) {
            (Some(info), _) => lines.add_row([
                path,
                info.snapshot.map_or_else(|| "plain".to_owned(), |snapshot| snapshot.to_string()),
                text::count(info.rows),
                text::count(info.files),
                text::bytes(info.bytes),
                info.created_at.clone().unwrap_or_default(),
            ]),
            (None, None) => lines.add_row([path, "plain".to_owned()]),
            (None, Some(_)) => lines.add_row([path, "broken".to_owned()]),
        };
    }
    writeln!(out, "{}", lines.trim_fmt())?;
    for Listed { path, error, .. } in found {
        if let Some(error) = error {
            writeln!(out, "\n{}: {error}", path.display())?;
        }
    }
    Ok(())
}

/// Prints what a rollback did.
pub(in crate::cli) fn rolled_back(done: &RolledBack, out: &mut dyn Write) -> io::Result<()> {
    let RolledBack { snapshot, restores, replaces, rows, .. } = done;
    writeln!(out, "snapshot {snapshot} is current: the content of {restores}, {} rows (it was {replaces} before)", text::count(*rows))
}

/// Prints what became of the old snapshots.
pub(in crate::cli) fn pruned(pruned: &Pruned, out: &mut dyn Write) -> io::Result<()> {
    let list = |numbers: &[u64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match pruned.removed.as_slice() {
        [] => writeln!(out, "nothing to remove")?,
        removed => writeln!(out, "removed: {}", list(removed))?,
    }
    if !pruned.held.is_empty() {
        writeln!(out, "kept, because somebody reads it: {}", list(&pruned.held))?;
    }
    Ok(())
}
