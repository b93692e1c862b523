//! Writing. Columns `MOVIE_ID`, `CUST_ID`: int32, `RATING`: int32 or float32, `DATE`: date32, all optional, as Spark writes them.
//!
//! Encodings are those that every reader knows (dictionary, else plain; Parquet 1.0 pages): `DELTA_BINARY_PACKED` would make
//! `CUST_ID` smaller, but Spark before 3.3 cannot read it.

use std::fs;
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float32Array, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT as DICTIONARY_PAGE_SIZE_LIMIT, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::dataset::added::Values;
use crate::dataset::manifest::FileEntry;
use crate::dataset::options::{Compression, Layout, RatingType, Statistics};
use crate::dataset::row::Line;
use crate::error::{Result, StageError};
use crate::storage::{Storage, StorageFile};

/// Rows handed to the encoder at a time, and the grain in which `target_file_bytes` is kept.
const BATCH_ROWS: usize = 16_384;

/// Users below this are counted, in a bitmap of at most 8 MiB.
const USERS_COUNTED: i32 = 1 << 26;

/// Rows in a row group where no option says otherwise.
const ROW_GROUP_ROWS: usize = 1 << 20;

type File = BufWriter<Box<dyn StorageFile>>;

/// Writes sorted rows into `dir` as `part-00000.parquet`, `part-00001.parquet`, ...; each file is on stable storage when this returns,
/// its name is not.
pub(in crate::dataset) fn write_partition<L: Line>(
    storage: &dyn Storage,
    dir: &Path,
    (rows, added): (&[L], &Values),
    rating_type: RatingType,
    layout: &Layout,
) -> Result<Vec<FileEntry>> {
    let schema = schema(rating_type, added);
    let mut files = Vec::new();
    let share = layout.files.map_or(rows.len(), |files| rows.len().div_ceil(files.get() as usize));
    let mut rest = rows;
    while !rest.is_empty() {
        let name = format!("part-{:05}.parquet", files.len());
        let path = dir.join(&name);
        let part = (&rest[..share.min(rest.len())], added);
        let written = write_file(storage.create(&path), part, &schema, rating_type, layout).map_err(|error| failed(&path, error))?;
        let bytes = fs::metadata(&path).map_err(|error| StageError::io("write", &path, &error))?.len();
        files.push(FileEntry { name, rows: written as u64, bytes });
        rest = &rest[written..];
    }
    Ok(files)
}

/// Writes a file of the first of `rows`, up to the target size. Returns how many.
fn write_file<L: Line>(
    file: io::Result<Box<dyn StorageFile>>,
    (rows, added): (&[L], &Values),
    schema: &Arc<Schema>,
    rating_type: RatingType,
    layout: &Layout,
) -> Result<usize, ParquetError> {
    // The Arrow schema would be one more thing in the file that no other engine needs.
    let options = ArrowWriterOptions::new().with_properties(properties(layout, rows)?).with_skip_arrow_metadata(true);
    let file: File = BufWriter::with_capacity(1 << 18, file?);
    let mut writer = ArrowWriter::try_new_with_options(file, schema.clone(), options)?;
    let mut written = 0;
    for batch in rows.chunks(BATCH_ROWS) {
        writer.write(&record_batch(schema, (batch, added), rating_type)?)?;
        written += batch.len();
        let bytes = (writer.bytes_written() + writer.in_progress_size()) as u64;
        if layout.target_file_bytes.is_some_and(|target| bytes >= target) {
            break;
        }
    }
    let file = writer.into_inner()?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync()?;
    Ok(written)
}

fn schema(rating_type: RatingType, added: &Values) -> Arc<Schema> {
    let rating = match rating_type {
        RatingType::Int => DataType::Int32,
        RatingType::Float => DataType::Float32,
    };
    let column = |name, kind| Arc::new(Field::new(name, kind, true));
    let mut fields = vec![
        column("MOVIE_ID", DataType::Int32),
        column("CUST_ID", DataType::Int32),
        column("RATING", rating),
        column("DATE", DataType::Date32),
    ];
    fields.extend(added.fields.iter().cloned());
    Arc::new(Schema::new(fields))
}

