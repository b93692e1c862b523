//! `metadata/` as Spark's `DefaultParamsWriter` writes it for an `ALSModel`: a text file of one line of JSON.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cold_start::ColdStart;
use super::parquet_factors::part_files;
use crate::error::{Result, StageError};

/// The class whose `load` opens the directory.
const CLASS: &str = "org.apache.spark.ml.recommendation.ALSModel";

/// The Spark version that the metadata names. Readers only look at its first two numbers, to learn which keys to
/// expect: from 2.4 on, `defaultParamMap`.
const SPARK_VERSION: &str = "3.5.0";

/// The most that a line of metadata may hold; real ones have half a kilobyte.
const LINE_MAX: u64 = 1 << 20;

/// A rank beyond this is a damaged file: rows of a megabyte.
const RANK_MAX: u64 = 1 << 18;

/// The folder's name inside a version.
pub(super) const FOLDER: &str = "metadata";

/// The line for a model of `rank`, with the columns of our datasets. Only parameters that every Spark since 2.4 knows are
/// named: `load` fails on one that it does not know.
pub(super) fn metadata_line(rank: usize, cold_start: ColdStart, version: &str, now: Timestamp) -> String {
    let params = json!({ "userCol": "CUST_ID", "itemCol": "MOVIE_ID", "coldStartStrategy": cold_start.spark_name() });
    let defaults = json!({ "userCol": "user", "itemCol": "item", "predictionCol": "prediction", "coldStartStrategy": "nan" });
    let metadata = json!({
        "class": CLASS, "timestamp": now.as_millisecond(), "sparkVersion": SPARK_VERSION, "uid": format!("ALS_recflow_{version}"),
        "paramMap": params, "defaultParamMap": defaults, "rank": rank,
    });
    metadata.to_string()
}

/// What the metadata of a model say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Floats in a factor, at least 1.
    pub(super) rank: usize,
    /// When Spark saved it.
    pub(super) timestamp: Option<Timestamp>,
    /// Its `coldStartStrategy`; never the mean.
    pub(super) cold_start: ColdStart,
}

/// Reads the metadata of the model at `directory`, whoever wrote them.
pub(super) fn read_metadata(directory: &Path) -> Result<Metadata> {
    let folder = directory.join(FOLDER);
    let Some(path) = part_files(&folder)?.into_iter().next() else {
        return Err(StageError::input(format!("`{}` has no part file", folder.display())));
    };
    let file = fs::File::open(&path).map_err(|error| StageError::io("open", &path, &error))?;
    let mut line = String::new();
    BufReader::new(file.take(LINE_MAX)).read_line(&mut line).map_err(|error| StageError::io("read", &path, &error))?;
    let wrong = |what: String| StageError::input(format!("`{}` {what}", path.display()));
    let metadata: Value = serde_json::from_str(&line).map_err(|error| wrong("is not model metadata".to_owned()).with_cause(error))?;
    if metadata["class"] != CLASS {
        let hint = format!("recflow opens models of class {CLASS}");
        return Err(wrong(format!("describes a model of class {}", metadata["class"])).with_hint(hint));
    }
    let rank = metadata["rank"].as_u64().filter(|rank| (1..=RANK_MAX).contains(rank));
    let Some(rank) = rank else { return Err(wrong(format!("has no usable rank: {}", metadata["rank"]))) };
    let timestamp = metadata["timestamp"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let cold_start = cold_start(&metadata).map_err(|found| {
        wrong(format!("has a `coldStartStrategy` of {found}")).with_hint("recflow knows `drop` and `nan`, as Spark 3 does")
    })?;
    Ok(Metadata { rank: rank as usize, timestamp, cold_start })
}

/// What the parameters say, else their defaults, else what Spark did before 2.2, when there was no such parameter. Spark
/// takes any case of letters.
fn cold_start(metadata: &Value) -> std::result::Result<ColdStart, &Value> {
    let maps = [&metadata["paramMap"], &metadata["defaultParamMap"]];
    let Some(set) = maps.into_iter().find_map(|params| params.get("coldStartStrategy")) else { return Ok(ColdStart::Nan) };
    match set.as_str().map(str::to_lowercase).as_deref() {
        Some("drop") => Ok(ColdStart::Drop),
        Some("nan") => Ok(ColdStart::Nan),
        _ => Err(set),
    }
}
