//! The manifest of a snapshot: what is in it, who wrote it, and what the writer returned.
//!
//! Lies beside the snapshot's folder, not in it (`.NAME.snapshots/7.json` describes `.NAME.snapshots/7/`), so that the folder holds
//! nothing but partitions: some engines read every file below the path that they are given.

use std::fs;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fingerprint;
use super::ids::MappedIds;
use super::options::{Mode, RatingType};
use super::partition::Partition;
use crate::context::PublishKey;
use crate::error::{Result, StageError};
use crate::storage::{Storage, write_atomically};

/// The newest manifest format that this version knows. A newer one is refused rather than misread.
const FORMAT: u32 = 2;

/// The format of a manifest without [`MappedIds`]. One with them has format 2: a program that does not know of names would drop them.
const FORMAT_WITHOUT_IDS: u32 = 1;

/// What a snapshot contains and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the manifest format.
    pub format: u32,
    /// Number of the snapshot, rising by time.
    pub snapshot: u64,
    /// When it was written, RFC 3339.
    pub created_at: String,
    /// The program that wrote it.
    pub created_by: String,
    /// The piece of work that published it; none for a folder that was adopted.
    #[serde(default)]
    pub publish_key: Option<PublishKey>,
    /// How it came from the snapshot before; none for a folder that was adopted, and for a rollback.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// The snapshot whose content a rollback brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
    /// Type of the `RATING` column.
    pub rating_type: RatingType,
    /// Columns in the files and their types. `year` and `month` are in the folder names only.
    pub columns: Vec<Column>,
    /// The original ids, where they are not numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<MappedIds>,
    /// Rows in all.
    pub rows: u64,
    /// Files in all.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Content fingerprint, BLAKE3 in hexadecimal.
    pub fingerprint: String,
    /// The partitions, oldest first.
    pub partitions: Vec<PartitionEntry>,
    /// What the stage that published it returned. A repeated attempt of the same work returns this.
    #[serde(default)]
    pub output: Value,
}

/// A column of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A folder of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionEntry {
    /// The folder, relative to the dataset: `year=2005/month=12`.
    pub dir: String,
    /// Rows in all its files.
    pub rows: u64,
    /// BLAKE3 of its sorted rows, in hexadecimal.
    pub fingerprint: String,
    /// Whether an upsert may keep the files unread: the folder is a month and holds rows of that month only, no nulls, each key once, in
    /// the types that recflow writes. Adopted folders may be otherwise, and appended ones.
    pub canonical: bool,
    /// Its files.
    pub files: Vec<FileEntry>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the partition's folder.
    pub name: String,
    /// Its rows, those with nulls included.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

impl PartitionEntry {
    /// The month that the folder stands for.
    pub(super) fn partition(&self) -> Option<Partition> {
        Partition::parse(&self.dir)
    }
}

impl Manifest {
    /// The manifest of a dataset that consists of `partitions`; sums and orders them. Who wrote it and when is filled in on publishing.
    pub(super) fn of_partitions(rating_type: RatingType, mut partitions: Vec<PartitionEntry>, fingerprint: Option<String>) -> Self {
        partitions.sort_by(|a, b| (a.partition(), &a.dir).cmp(&(b.partition(), &b.dir)));
        let fingerprint = fingerprint.unwrap_or_else(|| {
            let months = partitions.iter().filter_map(|entry| Some((entry.partition()?, entry.rows, entry.fingerprint.as_str())));
            fingerprint::of_partitions(months)
        });
        let files = || partitions.iter().flat_map(|entry| &entry.files);
        Self {
            format: FORMAT_WITHOUT_IDS,
            snapshot: 0,
            created_at: String::new(),
            created_by: concat!("recflow ", env!("CARGO_PKG_VERSION")).to_owned(),
            publish_key: None,
            mode: None,
            restores: None,
            rating_type,
            columns: columns(rating_type),
            ids: None,
            rows: partitions.iter().map(|entry| entry.rows).sum(),
            files: files().count() as u64,
            bytes: files().map(|file| file.bytes).sum(),
            fingerprint,
            partitions,
            output: Value::Null,
        }
    }

    /// The same rows, whose numbers mean these ids.
    pub(super) fn with_ids(self, ids: MappedIds) -> Self {
        Self { format: FORMAT, fingerprint: ids.fingerprint(&self.fingerprint), ids: Some(ids), ..self }
    }

    /// Reads a manifest. `Ok(None)` if the file is not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StageError::io("read", path, &error)),
        };
        Self::parse(&text).map(Some).map_err(|why| {
            StageError::input(format!("the manifest `{}` cannot be read", path.display()))
                .with_cause(why)
                .with_hint("it was written by a newer recflow, or is damaged; an older snapshot beside it may still be good")
        })
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        // The version first: a newer format may lack what this one expects.
        let version: Version = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if version.format > FORMAT {
            return Err(format!("its format is {}, this recflow knows formats up to {FORMAT}", version.format));
        }
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// Writes the manifest, durable when this returns.
    pub(super) fn write(&self, path: &Path, storage: &dyn Storage) -> Result<()> {
        write_atomically(storage, path, |file| serde_json::to_writer_pretty(file, self).map_err(io::Error::from))
    }
}

fn columns(rating_type: RatingType) -> Vec<Column> {
    let rating = match rating_type {
        RatingType::Int => "int32",
        RatingType::Float => "float32",
    };
    [("MOVIE_ID", "int32"), ("CUST_ID", "int32"), ("RATING", rating), ("DATE", "date32")]
        .map(|(name, kind)| Column { name: name.to_owned(), kind: kind.to_owned() })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manifest as version 0.1.0 wrote it. Never edit: it stands for the files that users have.
    const FORMAT_1: &str = r#"{
      "format": 1, "snapshot": 7, "created_at": "2026-11-23T14:00:00Z", "created_by": "recflow 0.1.0",
      "publish_key": "run/etl/0", "mode": "upsert", "rating_type": "int",
      "columns": [{ "name": "MOVIE_ID", "type": "int32" }],
      "rows": 1, "files": 1, "bytes": 900, "fingerprint": "ab",
      "partitions": [{ "dir": "year=2005/month=12", "rows": 1, "fingerprint": "cd", "canonical": true,
                       "files": [{ "name": "part-00000.parquet", "rows": 1, "bytes": 900 }] }],
      "output": { "train": { "rows": 1 } }
    }"#;

    #[test]
    fn a_manifest_of_format_1_is_read() {
        let manifest = Manifest::parse(FORMAT_1.as_bytes()).unwrap();
        assert_eq!((manifest.snapshot, manifest.rows, manifest.partitions[0].partition().unwrap().month), (7, 1, 12));
        assert_eq!(manifest.publish_key, Some(PublishKey::new("run", "etl", 0)));
        assert_eq!(manifest.output["train"]["rows"], 1);
    }

    #[test]
    fn a_manifest_of_a_newer_format_is_refused_by_its_number() {
        let why = Manifest::parse(br#"{ "format": 3, "shards": [] }"#).unwrap_err();
        assert_eq!(why, "its format is 3, this recflow knows formats up to 2");
    }
}
