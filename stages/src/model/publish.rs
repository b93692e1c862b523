//! Writes a version so that it is complete or invisible.
//!
//! Everything is written into a hidden sibling and put on stable storage; one rename makes it a version. A crash
//! before leaves a hidden folder, which the next training removes; a crash after has published. Names are given out
//! under a lock on the folder of models, so two trainings in one second get different ones.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parquet::errors::ParquetError;

use super::factors::AlsModel;
use super::load::{ITEM_FACTORS, USER_FACTORS};
use super::names as model_names;
use super::popularity::{self, RatedItem};
use super::record::{self, ModelRecord};
use super::versions;
use super::{parquet_factors, spark};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::names::{self, Names};
use crate::storage::{Storage, StorageFile, temporary_beside};

/// The name of the one Parquet file of a side, formed as Spark forms it.
const PART: &str = "part-00000-recflow-c000.snappy.parquet";

/// A name under which a model is about to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version's name.
    pub version: String,
    /// Where it will lie.
    pub path: PathBuf,
    /// The instant it will bear, to the millisecond.
    pub created_at: Timestamp,
}

/// Publishes `model` as a new version in the folder `models`. `record` is called once the name is known, and tells what
/// `recflow.json` will say.
///
/// # Errors
/// I/O trouble; then nothing is visible and the hidden folder is removed, as far as that is still possible.
pub fn publish(models: &Path, model: &AlsModel, record: impl FnOnce(&Claim) -> ModelRecord, context: &Context) -> Result<ModelRecord> {
    publish_contents(models, &Contents { model, names: &Names::default(), popularity: &[] }, record, context)
}

/// What a version holds besides its descriptions.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The factors.
    pub model: &'a AlsModel,
    /// The original ids of users and items, where they are not numbers.
    pub names: &'a Names,
    /// How often each item was rated ([`popularity::of`]); empty if that is not known, and then not written.
    pub popularity: &'a [RatedItem],
}

/// The same for a model with names, and with what is known about its items.
///
/// # Errors
/// Those of [`publish`].
pub fn publish_contents(
    models: &Path,
    contents: &Contents<'_>,
    record: impl FnOnce(&Claim) -> ModelRecord,
    context: &Context,
) -> Result<ModelRecord> {
    let Contents { model, names, popularity } = *contents;
    let storage = &*context.storage;
    storage.create_dir_all(models).map_err(|error| StageError::io("create", models, &error))?;
    let hidden = Hidden::create(models, context)?;
    hidden.write_factors(model)?;
    hidden.write_names(names)?;
    hidden.write_popularity(popularity)?;
    context.check_cancelled()?;

    let _names = lock(models)?;
    let claim = claim(models, context.clock.now())?;
    let record = record(&claim);
    hidden.write_descriptions(model.rank(), &claim, &record)?;
    failpoint::hit("model.before_publish");
    let publish = |error| StageError::io("publish", &claim.path, &error);
    storage.rename(&hidden.path, &claim.path).map_err(publish)?;
    storage.sync_dir(models).map_err(publish)?;
    failpoint::hit("model.after_publish");
    Ok(record)
}

/// Takes the lock under which names are given out, decisions recorded and versions removed. Held for milliseconds: long work
/// happens before.
pub(super) fn lock(models: &Path) -> Result<File> {
    let path = models.join(".lock");
    // Not through the storage: the lock file holds no data.
    let take = || -> std::io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    take().map_err(|error| StageError::io("lock", &path, &error))
}

/// The first free name for a version of `now`. The caller holds the lock.
fn claim(models: &Path, now: Timestamp) -> Result<Claim> {
    let created_at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    for attempt in 0..1000 {
        let version = versions::name(created_at, attempt);
        let path = models.join(&version);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(Claim { version, path, created_at });
        }
    }
    Err(StageError::input(format!("`{}` holds 1000 versions of one second", models.display())).with_hint("check the clock"))
}

/// A version being written, under a name that nobody lists. Removed when dropped, unless it was renamed.
struct Hidden<'a> {
    path: PathBuf,
    storage: &'a dyn Storage,
    /// Locked while its writer lives; so others can tell a dead writer's folder from a live one's.
    _alive: File,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // After the rename there is nothing here; before it, what is left is of no use to anybody.
        let _ = self.storage.remove_dir_all(&self.path);
    }
}

