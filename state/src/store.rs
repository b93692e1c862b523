//! [`Store`] writes and reads; [`Reader`] only reads.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use crate::connection::{connect_in_memory, open_reader, open_writer};
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::health::{self, Health};
use crate::migrate;
use crate::tx::Tx;
use crate::view::View;

/// Idle connections kept for readers. More may read at once; the surplus is closed afterwards.
const IDLE_READERS_MAX: usize = 4;

/// A store that this process writes. Share it by reference or `Arc`: calls from any thread are fine.
///
/// One connection writes, one transaction at a time; each reader has a connection of its own, so that nobody
/// who looks ever waits for a write.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    // Closed before the writer: whoever closes last folds the log into the file and removes it, which a reader cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    /// A store in memory has one connection: its readers take turns with its writer.
    in_memory: bool,
    fault: Option<Fault>,
}

/// A moment of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is about to begin.
    Begin,
    /// All is written, nothing is kept yet.
    Commit,
    /// All is kept.
    Committed,
}

/// Decides at each [`Moment`] of each write whether it fails there. It may also panic: that stands for the death of the process. After
/// [`Moment::Committed`] an error changes nothing.
pub struct Fault(Box<dyn Fn(Moment) -> Result<()> + Send + Sync>);

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fault")
    }
}

impl Fault {
    /// A fault that `decide` decides about.
    pub fn new(decide: impl Fn(Moment) -> Result<()> + Send + Sync + 'static) -> Self {
        Self(Box::new(decide))
    }
}

impl Store {
    /// Opens the store, creating the file and its folder; brings an older schema up to date.
    ///
    /// Fails if a newer recflow wrote it ([`Error::NewerSchema`]), it is not a store ([`Error::Corrupt`]) or
    /// its folder cannot be written ([`Error::ReadOnly`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_unless_used(path, || None)
    }

    /// As [`Store::open`], but does not change the schema under a live process of an older recflow.
    ///
    /// `is_in_use` returns the process that uses the store, if there is one other than the caller. Who that is
    /// the caller knows from the owners' lock files; it is asked only if an older schema would have to change,
    /// while the write lock is held. If it names a process, the store stays as it is: [`Error::InUse`].
    pub fn open_unless_used(path: impl AsRef<Path>, is_in_use: impl Fn() -> Option<u32>) -> Result<Self> {
        let path = path.as_ref();
        let mut writer = open_writer(path)?;
        migrate::migrate(&mut writer, path, is_in_use)?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::new(Vec::new()), in_memory: false, fault: None })
    }

    /// A store that lives in memory and goes away with this value: what simulations use. The same SQL on the same schema, but nothing
    /// outlives the process, and a read waits for a write.
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        let failed = |error| Error::sqlite(&path, "open", &error);
        let mut writer = connect_in_memory().map_err(failed)?;
        migrate::migrate(&mut writer, &path, || None)?;
        Ok(Self { path, writer: Mutex::new(writer), readers: Mutex::new(Vec::new()), in_memory: true, fault: None })
    }

    /// The same, with writes that fail as `fault` decides.
    pub fn in_memory_with(fault: Fault) -> Result<Self> {
        Ok(Self { fault: Some(fault), ..Self::in_memory()? })
    }

    /// Opens the store of another process, or of none, for reading. See [`Reader`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Reader> {
        let path = path.as_ref();
        Ok(Reader { connection: open_reader(path)?, path: path.to_owned() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one transaction. If it returns `Ok`, all that it wrote is kept once this returns; if it
    /// returns an error or panics, nothing is.
    ///
    /// Other threads' writes wait meanwhile, so `work` should compute beforehand. It must not call `write`
    /// again: that would wait for itself.
    pub fn write<T, E: From<Error>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.reach(Moment::Begin)?;
        let mut connection = lock(&self.writer);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(|error| Error::sqlite(&self.path, "begin a write", &error))?;
        let value = work(&Tx::new(&transaction, &self.path))?;
        self.reach(Moment::Commit)?;
        transaction.commit().map_err(|error| Error::sqlite(&self.path, "commit", &error))?;
        drop(connection);
        let _ = self.reach(Moment::Committed);
        Ok(value)
    }

    fn reach(&self, moment: Moment) -> Result<()> {
        self.fault.as_ref().map_or(Ok(()), |fault| fault.0(moment))
    }

    /// Runs `work` on a snapshot: all that it reads is the state after one and the same commit.
    pub fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        if self.in_memory {
            return snapshot(&lock(&self.writer), &self.path, work);
        }
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let result = snapshot(&connection, &self.path, work);
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS_MAX {
            readers.push(connection);
        }
        result
    }
}

/// A store that this process only looks at: `recflow status`, `recflow logs`.
///
/// Works while a writer is busy, and on a read-only file system if the writer closed the store properly.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

