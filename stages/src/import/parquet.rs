//! The rows of a Parquet file: the columns that are wanted, batch by batch, in whatever types they have.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use super::cell::Cell;
use super::options::Options;
use super::shape::{Places, places_by_name};
use super::text::Row;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::parquet_guard::{self, Batches};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 1 << 14;

/// A file whose columns were found.
pub(super) struct Table {
    batches: Batches,
    /// Places in the batches, which hold the wanted columns only.
    places: Places,
    name: String,
    /// Rows of the file, as it says itself.
    pub(super) rows: u64,
}

impl Table {
    /// Opens the file and finds its columns.
    ///
    /// # Errors
    /// A file that is damaged or not Parquet; columns that are not there.
    pub(super) fn open(path: &Path, options: &Options, context: &Context) -> Result<Self> {
        let name = context.display(path);
        let file = parquet_guard::open(path)?;
        let names: Vec<String> = file.schema().fields().iter().map(|field| field.name().clone()).collect();
        let in_file = places_by_name(&options.columns, &names, options.default_rating.is_some(), &name)?;
        let mut wanted: Vec<usize> = in_file.all().into_iter().flatten().collect();
        wanted.sort_unstable();
        // Columns of a batch stand in the order of the file.
        let at = |place: usize| wanted.iter().position(|&other| other == place).unwrap_or_default();
        let places = Places { user: at(in_file.user), item: at(in_file.item), rating: in_file.rating.map(at), time: in_file.time.map(at) };
        let rows = file.rows() as u64;
        let batches = file.read(wanted.iter().copied(), BATCH_ROWS)?;
        Ok(Self { batches, places, name, rows })
    }

    /// Hands every row to `take`, with its number from 1. Returns how many there were.
    ///
    /// # Errors
    /// A file that is damaged; a column of a type that cannot be read; what `take` returns.
    pub(super) fn rows(mut self, mut take: impl FnMut(Row<'_>) -> Result<()>) -> Result<u64> {
        let mut done = 0;
        while let Some(batch) = self.batches.next() {
            let batch = batch?;
            for cells in self.cells(&batch)? {
                done += 1;
                take(Row { line: done, cells: Ok(cells), record: None })?;
            }
        }
        Ok(done)
    }

    /// The cells of the first rows.
    pub(super) fn sample<T>(mut self, look: impl FnOnce(&[[Cell<'_>; 4]]) -> T) -> Result<T> {
        let Some(batch) = self.batches.next() else { return Ok(look(&[])) };
        Ok(look(&self.cells(&batch?)?))
    }

    fn cells<'a>(&self, batch: &'a RecordBatch) -> Result<Vec<[Cell<'a>; 4]>> {
        let mut rows = vec![[Cell::Missing; 4]; batch.num_rows()];
        for (index, place) in self.places.all().into_iter().enumerate() {
            let Some(place) = place else { continue };
            let column = column(batch.column(place)).ok_or_else(|| {
                let (field, kind) = (batch.schema().field(place).name().clone(), batch.column(place).data_type().clone());
                StageError::input(format!("column `{field}` of `{}` has the type {kind}, which cannot be imported", self.name))
                    .with_hint("ids may be numbers or text, ratings numbers, times instants, dates, numbers or text")
            })?;
            rows.iter_mut().zip(column).for_each(|(row, cell)| row[index] = cell);
        }
        Ok(rows)
    }
}

/// A column's values. None for types that are no value of a rating: lists, structs, intervals.
fn column(array: &dyn Array) -> Option<Vec<Cell<'_>>> {
    let instant = |per_second: i64| move |value: i64| Cell::Day(value.div_euclid(86_400 * per_second));
    Some(match array.data_type() {
        DataType::Int8 => cells::<Int8Type>(array, |value| Cell::Int(value.into())),
        DataType::Int16 => cells::<Int16Type>(array, |value| Cell::Int(value.into())),
        DataType::Int32 => cells::<Int32Type>(array, |value| Cell::Int(value.into())),
        DataType::Int64 => cells::<Int64Type>(array, |value| Cell::Int(value.into())),
        DataType::UInt8 => cells::<UInt8Type>(array, |value| Cell::Int(value.into())),
        DataType::UInt16 => cells::<UInt16Type>(array, |value| Cell::Int(value.into())),
        DataType::UInt32 => cells::<UInt32Type>(array, |value| Cell::Int(value.into())),
        DataType::UInt64 => cells::<UInt64Type>(array, |value| Cell::Int(value.into())),
        DataType::Float32 => cells::<Float32Type>(array, |value| Cell::Float(value.into())),
        DataType::Float64 => cells::<Float64Type>(array, Cell::Float),
        DataType::Date32 => cells::<Date32Type>(array, |value| Cell::Day(value.into())),
        DataType::Timestamp(TimeUnit::Second, _) => cells::<TimestampSecondType>(array, instant(1)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => cells::<TimestampMillisecondType>(array, instant(1_000)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => cells::<TimestampMicrosecondType>(array, instant(1_000_000)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => cells::<TimestampNanosecondType>(array, instant(1_000_000_000)),
        DataType::Decimal128(_, 0) => cells::<Decimal128Type>(array, Cell::Int),
        &DataType::Decimal128(_, scale) => {
            cells::<Decimal128Type>(array, move |value| Cell::Float(value as f64 / 10_f64.powi(i32::from(scale))))
        }
        DataType::Boolean => array.as_boolean().iter().map(|value| value.map_or(Cell::Missing, |yes| Cell::Int(yes.into()))).collect(),
        DataType::Utf8 => texts(array.as_string::<i32>().iter().map(|value| value.map(str::as_bytes))),
        DataType::LargeUtf8 => texts(array.as_string::<i64>().iter().map(|value| value.map(str::as_bytes))),
        DataType::Binary => texts(array.as_binary::<i32>().iter()),
        DataType::LargeBinary => texts(array.as_binary::<i64>().iter()),
        _ => return None,
    })
}

fn cells<'a, P: ArrowPrimitiveType>(array: &'a dyn Array, cell: impl Fn(P::Native) -> Cell<'a>) -> Vec<Cell<'a>> {
    array.as_primitive::<P>().iter().map(|value| value.map_or(Cell::Missing, &cell)).collect()
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Vec<Cell<'a>> {
    values.map(|value| value.map_or(Cell::Missing, Cell::of_text)).collect()
}