impl<'a> Hidden<'a> {
    /// A new hidden folder in `models`; removes those of dead writers.
    fn create(models: &Path, context: &'a Context) -> Result<Self> {
        let _names = lock(models)?;
        remove_abandoned(models, context)?;
        let storage = &*context.storage;
        let path = temporary_beside(&models.join("version"));
        let failed = |error| StageError::io("create", &path, &error);
        storage.create_dir_all(&path).map_err(failed)?;
        let alive = File::open(&path).and_then(|folder| folder.lock().map(|()| folder)).map_err(failed)?;
        Ok(Self { path, storage, _alive: alive })
    }

    fn write_factors(&self, model: &AlsModel) -> Result<()> {
        for (folder, factors) in [(USER_FACTORS, model.users()), (ITEM_FACTORS, model.items())] {
            let folder = self.path.join(folder);
            write_synced(self.storage, &folder.join(PART), |to| parquet_factors::write(factors, to).map_err(parquet_to_io))?;
            finish_folder(self.storage, &folder)?;
        }
        Ok(())
    }

    fn write_names(&self, names: &Names) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let folder = self.path.join(model_names::FOLDER);
        for (file, map) in [(model_names::USERS, &names.users), (model_names::ITEMS, &names.items)] {
            if let Some(map) = map {
                write_synced(self.storage, &folder.join(file), |to| names::write(map, to).map_err(parquet_to_io))?;
            }
        }
        self.storage.sync_dir(&folder).map_err(|error| StageError::io("write", &folder, &error))
    }

    fn write_popularity(&self, items: &[RatedItem]) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let folder = self.path.join(popularity::FOLDER);
        write_synced(self.storage, &folder.join(popularity::ITEMS), |to| popularity::write(items, to).map_err(parquet_to_io))?;
        self.storage.sync_dir(&folder).map_err(|error| StageError::io("write", &folder, &error))
    }

    /// Writes `metadata/` and `recflow.json`, and puts the folder's own entries on stable storage.
    fn write_descriptions(&self, rank: usize, claim: &Claim, record: &ModelRecord) -> Result<()> {
        let folder = self.path.join(spark::FOLDER);
        let line = spark::metadata_line(rank, record.cold_start, &claim.version, claim.created_at);
        write_synced(self.storage, &folder.join("part-00000"), |to| writeln!(to, "{line}"))?;
        finish_folder(self.storage, &folder)?;
        write_synced(self.storage, &self.path.join(record::FILE), |mut to| {
            serde_json::to_writer_pretty(&mut to, record)?;
            writeln!(to)
        })?;
        self.storage.sync_dir(&self.path).map_err(|error| StageError::io("write", &self.path, &error))
    }
}

/// Removes hidden folders whose writer is dead. The caller holds the lock, so none is being created.
fn remove_abandoned(models: &Path, context: &Context) -> Result<()> {
    let failed = |error| StageError::io("list", models, &error);
    for entry in fs::read_dir(models).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let hidden = name.to_str().is_some_and(|name| name.starts_with(".version.") && name.ends_with(".tmp"));
        let abandoned = hidden && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if abandoned && context.storage.remove_dir_all(&entry.path()).is_ok() {
            context.info(format!("removed `{}`, left by a training that died", context.display(&entry.path())));
        }
    }
    Ok(())
}

/// Writes one file and puts its bytes on stable storage.
fn write_synced(
    storage: &dyn Storage,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<Box<dyn StorageFile>>) -> std::io::Result<()>,
) -> Result<()> {
    let result = (|| {
        storage.create_dir_all(crate::storage::parent(path))?;
        let mut file = BufWriter::with_capacity(1 << 18, storage.create(path)?);
        write(&mut file)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync()
    })();
    result.map_err(|error| StageError::io("write", path, &error))
}

/// Marks a folder complete the way Hadoop does, and puts its entries on stable storage.
fn finish_folder(storage: &dyn Storage, folder: &Path) -> Result<()> {
    write_synced(storage, &folder.join("_SUCCESS"), |_| Ok(()))?;
    storage.sync_dir(folder).map_err(|error| StageError::io("write", folder, &error))
}

/// An I/O error inside a Parquet error comes out as itself, so that a full disk is retried.
pub(crate) fn parquet_to_io(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => *error,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    }
}
