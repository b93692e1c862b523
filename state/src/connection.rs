//! Opens connections with the settings that the crate's documentation lists.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, Result};
use crate::migrate;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept by a connection; more than this crate has.
const STATEMENTS_MAX: usize = 128;

/// What is set on every connection. `synchronous` and the log's limits mean something to the writer alone.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
                        PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216;";

/// Opens the file for writing, creating it and its parents.
pub(crate) fn open_writer(path: &Path) -> Result<Connection> {
    let failed = |error| Error::sqlite(path, "open", &error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Error::io(path, "create its folder", &error))?;
    }
    let connection = connect(path, path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // SQLite falls back to reading alone where it may not write, and says so only at the first write.
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)? {
        return Err(Error::ReadOnly { path: path.to_owned(), detail: "permission denied".to_owned() });
    }
    // Only means something to a file that has no page yet, so before the journal mode makes the first one.
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(failed)?;
    let mode = patiently(|| connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))).map_err(failed)?;
    if mode != "wal" {
        let detail = format!("the file system supports no write-ahead log (journal mode `{mode}`)");
        return Err(Error::Other { path: path.to_owned(), what: "open".to_owned(), detail });
    }
    Ok(connection)
}

/// Waits for other processes where SQLite does not: of several that turn a new file to WAL at once, all but one
/// are told "locked" immediately, whatever their timeout, lest they wait for each other.
fn patiently<T>(attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    const PAUSE: Duration = Duration::from_millis(2);
    for _ in 0..BUSY_TIMEOUT.as_millis() / PAUSE.as_millis() {
        match attempt() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    attempt()
}

/// Opens the file for reading, and checks that this binary can read its schema.
///
/// Works beside a busy writer. On a file system that cannot be written, SQLite can make no shared memory: the
/// file is then read as one that nobody changes, provided that no log lies beside it whose content would be
/// missed.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let absent = || Error::NoStore { path: path.to_owned() };
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(absent()),
        Err(error) => return Err(Error::io(path, "read", &error)),
        Ok(_) => {}
    }
    let open = |target: &Path, flags| {
        let connection = connect(path, target, OpenFlags::SQLITE_OPEN_READ_ONLY | flags)?;
        let found = migrate::version(&connection, path)?;
        Ok((connection, found))
    };
    let (connection, found) = match open(path, OpenFlags::empty()) {
        Err(Error::ReadOnly { .. }) if !has_log(path) => open(&immutable(path), OpenFlags::SQLITE_OPEN_URI)?,
        opened => opened?,
    };
    match found {
        migrate::SCHEMA => Ok(connection),
        // A writer has made the file, but not yet filled it.
        0 => Err(absent()),
        found => Err(Error::OlderSchema { path: path.to_owned(), found, supported: migrate::SCHEMA }),
    }
}

/// A database of one connection, without a file.
pub(crate) fn connect_in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    settle(&connection)?;
    Ok(connection)
}

/// Applies what every connection is set to.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Plans do not depend on what is bound. Otherwise a statement that compares a column with a parameter is compiled again whenever its
    // bindings change, hence at each use: a third of the time of a busy daemon.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(SETTINGS)
}

/// Opens `target`, which is `path` as SQLite should be told of it.
fn connect(path: &Path, target: &Path, flags: OpenFlags) -> Result<Connection> {
    let failed = |error| Error::sqlite(path, "open", &error);
    // NO_MUTEX: the type system already keeps a connection to one thread at a time.
    let connection = Connection::open_with_flags(target, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    Ok(connection)
}

/// Whether the write-ahead log beside the file holds anything.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// The URI that has SQLite read `path` without locks or shared memory.
fn immutable(path: &Path) -> PathBuf {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(byte as char),
            _ => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_trip_through_a_uri() {
        assert_eq!(immutable(Path::new("/a b/%?#/é.db")), Path::new("file:/a%20b/%25%3f%23/%c3%a9.db?immutable=1"));
    }

    #[test]
    fn the_settings_are_what_the_documentation_says() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_writer(&folder.path().join("s.db")).unwrap();
        let ask = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        for (pragma, expected) in [
            ("PRAGMA synchronous", 1),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA trusted_schema", 0),
            ("PRAGMA busy_timeout", 5000),
            ("PRAGMA wal_autocheckpoint", 1000),
            ("PRAGMA journal_size_limit", 16 << 20),
            ("PRAGMA auto_vacuum", 2),
        ] {
            assert_eq!(ask(pragma), rusqlite::types::Value::Integer(expected), "{pragma}");
        }
        assert_eq!(ask("PRAGMA journal_mode"), rusqlite::types::Value::Text("wal".to_owned()));
    }
}
