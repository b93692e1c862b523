//! The original ids of a dataset whose users or items are not numbers: [`Names`] on disk.
//!
//! ```text
//! .train.snapshots/
//!   ids/users-9f2c41d07a31be55.parquet     id int32, name string
//!   7.json                                 names the lists that belong to snapshot 7
//! ```
//!
//! A list is named after its content and never changes, so snapshots share those that stay the same, a rollback takes its list
//! along by the copied manifest, and one commit covers rows and names: the manifest belongs to the snapshot. The list is durable
//! before a manifest names it; one that no manifest names is rubbish, and goes with the next publication. Lists lie beside the
//! snapshots rather than in them because a snapshot's folder holds nothing but partitions: globs of DuckDB and Polars would read
//! every Parquet file below it as ratings.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::journal::list;
use super::location::Location;
use super::manifest::Manifest;
use crate::error::{Result, StageError};
use crate::model::parquet_to_io;
use crate::names::{self, NameMap, Names};
use crate::storage::{Storage, parent, write_atomically};

/// The folder of the lists, beside the snapshots.
const FOLDER: &str = "ids";

/// The lists of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedIds {
    /// That of `CUST_ID`; none if users are numbers in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<ListEntry>,
    /// That of `MOVIE_ID`; none if items are numbers in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ListEntry>,
}

/// A list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry {
    /// The file's name in the folder `ids`.
    pub file: String,
    /// How many names it holds.
    pub names: u64,
    /// Hash of the names in their order, BLAKE3 in hexadecimal.
    pub fingerprint: String,
}

impl MappedIds {
    /// The fingerprint of rows together with what their numbers mean.
    pub(super) fn fingerprint(&self, rows: &str) -> String {
        let of = |list: &Option<ListEntry>| list.as_ref().map(|list| list.fingerprint.clone()).unwrap_or_default();
        blake3::hash(format!("{rows}\n{}\n{}", of(&self.users), of(&self.items)).as_bytes()).to_hex().to_string()
    }
}

/// Writes the lists into the dataset's folder of snapshots, durably; those that are there stay.
pub(super) fn store(names: &Names, location: &Location, storage: &dyn Storage) -> Result<MappedIds> {
    let store = |side: &str, map: &Arc<NameMap>| -> Result<ListEntry> {
        let fingerprint = names::fingerprint(map);
        let file = format!("{side}-{}.parquet", &fingerprint[..16]);
        let path = location.root.join(FOLDER).join(&file);
        if path.is_file() {
            // Its writer may have died before the name was on stable storage.
            storage.sync_dir(parent(&path)).map_err(|error| StageError::io("sync", parent(&path), &error))?;
        } else {
            write_atomically(storage, &path, |to| names::write(map, to).map_err(parquet_to_io))?;
        }
        Ok(ListEntry { file, names: map.len() as u64, fingerprint })
    };
    Ok(MappedIds {
        users: names.users.as_ref().map(|map| store("users", map)).transpose()?,
        items: names.items.as_ref().map(|map| store("items", map)).transpose()?,
    })
}

/// Reads the lists of a snapshot whose folder is `dir`.
pub(super) fn load(ids: &MappedIds, dir: &Path) -> Result<Names> {
    let load = |entry: &ListEntry| -> Result<Arc<NameMap>> {
        let path = parent(dir).join(FOLDER).join(&entry.file);
        let map = names::read(&path)?;
        if names::fingerprint(&map) == entry.fingerprint {
            return Ok(Arc::new(map));
        }
        Err(StageError::input(format!("`{}` does not hold the names that the manifest speaks of", path.display()))
            .with_hint("another program changed it; import the data again, or go back to an older snapshot"))
    };
    Ok(Names { users: ids.users.as_ref().map(load).transpose()?, items: ids.items.as_ref().map(load).transpose()? })
}

/// Removes the lists that no snapshot needs any more. The caller holds the dataset's lock.
pub(super) fn sweep(location: &Location, storage: &dyn Storage) -> Result<()> {
    let files = list(&location.root.join(FOLDER))?;
    if files.is_empty() {
        return Ok(());
    }
    let mut needed = BTreeSet::new();
    for snapshot in location.snapshots()? {
        // Of a manifest that cannot be read nobody knows what it needs.
        let Ok(manifest) = Manifest::read(&location.manifest_file(snapshot)) else { return Ok(()) };
        let ids = manifest.and_then(|manifest| manifest.ids).unwrap_or_default();
        needed.extend([ids.users, ids.items].into_iter().flatten().map(|entry| entry.file));
    }
    for file in files.iter().filter(|file| !file.file_name().and_then(|name| name.to_str()).is_some_and(|name| needed.contains(name))) {
        storage.remove_file(file).map_err(|error| StageError::io("remove", file, &error))?;
    }
    Ok(())
}
