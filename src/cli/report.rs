//! `recflow report`: a page about a run, as one HTML file.
//!
//! Reads the store at one instant, so a run that goes on is shown as it is just now; the models of the run are read from their folder.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use recflow_stages::Catalog;
use recflow_stages::storage::{Disk, write_atomically};
use recflow_state::{MetricRow, RunId, View};

use super::ask;
use super::exit::{Exit, Failure};
use super::status::{now, open_store};
use super::view::page::{self, Models, RunPage};
use crate::facts;
use crate::pipeline::load;
use crate::workspace::Workspace;

/// Arguments of `recflow report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow report latest
  recflow report k3f9 --output report.html
  recflow report latest --output - > report.html

The file opens in any browser, without a network. Its path is printed.")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    run: String,
    /// The file to write; `-` is standard output [default: reports/RUN.html in .recflow].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let now = now();
    let (mut page, id) = open_store(workspace)?.read(|view| {
        let run = view.find_run(&args.run)?;
        let facts = facts::full(workspace, view, &run.id, now)?;
        let metrics = metrics(view, &run.id)?;
        let pipeline = view.pipeline_text(run.version)?;
        // A text that an older recflow accepted and this one does not is a page without a graph.
        let file = pipeline.file.unwrap_or_else(|| run.pipeline.clone());
        let pipeline = load(&pipeline.text, &file, Catalog::builtin()).pipeline;
        Ok((RunPage { facts, metrics, pipeline, models: None, now }, run.id))
    })?;
    page.models = page.models_folder().map(|folder| {
        let versions = recflow_stages::report::data::models::read(&workspace.root().join(&folder), &ask::context(workspace));
        Models { folder, versions: versions.map_err(|error| error.to_string()) }
    });
    let text = page::page(&page).render();
    if args.output.as_deref().is_some_and(|file| file.as_os_str() == "-") {
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Success);
    }
    let file = match args.output {
        Some(file) => std::path::absolute(file)?,
        None => workspace.home().join("reports").join(format!("{id}.html")),
    };
    if file.is_dir() {
        return Err(Failure::usage(format!("`{}` is a folder", file.display())).with_hint("give --output the name of a file"));
    }
    write_atomically(&Disk, &file, |page| page.write_all(text.as_bytes())).map_err(Failure::stage)?;
    writeln!(out, "{}", file.display())?;
    Ok(Exit::Success)
}

/// The series of every task.
fn metrics(view: &View<'_>, run: &RunId) -> recflow_state::Result<BTreeMap<String, Vec<MetricRow>>> {
    let tasks = view.tasks(run)?;
    tasks.into_iter().map(|task| Ok((task.task_id.clone(), view.metrics(run, &task.task_id)?))).collect()
}
