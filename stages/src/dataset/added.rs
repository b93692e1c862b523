//! Columns that others added to a dataset (`mergeSchema` in Spark): kept by whoever rewrites a month, null in rows that are new.
//!
//! recflow computes with four columns and never looks at the others. A publisher must carry them along all the same:
//!
//! ```text
//! file -> Ratings + one Batch of added values for each batch of rows   (parquet_file::read)
//!      -> Tagged: a row and the Origin of its values                   (Values::take)
//!      -> sorted, one a key: the row that stays keeps its own values
//!      -> columns again, in the order of the rows                      (Values::gather)
//! ```
//! Files may have different subsets of the columns; the dataset has their union. Types are those of Parquet, not of the engine that
//! wrote the file: a string is a string whether pandas or Spark wrote it. A dataset without such columns never comes here: its rows
//! are bare [`Row`]s, and nothing below costs anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StringArray, downcast_primitive,
    new_null_array,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use rayon::prelude::*;

use super::manifest::Column;
use super::open::Dataset;
use super::parquet_file::{self, FileRows};
use super::row::{Carrier, Line, Row};
use crate::error::{Result, StageError};

/// The added values of some rows of a file: an array for each added column of the dataset.
pub(super) type Batch = Vec<ArrayRef>;

/// The added columns of `base`: those of all its files, each once, in the order in which they are met. Empty for a plain dataset,
/// of which no file is opened.
///
/// # Errors
/// A column with different types in two files; one of a type that cannot be carried along (nested).
pub(super) fn columns(base: Option<&Dataset>) -> Result<Vec<FieldRef>> {
    let Some(base) = base.filter(|base| base.manifest().columns.len() > parquet_file::COLUMNS.len()) else { return Ok(Vec::new()) };
    let entries = base.manifest().partitions.iter();
    let paths: Vec<PathBuf> =
        entries.flat_map(|entry| entry.files.iter().map(|file| base.dir().join(&entry.dir).join(&file.name))).collect();
    let fields: Vec<Vec<FieldRef>> = paths.par_iter().map(|path| parquet_file::added_fields(path)).collect::<Result<_>>()?;
    let mut merged: Vec<(FieldRef, &Path)> = Vec::new();
    for (path, fields) in paths.iter().zip(fields) {
        for field in fields {
            check_type(&field, path)?;
            match merged.iter_mut().find(|(known, _)| known.name().eq_ignore_ascii_case(field.name())) {
                None => merged.push((field, path)),
                Some((known, _)) if known.data_type() == field.data_type() || *field.data_type() == DataType::Null => {}
                // A column that held nothing but nulls so far says nothing about its type.
                Some(known) if *known.0.data_type() == DataType::Null => *known = (field, path),
                Some((known, first)) => return Err(conflict((known, first), (&field, path))),
            }
        }
    }
    Ok(merged.into_iter().map(|(field, _)| Arc::new(field.as_ref().clone().with_nullable(true))).collect())
}

/// The columns as a manifest lists them.
pub(super) fn describe(fields: &[FieldRef]) -> impl Iterator<Item = Column> {
    fields.iter().map(|field| Column { name: field.name().clone(), kind: field.data_type().to_string() })
}

fn check_type(field: &Field, path: &Path) -> Result<()> {
    let kind = field.data_type();
    let is_flat = kind.is_primitive()
        || matches!(kind, DataType::Null | DataType::Boolean | DataType::Utf8 | DataType::Binary | DataType::FixedSizeBinary(_));
    if is_flat {
        return Ok(());
    }
    let message = format!("column `{}` of `{}` has the type {kind}, which an upsert cannot keep", field.name(), path.display());
    Err(StageError::input(message)
        .with_hint("numbers, dates, strings and bytes are kept; drop the column, write to another path, or use `mode: overwrite`"))
}

fn conflict((one, first): (&Field, &Path), (other, second): (&Field, &Path)) -> StageError {
    StageError::input(format!(
        "column `{}` is {} in `{}` and {} in `{}`",
        one.name(),
        one.data_type(),
        first.display(),
        other.data_type(),
        second.display()
    ))
    .with_hint("write the column with one type in all files, or drop it")
}