fn record_batch<L: Line>(
    schema: &Arc<Schema>,
    (lines, added): (&[L], &Values),
    rating_type: RatingType,
) -> Result<RecordBatch, ParquetError> {
    let rating: ArrayRef = match rating_type {
        // Whole stars were checked before anything was written.
        RatingType::Int => Arc::new(Int32Array::from_iter_values(lines.iter().map(|line| line.rating() as i32))),
        RatingType::Float => Arc::new(Float32Array::from_iter_values(lines.iter().map(|line| line.rating()))),
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(lines.iter().map(|line| line.movie()))),
        Arc::new(Int32Array::from_iter_values(lines.iter().map(|line| line.user()))),
        rating,
        Arc::new(Date32Array::from_iter_values(lines.iter().map(|line| line.date()))),
    ];
    columns.extend(L::columns(lines, added)?);
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn properties<L: Line>(layout: &Layout, rows: &[L]) -> Result<WriterProperties, ParquetError> {
    let options = &layout.options;
    let codec = match layout.compression {
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(options.compression_level.unwrap_or(3))?),
        Compression::None => Codec::UNCOMPRESSED,
    };
    let statistics = match options.statistics {
        Statistics::None => EnabledStatistics::None,
        Statistics::Chunk => EnabledStatistics::Chunk,
        Statistics::Page => EnabledStatistics::Page,
    };
    // MOVIE_ID, CUST_ID, DATE: the order of the rows.
    let sorting = [0, 1, 3].map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false });
    let mut builder = WriterProperties::builder()
        // Without a version number: the same rows give the same bytes in the next release too.
        .set_created_by("recflow".to_owned())
        .set_compression(codec)
        .set_statistics_enabled(statistics)
        .set_dictionary_enabled(options.dictionary.unwrap_or(true))
        .set_max_row_group_row_count(Some(options.row_group_rows.unwrap_or(ROW_GROUP_ROWS)))
        .set_sorting_columns(Some(sorting.into()));
    if options.dictionary.is_none() && !users_repeat(rows) {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from("CUST_ID"), false);
    }
    if let Some(bytes) = options.page_bytes {
        builder = builder.set_data_page_size_limit(bytes);
    }
    Ok(builder.build())
}

/// Whether a dictionary makes the users smaller: its 4 bytes a user, and as many bits a row as number them, against 4 bytes a row. In a
/// month most users rate a few movies, so mostly it does not; looking each of them up is what takes the longest in writing a file then.
fn users_repeat<L: Line>(rows: &[L]) -> bool {
    let Some(highest) = rows.iter().map(|row| row.user()).max() else { return true };
    if highest >= USERS_COUNTED || rows.iter().any(|row| row.user() < 0) {
        return true;
    }
    let mut seen = vec![0_u64; highest as usize / 64 + 1];
    rows.iter().for_each(|row| seen[row.user() as usize / 64] |= 1 << (row.user() % 64));
    let users = seen.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    let bits = users.next_power_of_two().trailing_zeros() as usize;
    let dictionary_bytes = users * 4;
    dictionary_bytes < DICTIONARY_PAGE_SIZE_LIMIT && dictionary_bytes + rows.len() * bits / 8 < rows.len() * 4
}

/// A full disk arrives wrapped in a Parquet error; for the user it is a full disk.
fn failed(path: &Path, error: ParquetError) -> StageError {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(io) => StageError::io("write", path, &io),
            Err(other) => StageError::bug(format!("cannot encode `{}`: {other}", path.display())),
        },
        other => StageError::bug(format!("cannot encode `{}`: {other}", path.display())),
    }
}
