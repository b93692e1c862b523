//! Reading: our own files, and those of Spark, pandas, DuckDB or Polars with the same columns in other integer, float or time types.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::dataset::manifest::Column;
use crate::dataset::options::RatingType;
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

const BATCH_ROWS: usize = 65_536;

/// The columns that are read, in the order of [`Ratings`].
const COLUMNS: [&str; 4] = ["MOVIE_ID", "CUST_ID", "RATING", "DATE"];

/// What is in a file.
#[derive(Debug)]
pub(in crate::dataset) struct FileRows {
    /// The rows without a null.
    pub(in crate::dataset) ratings: Ratings,
    /// How many rows had a null (or a rating that is not a number) and were left out.
    pub(in crate::dataset) nulls: u64,
    /// The type of the ratings, if all columns have the types that recflow writes.
    pub(in crate::dataset) rating_type: Option<RatingType>,
    /// Columns that recflow does not know.
    pub(in crate::dataset) extra: Vec<Column>,
}

/// Reads a file.
///
/// # Errors
/// A file that is not there, is not Parquet, lacks a column, or holds a value that does not fit the column's type here.
pub(in crate::dataset) fn read(path: &Path) -> Result<FileRows> {
    let file = File::open(path).map_err(|error| StageError::io("read", path, &error))?;
    let damaged = |error: &dyn std::fmt::Display| {
        StageError::input(format!("cannot read `{}`", path.display()))
            .with_cause(error)
            .with_hint("the file is damaged or is not Parquet; write the dataset again")
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    let schema = builder.schema().clone();
    let wanted = find_columns(&schema, path)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let rows = builder.metadata().file_metadata().num_rows();
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(&error))?;
    // The count comes from the file: bound what a damaged one can make us reserve.
    let mut ratings = Ratings::with_capacity(usize::try_from(rows).unwrap_or(0).min(1 << 24));
    let mut nulls = 0;
    for batch in reader {
        nulls += append(&batch.map_err(|error| damaged(&error))?, &mut ratings, path)?;
    }
    let is_known = |name: &str| COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(name));
    let extra = schema.fields().iter().filter(|field| !is_known(field.name()));
    let extra = extra.map(|field| Column { name: field.name().clone(), kind: field.data_type().to_string() }).collect();
    Ok(FileRows { ratings, nulls, rating_type: written_type(&schema, wanted), extra })
}

/// The positions of the four columns in the file. Names are compared as Spark does, regardless of case.
fn find_columns(schema: &Schema, path: &Path) -> Result<[usize; 4]> {
    let mut found = [0; 4];
    for (place, name) in found.iter_mut().zip(COLUMNS) {
        *place = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
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

/// Adds the rows of a batch; returns how many had a null.
fn append(batch: &RecordBatch, ratings: &mut Ratings, path: &Path) -> Result<u64> {
    let columns = find_columns(&batch.schema(), path)?.map(|index| batch.column(index).as_ref());
    if let Some(()) = append_as_they_are(columns, ratings) {
        return Ok(0);
    }
    let [movie, user, rating, date] = columns;
    let (movie, user) = (int_column(movie, COLUMNS[0], path)?, int_column(user, COLUMNS[1], path)?);
    let (rating, date) = (float_column(rating, path)?, date_column(date, path)?);
    let mut nulls = 0;
    for index in 0..batch.num_rows() {
        match (movie[index], user[index], rating[index], date[index]) {
            (Some(movie), Some(user), Some(rating), Some(date)) if !rating.is_nan() => ratings.push(movie, user, rating, date),
            _ => nulls += 1,
        }
    }
    Ok(nulls)
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
