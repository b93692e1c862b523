//! A side's names as a Parquet file: `id int32, name string`, no nulls, one row a name in the order of the numbers, so that every
//! engine can join them to ratings or factors.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use blake3::Hasher;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::map::NameMap;
use crate::error::{Result, StageError};
use crate::parquet_guard;

/// Names handed to the encoder at a time.
const BATCH_ROWS: usize = 1 << 16;

/// The list as a hash, 64 hexadecimal digits: the same names in the same order.
pub(crate) fn fingerprint(map: &NameMap) -> String {
    let mut hasher = Hasher::new();
    for name in map.iter() {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Writes the list.
pub(crate) fn write(map: &NameMap, to: impl Write + Send) -> Result<(), ParquetError> {
    let fields = vec![Field::new("id", DataType::Int32, false), Field::new("name", DataType::Utf8, false)];
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_created_by("recflow".to_owned())
        .set_compression(Compression::SNAPPY)
        // No value comes twice.
        .set_dictionary_enabled(false)
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(to, schema.clone(), options)?;
    for start in (0..map.len()).step_by(BATCH_ROWS) {
        let names = StringArray::from_iter_values(map.iter().skip(start).take(BATCH_ROWS));
        // A map has fewer names than there are numbers.
        let ids = Int32Array::from_iter_values((start..map.len()).take(BATCH_ROWS).map(|id| id as i32));
        writer.write(&RecordBatch::try_new(schema.clone(), vec![Arc::new(ids) as ArrayRef, Arc::new(names)])?)?;
    }
    writer.close()?;
    Ok(())
}

/// Reads the list at `path`.
///
/// # Errors
/// A file that is not there, is damaged, or is no such list: the numbers must rise from 0 without gaps, the names be distinct.
pub(crate) fn read(path: &Path) -> Result<NameMap> {
    let damaged = |why: &dyn std::fmt::Display| {
        StageError::input(format!("`{}` is not a list of names", path.display()))
            .with_cause(why)
            .with_hint("it is damaged or was changed; import the data again")
    };
    let file = parquet_guard::open(path)?;
    let columns = file.schema().fields().len();
    let batches = file.read(0..columns, BATCH_ROWS)?;
    let mut map = NameMap::default();
    for batch in batches {
        let batch = batch?;
        let column = |name: &str| batch.column_by_name(name).filter(|column| column.null_count() == 0);
        let ids = column("id").and_then(|column| column.as_primitive_opt::<Int32Type>());
        let names = column("name").and_then(|column| column.as_string_opt::<i32>());
        let (Some(ids), Some(names)) = (ids, names) else { return Err(damaged(&"it lacks `id int32` or `name string`")) };
        for (id, name) in ids.values().iter().zip(names.iter().flatten()) {
            if usize::try_from(*id) != Ok(map.len()) || map.id_or_add(name)? != *id {
                return Err(damaged(&format!("`{name}` has the number {id}")));
            }
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[&str]) -> NameMap {
        let mut map = NameMap::default();
        names.iter().for_each(|name| drop(map.id_or_add(name)));
        map
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.parquet");
        let mut many = map(&["", "Ünï", "a,\"b\"", "0"]);
        (0..BATCH_ROWS).for_each(|number| drop(many.id_or_add(&format!("name {number}"))));
        for list in [NameMap::default(), many] {
            let mut bytes = Vec::new();
            write(&list, &mut bytes).unwrap();
            std::fs::write(&path, &bytes).unwrap();
            let read_back = read(&path).unwrap();
            assert!(read_back.iter().eq(list.iter()));
            assert_eq!(fingerprint(&read_back), fingerprint(&list));
            std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
            assert!(read(&path).unwrap_err().message.ends_with("is not readable Parquet"));
        }
    }

    #[test]
    fn other_names_another_order_and_another_cut_are_other_lists() {
        let base = fingerprint(&map(&["ab", "c"]));
        for other in [map(&["a", "bc"]), map(&["c", "ab"]), map(&["ab"]), map(&["ab", "c", ""])] {
            assert_ne!(fingerprint(&other), base);
        }
    }
}
