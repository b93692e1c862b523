//! Which versions a folder of models holds, and which of them is meant.
//!
//! Cheap: reads names, `recflow.json` and, where that is missing, the metadata. Factors are not opened.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::load::{ITEM_FACTORS, USER_FACTORS};
use super::parquet_factors::part_files;
use super::promotion::pointer::{self, Pointer};
use super::record::ModelRecord;
use super::spark;
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};

/// The symbolic link, relative, that names the version which serves; [`promotion`](super::promotion) says how.
pub const CURRENT: &str = "current";

/// What the name of a version starts with.
const PREFIX: &str = "version_";

/// The name for a version of `instant`; `attempt` counts the names of that second already taken.
pub(super) fn name(instant: Timestamp, attempt: u32) -> String {
    let stem = instant.strftime("version_%Y%m%d_%H%M%S").to_string();
    if attempt == 0 { stem } else { format!("{stem}_{attempt:03}") }
}

/// The instant in a version's name.
fn instant_of(name: &str) -> Option<Timestamp> {
    let stem = name.strip_prefix(PREFIX)?.get(..15)?;
    TimeZone::UTC.to_timestamp(DateTime::strptime("%Y%m%d_%H%M%S", stem).ok()?).ok()
}

/// Which version is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest complete one.
    Latest,
    /// The one that `current` names; the newest if it names none.
    Current,
    /// The one of that name.
    Named(String),
}

impl From<&str> for Which {
    fn from(text: &str) -> Self {
        match text {
            "latest" => Which::Latest,
            CURRENT => Which::Current,
            name => Which::Named(name.to_owned()),
        }
    }
}

/// A version that looks complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// When it was published: from `recflow.json`, else from its name, else from Spark's metadata.
    pub created_at: Option<Timestamp>,
    /// Floats in a factor.
    pub rank: usize,
    /// `recflow.json`; models that Spark saved have none.
    pub record: Option<ModelRecord>,
}

impl Version {
    /// The version at `path`, if all its parts are there.
    fn inspect(path: PathBuf) -> Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let metadata = spark::read_metadata(&path)?;
        for folder in [USER_FACTORS, ITEM_FACTORS] {
            if part_files(&path.join(folder))?.is_empty() {
                return Err(StageError::input(format!("`{}` has no part file", path.join(folder).display())));
            }
        }
        let record = ModelRecord::read(&path)?;
        let created_at = record.as_ref().and_then(ModelRecord::created_at).or_else(|| instant_of(&name)).or(metadata.timestamp);
        Ok(Self { name, path, created_at, rank: metadata.rank, record })
    }
}

/// All versions in `models`, newest first. What looks like a version but is broken is left out, with a warning that says why.
///
/// # Errors
/// The folder exists but cannot be listed. A folder that does not exist holds no versions.
pub fn list(models: &Path, context: &Context) -> Result<Vec<Version>> {
    let mut versions = Vec::new();
    for path in folders(models)? {
        match Version::inspect(path.clone()) {
            Ok(version) => versions.push(version),
            Err(error) => context.warn(format!("model version `{}` is skipped: {error}", context.display(&path))),
        }
    }
    // Of one instant, the later name: `_001` comes after none.
    versions.sort_by_cached_key(|version| Reverse((version.created_at, version.name.clone())));
    Ok(versions)
}

/// The folders in `models` that are called as versions are, by name.
fn folders(models: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| StageError::io("list", models, &error);
    let entries = match fs::read_dir(models) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// The version that is meant.
///
/// # Errors
/// No version at all, or not the one named; a named version that is broken.
pub fn find(models: &Path, which: &Which, context: &Context) -> Result<Version> {
    match which {
        Which::Latest => latest(models, context),
        Which::Named(name) => named(models, name, context),
        Which::Current => match current(models, context) {
            Ok(version) => Ok(version),
            Err(why) => {
                let version = latest(models, context)?;
                let remedy = "stage `promote` or `recflow models promote VERSION` sets the current one";
                context.warn(format!("{why}: taking the latest, {}; {remedy}", version.name));
                Ok(version)
            }
        },
    }
}

/// The version that a person means: the one at the path `text` (relative to the workspace) if there is a `/` in it, else as [`find`] does.
///
/// # Errors
/// Those of [`find`]; a path where there is no version.
pub fn locate(models: &Path, text: &str, context: &Context) -> Result<Version> {
    if !text.contains('/') {
        return find(models, &Which::from(text), context);
    }
    let path = context.workspace.join(text);
    if !path.is_dir() {
        return Err(StageError::input(format!("there is no model at `{text}`")).with_hint("give the folder of a version, or `latest`"));
    }
    Version::inspect(path)
}

fn latest(models: &Path, context: &Context) -> Result<Version> {
    list(models, context)?.into_iter().next().ok_or_else(|| {
        StageError::input(format!("there is no model version in `{}`", context.display(models)))
            .with_hint("train one first: stage `train_als` publishes a version there")
    })
}

/// The version that `current` names, or why there is none, in words.
fn current(models: &Path, context: &Context) -> Result<Version, String> {
    let pointer = pointer::read(models).map_err(|error| error.to_string())?;
    let Some(Pointer { version, .. }) = pointer else {
        return Err(format!("no version in `{}` was promoted yet", context.display(models)));
    };
    let path = models.join(&version);
    if !path.is_dir() {
        return Err(format!("`{}` names {version}, which is not there any more", context.display(&models.join(CURRENT))));
    }
    Version::inspect(path).map_err(|error| format!("the current version {version} is broken: {error}"))
}

fn named(models: &Path, name: &str, context: &Context) -> Result<Version> {
    let plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']) && !name.is_empty();
    if !plain {
        let message = format!("`{name}` is not the name of a model version");
        return Err(StageError::input(message).with_hint("write `latest`, `current` or a name such as `version_20250301_031500`"));
    }
    let path = models.join(name);
    if path.is_dir() {
        return Version::inspect(path);
    }
    let names: Vec<String> = list(models, context)?.into_iter().take(3).map(|version| version.name).collect();
    let hint = if names.is_empty() { "there is none there at all".to_owned() } else { format!("newest there: {}", names.join(", ")) };
    Err(StageError::input(format!("there is no model version `{name}` in `{}`", context.display(models))).with_hint(hint))
}

/// The record of the version in `models` that is the result of the work `key` names, if it was published. Broken
/// versions are passed over in silence: they are not this work's result.
pub fn published(models: &Path, key: &PublishKey) -> Result<Option<ModelRecord>> {
    let records = folders(models)?.into_iter().rev().filter_map(|path| ModelRecord::read(&path).ok().flatten());
    Ok(records.into_iter().find(|record| record.publish_key == *key))
}
