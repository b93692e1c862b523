//! Who owns a run.
//!
//! Each process that executes runs holds an OS lock on a file of its own, `.recflow/owners/ID`, for its whole life,
//! and its runs carry that id. The kernel drops the lock when the process dies, however it dies: a run is an orphan if
//! and only if its owner's lock can be taken. No heartbeat and no time-out is needed, and a process that is merely
//! slow or suspended is never mistaken for dead.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// This process as an owner of runs. The lock is held until this is dropped, or the process dies.
#[derive(Debug)]
pub struct Owner {
    id: String,
    path: PathBuf,
    _lock: File,
}

/// What kind of process an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// A command that somebody started: its runs are resumed by hand if it dies.
    #[default]
    Command,
    /// A daemon: the next one takes up its runs.
    Daemon,
}

/// What the ids of daemons begin with.
const DAEMON: &str = "daemon-";

/// Whether the owner of that id is, or was, a daemon.
pub fn is_daemon(id: &str) -> bool {
    id.starts_with(DAEMON)
}

impl Owner {
    /// Becomes an owner: creates and locks a file in `folder`. `role` and `random` make the id. Removes files of dead owners.
    pub fn register(folder: &Path, role: Role, random: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        remove_dead(folder);
        let prefix = if role == Role::Daemon { DAEMON } else { "" };
        let id = format!("{prefix}{random:016x}");
        let path = folder.join(&id);
        loop {
            let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
            file.lock()?;
            // A sweep of another process may have removed the file between the two calls: a lock on a file without a
            // name would not be found.
            if is_named(&file, &path) {
                file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
                return Ok(Self { id, path, _lock: file });
            }
        }
    }

    /// The id that this owner's runs carry.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether an owner is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Its process runs.
    Alive {
        /// The process id, where its file says so.
        pid: Option<u32>,
    },
    /// Its process is gone.
    Dead,
}

/// Who knows whether an owner is alive: the lock files of a workspace, or a simulator.
pub trait Owners: Send + Sync + Debug {
    /// Whether the owner `id` is alive.
    fn liveness(&self, id: &str) -> Liveness;
}

/// The lock files in a folder.
#[derive(Debug, Clone)]
pub struct LockFiles {
    folder: PathBuf,
}

impl LockFiles {
    /// Those of owners that registered in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Owners for LockFiles {
    fn liveness(&self, id: &str) -> Liveness {
        liveness(&self.folder, id)
    }
}

/// Asks whether the owner `id` is alive. Works on a read-only file system.
pub fn liveness(folder: &Path, id: &str) -> Liveness {
    // Ids come from the store; anything that is not one of ours names no file.
    let digits = id.strip_prefix(DAEMON).unwrap_or(id);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Liveness::Dead;
    }
    let path = folder.join(id);
    let look = || {
        // What is there but cannot be looked at (no permission, no descriptor left, no locks on this file system) may be
        // alive: to take a living process for dead would execute its runs twice.
        let mut file = match open_to_look(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Liveness::Dead,
            Err(_) => return Liveness::Alive { pid: None },
        };
        match file.try_lock_shared() {
            Ok(()) => Liveness::Dead,
            Err(TryLockError::WouldBlock) => Liveness::Alive { pid: pid_in(&mut file) },
            Err(TryLockError::Error(_)) => Liveness::Alive { pid: None },
        }
    };
    let mut seen = look();
    // It may be another process's sweep that holds a dead owner's lock, for an instant.
    for _ in 0..3 {
        match seen {
            Liveness::Alive { pid: Some(pid) } if !exists(pid) => std::thread::sleep(Duration::from_millis(2)),
            _ => break,
        }
        seen = look();
    }
    seen
}

/// Opens without waiting: what lies there need not be a file of ours.
fn open_to_look(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// Whether there is such a process here; another container's is not seen.
fn exists(pid: u32) -> bool {
    // SAFETY: kill takes no pointers, and signal 0 is none.
    unsafe { libc::kill(pid as libc::pid_t, 0) == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH) }
}

/// The process of any live owner in `folder` other than `except`.
pub fn any_alive(folder: &Path, except: Option<&str>) -> Option<u32> {
    let entries = fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(|id| Some(id.as_str()) != except).find_map(|id| {
        match liveness(folder, &id) {
            Liveness::Alive { pid } => Some(pid.unwrap_or(0)),
            Liveness::Dead => None,
        }
    })
}

/// Whether the name still leads to this open file.
fn is_named(file: &File, path: &Path) -> bool {
    let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    fs::metadata(path).is_ok_and(|named| file.metadata().is_ok_and(|ours| inode(named) == inode(ours)))
}

fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn remove_dead(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // What an owner has beside its lock file goes when that is gone.
        let name = entry.file_name();
        if let Some(owner) = name.to_str().and_then(super::wake::owner_of) {
            if !folder.join(owner).exists() {
                let _ = fs::remove_file(entry.path());
            }
            continue;
        }
        // Looked at again under the lock: another sweep may have removed this file since, and a new owner made its own.
        if let Ok(file) = open_to_look(&entry.path())
            && file.try_lock().is_ok()
            && is_named(&file, &entry.path())
        {
            // Removed while we hold its lock: its owner, if it is just being born, sees that and begins anew.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_alive_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner::register(folder.path(), Role::Command, 7).unwrap();
        let id = owner.id().to_owned();
        assert_eq!(liveness(folder.path(), &id), Liveness::Alive { pid: Some(std::process::id()) });
        assert_eq!(any_alive(folder.path(), None), Some(std::process::id()));
        assert_eq!(any_alive(folder.path(), Some(&id)), None);
        let other = Owner::register(folder.path(), Role::Daemon, 8).unwrap();
        assert_eq!(liveness(folder.path(), &id), Liveness::Alive { pid: Some(std::process::id()) }, "the sweep spares the living");
        assert!(is_daemon(other.id()) && !is_daemon(owner.id()));
        assert_eq!(liveness(folder.path(), other.id()), Liveness::Alive { pid: Some(std::process::id()) });
        drop((owner, other));
        assert_eq!(liveness(folder.path(), &id), Liveness::Dead);
    }

    #[test]
    fn a_socket_is_swept_with_its_owner_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner::register(folder.path(), Role::Command, 7).unwrap();
        let (live, dead) = (folder.path().join(format!("{}.wake", owner.id())), folder.path().join("00ff.wake"));
        [&live, &dead].into_iter().for_each(|path| fs::write(path, "").unwrap());
        let _other = Owner::register(folder.path(), Role::Command, 8).unwrap();
        assert!(live.exists() && !dead.exists());
    }

    #[test]
    fn a_file_without_a_lock_is_a_dead_owner_and_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("00ff");
        fs::write(&path, "1\n").unwrap();
        assert_eq!(liveness(folder.path(), "00ff"), Liveness::Dead);
        assert_eq!(liveness(folder.path(), "../00ff"), Liveness::Dead);
        let _owner = Owner::register(folder.path(), Role::Command, 9).unwrap();
        assert!(!path.exists());
    }
}
