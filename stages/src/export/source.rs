//! What is exported, as batches with plain names and original ids.
//!
//! | source | columns |
//! |---|---|
//! | recommendations | `user`, `rank`, `item`, `score` |
//! | a model's factors | `side` (`user` or `item`), `id`, `features` |
//! | a dataset's ratings | `user`, `item`, `rating`, `date` |
//!
//! Ids are `int32`, or strings where the ratings had text.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{ArrayRef, Date32Array, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

use super::publish::Failed;
use crate::context::Context;
use crate::dataset::{Dataset, RatingType};
use crate::error::{Result, StageError};
use crate::model::{AlsModel, Factors};
use crate::names::{NameMap, Names, ids_or_names};
use crate::parquet_guard::{self, Batches};
use crate::ratings::Ratings;
use crate::recommend::table::Target;

/// Rows of factors in a batch times their rank: 4 MiB of floats.
const FLOATS_PER_BATCH: usize = 1 << 20;

/// Rows of ratings in a batch.
const BATCH_ROWS: usize = 1 << 16;

type Take<'a> = dyn FnMut(&RecordBatch) -> Result<(), Failed> + 'a;

/// A table that stage `recommend` wrote.
pub struct Recommendations {
    batches: Batches,
    /// Its columns.
    pub schema: Arc<Schema>,
}

impl Recommendations {
    /// Opens the table at `path`, a file or the folder of one.
    ///
    /// # Errors
    /// No such table, or a file with other columns.
    pub fn open(path: &Path, context: &Context) -> Result<Self> {
        let target = Target::of(path, context)?;
        let name = context.display(target.file());
        let wrong = |why: &dyn std::fmt::Display| {
            StageError::input(format!("`{name}` is no table of recommendations"))
                .with_cause(why)
                .with_hint("the stage `recommend` writes one")
        };
        let file = parquet_guard::open(target.file())?;
        let schema = file.schema().clone();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        if names != ["user", "rank", "item", "score"] {
            return Err(wrong(&format!("its columns are {}; expected user, rank, item, score", names.join(", "))));
        }
        let batches = file.read(0..names.len(), BATCH_ROWS)?;
        Ok(Self { batches, schema })
    }

    /// Hands all rows to `take`.
    ///
    /// # Errors
    /// A damaged file; cancellation; what `take` returns.
    pub fn batches(self, context: &Context, take: &mut Take<'_>) -> Result<(), Failed> {
        for batch in self.batches {
            context.check_cancelled()?;
            take(&batch?)?;
        }
        Ok(())
    }
}

/// The columns of factors.
pub fn factors_schema(names: &Names) -> Arc<Schema> {
    let are_texts = names.users.is_some() || names.items.is_some();
    let element = Field::new("element", DataType::Float32, false);
    Arc::new(Schema::new(vec![
        Field::new("side", DataType::Utf8, false),
        // One column holds both sides, so one name makes all of them texts.
        Field::new("id", if are_texts { DataType::Utf8 } else { DataType::Int32 }, false),
        Field::new("features", DataType::List(Arc::new(element)), false),
    ]))
}

/// Hands the factors of a model to `take`: users, then items, each by number.
///
/// # Errors
/// Cancellation; what `take` returns.
pub fn factors(model: &AlsModel, names: &Names, context: &Context, take: &mut Take<'_>) -> Result<(), Failed> {
    let schema = factors_schema(names);
    let nameless = NameMap::default();
    let are_texts = names.users.is_some() || names.items.is_some();
    for (side, factors, map) in [("user", model.users(), &names.users), ("item", model.items(), &names.items)] {
        let map = map.as_deref().or(are_texts.then_some(&nameless));
        let rows = factors.ids().as_slice();
        for (index, ids) in rows.chunks((FLOATS_PER_BATCH / factors.rank()).max(1)).enumerate() {
            context.check_cancelled()?;
            let first = index * (FLOATS_PER_BATCH / factors.rank()).max(1);
            let columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter_values(ids.iter().map(|_| side))),
                ids_or_names(ids.iter().copied(), map),
                lists(factors, first, ids.len()),
            ];
            take(&batch(&schema, columns)?)?;
        }
    }
    Ok(())
}

fn lists(factors: &Factors, first: usize, rows: usize) -> ArrayRef {
    let element = Field::new("element", DataType::Float32, false);
    let mut builder = ListBuilder::with_capacity(Float32Builder::with_capacity(rows * factors.rank()), rows).with_field(element);
    for row in first..first + rows {
        builder.values().append_slice(factors.row(row as u32));
        builder.append(true);
    }
    Arc::new(builder.finish())
}

/// The columns of ratings.
pub fn ratings_schema(dataset: &Dataset, names: &Names) -> Arc<Schema> {
    let id = |map: &Option<Arc<NameMap>>| if map.is_some() { DataType::Utf8 } else { DataType::Int32 };
    let rating = if dataset.manifest().rating_type == RatingType::Int { DataType::Int32 } else { DataType::Float32 };
    Arc::new(Schema::new(vec![
        Field::new("user", id(&names.users), false),
        Field::new("item", id(&names.items), false),
        Field::new("rating", rating, false),
        Field::new("date", DataType::Date32, false),
    ]))
}

/// Hands the ratings of a dataset to `take`, in the dataset's order.
///
/// # Errors
/// A file that cannot be read; cancellation; what `take` returns.
pub fn ratings(dataset: &Dataset, names: &Names, context: &Context, take: &mut Take<'_>) -> Result<(), Failed> {
    let schema = ratings_schema(dataset, names);
    let mut failed = None;
    let visited = dataset.visit(context, |ratings| {
        for start in (0..ratings.len()).step_by(BATCH_ROWS) {
            let rows = start..(start + BATCH_ROWS).min(ratings.len());
            if let Err(error) = rating_batch(&schema, &ratings, rows, names).and_then(|batch| take(&batch)) {
                failed = Some(error);
                return Err(StageError::bug("the taker's own error comes first"));
            }
        }
        Ok(())
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(visited?),
    }
}

fn rating_batch(schema: &Arc<Schema>, ratings: &Ratings, rows: std::ops::Range<usize>, names: &Names) -> Result<RecordBatch, Failed> {
    let stars = &ratings.rating[rows.clone()];
    let rating: ArrayRef = if schema.field(2).data_type() == &DataType::Int32 {
        Arc::new(Int32Array::from_iter_values(stars.iter().map(|&stars| stars as i32)))
    } else {
        Arc::new(Float32Array::from_iter_values(stars.iter().copied()))
    };
    let columns = vec![
        ids_or_names(ratings.user[rows.clone()].iter().copied(), names.users.as_deref()),
        ids_or_names(ratings.movie[rows.clone()].iter().copied(), names.items.as_deref()),
        rating,
        Arc::new(Date32Array::from_iter_values(ratings.date[rows].iter().copied())) as ArrayRef,
    ];
    batch(schema, columns)
}

fn batch(schema: &Arc<Schema>, columns: Vec<ArrayRef>) -> Result<RecordBatch, Failed> {
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| Failed::Stage(StageError::bug(format!("cannot form a batch: {error}"))))
}
