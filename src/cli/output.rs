//! `recflow output`: prints what a task returned.

use std::io::{self, Write};

use serde_json::Value;

use super::exit::{Exit, Failure};
use super::status::open_store;
use crate::facts::values::{field, names};
use crate::workspace::Workspace;

/// Arguments of `recflow output`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow output latest test
  recflow output latest test rmse
  recflow output latest test unseen_items.ndcg_at_k")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    run: String,
    /// The task.
    task: String,
    /// A field of the output; dots lead deeper.
    field: Option<String>,
    /// Print JSON also where the field is text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_store(workspace)?;
    let (run, tasks, mut outputs) = store.read(|view| {
        let run = view.find_run(&args.run)?;
        let (tasks, outputs) = (view.tasks(&run.id)?, view.outputs(&run.id)?);
        Ok((run, tasks, outputs))
    })?;
    let Some(task) = tasks.iter().find(|task| task.task_id == args.task) else {
        let names: Vec<&str> = tasks.iter().map(|task| task.task_id.as_str()).collect();
        return Err(
            Failure::usage(format!("run {} has no task `{}`", run.id, args.task)).with_hint(format!("its tasks are {}", names.join(", ")))
        );
    };
    let output = outputs.remove(&args.task).filter(|_| task.state == recflow_state::TaskState::Succeeded);
    let Some(output) = output else {
        return Err(Failure::failed(format!("task `{}` of run {} has no output: it is {}", args.task, run.id, task.state)));
    };
    let value = match &args.field {
        None => &output,
        Some(path) => field(&output, path).ok_or_else(|| {
            Failure::usage(format!("the output of task `{}` has no field `{path}`", args.task))
                .with_hint(format!("its fields are {}", names(&output).join(", ")))
        })?,
    };
    match value {
        Value::String(text) if !args.json => writeln!(out, "{text}")?,
        value => {
            serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Success)
}
