//! What `process_stream` returns.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::{RatingType, Written};
use crate::stream::{ClaimedFile, FileRows};

/// What `process_stream` returns.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProcessStreamOutput {
    /// Good rows of all files.
    pub(super) rows: u64,
    /// Malformed lines of all files.
    pub(super) rejected: u64,
    /// Malformed lines by kind.
    pub(super) rejected_by_kind: BTreeMap<String, u64>,
    /// The file that lists them, if there are any.
    pub(super) rejects_file: Option<String>,
    /// The files, in the order in which they were read.
    pub(super) files: Vec<StreamFile>,
    /// The training ratings that have accumulated.
    pub(super) train: StreamDataset,
    /// The test ratings that have accumulated.
    pub(super) test: StreamDataset,
    /// The ratings of these files alone.
    pub(super) batch: BatchOutput,
}

/// A file that was taken in.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct StreamFile {
    /// Where it arrived.
    pub(super) path: String,
    /// Its size.
    pub(super) bytes: u64,
    /// Its good rows.
    pub(super) rows: u64,
    /// Its malformed lines.
    pub(super) rejected: u64,
    /// Where it is now, unless it was deleted.
    pub(super) archive: Option<String>,
}

/// The ratings of one call.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct BatchOutput {
    /// Those for training.
    pub(super) train: StreamDataset,
    /// Those for testing.
    pub(super) test: StreamDataset,
}

/// A dataset that `process_stream` wrote.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct StreamDataset {
    /// The dataset, as `output` was given.
    pub(super) path: String,
    /// Rows in it now.
    pub(super) rows: u64,
    /// Rows that these files brought.
    pub(super) received: u64,
    /// Rows that it has more than before.
    pub(super) added: i64,
    /// Files in it.
    pub(super) files: u64,
    /// Bytes of these files.
    pub(super) bytes: u64,
    /// Hash of the content: the same rows, the same fingerprint.
    pub(super) fingerprint: String,
    /// Type of the RATING column.
    pub(super) rating_type: RatingType,
    /// Number of the snapshot.
    pub(super) snapshot: u64,
}

impl StreamFile {
    pub(super) fn new(file: &ClaimedFile, FileRows { rows, rejected }: FileRows) -> Self {
        Self { path: file.original.clone(), bytes: file.stamp.bytes, rows, rejected, archive: file.archive.clone() }
    }
}

impl StreamDataset {
    /// The dataset at `path`, which held `before` rows and was given `received`.
    pub(super) fn new(path: String, received: u64, before: u64, written: Written) -> Self {
        Self {
            path,
            rows: written.rows,
            received,
            added: written.rows.cast_signed() - before.cast_signed(),
            files: written.files,
            bytes: written.bytes,
            fingerprint: written.fingerprint,
            rating_type: written.rating_type,
            snapshot: written.snapshot,
        }
    }
}
