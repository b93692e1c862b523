//! What `import` returns and says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::flow::Flow;
use crate::context::Context;
use crate::dataset::{RatingType, Written};
use crate::import::Imported;

/// What `import` returns.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ImportOutput {
    /// The training dataset.
    pub train: DatasetOutput,
    /// The test dataset, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<DatasetOutput>,
    /// Distinct user ids that are mapped to numbers; null where users are numbers.
    pub mapped_users: Option<u64>,
    /// Distinct item ids that are mapped to numbers; null where items are numbers.
    pub mapped_items: Option<u64>,
}

/// A dataset that `import` wrote.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DatasetOutput {
    /// The dataset, as it was given.
    pub path: String,
    /// What the files were taken for: `movielens_csv`, `movielens_u_data`, `movielens_dat`, `goodbooks`, `anime`, `book_crossing`, `amazon`,
    /// `amazon_2018`, `parquet`, `table` (any other), `empty`. None for a part of the training files.
    pub layouts: Vec<String>,
    /// Rows in the dataset now.
    pub rows: u64,
    /// Ratings that the files gave it.
    pub read: u64,
    /// Those of its files without a time.
    pub undated: u64,
    /// Rows of its files that say "seen, not rated".
    pub unrated: u64,
    /// Malformed rows of its files.
    pub rejected: u64,
    /// Malformed rows by kind.
    pub rejected_by_kind: BTreeMap<String, u64>,
    /// The file that lists them, if there are any.
    pub rejects_file: Option<String>,
    /// Rows, of the files and of the dataset as it was, that were folded into another with the same item, user and date.
    pub duplicates: u64,
    /// Files in the dataset.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Hash of the content, names of ids included.
    pub fingerprint: String,
    /// Type of the RATING column.
    pub rating_type: RatingType,
    /// Number of the snapshot.
    pub snapshot: u64,
}

/// Describes a dataset that was written from `read` ratings.
pub(super) fn describe(flow: &Flow<'_>, read: u64, imported: &Imported, written: Written, context: &Context) -> DatasetOutput {
    let rejected = &imported.rejected;
    DatasetOutput {
        path: flow.given.to_string(),
        layouts: imported.layouts.iter().map(|&name| name.to_owned()).collect(),
        rows: written.rows,
        read,
        undated: imported.undated,
        unrated: imported.unrated,
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

/// Says what was read.
pub(super) fn tell(flow: &Flow<'_>, imported: &Imported, context: &Context) {
    let Imported { rows, undated, unrated, rejected, layouts, .. } = imported;
    let files = match flow.files.as_slice() {
        [one] => format!("`{}`", context.display(one)),
        files => format!("{} files", files.len()),
    };
    let mut message = format!("{files} ({}): {rows} ratings read, {} rows rejected", layouts.join(", "), rejected.total());
    if *unrated > 0 {
        message += &format!(", {unrated} seen but not rated");
    }
    if *undated > 0 {
        message += &format!(", {undated} without a time");
    }
    context.info(message);
}