/// Where the added values of a row lie. Rows of the dataset come before new ones, which have none: of equal rows the older one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    batch: u32,
    row: u32,
}

impl Origin {
    const NONE: Self = Self { batch: u32::MAX, row: u32::MAX };
}

/// A row and where its added values lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tagged {
    row: Row,
    origin: Origin,
}

impl From<Row> for Tagged {
    fn from(row: Row) -> Self {
        Self { row, origin: Origin::NONE }
    }
}

impl Carrier for Tagged {
    fn take(file: FileRows, values: &mut Values) -> Vec<Self> {
        let first = values.batches.len() as u32;
        values.batches.extend(file.added);
        let tag = |index: usize| {
            let (batch, row) = file.places[index];
            Self { row: Row::of(&file.ratings, index), origin: Origin { batch: first + batch, row } }
        };
        (0..file.ratings.len()).map(tag).collect()
    }
}

impl Line for Tagged {
    fn row(self) -> Row {
        self.row
    }

    fn columns(lines: &[Self], values: &Values) -> Result<Vec<ArrayRef>, ArrowError> {
        (0..values.fields.len()).map(|column| values.gather(column, lines)).collect()
    }
}

/// The added values of rows that are being rewritten.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// The added columns of the dataset.
    pub(super) fields: Vec<FieldRef>,
    /// What [`Origin`]s refer to. Cloning shares the arrays.
    batches: Vec<Batch>,
}

impl Values {
    pub(super) fn of(fields: Vec<FieldRef>) -> Self {
        Self { fields, batches: Vec::new() }
    }

    /// The values of `lines` in an added column; null where a line has none.
    fn gather(&self, column: usize, lines: &[Tagged]) -> Result<ArrayRef, ArrowError> {
        macro_rules! primitive {
            ($kind:ty, $sources:ident, $data_type:ident) => {
                Ok(Arc::new(primitives::<$kind>(&$sources, lines).with_data_type($data_type.clone())))
            };
        }
        let kind = self.fields[column].data_type();
        let sources: Vec<&dyn Array> = self.batches.iter().map(|batch| batch[column].as_ref()).collect();
        downcast_primitive! {
            kind => (primitive, sources, kind),
            DataType::Boolean => {
                let typed: Vec<&BooleanArray> = sources.iter().map(|source| source.as_boolean()).collect();
                Ok(Arc::new(lines.iter().map(|line| pick(&typed, *line).map(|(source, row)| source.value(row))).collect::<BooleanArray>()))
            },
            DataType::Utf8 => {
                let typed: Vec<&StringArray> = sources.iter().map(|source| source.as_string::<i32>()).collect();
                Ok(Arc::new(lines.iter().map(|line| pick(&typed, *line).map(|(source, row)| source.value(row))).collect::<StringArray>()))
            },
            DataType::Binary => {
                let typed: Vec<&BinaryArray> = sources.iter().map(|source| source.as_binary::<i32>()).collect();
                Ok(Arc::new(lines.iter().map(|line| pick(&typed, *line).map(|(source, row)| source.value(row))).collect::<BinaryArray>()))
            },
            DataType::FixedSizeBinary(width) => {
                let typed: Vec<&FixedSizeBinaryArray> = sources.iter().map(|source| source.as_fixed_size_binary()).collect();
                let values = lines.iter().map(|line| pick(&typed, *line).map(|(source, row)| source.value(row)));
                Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, *width)?))
            },
            other => Ok(new_null_array(other, lines.len())),
        }
    }
}

fn primitives<P: ArrowPrimitiveType>(sources: &[&dyn Array], lines: &[Tagged]) -> PrimitiveArray<P> {
    let typed: Vec<&PrimitiveArray<P>> = sources.iter().map(|source| source.as_primitive::<P>()).collect();
    lines.iter().map(|line| pick(&typed, *line).map(|(source, row)| source.value(row))).collect()
}

/// The array that holds the value of a line, and its place in it; none where it is null.
fn pick<'a, A: Array>(sources: &[&'a A], line: Tagged) -> Option<(&'a A, usize)> {
    let source = sources.get(line.origin.batch as usize)?;
    let row = line.origin.row as usize;
    source.is_valid(row).then_some((*source, row))
}
