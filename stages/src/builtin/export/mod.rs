//! `export`: recommendations, factors or ratings as one plain file.

use std::fs;
use std::io::Write;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::export::npz;
use crate::export::publish::{Failed, publish};
use crate::export::source::{self, Recommendations};
use crate::export::table::Writer;
use crate::model;
use crate::stage::{Runs, Stage, WorkspacePath};

/// Exports what recflow holds.
#[derive(Debug)]
pub struct Export;

/// What the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Text with a header.
    Csv,
    /// Parquet.
    Parquet,
    /// A NumPy archive; of a model only.
    Npz,
}

/// Inputs of `export`. One of `recommendations`, `model` and `ratings` says what is exported.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportInputs {
    /// A table that stage `recommend` wrote: columns user, rank, item, score.
    #[serde(default)]
    pub recommendations: Option<WorkspacePath>,
    /// A model version's folder: its factors, as columns side, id and features, or as NumPy arrays user_ids, user_factors, item_ids,
    /// item_factors and rank.
    #[serde(default)]
    pub model: Option<WorkspacePath>,
    /// A dataset of ratings: columns user, item, rating, date.
    #[serde(default)]
    pub ratings: Option<WorkspacePath>,
    /// The file to write. What is there is replaced in one step.
    pub output: WorkspacePath,
    /// What it is; by default what its name ends in: .csv, .parquet or .npz.
    #[serde(default)]
    pub format: Option<FileFormat>,
}

/// What `export` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExportOutput {
    /// The file, as it was given.
    pub path: String,
    /// What it is.
    pub format: FileFormat,
    /// Its rows; of a NumPy archive, users and items.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// What is exported.
enum Subject<'a> {
    Recommendations(&'a WorkspacePath),
    Model(&'a WorkspacePath),
    Ratings(&'a WorkspacePath),
}

impl Stage for Export {
    const NAME: &'static str = "export";
    const SUMMARY: &'static str = "Writes recommendations, factors or ratings to one CSV, Parquet or NumPy file";
    const RUNS: Runs = Runs::Child;
    const PARALLEL: bool = false;
    type Inputs = ExportInputs;
    type Output = ExportOutput;

    fn run(inputs: ExportInputs, context: &Context) -> Result<ExportOutput> {
        let (subject, format) = (inputs.subject()?, inputs.format()?);
        let path = context.resolve(&inputs.output);
        context.progress("export", 0, None, Unit::Rows);
        let rows = match subject {
            Subject::Recommendations(from) => {
                let table = Recommendations::open(&context.resolve(from), context)?;
                let schema = table.schema.clone();
                write_table(&path, format, (&schema, 0), context, |take| table.batches(context, take))?
            }
            Subject::Ratings(from) => {
                let dataset = Dataset::open(&context.resolve(from), context)?;
                let names = dataset.names()?;
                let schema = source::ratings_schema(&dataset, &names);
                write_table(&path, format, (&schema, 0), context, |take| source::ratings(&dataset, &names, context, take))?
            }
            Subject::Model(from) => export_model(&context.resolve(from), &path, format, context)?,
        };
        let bytes = fs::metadata(&path).map_err(|error| StageError::io("read", &path, &error))?.len();
        context.info(format!("`{}`: {rows} rows, {bytes} bytes", inputs.output));
        Ok(ExportOutput { path: inputs.output.to_string(), format, rows, bytes })
    }
}

impl ExportInputs {
    fn subject(&self) -> Result<Subject<'_>> {
        match (&self.recommendations, &self.model, &self.ratings) {
            (Some(path), None, None) => Ok(Subject::Recommendations(path)),
            (None, Some(path), None) => Ok(Subject::Model(path)),
            (None, None, Some(path)) => Ok(Subject::Ratings(path)),
            _ => Err(StageError::input("one of `recommendations`, `model` and `ratings` says what is exported")
                .with_hint("give exactly one; a task exports one thing to one file")),
        }
    }

    fn format(&self) -> Result<FileFormat> {
        let ending = Path::new(self.output.as_str()).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let format = match (self.format, ending) {
            (Some(format), _) => format,
            (None, "csv") => FileFormat::Csv,
            (None, "parquet") => FileFormat::Parquet,
            (None, "npz") => FileFormat::Npz,
            (None, _) => {
                return Err(StageError::input(format!("the name of `{}` does not say what file it is", self.output))
                    .with_hint("let it end in .csv, .parquet or .npz, or give `format`"));
            }
        };
        if format == FileFormat::Npz && self.model.is_none() {
            return Err(
                StageError::input("a NumPy archive holds the factors of a `model`, nothing else").with_hint("export to .csv or .parquet")
            );
        }
        Ok(format)
    }
}

fn export_model(directory: &Path, path: &Path, format: FileFormat, context: &Context) -> Result<u64> {
    let (model, names) = (model::open(directory)?, model::names::read(directory)?);
    if format == FileFormat::Npz {
        publish(path, context, |file| npz::write(&model, &names, file))?;
        return Ok((model.users().ids().len() + model.items().ids().len()) as u64);
    }
    let schema = source::factors_schema(&names);
    write_table(path, format, (&schema, model.rank()), context, |take| source::factors(&model, &names, context, take))
}

type Take<'a> = dyn FnMut(&arrow_array::RecordBatch) -> Result<(), Failed> + 'a;

/// Writes the batches that `produce` hands over, whose lists have `list_length` elements. Returns how many rows there were.
fn write_table(
    path: &Path,
    format: FileFormat,
    (schema, list_length): (&std::sync::Arc<arrow_schema::Schema>, usize),
    context: &Context,
    produce: impl FnOnce(&mut Take<'_>) -> Result<(), Failed>,
) -> Result<u64> {
    let mut rows = 0;
    publish(path, context, |file: &mut (dyn Write + Send)| {
        let mut writer = match format {
            FileFormat::Csv => Writer::csv(file, schema, list_length)?,
            FileFormat::Parquet | FileFormat::Npz => Writer::parquet(file, schema)?,
        };
        produce(&mut |batch| {
            rows += batch.num_rows() as u64;
            writer.write(batch)
        })?;
        writer.finish()
    })?;
    Ok(rows)
}
