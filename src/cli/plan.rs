//! `recflow plan`: what a run would do, and about what it would take of the machine. The same estimates keep a run from starting that cannot fit.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use recflow_stages::Catalog;
use recflow_stages::estimate::{Estimate, Forecast, machine_memory};
use serde_json::{Map, Value};

use super::exit::{Exit, Failure};
use super::load::{self, ParamArgs};
use super::{Terminal, view};
use crate::pipeline::{Pipeline, RunInfo, Scope, TaskKind};
use crate::workspace::Workspace;

/// Arguments of `recflow plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow plan quickstart -p ratings=10000000
  recflow plan pipelines/etl-train-test.yaml -p rank=256
  recflow plan pipelines/etl-train-test.yaml --json | jq '.tasks[].estimate.memory_bytes'

Estimates go by the sizes of files and datasets and by what stages were measured to take (docs/benchmarks.md). Memory is mostly
right within a fifth; time depends on the processor.")]
pub(super) struct Args {
    /// A pipeline's file, or its name as `recflow run` takes it; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    params: ParamArgs,
    /// Print the plan as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let loaded = load::find(&args.file, workspace)?;
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let Some(params) = args.params.resolve(&source.pipeline, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    print(&source.pipeline, &params, workspace, args.json, out)?;
    Ok(Exit::Success)
}

/// Prints what a run of the pipeline would do. Runs nothing, writes nothing.
pub(super) fn print(
    pipeline: &Pipeline,
    params: &Map<String, Value>,
    workspace: &Workspace,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let estimates = estimates(pipeline, params, workspace);
    let plan = view::Plan { pipeline, params, estimates: &estimates, threads: threads(), memory: machine_memory() };
    Ok(if json { plan.json(out) } else { plan.print(out) }?)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What each task would take, by its number. None where nobody knows: a stage without an estimate, a file that is not there, an input that
/// depends on what only a run can tell.
pub(super) fn estimates(pipeline: &Pipeline, params: &Map<String, Value>, workspace: &Workspace) -> Vec<Option<Estimate>> {
    let run = RunInfo {
        id: "plan".to_owned(),
        logical_date: super::status::now().to_string(),
        pipeline: pipeline.name.clone(),
        trigger: "manual".to_owned(),
    };
    // What reads the environment has no estimate: it may be another one when the run starts.
    let mut scope = Scope::new(params.clone(), &run, &BTreeMap::new(), &BTreeMap::new());
    let mut forecast = Forecast::new(workspace.root());
    let mut estimates = vec![None; pipeline.tasks.len()];
    for number in pipeline.graph().order().unwrap_or_default() {
        let task = &pipeline.tasks[number];
        let TaskKind::Stage { stage, with } = &task.kind else { continue };
        let (Some(stage), Ok(inputs)) = (Catalog::builtin().get(stage), with.render(&scope)) else { continue };
        let Some(estimate) = stage.estimate(&Value::Object(inputs), &mut forecast) else { continue };
        scope.set_output(&task.id, estimate.output.clone());
        scope.set_state(&task.id, "succeeded");
        estimates[number] = Some(estimate);
    }
    estimates
}

/// Refuses a run of which a task needs more than `memory`, all that the machine has.
///
/// # Errors
/// The first such task, with what would make it fit.
pub(super) fn check_memory(pipeline: &Pipeline, estimates: &[Option<Estimate>], memory: Option<u64>) -> Result<(), Failure> {
    let Some(memory) = memory else { return Ok(()) };
    for (task, estimate) in pipeline.tasks.iter().zip(estimates) {
        if let Some(misfit) = estimate.as_ref().and_then(|estimate| estimate.misfit(task.id.as_str(), memory)) {
            return Err(Failure::misuse(misfit));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::load;

    const TEXT: &str = "
params: { ratings: { type: integer } }
tasks:
  generate: { stage: generate, with: { output: data, ratings: '{{ params.ratings }}' } }
  etl: { stage: etl, needs: [generate], with: { train_file: '{{ tasks.generate.output.train }}', train_output: train } }
  train: { stage: train_als, needs: [etl], with: { ratings: '{{ tasks.etl.output.train.path }}', models: models, rank: 64 } }
  test: { stage: evaluate, needs: [train], with: { model: '{{ tasks.train.output.path }}', ratings: train } }
  after: { stage: shell, needs: [test], with: { command: ['true'] } }
";

    fn planned(ratings: u64) -> (Pipeline, Vec<Option<Estimate>>) {
        let pipeline = load(TEXT, "p.yaml", Catalog::builtin()).pipeline.expect("a valid pipeline");
        let folder = tempfile::tempdir().expect("a folder");
        let params = serde_json::from_value(serde_json::json!({ "ratings": ratings })).expect("a map");
        let estimates = estimates(&pipeline, &params, &Workspace::new(folder.path(), None).expect("a workspace"));
        (pipeline, estimates)
    }

    #[test]
    fn each_stage_is_estimated_from_what_those_before_it_will_write() {
        let (_, estimates) = planned(1_000_000);
        let rows: Vec<Option<u64>> = estimates.iter().map(|estimate| estimate.as_ref().map(|estimate| estimate.rows)).collect();
        assert_eq!(rows, [Some(1_000_000), Some(855_000), Some(855_000), Some(855_000), None]);
    }

    #[test]
    fn a_run_that_cannot_fit_is_refused_with_a_remedy() {
        let (pipeline, estimates) = planned(1_000_000_000);
        let most = estimates.iter().flatten().map(|estimate| estimate.memory_bytes).max().expect("some");
        assert!(check_memory(&pipeline, &estimates, Some(most)).is_ok() && check_memory(&pipeline, &estimates, None).is_ok());
        let refused = check_memory(&pipeline, &estimates, Some(28 << 30)).expect_err("it needs more");
        let mut text = Vec::new();
        refused.print(&mut text, false).expect("memory");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("task `train` would need about") && text.contains("smaller `rank`"), "{text}");
        assert_eq!(refused.exit(), Exit::Usage);
    }
}
