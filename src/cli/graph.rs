//! `recflow graph`: the tasks of a pipeline and what waits for what.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::validate;
use crate::pipeline::{draw, export};
use crate::workspace::Workspace;

const EXAMPLES: &str = "Examples:
  recflow graph etl.yaml
  recflow graph etl.yaml --format mermaid >> README.md
  recflow graph etl.yaml --format dot | dot -Tsvg > etl.svg";

/// Draw the graph of a pipeline.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A pipeline's file, or its name as `recflow run` takes it; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A drawing for the terminal.
    Text,
    /// A Mermaid flow chart.
    Mermaid,
    /// A Graphviz graph.
    Dot,
    /// Tasks, edges and an order of execution.
    Json,
}

/// Draws the graph on `out`; an invalid pipeline has none, and its diagnostics go to `err`.
pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write, err: &mut dyn Write, colour: bool) -> anyhow::Result<u8> {
    let loaded = validate::read(&args.file, workspace);
    err.write_all(loaded.render(colour).as_bytes())?;
    let Some(pipeline) = &loaded.pipeline else { return Ok(2) };
    match args.format {
        Format::Text => write!(out, "{}", draw::draw(pipeline))?,
        Format::Mermaid => write!(out, "{}", export::mermaid(pipeline))?,
        Format::Dot => write!(out, "{}", export::dot(pipeline))?,
        Format::Json => writeln!(out, "{:#}", export::json(pipeline))?,
    }
    Ok(0)
}
