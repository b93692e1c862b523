//! One side's factors as Parquet: `id int32`, `features list<float>`, laid out as Spark writes them.
//!
//! Written with the low-level column writer, so that every name and repetition level is Spark's: the message is called
//! `spark_schema`, the list has groups `list` and `element`, elements are required.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{Array, RecordBatch};
use parquet::basic::Compression;
use parquet::data_type::{FloatType, Int32Type as ParquetInt32};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::factors::Factors;
use crate::error::{Result, StageError};
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;
use crate::parquet_guard;

/// What Spark writes for `Dataset[(Int, Array[Float])]` with columns `id` and `features`.
const SCHEMA: &str = "message spark_schema {
  required int32 id;
  optional group features (LIST) { repeated group list { required float element; } }
}";

/// The same for Spark's own reader, which prefers it to the Parquet types.
const SPARK_SCHEMA: &str = concat!(
    r#"{"type":"struct","fields":[{"name":"id","type":"integer","nullable":false,"metadata":{}},"#,
    r#"{"name":"features","type":{"type":"array","elementType":"float","containsNull":false},"nullable":true,"metadata":{}}]}"#
);

/// Floats a row group holds: 16 MiB, which is also what a writer and a reader hold in memory at a time.
const FLOATS_PER_GROUP: usize = 1 << 22;

/// Writes `factors` as one Parquet file.
pub(super) fn write(factors: &Factors, to: impl Write + Send) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // Factors hardly repeat; ids never do.
        .set_dictionary_enabled(false)
        .set_created_by(format!("recflow version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("org.apache.spark.sql.parquet.row.metadata".to_owned(), SPARK_SCHEMA.to_owned())]))
        .build();
    let mut writer = SerializedFileWriter::new(to, Arc::new(parse_message_type(SCHEMA)?), Arc::new(properties))?;
    let rank = factors.rank();
    let per_group = (FLOATS_PER_GROUP / rank).max(1);
    let ids = factors.ids().as_slice();
    // Definition level 2: list and element are there. Repetition level 0 starts a row, 1 continues it.
    let repetition: Vec<i16> = (0..per_group.min(ids.len()) * rank).map(|at| i16::from(at % rank != 0)).collect();
    let definition = vec![2_i16; repetition.len()];
    let mut values = Vec::with_capacity(repetition.len());
    for (group, ids) in ids.chunks(per_group).enumerate() {
        values.clear();
        for row in group * per_group..group * per_group + ids.len() {
            values.extend_from_slice(factors.row(row as u32));
        }
        let mut columns = writer.next_row_group()?;
        if let Some(mut column) = columns.next_column()? {
            column.typed::<ParquetInt32>().write_batch(ids, None, None)?;
            column.close()?;
        }
        if let Some(mut column) = columns.next_column()? {
            let levels = ..values.len();
            column.typed::<FloatType>().write_batch(&values, Some(&definition[levels]), Some(&repetition[levels]))?;
            column.close()?;
        }
        columns.close()?;
    }
    writer.close()?;
    Ok(())
}

/// The files of a folder that hold data, by name: those that Spark would read.
pub(super) fn part_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let error = |error| StageError::io("list", folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let hidden = entry.file_name().to_string_lossy().starts_with(['_', '.']);
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Rows as they stand in the files: ids in any order.
#[derive(Default)]
struct Collected {
    ids: Vec<i32>,
    values: Vec<f32>,
}

/// Reads one side's factors from all part files of `folder`, ids in any order.
///
/// # Errors
/// Names the file and what is wrong there: columns of another name or type, nulls, a row that is not `rank` long, a
/// number that is not finite, an id that comes twice, or no rows at all.
pub(super) fn read(folder: &Path, rank: usize) -> Result<Factors> {
    let mut collected = Collected::default();
    for path in part_files(folder)? {
        read_file(&path, rank, &mut collected)?;
    }
    let Collected { ids, values } = collected;
    if ids.is_empty() {
        return Err(StageError::input(format!("`{}` holds no factors", folder.display())));
    }
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&row| ids[row]);
    if let Some(pair) = order.windows(2).find(|pair| ids[pair[0]] == ids[pair[1]]) {
        return Err(StageError::input(format!("`{}` holds factors for id {} twice", folder.display(), ids[pair[0]])));
    }
    let stride = padded(rank);
    let mut rows = Aligned::zeroed(ids.len() * stride);
    for (to, &row) in rows.as_mut_slice().chunks_mut(stride).zip(&order) {
        to[..rank].copy_from_slice(&values[row * rank..][..rank]);
    }
    Ok(Factors::from_padded(Ids::from_ascending(order.into_iter().map(|row| ids[row]).collect()), rank, rows))
}

fn read_file(path: &Path, rank: usize, collected: &mut Collected) -> Result<()> {
    let file = parquet_guard::open(path)?;
    let columns = ["id", "features"].map(|name| file.schema().index_of(name).ok());
    let [Some(id), Some(features)] = columns else {
        let names: Vec<&str> = file.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let message = format!("`{}` has columns {}; factors have `id` and `features`", path.display(), names.join(", "));
        return Err(StageError::input(message));
    };
    for batch in file.read([id, features], 8192)? {
        read_batch(&batch?, path, rank, collected)?;
    }
    Ok(())
}

fn read_batch(batch: &RecordBatch, path: &Path, rank: usize, collected: &mut Collected) -> Result<()> {
    let wrong = |what: String| StageError::input(format!("`{}` {what}", path.display()));
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| wrong(format!("lacks column `{name}`")));
    let (ids, features) = (column("id")?, column("features")?);
    let types = || wrong(format!("has id {} and features {}, not int32 and list<float>", ids.data_type(), features.data_type()));
    let ids = ids.as_primitive_opt::<Int32Type>().ok_or_else(types)?;
    let lists = features.as_list_opt::<i32>().ok_or_else(types)?;
    if lists.values().as_primitive_opt::<Float32Type>().is_none() {
        return Err(types());
    }
    for row in 0..batch.num_rows() {
        if ids.is_null(row) || lists.is_null(row) {
            return Err(wrong("holds a row with a null".to_owned()));
        }
        let id = ids.value(row);
        let list = lists.value(row);
        let list = list.as_primitive::<Float32Type>();
        if list.len() != rank {
            return Err(wrong(format!("holds {} features for id {id}; the model's rank is {rank}", list.len())));
        }
        if list.null_count() > 0 || !list.values().iter().all(|value| value.is_finite()) {
            return Err(wrong(format!("holds a feature of id {id} that is not a finite number")));
        }
        collected.ids.push(id);
        collected.values.extend_from_slice(list.values());
    }
    Ok(())
}
