//! Lists as a Parquet file, published in one step.
//!
//! # Layout
//!
//! One row a recommendation: `user int32, rank int32, item int32, score float`, no nulls, ordered by user and rank. Spark's
//! `recommendForAllUsers` has one row a user with an array of structs instead; flat rows can be read, filtered, joined and
//! loaded into a database by everything that knows Parquet, nothing has to be exploded first, and "the best three" is
//! `rank <= 3`. Where the model has names for users or items, `user` or `item` is that name, a string: the id that the ratings came
//! with, whatever its type. The nested form is one `groupBy("user").agg(collect_list(struct("item", "score")))` away.
//!
//! # Publishing
//!
//! A target that ends in `.parquet` is a file. Any other is a folder that holds exactly one, [`PART`], so that engines which read
//! folders find it and replacing all of it is still one rename. The file's own metadata hold the publish key and the output
//! of the stage: work that was published is recognised by them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use super::batch::UserList;
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::model::parquet_to_io;
use crate::names::{NameMap, Names, ids_or_names};
use crate::storage::write_atomically;

/// The one file of a folder.
pub const PART: &str = "part-00000.parquet";

/// Names in the file's metadata.
const KEY: &str = "recflow.publish_key";
const OUTPUT: &str = "recflow.output";

/// Rows a row group: 16 MiB, which is also what the writer holds.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// Where lists are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    file: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Users with a row.
    pub users: u64,
    /// Rows.
    pub rows: u64,
}

impl Target {
    /// The target at `path`.
    ///
    /// # Errors
    /// A folder that holds something else: it would be read together with the recommendations.
    pub fn of(path: &Path, context: &Context) -> Result<Self> {
        if path.extension().is_some_and(|extension| extension == "parquet") && !path.is_dir() {
            return Ok(Self { file: path.to_owned() });
        }
        let failed = |error| StageError::io("list", path, &error);
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { file: path.join(PART) }),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            // Readers of folders pass over such names.
            if name != PART && !name.starts_with(['.', '_']) {
                let message = format!("the folder `{}` holds `{name}`, which is no list of recommendations", context.display(path));
                return Err(StageError::input(message).with_hint("give `output` a folder of its own, or a file that ends in .parquet"));
            }
        }
        Ok(Self { file: path.join(PART) })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The output recorded in the file that is there, if it is the result of the work that `key` names.
    pub fn published(&self, key: &PublishKey) -> Option<Value> {
        let reader = SerializedFileReader::new(File::open(&self.file).ok()?).ok()?;
        let metadata = reader.metadata().file_metadata().key_value_metadata()?;
        let value = |name: &str| metadata.iter().find(|entry| entry.key == name).and_then(|entry| entry.value.as_deref());
        if value(KEY)? != key.as_str() {
            return None;
        }
        serde_json::from_str(value(OUTPUT)?).ok()
    }

    /// Writes the lists that `produce` hands over, block by block, with the ids that `names` has for them, and makes them visible at once. `output` says what the stage
    /// will return, once the rows are counted.
    ///
    /// # Errors
    /// I/O trouble and what `produce` returns; then what was there before is there still.
    pub fn publish(
        &self,
        names: &Names,
        context: &Context,
        produce: impl FnOnce(&mut dyn FnMut(Vec<UserList>) -> Result<()>) -> Result<()>,
        output: impl FnOnce(Written) -> Value,
    ) -> Result<()> {
        // An error that is not about writing passes through `write_atomically` on the side.
        let mut cause = None;
        let written = write_atomically(context.storage.as_ref(), &self.file, |file| {
            let mut writer = writer(file, names).map_err(parquet_to_io)?;
            let mut written = Written::default();
            let mut failed_write = None;
            let produced = produce(&mut |lists| {
                append(&mut writer, &lists, names, &mut written).map_err(|error| {
                    failed_write = Some(parquet_to_io(error));
                    StageError::bug("the writer's own error comes first")
                })
            });
            if let Some(error) = failed_write {
                return Err(error);
            }
            if let Err(error) = produced {
                cause = Some(error);
                return Err(io::ErrorKind::Interrupted.into());
            }
            let entry = |name: &str, value: String| KeyValue::new(name.to_owned(), value);
            writer.append_key_value_metadata(entry(KEY, context.publish_key.to_string()));
            writer.append_key_value_metadata(entry(OUTPUT, output(written).to_string()));
            writer.close().map_err(parquet_to_io)?;
            failpoint::hit("recommend.before_publish");
            Ok(())
        });
        written.map_err(|error| cause.unwrap_or(error))?;
        failpoint::hit("recommend.after_publish");
        Ok(())
    }
}

fn schema(names: &Names) -> Arc<Schema> {
    let column = |name, kind| Field::new(name, kind, false);
    let id = |map: &Option<Arc<NameMap>>| if map.is_some() { DataType::Utf8 } else { DataType::Int32 };
    Arc::new(Schema::new(vec![
        column("user", id(&names.users)),
        column("rank", DataType::Int32),
        column("item", id(&names.items)),
        column("score", DataType::Float32),
    ]))
}

fn writer<W: io::Write + Send>(to: W, names: &Names) -> Result<ArrowWriter<W>, ParquetError> {
    let by = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: false };
    let properties = WriterProperties::builder()
        .set_created_by("recflow".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Named users stand in the order of their numbers, not of their names.
        .set_sorting_columns(names.users.is_none().then(|| vec![by(0), by(1)]))
        .build();
    // The Arrow schema would be one more thing in the file that no other engine needs.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(to, schema(names), options)
}

fn append<W: io::Write + Send>(
    writer: &mut ArrowWriter<W>,
    lists: &[UserList],
    names: &Names,
    written: &mut Written,
) -> Result<(), ParquetError> {
    let rows = || lists.iter().flat_map(|list| list.items.iter().map(move |place| (list.user, place)));
    let columns: Vec<ArrayRef> = vec![
        ids_or_names(rows().map(|(user, _)| user), names.users.as_deref()),
        // A list is not longer than `K_MAX`.
        Arc::new(Int32Array::from_iter_values(rows().map(|(_, place)| place.rank.cast_signed()))),
        ids_or_names(rows().map(|(_, place)| place.item), names.items.as_deref()),
        Arc::new(Float32Array::from_iter_values(rows().map(|(_, place)| place.score))),
    ];
    written.users += lists.iter().filter(|list| !list.items.is_empty()).count() as u64;
    written.rows += rows().count() as u64;
    writer.write(&RecordBatch::try_new(schema(names), columns)?)
}
