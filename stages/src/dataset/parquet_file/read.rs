//! Reading: our own files, and those of Spark, pandas, DuckDB or Polars with the same columns in other integer, float or time types.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, new_null_array};
use arrow_schema::{DataType, FieldRef, Schema, TimeUnit};

use crate::dataset::added::Batch;
use crate::dataset::options::RatingType;
use crate::error::{Result, StageError};
use crate::parquet_guard;
use crate::ratings::Ratings;

const BATCH_ROWS: usize = 65_536;

/// The columns that are read, in the order of [`Ratings`].
pub(in crate::dataset) const COLUMNS: [&str; 4] = ["MOVIE_ID", "CUST_ID", "RATING", "DATE"];

/// Columns that some writers keep in the files too: the folder says the same, and an engine that reads both may refuse it.
const FOLDER_COLUMNS: [&str; 2] = ["year", "month"];

/// Where the added values of a row lie: in which [`Batch`] of the file, and where in it.
pub(in crate::dataset) type Place = (u32, u32);

/// What is in a file.
#[derive(Debug)]
pub(in crate::dataset) struct FileRows {
    /// The rows without a null.
    pub(in crate::dataset) ratings: Ratings,
    /// How many rows had a null (or a rating that is not a number) and were left out.
    pub(in crate::dataset) nulls: u64,
    /// The type of the ratings, if all columns have the types that recflow writes.
    pub(in crate::dataset) rating_type: Option<RatingType>,
    /// The added columns of the file, whether they were asked for or not.
    pub(in crate::dataset) fields: Vec<FieldRef>,
    /// The added columns that were asked for, batch by batch.
    pub(in crate::dataset) added: Vec<Batch>,
    /// Where the added values of each of `ratings` lie; empty if none were asked for.
    pub(in crate::dataset) places: Vec<Place>,
}

/// Reads a file, with the added columns that are asked for: null where the file does not have them.
///
/// # Errors
/// A file that is not there, is not Parquet, lacks a column, or holds a value that does not fit the column's type here.
pub(in crate::dataset) fn read(path: &Path, added: &[FieldRef]) -> Result<FileRows> {
    let file = parquet_guard::open(path)?;
    let schema = file.schema().clone();
    let wanted = find_columns(&schema, path)?;
    let extra = added.iter().filter_map(|field| position(&schema, field.name()));
    let mut content = FileRows {
        // Grows where a file truly holds more: what a file claims is not worth reserving without a bound.
        ratings: Ratings::with_capacity(file.rows().min(1 << 24)),
        nulls: 0,
        rating_type: written_type(&schema, wanted),
        fields: unknown(&schema),
        added: Vec::new(),
        places: Vec::new(),
    };
    for batch in file.read(wanted.into_iter().chain(extra), BATCH_ROWS)? {
        let batch = batch?;
        let left_out = append(&batch, &mut content.ratings, path)?;
        content.nulls += left_out.len() as u64;
        if !added.is_empty() {
            let number = content.added.len() as u32;
            let mut left_out = left_out.into_iter().peekable();
            let kept = (0..batch.num_rows() as u32).filter(|row| left_out.next_if_eq(row).is_none());
            content.places.extend(kept.map(|row| (number, row)));
            content.added.push(added_values(&batch, added, path)?);
        }
    }
    Ok(content)
}

/// The columns of a file that recflow does not know.
///
/// # Errors
/// A file that is not there or is not Parquet.
pub(in crate::dataset) fn added_fields(path: &Path) -> Result<Vec<FieldRef>> {
    Ok(unknown(parquet_guard::open(path)?.schema()))
}

fn unknown(schema: &Schema) -> Vec<FieldRef> {
    let is_known = |name: &str| COLUMNS.iter().chain(&FOLDER_COLUMNS).any(|known| known.eq_ignore_ascii_case(name));
    schema.fields().iter().filter(|field| !is_known(field.name())).cloned().collect()
}

/// The position of a column. Names are compared as Spark does, regardless of case.
fn position(schema: &Schema, name: &str) -> Option<usize> {
    schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name))
}

fn added_values(batch: &RecordBatch, added: &[FieldRef], path: &Path) -> Result<Batch> {
    let values = |field: &FieldRef| match position(&batch.schema(), field.name()).map(|index| batch.column(index)) {
        Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
        Some(column) if *column.data_type() != DataType::Null => {
            Err(wrong_type(field.name(), &field.data_type().to_string(), column.data_type(), path))
        }
        _ => Ok(new_null_array(field.data_type(), batch.num_rows())),
    };
    added.iter().map(values).collect()
}

/// The positions of the four columns in the file.
fn find_columns(schema: &Schema, path: &Path) -> Result<[usize; 4]> {
    let mut found = [0; 4];
    for (place, name) in found.iter_mut().zip(COLUMNS) {
        *place = position(schema, name).ok_or_else(|| {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            StageError::input(format!("`{}` has no column `{name}`; it has {}", path.display(), names.join(", ")))
                .with_hint("a ratings dataset has the columns MOVIE_ID, CUST_ID, RATING and DATE")
        })?;
    }
    Ok(found)
}

fn written_type(schema: &Schema, columns: [usize; 4]) -> Option<RatingType> {
    match columns.map(|index| schema.field(index).data_type()) {
        [DataType::Int32, DataType::Int32, DataType::Int32, DataType::Date32] => Some(RatingType::Int),
        [DataType::Int32, DataType::Int32, DataType::Float32, DataType::Date32] => Some(RatingType::Float),
        _ => None,
    }
}

