//! `recflow stages`: what a task can do, and what it takes and gives.

use std::io::Write;

use recflow_stages::{Catalog, Runs, StageSpec};
use serde_json::json;

use crate::pipeline::describe::{self, Field};
use crate::pipeline::suggest;

const EXAMPLES: &str = "Examples:
  recflow stages
  recflow stages train_als
  recflow stages train_als --json";

/// List the stages, or describe one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The stage to describe.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print JSON: names, summaries and JSON Schemas.
    #[arg(long)]
    json: bool,
}

/// Prints the stages, or one of them, on `out`.
pub(super) fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write, _: bool) -> anyhow::Result<u8> {
    let catalog = Catalog::builtin();
    let Some(name) = &args.name else {
        list(catalog, args.json, out)?;
        return Ok(0);
    };
    let Some(stage) = catalog.get(name) else {
        let close = suggest::closest(name, catalog.iter().map(|stage| stage.spec.name));
        let hint = close.map_or("`recflow stages` lists them".to_owned(), |close| format!("did you mean `{close}`?"));
        writeln!(err, "error: unknown stage `{name}`\n\nhint: {hint}")?;
        return Ok(2);
    };
    if args.json {
        writeln!(out, "{:#}", json!(stage.spec))?;
    } else {
        describe_stage(&stage.spec, out)?;
    }
    Ok(0)
}

fn list(catalog: &Catalog, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        let all: Vec<&StageSpec> = catalog.iter().map(|stage| &stage.spec).collect();
        writeln!(out, "{:#}", json!(all))?;
        return Ok(());
    }
    let width = catalog.iter().map(|stage| stage.spec.name.len()).max().unwrap_or(0);
    for stage in catalog.iter() {
        writeln!(out, "{:width$}  {}", stage.spec.name, stage.spec.summary)?;
    }
    writeln!(out, "\n`recflow stages NAME` shows inputs and outputs.")?;
    Ok(())
}

fn describe_stage(spec: &StageSpec, out: &mut dyn Write) -> anyhow::Result<()> {
    let runs = match spec.runs {
        Runs::Inline => "runs inside recflow",
        Runs::Child => "runs in a process of its own",
        Runs::Program => "runs another program",
    };
    writeln!(out, "{}: {} ({runs})", spec.name, spec.summary)?;
    let inputs = describe::inputs(&spec.inputs);
    writeln!(out, "\nInputs{}", if inputs.is_empty() { ": none" } else { "" })?;
    print_fields(&inputs, out)?;
    let outputs = describe::outputs(&spec.output);
    let unknown = match &spec.output {
        output if output["type"] != "object" => ": known when it has run",
        _ if outputs.is_empty() => ": none",
        _ => "",
    };
    writeln!(out, "\nOutput{unknown}")?;
    print_fields(&outputs, out)
}

fn print_fields(fields: &[Field], out: &mut dyn Write) -> anyhow::Result<()> {
    let kind = |field: &Field| match &field.default {
        Some(default) => format!("{} [{default}]", field.kind),
        None if field.required => field.kind.clone(),
        None => format!("{}, optional", field.kind),
    };
    let names = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    let kinds = fields.iter().map(|field| kind(field).chars().count()).max().unwrap_or(0).min(40);
    for field in fields {
        let line = format!("  {:names$}  {:kinds$}  {}", field.name, kind(field), field.about);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
