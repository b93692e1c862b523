//! Brings a store to the schema of this binary: `PRAGMA user_version` counts the migrations that it has seen.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Error, Result};

/// The migrations, oldest first. Each is frozen once released; the n-th one makes schema n.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_initial.sql"),
    include_str!("migrations/002_scheduling.sql"),
    include_str!("migrations/003_listing.sql"),
    include_str!("migrations/004_access.sql"),
    include_str!("migrations/005_changes.sql"),
];

/// `PRAGMA application_id` of a store ("RFLW"), set by the first migration.
const APPLICATION_ID: u32 = 0x5246_4c57;

/// The schema that this binary reads and writes.
pub(crate) const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// The schema of the file; 0 for one that holds nothing yet. Fails if a newer recflow, or another program,
/// wrote it.
pub(crate) fn version(connection: &Connection, path: &Path) -> Result<u32> {
    version_for(connection, path, SCHEMA)
}

fn version_for(connection: &Connection, path: &Path, supported: u32) -> Result<u32> {
    let ask = |pragma| {
        let ask = connection.query_row(pragma, [], |row| row.get::<_, u32>(0));
        ask.map_err(|error| Error::sqlite(path, "read its schema", &error))
    };
    let found = ask("PRAGMA user_version")?;
    if found == 0 && ask("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(0);
    }
    if ask("PRAGMA application_id")? != APPLICATION_ID {
        return Err(Error::Corrupt { path: path.to_owned(), detail: "it is the database of another program".to_owned() });
    }
    if found > supported {
        return Err(Error::NewerSchema { path: path.to_owned(), found, supported });
    }
    Ok(found)
}

/// Brings the store to [`SCHEMA`]: all missing migrations in one transaction, or none. A store that is
/// current costs two pragmas. `is_in_use` is asked only if a store of an older schema would change under the
/// process that it names.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, is_in_use: impl Fn() -> Option<u32>) -> Result<()> {
    migrate_with(MIGRATIONS, connection, path, is_in_use)
}

fn migrate_with(migrations: &[&str], connection: &mut Connection, path: &Path, is_in_use: impl Fn() -> Option<u32>) -> Result<()> {
    let supported = migrations.len() as u32;
    if version_for(connection, path, supported)? == supported {
        return Ok(());
    }
    let failed = |error| Error::sqlite(path, "change its schema", &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Asked again under the lock: two processes may both have found an empty file, and the other one was first.
    let found = version_for(&transaction, path, supported)?;
    if found == supported {
        return Ok(());
    }
    if let (1.., Some(pid)) = (found, is_in_use()) {
        return Err(Error::InUse { path: path.to_owned(), found, supported, pid });
    }
    for migration in &migrations[found as usize..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", supported).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    if found > 0 {
        tracing::info!(path = %path.display(), from = found, to = supported, "migrated the store");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "ALTER TABLE run ADD COLUMN note TEXT; CREATE TABLE probe (x INTEGER) STRICT;";

    /// A store of schema 1.
    fn store() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_with(&MIGRATIONS[..1], &mut connection, Path::new("s"), || None).unwrap();
        connection
    }

    #[test]
    fn an_older_store_is_brought_up_to_date_and_keeps_its_rows() {
        let mut store = store();
        store.execute_batch("INSERT INTO pipeline_version VALUES (1, 'p', 'h', 't', NULL, 0)").unwrap();
        migrate_with(&[MIGRATIONS[0], NEXT], &mut store, Path::new("s"), || None).unwrap();
        assert_eq!(version_for(&store, Path::new("s"), 2).unwrap(), 2);
        assert_eq!(store.query_row("SELECT count(*) FROM pipeline_version", [], |row| row.get::<_, u32>(0)), Ok(1));
    }

    #[test]
    fn a_store_that_a_live_process_uses_is_not_migrated() {
        let mut store = store();
        let error = migrate_with(&[MIGRATIONS[0], NEXT], &mut store, Path::new("s"), || Some(42)).unwrap_err();
        assert!(matches!(error, Error::InUse { found: 1, supported: 2, pid: 42, .. }), "{error}");
        assert_eq!(version_for(&store, Path::new("s"), 2).unwrap(), 1);
    }

    #[test]
    fn nobody_is_asked_while_the_schema_is_current_or_the_store_is_new() {
        let asked = || panic!("asked");
        migrate_with(&MIGRATIONS[..1], &mut store(), Path::new("s"), asked).unwrap();
        let in_use_but_empty = || Some(42);
        migrate(&mut Connection::open_in_memory().unwrap(), Path::new("s"), in_use_but_empty).unwrap();
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_schema_whole() {
        let mut store = store();
        let broken = format!("{NEXT} CREATE TABLE run (x INTEGER);");
        migrate_with(&[MIGRATIONS[0], &broken], &mut store, Path::new("s"), || None).unwrap_err();
        assert_eq!(version_for(&store, Path::new("s"), 2).unwrap(), 1);
        assert_eq!(store.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'probe'", [], |row| row.get::<_, u32>(0)), Ok(0));
    }

    #[test]
    fn a_newer_store_is_refused_with_both_numbers() {
        let mut store = store();
        store.pragma_update(None, "user_version", 7).unwrap();
        let error = migrate(&mut store, Path::new("state.db"), || None).unwrap_err();
        assert_eq!(error.to_string(), "the store `state.db` has schema 7, this recflow knows schemas up to 5");
    }

    #[test]
    fn the_database_of_another_program_is_left_alone() {
        let mut other = Connection::open_in_memory().unwrap();
        other.execute_batch("CREATE TABLE mail (x)").unwrap();
        let error = migrate(&mut other, Path::new("mail.db"), || None).unwrap_err();
        assert_eq!(error.to_string(), "the store `mail.db` is damaged: it is the database of another program");
        assert_eq!(other.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u32>(0)), Ok(1));
    }
}
