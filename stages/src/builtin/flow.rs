//! What the stages that turn files into datasets share: which files go to which dataset, and how it is written.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::dataset::{Compression, Layout, NewRows, RatingType, RatingTypeChoice, Transaction, WriteOptions, Written};
use crate::error::{Result, StageError};
use crate::intake::{Files, Rejected};
use crate::stage::WorkspacePath;

/// Files and the dataset they go to.
pub(super) struct Flow<'a> {
    pub(super) label: &'static str,
    pub(super) files: Vec<PathBuf>,
    pub(super) output: PathBuf,
    pub(super) given: &'a WorkspacePath,
}

impl<'a> Flow<'a> {
    pub(super) fn new(label: &'static str, files: &Files, given: &'a WorkspacePath, context: &Context) -> Self {
        Self { label, files: files.resolve(context), output: context.resolve(given), given }
    }
}

/// What is told of a dataset that was written from files.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct DatasetFigures {
    /// The dataset, as it was given.
    pub(super) path: String,
    /// Rows in the dataset now.
    pub(super) rows: u64,
    /// Ratings that the files gave it.
    pub(super) read: u64,
    /// Malformed lines in the files.
    pub(super) rejected: u64,
    /// Malformed lines by kind.
    pub(super) rejected_by_kind: BTreeMap<String, u64>,
    /// The file that lists them, if there are any.
    pub(super) rejects_file: Option<String>,
    /// Rows, of the files and of the dataset as it was, that were folded into another with the same movie, user and date.
    pub(super) duplicates: u64,
    /// Files in the dataset.
    pub(super) files: u64,
    /// Bytes of these files.
    pub(super) bytes: u64,
    /// Hash of the content, names of ids included: the same rows, the same fingerprint.
    pub(super) fingerprint: String,
    /// Type of the RATING column.
    pub(super) rating_type: RatingType,
    /// Number of the snapshot.
    pub(super) snapshot: u64,
}

impl DatasetFigures {
    /// Those of a dataset that was written from `read` ratings.
    pub(super) fn of(flow: &Flow<'_>, read: u64, rejected: &Rejected, written: Written, context: &Context) -> Self {
        Self {
            path: flow.given.to_string(),
            rows: written.rows,
            read,
            rejected: rejected.total(),
            rejected_by_kind: rejected.by_kind.iter().map(|(defect, count)| (defect.name().to_owned(), *count)).collect(),
            rejects_file: rejected.file.as_deref().map(|file| context.display(file)),
            duplicates: written.duplicates,
            files: written.files,
            bytes: written.bytes,
            fingerprint: written.fingerprint,
            rating_type: written.rating_type,
            snapshot: written.snapshot,
        }
    }
}

/// What an earlier try of the same work published.
pub(super) fn recorded<T: DeserializeOwned>(output: serde_json::Value, context: &Context) -> Result<T> {
    context.info("published by an earlier try of this task: nothing to do");
    serde_json::from_value(output).map_err(|error| StageError::bug(format!("the output recorded with the dataset cannot be read: {error}")))
}

/// How the files are written. Two inputs that say the same thing differently are refused.
pub(super) fn layout(
    compression: Compression,
    target_file_bytes: Option<u64>,
    files: Option<NonZeroU32>,
    row_group_rows: Option<NonZeroU32>,
    options: &WriteOptions,
) -> Result<Layout> {
    if target_file_bytes.is_some() && files.is_some() {
        return Err(
            StageError::input("`target_file_size` and `target_repartition` both say how a month is split").with_hint("give one of them")
        );
    }
    let mut options = options.clone();
    if let Some(rows) = row_group_rows {
        if options.row_group_rows.is_some() {
            return Err(StageError::input("`row_group_rows` is given twice, by itself and in `write_options`").with_hint("give it once"));
        }
        options.row_group_rows = Some(rows.get() as usize);
    }
    Ok(Layout { compression, target_file_bytes, files, options })
}

/// Refuses paths that would mix up what is read and what is written. What is on disk at them is checked where it is opened.
pub(super) fn check_paths(flows: &[Flow<'_>], context: &Context) -> Result<()> {
    let plain = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for flow in flows {
        let output = plain(&flow.output);
        for other in flows {
            let mixed = |file: &&PathBuf| plain(file).starts_with(&output) || output.starts_with(plain(file));
            if let Some(file) = other.files.iter().find(mixed) {
                return Err(StageError::input(format!(
                    "`{}_file` (`{}`) and `{}_output` (`{}`) lie in one another",
                    other.label,
                    context.display(file),
                    flow.label,
                    flow.given
                ))
                .with_hint("a dataset needs a folder of its own, such as data/processed/parquet/train"));
            }
            if other.label != flow.label && plain(&other.output).starts_with(&output) {
                return Err(StageError::input(format!(
                    "`{}_output` (`{}`) lies in `{}_output` (`{}`)",
                    other.label, other.given, flow.label, flow.given
                ))
                .with_hint("give each dataset a folder of its own"));
            }
        }
    }
    Ok(())
}

/// The rating type of each dataset. With `auto`, datasets that are new get the same one: a few test rows may happen to hold no half star.
pub(super) fn common_type(choice: RatingTypeChoice, transaction: &Transaction<'_>, read: &[NewRows<'_>]) -> Vec<RatingTypeChoice> {
    let has_halves = read.iter().any(NewRows::has_halves);
    let is_new = |index| transaction.base(index).is_none_or(|base| base.rows() == 0);
    let of = |index| if choice == RatingTypeChoice::Auto && has_halves && is_new(index) { RatingTypeChoice::Float } else { choice };
    (0..read.len()).map(of).collect()
}
