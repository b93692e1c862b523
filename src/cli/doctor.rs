//! `recflow doctor`: what is wrong with this workspace, and what to do about it.

use std::io::{self, Write};

use recflow_stages::clock::SystemClock;

use super::exit::{Exit, Failure};
use super::status::print_json;
use super::{Terminal, ask};
use crate::upkeep::doctor::{Check, Verdict, examine};
use crate::workspace::Workspace;

/// Arguments of `recflow doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow doctor
  recflow doctor --json | jq '.[] | select(.verdict != \"ok\")'

Changes nothing. Exit code 1 if anything is an error; warnings do not count.")]
pub(super) struct Args {
    /// Folder of model versions.
    #[arg(long, value_name = "DIR", default_value = "models/artifacts")]
    models: String,
    /// Print JSON: a list of {name, verdict, found, remedy}.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let checks = examine(workspace, &args.models, &ask::context(workspace), &SystemClock);
    if args.json {
        print_json(&checks, out)?;
    } else {
        print(&checks, terminal.out_color, out)?;
    }
    Ok(if checks.iter().any(|check| check.verdict == Verdict::Error) { Exit::Failed } else { Exit::Success })
}

fn print(checks: &[Check], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let (word, start) = match check.verdict {
            Verdict::Ok => ("ok", "\x1b[32m"),
            Verdict::Warning => ("warning", "\x1b[33m"),
            Verdict::Error => ("error", "\x1b[31m"),
        };
        let (start, end) = if color { (start, "\x1b[0m") } else { ("", "") };
        // What a file is called must not steer the terminal.
        let found: String = check.found.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(out, "{start}{word:<7}{end}  {:width$}  {found}", check.name)?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "{:7}  {:width$}  hint: {remedy}", "", "")?;
        }
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    writeln!(out, "\n{} checks, {} warnings, {} errors", checks.len(), count(Verdict::Warning), count(Verdict::Error))
}
