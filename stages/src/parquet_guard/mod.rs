//! Reading Parquet files that anybody may have written: a damaged or hostile one is an error that names it, never a panic and never
//! more memory than its size explains.
//!
//! The crate `parquet` trusts what a file says of itself. A page header may promise 2 GiB, which a decompressor then fills with
//! zeros; a footer of a hundred bytes may promise a billion rows, which a reader then collects, or lists whose elements take no
//! space and much time; and some malformed pages make the decoder index out of bounds. So [`open`] checks sizes before anything is decoded
//! (`footer` and `pages` walk what that crate believes), and a panic inside the crate ends at [`Batches`]. Release builds unwind, so it can be
//! caught there; a caught panic is still told on standard error by the hook, and the reader that it came from is never used again.
//!
//! Types are those of Parquet: the Arrow schema that some writers add is ignored, and so are the differences that it makes (large
//! strings, dictionaries). Spark's 96-bit instants are read as microseconds in UTC, which is what they hold and what Spark reads back.

mod compact;
mod footer;
mod pages;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;

use crate::error::{Result, StageError};

/// Rows that a file may hold whatever its size.
const ROWS_FREE: u64 = 1 << 20;

/// Rows beyond these that each byte of a file may stand for. Rows that differ at all take a twentieth of a byte at the very
/// least (a run of equal steps, delta-encoded), so a general-purpose codec on top may still save a factor of fifty.
const ROWS_PER_BYTE: u64 = 1 << 10;

/// A Parquet file whose sizes are plausible.
pub(crate) struct ParquetFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

/// Opens a file and checks what it says of itself.
///
/// # Errors
/// A file that is not there, is not Parquet, or promises more than its size can hold.
pub(crate) fn open(path: &Path) -> Result<ParquetFile> {
    let file = File::open(path).map_err(|error| StageError::io("read", path, &error))?;
    let bytes = file.metadata().map_err(|error| StageError::io("read", path, &error))?.len();
    footer::check(&file, bytes).map_err(|why| unreadable(path, &why))?;
    let metadata = contained(|| metadata_of(&file)).map_err(|why| unreadable(path, &why))?;
    let rows = metadata.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| unreadable(path, &format!("it claims {rows} rows")))?;
    if rows > ROWS_FREE.saturating_add(bytes.saturating_mul(ROWS_PER_BYTE)) {
        return Err(unreadable(path, &format!("it claims {rows} rows in {bytes} bytes")));
    }
    Ok(ParquetFile { path: path.to_owned(), file, metadata })
}

impl ParquetFile {
    /// The columns and their types.
    pub(crate) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// What the writer noted under `name` (Parquet's key-value metadata).
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        let notes = self.metadata.metadata().file_metadata().key_value_metadata()?;
        notes.iter().find(|note| note.key == name)?.value.as_deref()
    }

    /// How many rows the file claims to hold; no more than its size explains.
    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The rows, of the columns at `columns` only, in batches of at most `batch_rows`.
    ///
    /// # Errors
    /// Pages of these columns that promise more than their size can hold. Others come with the batches.
    pub(crate) fn read(self, columns: impl IntoIterator<Item = usize>, batch_rows: usize) -> Result<Batches> {
        let Self { path, file, metadata } = self;
        let mask = ProjectionMask::roots(metadata.parquet_schema(), columns);
        pages::check(&file, metadata.metadata(), &mask).map_err(|why| unreadable(&path, &why))?;
        let build =
            || ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_projection(mask).with_batch_size(batch_rows).build();
        let reader = contained(build).map_err(|why| unreadable(&path, &why))?;
        Ok(Batches { path, reader: Some(reader) })
    }
}

/// The rows of a file, batch by batch. Ends after the first error.
pub(crate) struct Batches {
    path: PathBuf,
    /// None once it failed: after a panic it may be in any state.
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        match contained(|| reader.next().transpose().map_err(ParquetError::from)) {
            Ok(None) => None,
            Ok(Some(batch)) => {
                self.reader = Some(reader);
                Some(Ok(batch))
            }
            Err(why) => Some(Err(unreadable(&self.path, &why))),
        }
    }
}

/// The footer, with the types that this module promises.
fn metadata_of(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(file, options.clone())?;
    let roots = metadata.parquet_schema().root_schema().get_fields();
    let is_int96 = |index: usize| roots.get(index).is_some_and(|root| root.is_primitive() && root.get_physical_type() == Physical::INT96);
    if !(0..roots.len()).any(is_int96) {
        return Ok(metadata);
    }
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = metadata.schema().fields().iter().enumerate();
    let fields: Vec<Arc<Field>> = fields
        .map(
            |(index, field)| if is_int96(index) { Arc::new(field.as_ref().clone().with_data_type(instant.clone())) } else { field.clone() },
        )
        .collect();
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options.with_schema(Arc::new(Schema::new(fields))))
}

/// Runs a piece of the crate `parquet`; its errors and its panics both come back as text.
fn contained<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    // Sound to assert: what a panic may have left half-done is dropped, never looked at.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("the Parquet decoder gave up: {}", text.unwrap_or("no reason given")))
        }
    }
}

fn unreadable(path: &Path, why: &str) -> StageError {
    StageError::input(format!("`{}` is not readable Parquet", path.display()))
        .with_cause(why)
        .with_hint("the file is damaged or is not Parquet; write it again")
}
