//! One Parquet file of ratings: written so that the same rows give the same bytes, read from whatever engine wrote it.

mod read;
mod write;

pub(super) use read::{COLUMNS, FileRows, added_fields, read};
pub(super) use write::write_partition;
