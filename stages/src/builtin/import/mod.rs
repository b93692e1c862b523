//! `import`: ratings from CSV, TSV or Parquet into the datasets that `etl` writes.
//!
//! How data moves: files → [`import`](crate::import) → ratings whose named ids are numbered as they came → under the locks of the
//! datasets, `ids` renumbers them so that names that are there keep their numbers → `split` → the transaction.

mod ids;
mod inputs;
mod output;
mod split;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

pub use self::inputs::ImportInputs;
pub use self::output::ImportOutput;
use self::output::describe;
use super::flow::{Flow, check_paths, common_type, layout, recorded};
use crate::context::Context;
use crate::dataset::{Begin, Change, Layout, NewRows, Transaction, published};
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Forecast, PROCESS_BYTES, dataset_bytes};
use crate::import::{Imported, Options, Seen, Source, expand, read};
use crate::names::{NameMap, Names};
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage};

/// Reads tables of ratings into datasets.
#[derive(Debug)]
pub struct Import;

impl Stage for Import {
    const NAME: &'static str = "import";
    const SUMMARY: &'static str = "Reads ratings from CSV, TSV or Parquet files into partitioned Parquet datasets";
    const RUNS: Runs = Runs::Child;
    type Inputs = ImportInputs;
    type Output = ImportOutput;

    fn estimate(inputs: &ImportInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let train = forecast.tables(&inputs.train_file)?;
        let test = inputs.test_file.as_ref().map_or(Some(None), |files| forecast.tables(files).map(Some))?;
        let (rows, bytes) = (train.extent.rows + test.map_or(0, |test| test.extent.rows), train.bytes + test.map_or(0, |test| test.bytes));
        // Whether the test set is a file of its own, a share, or the latest ratings, whose share nobody knows: a tenth, say.
        let share = inputs.test_ratio.unwrap_or(if inputs.test_from.is_some() { 0.1 } else { 0.0 });
        let test = inputs.test_output.as_ref().map(|output| (output, test.map_or(train.extent.share(share), |test| test.extent)));
        let train = train.extent.share(1.0 - share);
        let sets = [Some((&inputs.train_output, train)), test];
        let [train, test] = sets.map(|set| {
            set.map(|(output, extent)| {
                forecast.will_write_dataset(output.as_str(), extent);
                json!({ "path": output, "rows": extent.rows })
            })
        });
        Some(Estimate {
            rows,
            read_bytes: bytes,
            written_bytes: dataset_bytes(rows),
            memory_bytes: PROCESS_BYTES + rows * 17,
            cpu_seconds: rows as f64 * 1.8e-7,
            output: json!({ "train": train, "test": test }),
            remedy: "import the files a few at a time",
        })
    }

    fn run(inputs: ImportInputs, context: &Context) -> Result<ImportOutput> {
        let ImportInputs { compression, target_file_size, target_repartition, row_group_rows, .. } = inputs;
        let layout = layout(compression, target_file_size, target_repartition, row_group_rows, &inputs.write_options)?;
        let (options, split) = (inputs.options()?, inputs.split()?);
        let mut flows = inputs.flows(context);
        check_paths(&flows, context)?;
        let outputs: Vec<_> = flows.iter().map(|flow| flow.output.clone()).collect();
        let outputs: Vec<&Path> = outputs.iter().map(AsRef::as_ref).collect();
        if let Some(output) = published(&outputs, context)? {
            return recorded(output, context);
        }
        for flow in &mut flows {
            flow.files = expand(&flow.files, context)?;
        }
        let kinds = ids::decide(&inputs, &outputs, &flows, &options, context)?;
        let mut seen = Seen::new(kinds);
        let imported = flows.iter().map(|flow| read_flow(flow, &inputs, &options, &mut seen, context)).collect::<Result<Vec<_>>>()?;
        let mut transaction = match Transaction::begin(&outputs, context)? {
            Begin::Published(output) => return recorded(output, context),
            Begin::Open(transaction) => transaction,
        };
        let names = ids::settle(&inputs, kinds, seen, &transaction, context)?;
        let (mut rows, told): (Vec<Vec<Ratings>>, Vec<Imported>) =
            imported.into_iter().map(|mut part| (std::mem::take(&mut part.blocks), part)).unzip();
        rows.iter_mut().for_each(|blocks| names.renumber(blocks));
        if let Some(split) = split {
            let train = rows.first_mut().map(std::mem::take).unwrap_or_default();
            rows = split.apply(train).into();
        }
        let output = write(&inputs, &flows, (rows, told), &names.names, &layout, &mut transaction, context)?;
        transaction.commit(&output)?;
        Ok(output)
    }
}

/// Reads the files of one flow, if it has any, and says what they were taken for.
fn read_flow(flow: &Flow<'_>, inputs: &ImportInputs, options: &Options, seen: &mut Seen, context: &Context) -> Result<Imported> {
    if flow.files.is_empty() {
        return Ok(Imported::default());
    }
    let source = Source { files: &flow.files, label: flow.label, options, max_bad_rows: inputs.max_bad_rows };
    let imported = read(source, seen, context)?;
    output::tell(flow, &imported, context);
    Ok(imported)
}

/// Writes the datasets and describes them; nobody sees them yet.
fn write(
    inputs: &ImportInputs,
    flows: &[Flow<'_>],
    (rows, told): (Vec<Vec<Ratings>>, Vec<Imported>),
    names: &Names,
    layout: &Layout,
    transaction: &mut Transaction<'_>,
    context: &Context,
) -> Result<ImportOutput> {
    let rows: Vec<NewRows<'_>> = rows.into_iter().map(NewRows::from).collect();
    let rating_types = common_type(inputs.rating_type, transaction, &rows);
    let mut written = Vec::with_capacity(flows.len());
    for (index, ((flow, rows), told)) in flows.iter().zip(rows).zip(&told).enumerate() {
        let read = rows.len();
        if read == 0 {
            context.warn(format!("there are no ratings for `{}`: it gains none", flow.given));
        }
        transaction.name_ids(index, names.clone());
        let change = Change { rows, mode: inputs.mode, rating_type: rating_types[index] };
        written.push(describe(flow, read, told, transaction.write(index, change, layout)?, context));
    }
    let mut written = written.into_iter();
    let train = written.next().ok_or_else(|| StageError::bug("import wrote no dataset"))?;
    let count = |map: &Option<Arc<NameMap>>| map.as_ref().map(|map| map.len() as u64);
    Ok(ImportOutput { train, test: written.next(), mapped_users: count(&names.users), mapped_items: count(&names.items) })
}
