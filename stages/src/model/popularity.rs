//! How often each item of a version was rated: whom the model does not know gets what most have rated.
//!
//! `popularity/items.parquet` inside a version, `id int32, ratings int64`: the items of the training from the most often rated on, of equally often
//! rated ones the lower id first. A training writes it; models of other programs, and of a recflow from before there was such a list, have
//! none. Spark's `ALSModel.load` does not look at it.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::error::{Result, StageError};
use crate::matrix::RatingMatrix;
use crate::parquet_guard;

/// The folder's name inside a version.
pub(super) const FOLDER: &str = "popularity";
/// The list in it.
pub(super) const ITEMS: &str = "items.parquet";

/// Rows handed to the encoder, and read, at a time.
const BATCH_ROWS: usize = 1 << 16;

/// An item and how many ratings of it there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatedItem {
    /// `MOVIE_ID`.
    pub item: i32,
    /// Ratings trained on.
    pub ratings: u64,
}

/// The items of `matrix` from the most often rated on, of equally often rated ones the lower id first.
pub fn of(matrix: &RatingMatrix) -> Vec<RatedItem> {
    let ratings = |row: usize| matrix.layers().iter().map(|layer| layer.by_item.indptr().nnz_in_outer_sz(row) as u64).sum();
    let mut items: Vec<RatedItem> =
        matrix.items().as_slice().iter().enumerate().map(|(row, &item)| RatedItem { item, ratings: ratings(row) }).collect();
    // Stable: ids ascend.
    items.sort_by_key(|item| std::cmp::Reverse(item.ratings));
    items
}

/// Writes the list.
pub(super) fn write(items: &[RatedItem], to: impl Write + Send) -> Result<(), ParquetError> {
    let fields = vec![Field::new("id", DataType::Int32, false), Field::new("ratings", DataType::Int64, false)];
    let schema = Arc::new(Schema::new(fields));
    let properties =
        WriterProperties::builder().set_created_by("recflow".to_owned()).set_compression(Compression::SNAPPY).set_dictionary_enabled(false);
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(to, schema.clone(), options)?;
    for items in items.chunks(BATCH_ROWS) {
        let ids = Int32Array::from_iter_values(items.iter().map(|item| item.item));
        // There are fewer ratings than an i64 counts.
        let ratings = Int64Array::from_iter_values(items.iter().map(|item| item.ratings as i64));
        writer.write(&RecordBatch::try_new(schema.clone(), vec![Arc::new(ids) as ArrayRef, Arc::new(ratings)])?)?;
    }
    writer.close()?;
    Ok(())
}

/// The list of the version at `directory`; `None` if it has none.
///
/// # Errors
/// A file that is damaged, or is no such list: numbers of ratings must not be negative, nor rise.
pub fn read(directory: &Path) -> Result<Option<Vec<RatedItem>>> {
    let path = directory.join(FOLDER).join(ITEMS);
    if !path.is_file() {
        return Ok(None);
    }
    let damaged = |why: &str| {
        StageError::input(format!("`{}` is not a list of popular items", path.display())).with_cause(why).with_hint(
            "it is damaged or was changed; remove it, and nothing is recommended to users whom the model does not know, or train again",
        )
    };
    let file = parquet_guard::open(&path)?;
    let columns = file.schema().fields().len();
    let mut items: Vec<RatedItem> = Vec::new();
    for batch in file.read(0..columns, BATCH_ROWS)? {
        let batch = batch?;
        let column = |name: &str| batch.column_by_name(name).filter(|column| column.null_count() == 0);
        let ids = column("id").and_then(|column| column.as_primitive_opt::<Int32Type>());
        let ratings = column("ratings").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(ids), Some(ratings)) = (ids, ratings) else { return Err(damaged("it lacks `id int32` or `ratings int64`")) };
        for (&item, &ratings) in ids.values().iter().zip(ratings.values()) {
            let bar = items.last().map_or(u64::MAX, |last| last.ratings);
            let ratings = u64::try_from(ratings).ok().filter(|&ratings| ratings <= bar);
            let ratings = ratings.ok_or_else(|| damaged(&format!("the number of ratings of item {item} is out of order")))?;
            items.push(RatedItem { item, ratings });
        }
    }
    Ok(Some(items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ratings;
    use crate::matrix::Duplicates;

    fn items(list: &[(i32, u64)]) -> Vec<RatedItem> {
        list.iter().map(|&(item, ratings)| RatedItem { item, ratings }).collect()
    }

    #[test]
    fn items_are_counted_over_all_their_ratings_the_most_rated_first() {
        let mut ratings = Ratings::default();
        for (item, user, day) in [(7, 1, 0), (7, 2, 0), (3, 1, 0), (3, 1, 1), (9, 1, 0), (5, 2, 0)] {
            ratings.push(item, user, 4.0, day);
        }
        let counted = |duplicates| of(&RatingMatrix::build(&ratings, duplicates).unwrap());
        assert_eq!(counted(Duplicates::Latest), items(&[(7, 2), (3, 1), (5, 1), (9, 1)]));
        assert_eq!(counted(Duplicates::All), items(&[(3, 2), (7, 2), (5, 1), (9, 1)]));
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_what_cannot_be_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let path = folder.path().join(FOLDER).join(ITEMS);
        let save = |list: &[RatedItem]| {
            let mut bytes = Vec::new();
            write(list, &mut bytes).unwrap();
            std::fs::write(&path, &bytes).unwrap();
            bytes
        };
        let long = (0..BATCH_ROWS as i32 + 5).map(|item| (item, 1 << 40)).collect::<Vec<_>>();
        for list in [items(&[]), items(&[(4, 9), (-1, 9), (2, 0)]), items(&long)] {
            save(&list);
            assert_eq!(read(folder.path()).unwrap(), Some(list));
        }
        save(&items(&[(4, 1), (5, 2)]));
        let error = read(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("the number of ratings of item 5 is out of order") && error.hint.is_some(), "{error}");
        let bytes = save(&items(&[(4, 1)]));
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        assert!(read(folder.path()).unwrap_err().message.ends_with("is not readable Parquet"));
    }
}
