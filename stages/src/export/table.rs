//! Batches as CSV or Parquet.
//!
//! CSV has a header, LF, fields in quotes only where they must be, dates as `YYYY-MM-DD`, and a list of numbers as so many columns
//! (`features_0`, `features_1`, …).

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float32Type, Int32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::publish::Failed;
use crate::date::format_iso;
use crate::error::StageError;
use crate::model::parquet_to_io;

/// A table being written.
pub enum Writer<W: Write + Send> {
    /// As text.
    Csv(Box<csv::Writer<W>>),
    /// As Parquet, compressed with Snappy.
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// A CSV file with the columns of `schema`, whose lists all have `list_length` elements.
    ///
    /// # Errors
    /// I/O trouble.
    pub fn csv(to: W, schema: &Schema, list_length: usize) -> Result<Self, Failed> {
        let mut writer = csv::Writer::from_writer(to);
        for field in schema.fields() {
            match field.data_type() {
                DataType::List(_) => {
                    (0..list_length).try_for_each(|place| writer.write_field(format!("{}_{place}", field.name()))).map_err(csv_failed)?;
                }
                _ => writer.write_field(field.name()).map_err(csv_failed)?,
            }
        }
        writer.write_record(None::<&[u8]>).map_err(csv_failed)?;
        Ok(Writer::Csv(Box::new(writer)))
    }

    /// A Parquet file with the columns of `schema`.
    ///
    /// # Errors
    /// I/O trouble.
    pub fn parquet(to: W, schema: &Arc<Schema>) -> Result<Self, Failed> {
        let properties = WriterProperties::builder().set_created_by("recflow".to_owned()).set_compression(Compression::SNAPPY).build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(to, schema.clone(), options).map_err(parquet_failed)?;
        Ok(Writer::Parquet(Box::new(writer)))
    }

    /// Adds rows.
    ///
    /// # Errors
    /// I/O trouble; a column of a type that CSV has no text for.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Failed> {
        match self {
            Writer::Parquet(writer) => writer.write(batch).map_err(parquet_failed),
            Writer::Csv(writer) => {
                for row in 0..batch.num_rows() {
                    batch.columns().iter().try_for_each(|column| write_value(writer, column.as_ref(), row))?;
                    writer.write_record(None::<&[u8]>).map_err(csv_failed)?;
                }
                Ok(())
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// I/O trouble.
    pub fn finish(self) -> Result<(), Failed> {
        match self {
            Writer::Csv(mut writer) => Ok(writer.flush()?),
            Writer::Parquet(writer) => writer.close().map(drop).map_err(parquet_failed),
        }
    }
}

fn write_value<W: Write>(writer: &mut csv::Writer<W>, column: &dyn Array, row: usize) -> Result<(), Failed> {
    if column.is_null(row) {
        return writer.write_field("").map_err(csv_failed);
    }
    let written = match column.data_type() {
        DataType::Int32 => writer.write_field(column.as_primitive::<Int32Type>().value(row).to_string()),
        // The shortest text that reads back as the same number: `4`, `3.5`.
        DataType::Float32 => writer.write_field(column.as_primitive::<Float32Type>().value(row).to_string()),
        DataType::Utf8 => writer.write_field(column.as_string::<i32>().value(row)),
        DataType::Date32 => writer.write_field(format_iso(column.as_primitive::<Date32Type>().value(row))),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            let values = list.as_primitive::<Float32Type>().values();
            values.iter().try_for_each(|value| writer.write_field(value.to_string()))
        }
        other => return Err(Failed::Stage(StageError::bug(format!("a column of type {other} has no text")))),
    };
    written.map_err(csv_failed)
}

fn csv_failed(error: csv::Error) -> Failed {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Failed::Write(error),
        other => Failed::Stage(StageError::bug(format!("cannot write CSV: {other:?}"))),
    }
}

fn parquet_failed(error: ParquetError) -> Failed {
    Failed::Write(parquet_to_io(error))
}
