//! `recflow pause` and `recflow unpause`: whether a pipeline starts by itself.

use std::io::Write;

use super::exit::{Exit, Failure};
use super::peer::{known_pipeline, open_for_writing, wake_daemon};
use super::status::now;
use crate::scheduler::by_hand::set_paused;
use crate::workspace::Workspace;

/// Arguments of `recflow pause` and `recflow unpause`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Names of pipelines.
    #[arg(required = true, value_name = "PIPELINE")]
    pipelines: Vec<String>,
}

pub(super) fn run(args: &Args, paused: bool, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_for_writing(workspace)?;
    // All names first: a mistake in the last one must not leave half of it done.
    for name in &args.pipelines {
        known_pipeline(&store, workspace, name)?;
    }
    let at = now();
    let changed = store.write(|tx| -> recflow_state::Result<Vec<bool>> {
        let mut changed = Vec::new();
        for name in &args.pipelines {
            changed.push(set_paused(tx, name, paused, at)?);
        }
        Ok(changed)
    })?;
    wake_daemon(workspace, &store)?;
    for (name, changed) in args.pipelines.iter().zip(changed) {
        match (paused, changed) {
            (true, true) => writeln!(out, "{name} is paused: it starts by hand only; runs under way go on")?,
            (true, false) => writeln!(out, "{name} was paused already")?,
            (false, true) => writeln!(out, "{name} starts by itself again; what was due meanwhile is skipped")?,
            (false, false) => writeln!(out, "{name} was not paused")?,
        }
    }
    Ok(Exit::Success)
}
