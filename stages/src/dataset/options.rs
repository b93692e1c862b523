//! How a dataset is written: the inputs that stages share.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Result, StageError};

/// What happens to the rows that are already there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Union of old and new; of rows with the same movie, user and date the highest rating stays.
    #[default]
    Upsert,
    /// The new rows replace the old ones; duplicates among them are folded as in `upsert`.
    Overwrite,
    /// The new rows are added as they are, duplicates too.
    Append,
}

/// The type of the `RATING` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingType {
    /// Whole stars: `int32`.
    Int,
    /// Half stars: `float32`.
    Float,
}

/// The type of the `RATING` column that a stage asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingTypeChoice {
    /// That of the dataset that is there; for a new one `int`, or `float` if there are half stars.
    #[default]
    Auto,
    /// Whole stars: `int32`.
    Int,
    /// Half stars: `float32`.
    Float,
}

impl RatingTypeChoice {
    /// The type to write, given that of the dataset that is there and whether any row to write has half stars.
    ///
    /// # Errors
    /// Half stars for an `int` dataset; `name` is the dataset as people write it.
    pub(super) fn resolve(self, existing: Option<RatingType>, has_halves: bool, name: &str) -> Result<RatingType> {
        let wanted = match (self, existing) {
            (RatingTypeChoice::Int, _) | (RatingTypeChoice::Auto, Some(RatingType::Int)) => RatingType::Int,
            (RatingTypeChoice::Float, _) | (RatingTypeChoice::Auto, Some(RatingType::Float)) => RatingType::Float,
            (RatingTypeChoice::Auto, None) if has_halves => RatingType::Float,
            (RatingTypeChoice::Auto, None) => RatingType::Int,
        };
        if wanted == RatingType::Int && has_halves {
            let why = if self == RatingTypeChoice::Int { "`rating_type` is int" } else { "the dataset holds whole stars" };
            return Err(StageError::input(format!("there are half stars to write to `{name}`, but {why}"))
                .with_hint("set `rating_type: float`; a dataset that is there is then rewritten with float ratings"));
        }
        Ok(wanted)
    }
}

/// How files are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Fast; what Spark writes.
    #[default]
    Snappy,
    /// Smaller.
    Zstd,
    /// No compression.
    None,
}

/// Which statistics the files carry, for engines that skip what a query does not need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistics {
    /// None.
    None,
    /// Lowest and highest value of each column in a row group.
    Chunk,
    /// Those of each page too.
    #[default]
    Page,
}

/// Finer points of the Parquet files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriteOptions {
    /// Rows in a row group; 1048576 by default.
    #[schemars(range(min = 1))]
    pub row_group_rows: Option<usize>,
    /// Bytes in a data page before compression; 1048576 by default.
    #[schemars(range(min = 1024))]
    pub page_bytes: Option<usize>,
    /// Level of `zstd`, 1-22; 3 by default.
    #[schemars(range(min = 1, max = 22))]
    pub compression_level: Option<i32>,
    /// Whether columns are dictionary-encoded where that pays; true by default.
    pub dictionary: Option<bool>,
    /// Which statistics the files carry.
    pub statistics: Statistics,
}

/// Everything about the files of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// How files are compressed.
    pub compression: Compression,
    /// A partition is split into files of about this many bytes; by default it is one file.
    pub target_file_bytes: Option<u64>,
    /// A partition that is written is split into so many files of equally many rows (fewer if it has fewer rows).
    pub files: Option<NonZeroU32>,
    /// Finer points.
    pub options: WriteOptions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_the_type_of_the_dataset_and_refuses_halves_in_whole_stars() {
        use RatingType::{Float, Int};
        let auto = RatingTypeChoice::Auto;
        assert_eq!(auto.resolve(None, false, "x"), Ok(Int));
        assert_eq!(auto.resolve(None, true, "x"), Ok(Float));
        assert_eq!(auto.resolve(Some(Float), false, "x"), Ok(Float));
        assert_eq!(RatingTypeChoice::Float.resolve(Some(Int), true, "x"), Ok(Float));
        let error = auto.resolve(Some(Int), true, "data/train").unwrap_err();
        assert_eq!(error.message, "there are half stars to write to `data/train`, but the dataset holds whole stars");
        assert!(error.hint.unwrap().contains("rating_type: float"));
        assert!(RatingTypeChoice::Int.resolve(None, true, "x").is_err());
    }
}
