//! What `import` returns and says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::flow::{DatasetFigures, Flow};
use crate::context::Context;
use crate::dataset::Written;
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
#[schemars(extend("additionalProperties" = false))]
pub struct DatasetOutput {
    #[serde(flatten)]
    pub(super) figures: DatasetFigures,
    /// What the files were taken for: `movielens_csv`, `movielens_u_data`, `movielens_dat`, `goodbooks`, `anime`, `book_crossing`, `amazon`,
    /// `amazon_2018`, `parquet`, `table` (any other), `empty`. None for a part of the training files.
    pub layouts: Vec<String>,
    /// Ratings of its files without a time.
    pub undated: u64,
    /// Rows of its files that say "seen, not rated".
    pub unrated: u64,
}

/// Describes a dataset that was written from `read` ratings.
pub(super) fn describe(flow: &Flow<'_>, read: u64, imported: &Imported, written: Written, context: &Context) -> DatasetOutput {
    DatasetOutput {
        figures: DatasetFigures::of(flow, read, &imported.rejected, written, context),
        layouts: imported.layouts.iter().map(|&name| name.to_owned()).collect(),
        undated: imported.undated,
        unrated: imported.unrated,
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