/// Adds the rows of a batch; returns those that had a null and were left out, in order.
fn append(batch: &RecordBatch, ratings: &mut Ratings, path: &Path) -> Result<Vec<u32>> {
    let columns = find_columns(&batch.schema(), path)?.map(|index| batch.column(index).as_ref());
    if let Some(()) = append_as_they_are(columns, ratings) {
        return Ok(Vec::new());
    }
    let [movie, user, rating, date] = columns;
    let (movie, user) = (int_column(movie, COLUMNS[0], path)?, int_column(user, COLUMNS[1], path)?);
    let (rating, date) = (float_column(rating, path)?, date_column(date, path)?);
    let mut left_out = Vec::new();
    for index in 0..batch.num_rows() {
        match (movie[index], user[index], rating[index], date[index]) {
            (Some(movie), Some(user), Some(rating), Some(date)) if !rating.is_nan() => ratings.push(movie, user, rating, date),
            _ => left_out.push(index as u32),
        }
    }
    Ok(left_out)
}

/// The common case, columns of the types that recflow and Spark write and no nulls: whole columns are copied. Same result as the general case.
fn append_as_they_are([movie, user, rating, date]: [&dyn Array; 4], ratings: &mut Ratings) -> Option<()> {
    if [movie, user, rating, date].iter().any(|column| column.null_count() > 0) {
        return None;
    }
    let (movie, user, date) =
        (movie.as_primitive_opt::<Int32Type>()?, user.as_primitive_opt::<Int32Type>()?, date.as_primitive_opt::<Date32Type>()?);
    if let Some(rating) = rating.as_primitive_opt::<Int32Type>() {
        ratings.rating.extend(rating.values().iter().map(|&stars| stars as f32));
    } else {
        let rating = rating.as_primitive_opt::<Float32Type>().filter(|rating| !rating.values().iter().any(|stars| stars.is_nan()))?;
        ratings.rating.extend_from_slice(rating.values());
    }
    ratings.movie.extend_from_slice(movie.values());
    ratings.user.extend_from_slice(user.values());
    ratings.date.extend_from_slice(date.values());
    Some(())
}

type Values<T> = Vec<Option<T>>;

fn int_column(array: &dyn Array, name: &str, path: &Path) -> Result<Values<i32>> {
    let fit = |values: Values<i128>| {
        let narrow = |value: i128| {
            i32::try_from(value).map_err(|_| {
                StageError::input(format!("`{}` holds the value {value} in `{name}`, which is no 32-bit integer", path.display()))
            })
        };
        values.into_iter().map(|value| value.map(narrow).transpose()).collect()
    };
    match array.data_type() {
        DataType::Int8 => fit(values::<Int8Type, _>(array, i128::from)),
        DataType::Int16 => fit(values::<Int16Type, _>(array, i128::from)),
        DataType::Int32 => fit(values::<Int32Type, _>(array, i128::from)),
        DataType::Int64 => fit(values::<Int64Type, _>(array, i128::from)),
        DataType::UInt8 => fit(values::<UInt8Type, _>(array, i128::from)),
        DataType::UInt16 => fit(values::<UInt16Type, _>(array, i128::from)),
        DataType::UInt32 => fit(values::<UInt32Type, _>(array, i128::from)),
        DataType::UInt64 => fit(values::<UInt64Type, _>(array, i128::from)),
        other => Err(wrong_type(name, "an integer", other, path)),
    }
}

fn float_column(array: &dyn Array, path: &Path) -> Result<Values<f32>> {
    match array.data_type() {
        DataType::Float32 => Ok(values::<Float32Type, _>(array, |value| value)),
        DataType::Float64 => Ok(values::<Float64Type, _>(array, |value| value as f32)),
        other if other.is_integer() => {
            Ok(int_column(array, COLUMNS[2], path)?.into_iter().map(|value| value.map(|value| value as f32)).collect())
        }
        other => Err(wrong_type(COLUMNS[2], "a number", other, path)),
    }
}

/// Days since 1970-01-01; an instant counts as its day in UTC.
fn date_column(array: &dyn Array, path: &Path) -> Result<Values<i32>> {
    let day = |per_second: i64| move |value: i64| value.div_euclid(86_400 * per_second) as i32;
    match array.data_type() {
        DataType::Date32 => Ok(values::<Date32Type, _>(array, |value| value)),
        DataType::Timestamp(TimeUnit::Second, _) => Ok(values::<TimestampSecondType, _>(array, day(1))),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(values::<TimestampMillisecondType, _>(array, day(1_000))),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(values::<TimestampMicrosecondType, _>(array, day(1_000_000))),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Ok(values::<TimestampNanosecondType, _>(array, day(1_000_000_000))),
        other => Err(wrong_type(COLUMNS[3], "a date", other, path)),
    }
}

fn values<P: ArrowPrimitiveType, T>(array: &dyn Array, convert: impl Fn(P::Native) -> T) -> Values<T> {
    array.as_primitive::<P>().iter().map(|value| value.map(&convert)).collect()
}

fn wrong_type(name: &str, expected: &str, found: &DataType, path: &Path) -> StageError {
    StageError::input(format!("column `{name}` of `{}` has the type {found}, expected {expected}", path.display()))
        .with_hint("write the dataset with MOVIE_ID and CUST_ID int, RATING int or float, DATE date")
}
