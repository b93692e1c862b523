//! How many ratings lie in tables that people bring: told by their sizes alone.

use std::path::Path;

use super::{Extent, Forecast};
use crate::import::files_at;
use crate::intake::Files;

/// Bytes of a rating as CSV: user, item, rating and a time.
const CSV_BYTES: u64 = 25;
/// Bytes of a rating in a Parquet file of somebody else's.
const PARQUET_BYTES: u64 = 10;
/// How many times as long compressed text is once it is unpacked.
const UNPACKED: u64 = 4;

/// Tables, by their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tables {
    /// The ratings that they hold, about.
    pub extent: Extent,
    /// Their bytes.
    pub bytes: u64,
}

impl Forecast {
    /// The ratings of CSV and Parquet files; a folder stands for all files in it, a path may hold wildcards. `None` if there are none.
    pub fn tables(&self, files: &Files) -> Option<Tables> {
        let (mut rows, mut total) = (0, 0);
        for path in files.paths() {
            for file in files_at(&self.workspace.join(path.as_str())).ok()? {
                let bytes = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file)?.len();
                rows += bytes / bytes_per_rating(&file);
                total += bytes;
            }
        }
        (total > 0).then(|| Tables { extent: Extent::typical(rows), bytes: total })
    }
}

fn bytes_per_rating(file: &Path) -> u64 {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => PARQUET_BYTES,
        Some("gz" | "zst") => CSV_BYTES / UNPACKED,
        _ => CSV_BYTES,
    }
}
