//! The folder of a simulation. Every file appears whole, so what is there is finished.
//!
//! ```text
//! .recflow/simulations/drift-retrain-3f9a2c41/
//!   simulation.json           what was asked for; appears last, once all below is there
//!   lock                      held by the process that plays it
//!   start/                    datasets and model of the beginning
//!   periods.json  periods/    the stream, cut
//!   drift/                    a policy's workspace: data/, models/, .recflow/ (store, logs)
//!   records/drift/0001.json   a period that is over; 0001.before.json: what was measured before its run
//!   result.json               the end
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use recflow_stages::storage::write_atomically;
use recflow_stages::{Context, Result, StageError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cut::{Cut, Slice};
use super::setup::{Policy, Setup};

const SETUP: &str = "simulation.json";
const RESULT: &str = "result.json";

/// A simulation's folder, which this process holds.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// What was asked for.
    pub setup: Setup,
    /// The periods.
    pub slices: Vec<Slice>,
    /// Ratings outside of `--from` and `--to`.
    pub outside: u64,
    /// Malformed lines of the stream.
    pub malformed: u64,
    _lock: File,
}

/// A folder that is held, whatever is in it.
pub(super) struct Held {
    pub(super) folder: PathBuf,
    lock: File,
}

impl Held {
    /// Takes the lock of a folder, which is made if it is not there.
    ///
    /// # Errors
    /// Another process has it; I/O trouble.
    pub(super) fn take(folder: &Path, context: &Context) -> Result<Self> {
        context.storage.create_dir_all(folder).map_err(|error| StageError::io("create", folder, &error))?;
        let path = folder.join("lock");
        let failed = |error: io::Error| StageError::io("lock", &path, &error);
        // Not through the storage: the lock file holds no data.
        let mut lock = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = lock.take(32).read_to_string(&mut owner);
                let message = format!("the simulation in `{}` is under way in process {}", context.display(folder), owner.trim());
                return Err(StageError::input(message).with_hint("wait for it, or stop it with Ctrl-C; it can be resumed"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    /// Whether no simulation has begun here, nor one of a later format. Asked under the lock.
    pub(super) fn is_nothing(&self) -> bool {
        !self.folder.join(SETUP).exists()
    }

    /// Removes what an attempt to begin left here.
    pub(super) fn clear(&self, context: &Context) -> Result<()> {
        for name in ["start", "start.draft", "periods"] {
            let path = self.folder.join(name);
            match context.storage.remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StageError::io("remove", &path, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes it a simulation: the one step from which on it exists.
    pub(super) fn begin(self, setup: Setup, cut: Cut, context: &Context) -> Result<Journal> {
        write(&self.folder.join("periods.json"), &cut, context)?;
        recflow_stages::failpoint::hit("simulation.before_setup");
        write(&self.folder.join(SETUP), &setup, context)?;
        Ok(self.journal(setup, cut))
    }

    /// Opens the simulation that is here.
    ///
    /// # Errors
    /// There is none, or a file of it cannot be read.
    pub(super) fn open(self) -> Result<Journal> {
        let missing = || StageError::input(format!("there is no simulation in `{}`", self.folder.display()));
        let setup: Setup = read(&self.folder.join(SETUP))?.ok_or_else(missing)?;
        if setup.format != Setup::FORMAT {
            let message =
                format!("the simulation in `{}` has format {}, this recflow knows {}", self.folder.display(), setup.format, Setup::FORMAT);
            return Err(StageError::input(message).with_hint("go on with the recflow that began it"));
        }
        let cut = read(&self.folder.join("periods.json"))?.ok_or_else(missing)?;
        Ok(self.journal(setup, cut))
    }

    fn journal(self, setup: Setup, cut: Cut) -> Journal {
        let Cut { slices, outside, malformed } = cut;
        Journal { folder: self.folder, setup, slices, outside, malformed, _lock: self.lock }
    }
}

impl Journal {
    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its id: the folder's name.
    pub fn id(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// How many periods are over, of how many; each policy counts its own.
    pub fn progress(&self) -> (usize, usize) {
        let policies = &self.setup.ask.policies;
        let over = |policy: &Policy| (0..self.slices.len()).take_while(|period| self.note(*policy, *period, "").is_file()).count();
        (policies.iter().map(over).sum(), policies.len() * self.slices.len())
    }

    /// The workspace of a policy.
    pub fn workspace(&self, policy: Policy) -> PathBuf {
        self.folder.join(policy.as_str())
    }

    pub(super) fn start(&self) -> PathBuf {
        self.folder.join("start")
    }

    pub(super) fn period_file(&self, slice: &Slice) -> PathBuf {
        self.folder.join("periods").join(format!("{}.csv", slice.period))
    }

    /// What was written down of a period.
    pub(super) fn read<T: DeserializeOwned>(&self, policy: Policy, period: usize, what: &str) -> Result<Option<T>> {
        read(&self.note(policy, period, what))
    }

    pub(super) fn write(&self, policy: Policy, period: usize, what: &str, value: &impl Serialize, context: &Context) -> Result<()> {
        write(&self.note(policy, period, what), value, context)
    }

    fn note(&self, policy: Policy, period: usize, what: &str) -> PathBuf {
        self.folder.join("records").join(policy.as_str()).join(format!("{:04}{what}.json", period + 1))
    }

    /// The end, if it has come.
    pub(super) fn result<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        read(&self.folder.join(RESULT))
    }

    pub(super) fn finish(&self, result: &impl Serialize, context: &Context) -> Result<()> {
        write(&self.folder.join(RESULT), result, context)
    }
}

/// A simulation, seen from outside.
pub(super) struct Seen {
    pub(super) folder: PathBuf,
    pub(super) setup: Setup,
    pub(super) is_finished: bool,
}

/// The simulations in `root`, newest first. What cannot be read is none.
pub(super) fn list(root: &Path) -> Vec<Seen> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<Seen> = entries.filter_map(|entry| look(&entry.path())).collect();
    found.sort_by(|a, b| (&b.setup.created_at, &b.folder).cmp(&(&a.setup.created_at, &a.folder)));
    found
}

/// The simulation in `folder`.
pub(super) fn look(folder: &Path) -> Option<Seen> {
    let setup = read(&folder.join(SETUP)).ok()??;
    Some(Seen { folder: folder.to_owned(), setup, is_finished: folder.join(RESULT).is_file() })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            StageError::input(format!("`{}` cannot be read", path.display()))
                .with_cause(error)
                .with_hint("another program changed it; begin the simulation anew (`--fresh`)")
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StageError::io("read", path, &error)),
    }
}

fn write(path: &Path, value: &impl Serialize, context: &Context) -> Result<()> {
    write_atomically(&*context.storage, path, |file| serde_json::to_writer_pretty(file, value).map_err(io::Error::from))
}
