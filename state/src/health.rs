//! Whether the file is sound, how large it is, a copy of it, and room given back to the disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::migrate;

/// Most problems that a check reports: the first few say which backup to restore, thousands say no more.
const PROBLEMS_MAX: u32 = 10;

/// What SQLite says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is wrong with its pages; empty if nothing.
    pub problems: Vec<String>,
    /// The schema of its tables.
    pub schema: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of it that hold nothing and are used before it grows.
    pub free_bytes: u64,
    /// Bytes of the log beside it that are not folded into it yet.
    pub log_bytes: u64,
    /// Whether free room can be given back to the disk.
    pub shrinks: bool,
}

/// Asks about the file of a connection.
pub(crate) fn examine(connection: &Connection, path: &Path) -> Result<Health> {
    examine_with("quick_check", connection, path)
}

fn examine_with(check: &str, connection: &Connection, path: &Path) -> Result<Health> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, "check it", &error);
    let ask = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, u32>(0)).map_err(failed);
    let schema = migrate::version(connection, path)?;
    let mut statement = connection.prepare(&format!("PRAGMA {check}({PROBLEMS_MAX})")).map_err(failed)?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(failed)?;
    let page = u64::from(ask("page_size")?);
    Ok(Health {
        problems: lines.into_iter().filter(|line| line != "ok").collect(),
        schema,
        bytes: u64::from(ask("page_count")?) * page,
        free_bytes: u64::from(ask("freelist_count")?) * page,
        log_bytes: fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len()),
        shrinks: ask("auto_vacuum")? == 2,
    })
}

/// `VACUUM INTO`: reads one snapshot, so that writers go on meanwhile, and writes a file without free pages.
pub(crate) fn copy(connection: &Connection, path: &Path, target: &Path) -> Result<Health> {
    // Claims the name, so that nobody else's file is written to; SQLite takes an empty file for a new one.
    File::create_new(target).map_err(|error| Error::io(target, "make a copy", &error))?;
    let made = write_copy(connection, path, target);
    if made.is_err() {
        // What is not a whole copy must not look like one. If it cannot be removed the error below says enough.
        let _ = fs::remove_file(target);
    }
    made
}

fn write_copy(connection: &Connection, path: &Path, target: &Path) -> Result<Health> {
    let Some(name) = target.to_str() else {
        return Err(Error::Other { path: target.to_owned(), what: "make a copy".to_owned(), detail: "the name is not UTF-8".to_owned() });
    };
    // What fails while copying may be either file; the message names the copy, which is the one that is being written.
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| match Error::sqlite(target, "make a copy", &error) {
        Error::Corrupt { detail, .. } => Error::Corrupt { path: path.to_owned(), detail },
        other => other,
    })?;
    let failed = |error: rusqlite::Error| Error::sqlite(target, "check the copy", &error);
    let copy = Connection::open_with_flags(target, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let health = examine_with("integrity_check", &copy, target)?;
    if let Some(problem) = health.problems.first() {
        return Err(Error::Corrupt { path: path.to_owned(), detail: problem.clone() });
    }
    drop(copy);
    // SQLite does not flush what VACUUM INTO writes.
    File::open(target).and_then(|file| file.sync_all()).map_err(|error| Error::io(target, "flush the copy", &error))?;
    Ok(health)
}

/// Gives at most `pages` free pages back; returns how many.
pub(crate) fn give_back(connection: &Connection, path: &Path, pages: u32) -> Result<u32> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, "give room back", &error);
    let free = || connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0)).map_err(failed);
    let before = free()?;
    if before == 0 {
        return Ok(0);
    }
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})")).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    // Each step frees a page.
    while rows.next().map_err(failed)?.is_some() {}
    Ok(before.saturating_sub(free()?))
}

/// A file beside the store, such as its log.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