impl Reader {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on a snapshot: all that it reads is the state after one and the same commit.
    pub fn read<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        snapshot(&self.connection, &self.path, work)
    }

    /// The same, but lists leave out rows that cannot be read, such as one with a status that nobody knows: the rest is still to be seen.
    /// Returns what was left out beside the result.
    pub fn read_around_damage<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<(T, Vec<Damage>)> {
        let begun = self.connection.unchecked_transaction();
        let _ends_when_dropped = begun.map_err(|error| Error::sqlite(&self.path, "begin a read", &error))?;
        let view = View::around_damage(&self.connection, &self.path);
        let value = work(&view)?;
        Ok((value, view.into_damage()))
    }

    /// Asks SQLite about the file: whether its pages are sound (`quick_check`), how large it is, how much of it is free.
    pub fn health(&self) -> Result<Health> {
        health::examine(&self.connection, &self.path)
    }

    /// Writes a copy of the store, compacted, as one file: its content at one instant, however busy the writers are meanwhile. The copy is
    /// checked (`integrity_check`) and on stable storage when this returns.
    ///
    /// Fails if `target` exists; a copy that failed is removed.
    pub fn copy_to(&self, target: &Path) -> Result<Health> {
        health::copy(&self.connection, &self.path, target)
    }
}

impl Store {
    /// Gives at most `pages` unused pages at the end of the file back to the disk; returns how many. A transaction of its own, so that nobody
    /// waits for long. 0 if there are none, or the store was made before schema 3 and keeps its size.
    pub fn give_back(&self, pages: u32) -> Result<u32> {
        health::give_back(&lock(&self.writer), &self.path, pages)
    }
}

fn snapshot<T>(connection: &Connection, path: &Path, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
    let begun = connection.unchecked_transaction();
    let _ends_when_dropped = begun.map_err(|error| Error::sqlite(path, "begin a read", &error))?;
    work(&View::new(connection, path))
}

/// A panic while the lock was held rolled its transaction back, so the connection is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMs;

    /// SQLite's own limit on a file stands in for a disk that is full.
    #[test]
    fn a_full_disk_is_reported_keeps_what_was_committed_and_heals() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s.db")).unwrap();
        let limit = |pages: u32| lock(&store.writer).pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let keep = |n: u32| {
            let text = "x".repeat(3_000);
            store.write(|tx| tx.pipeline_version("p", &n.to_string(), &text, None, UnixMs(0)))
        };
        limit(80);
        let (kept, error) = (0..500).map(|n| (n, keep(n))).find(|(_, result)| result.is_err()).expect("the disk never filled up");
        let error = error.unwrap_err();
        assert!(matches!(&error, Error::Full { path } if path == store.path()), "{error}");
        assert!(error.is_temporary());
        let count = || store.read(|view| view.row("count", "SELECT count(*) FROM pipeline_version", &[], |row| row.get::<_, u32>(0)));
        assert_eq!(count().unwrap(), Some(kept));

        let change_nothing = store.write(|tx| tx.append_events(&crate::RunId::from_random(1), &[]));
        assert_eq!(change_nothing.unwrap(), 0, "the connection still works");
        limit(90);
        keep(kept).unwrap();
        assert_eq!(count().unwrap(), Some(kept + 1));
        assert!(kept > 10, "the limit was not hit at once");
    }

    #[test]
    fn a_writer_that_waits_in_vain_says_busy() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Store::open(folder.path().join("s.db")).unwrap(), Store::open(folder.path().join("s.db")).unwrap());
        lock(&second.writer).busy_timeout(std::time::Duration::ZERO).unwrap();
        let error = first.write(|_| Ok::<_, Error>(second.write(|_| Ok::<_, Error>(())).unwrap_err())).unwrap();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        second.write(|_| Ok::<_, Error>(())).unwrap();
    }

    #[test]
    fn a_store_in_memory_reads_what_it_wrote_and_leaves_no_file() {
        let store = Store::in_memory().unwrap();
        let version = store.write(|tx| tx.pipeline_version("p", "h", "text", None, UnixMs(0))).unwrap();
        assert_eq!(store.read(|view| view.pipeline_text(version)).unwrap().text, "text");
        assert!(!Path::new(":memory:").exists());
    }

    #[test]
    fn a_write_that_a_fault_stops_leaves_nothing_and_one_that_it_lets_pass_stays() {
        let at = std::sync::Arc::new(Mutex::new(None));
        let told = at.clone();
        let store = Store::in_memory_with(Fault::new(move |moment| match *lock(&told) {
            Some(when) if when == moment => Err(Error::Full { path: PathBuf::from(":memory:") }),
            _ => Ok(()),
        }))
        .unwrap();
        let mut kept = Vec::new();
        for moment in [Moment::Begin, Moment::Commit, Moment::Committed] {
            *lock(&at) = Some(moment);
            kept.push(store.write(|tx| tx.pipeline_version("p", &format!("{moment:?}"), "text", None, UnixMs(0))).is_ok());
        }
        assert_eq!(kept, [false, false, true]);
        let count = store.read(|view| view.row("count", "SELECT count(*) FROM pipeline_version", &[], |row| row.get::<_, u32>(0)));
        assert_eq!(count.unwrap(), Some(1));
    }

    #[test]
    fn readers_are_kept_for_the_next_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s.db")).unwrap();
        fn nest(store: &Store, levels: usize) -> Result<()> {
            if levels == 0 { Ok(()) } else { store.read(|_| nest(store, levels - 1)) }
        }
        nest(&store, 1).unwrap();
        assert_eq!(lock(&store.readers).len(), 1);
        nest(&store, 9).unwrap();
        assert_eq!(lock(&store.readers).len(), IDLE_READERS_MAX);
    }
}
