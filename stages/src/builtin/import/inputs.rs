//! What `import` takes, and what of it cannot be together.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::flow::Flow;
use super::split::Split;
use crate::context::Context;
use crate::dataset::{Compression, Mode, RatingTypeChoice, WriteOptions};
use crate::date::parse_iso;
use crate::error::{Result, StageError};
use crate::import::{Columns, Delimiter, Format, IdMode, Options};
use crate::intake::{Files, MaxBadRows, RatingRange};
use crate::stage::WorkspacePath;

/// Inputs of `import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportInputs {
    /// The training ratings: a CSV, TSV or Parquet file, a folder, a path with `*` in it, or a list of these. Text may be gzip or Zstandard.
    pub train_file: Files,
    /// The dataset to write them to.
    pub train_output: WorkspacePath,
    /// The test ratings, likewise. Goes with `test_output`.
    #[serde(default)]
    pub test_file: Option<Files>,
    /// The dataset to write them to. Training and test data become visible at the same instant, and ids mean the same in both.
    #[serde(default)]
    pub test_output: Option<WorkspacePath>,
    /// Instead of `test_file`: the share of the training ratings that goes to `test_output`, drawn by user and item.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub test_ratio: Option<f64>,
    /// Instead of `test_file`: ratings of this day (`YYYY-MM-DD`) and later go to `test_output`.
    #[serde(default)]
    pub test_from: Option<String>,
    /// What decides the draw of `test_ratio`. The same seed draws the same pairs of user and item, now and later.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// What the files are; by default their first bytes decide.
    #[serde(default)]
    pub format: Format,
    /// Which columns are which, by name or by place from 1: `{user: reviewer, item: asin, rating: stars, time: 4}`. Those not given are known by
    /// usual names; without a header the order is user, item, rating, time.
    #[serde(default)]
    pub columns: Columns,
    /// What stands between fields: one character, `tab`, `blank` or `::`. Found out by default.
    #[serde(default)]
    pub delimiter: Option<Delimiter>,
    /// Whether the first row names the columns. By default it does if no field of it is a number.
    #[serde(default)]
    pub header: Option<bool>,
    /// Whether `"` begins a field that may hold delimiters and newlines.
    #[serde(default = "default_quoting")]
    pub quoting: bool,
    /// What becomes of ids: `int` takes numbers from 0 to 2147483647, `map` gives every distinct id a number and keeps the list, `auto` does
    /// what the dataset that is there does, else what the first rows need, for users and items each.
    #[serde(default)]
    pub ids: IdMode,
    /// The day of ratings without a time, `YYYY-MM-DD`.
    #[serde(default = "default_undated")]
    pub undated: String,
    /// The rating that stands for "seen, not rated": such rows are counted and left out. By default that of the layout: -1 in `anime`, 0 in
    /// `book_crossing`.
    #[serde(default)]
    pub unrated: Option<f32>,
    /// The rating of rows that have none, such as clicks. By default such rows are malformed.
    #[serde(default)]
    pub default_rating: Option<f32>,
    /// What happens to rows that are there: `upsert` unites old and new and keeps the highest rating of an item, user and date; `overwrite`
    /// replaces; `append` adds. Ids keep their numbers in every mode.
    #[serde(default)]
    pub mode: Mode,
    /// Type of the RATING column: `int` (whole numbers), `float`, or `auto`: that of the dataset that is there, else what the ratings need.
    #[serde(default)]
    pub rating_type: RatingTypeChoice,
    /// The ratings that count, such as `1-10`. By default `0.5-5`, or what the layout has; a file with more than a few others is refused.
    #[serde(default)]
    pub rating_range: Option<RatingRange>,
    /// How many malformed rows are too many: a count, or a share such as 0.01. By default any number is dropped (and reported, as every one is),
    /// unless no row is good.
    #[serde(default)]
    pub max_bad_rows: Option<MaxBadRows>,
    /// How files are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Split a month into files of about this many bytes; one file a month by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub target_file_size: Option<u64>,
    /// Split a month that is written into so many files of equally many rows. Not together with `target_file_size`.
    #[serde(default)]
    pub target_repartition: Option<NonZeroU32>,
    /// Rows in a row group of a file; 1048576 by default.
    #[serde(default)]
    pub row_group_rows: Option<NonZeroU32>,
    /// Finer points of the Parquet files.
    #[serde(default)]
    pub write_options: WriteOptions,
}

fn default_seed() -> u64 {
    42
}

fn default_quoting() -> bool {
    true
}

fn default_undated() -> String {
    "1970-01-01".to_owned()
}

impl ImportInputs {
    /// What was said of the files.
    pub(super) fn options(&self) -> Result<Options> {
        let undated = day(&self.undated, "undated")?;
        if let Some(rating) = self.default_rating.filter(|rating| !self.rating_range.unwrap_or_default().contains(*rating)) {
            let range = self.rating_range.unwrap_or_default();
            return Err(StageError::input(format!("`default_rating` is {rating}, outside the range {range} of ratings that count"))
                .with_hint("choose another, or set `rating_range`"));
        }
        Ok(Options {
            format: self.format,
            columns: self.columns.clone(),
            delimiter: self.delimiter,
            header: self.header,
            quoting: self.quoting,
            rating_range: self.rating_range,
            unrated: self.unrated,
            default_rating: self.default_rating,
            undated,
        })
    }

    /// How test ratings are told from training ratings, if they come from the same files.
    pub(super) fn split(&self) -> Result<Option<Split>> {
        let given = [self.test_file.is_some(), self.test_ratio.is_some(), self.test_from.is_some()].iter().filter(|&&given| given).count();
        match (self.test_output.is_some(), given) {
            (false, 0) => return Ok(None),
            (false, _) => {
                return Err(StageError::input("test ratings are asked for without `test_output`").with_hint("say which dataset they go to"));
            }
            (true, 1) => {}
            (true, _) => {
                return Err(StageError::input(format!(
                    "`test_output` goes with one of `test_file`, `test_ratio` and `test_from`; {given} are given"
                ))
                .with_hint("say which ratings are test ratings"));
            }
        }
        match (self.test_ratio, &self.test_from) {
            (Some(ratio), _) if ratio > 0.0 && ratio < 1.0 => Ok(Some(Split::Ratio { ratio, seed: self.seed })),
            (Some(ratio), _) => Err(StageError::input(format!("`test_ratio` is {ratio}, not a share above 0 and below 1"))),
            (None, Some(from)) => Ok(Some(Split::From(day(from, "test_from")?))),
            (None, None) => Ok(None),
        }
    }

    /// Files and the datasets they go to. The test dataset of a split has none.
    pub(super) fn flows(&self, context: &Context) -> Vec<Flow<'_>> {
        let mut flows = vec![Flow::new("train", &self.train_file, &self.train_output, context)];
        if let Some(output) = &self.test_output {
            flows.push(match &self.test_file {
                Some(files) => Flow::new("test", files, output, context),
                None => Flow { label: "test", files: Vec::new(), output: context.resolve(output), given: output },
            });
        }
        flows
    }
}

fn day(text: &str, input: &str) -> Result<i32> {
    parse_iso(text.as_bytes()).ok_or_else(|| {
        StageError::input(format!("`{input}` is `{text}`, not a day")).with_hint("write it as YYYY-MM-DD, such as 2000-12-31")
    })
}
