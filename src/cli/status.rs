//! `recflow status`: how everything stands, or how a run does. Works while runs go on, and never writes.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use recflow_stages::clock::{Clock, SystemClock};
use recflow_state::{Damage, Error, Reader, Store, UnixMs};

use super::exit::{Exit, Failure};
use super::{Terminal, view};
use crate::facts::dashboard::Dashboard;
use crate::facts::full;
use crate::workspace::Workspace;

/// How often `--watch` looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Arguments of `recflow status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow status
  recflow status --watch
  recflow status latest
  recflow status k3f9 --json | jq .tasks
  recflow status --json | jq '.pipelines[] | {pipeline, last: .last.status, next}'

`recflow runs` lists runs.")]
pub(super) struct Args {
    /// A run: its id, a unique beginning of it, or `latest`. Without it: all pipelines, what runs, what waits.
    run: Option<String>,
    /// Draw it anew every second, until Ctrl-C.
    #[arg(short, long, conflicts_with = "json")]
    watch: bool,
    /// Print JSON: the dashboard, or one run with its tasks.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    loop {
        let mut frame = Vec::new();
        let damage = match &args.run {
            Some(selector) => one(selector, args.json, workspace, terminal, &mut frame)?,
            None => all(args.json, workspace, terminal, &mut frame)?,
        };
        if args.watch && io::stdout().is_terminal() {
            // The cursor goes home, and what the last frame had below this one is cleared: nothing flickers.
            let text = String::from_utf8_lossy(&frame).replace('\n', "\x1b[K\n");
            write!(out, "\x1b[H{text}\x1b[J")?;
        } else {
            out.write_all(&frame)?;
        }
        out.flush()?;
        if !args.watch {
            warn_of_damage(&damage)?;
            return Ok(Exit::Success);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

type Damaged = Vec<Damage>;

fn one(selector: &str, json: bool, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Damaged, Failure> {
    let now = now();
    let (report, damage) = open_store(workspace)?.read_around_damage(|view| {
        let id = view.find_run(selector)?.id;
        full(workspace, view, &id, now)
    })?;
    if json {
        print_json(&report, out)?;
    } else {
        view::summary(&report, terminal.out_color, out)?;
        view::details(&report, now, out)?;
    }
    Ok(damage)
}

fn all(json: bool, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Damaged, Failure> {
    let now = now();
    let (dashboard, damage) = match open_store(workspace) {
        Ok(store) => store.read_around_damage(|view| Dashboard::look(Some(view), workspace, now))?,
        // A workspace in which nothing has run yet is no error.
        Err(Error::NoStore { .. }) => (Dashboard::look(None, workspace, now)?, Vec::new()),
        Err(error) => return Err(error.into()),
    };
    if json {
        print_json(&dashboard, out)?;
    } else {
        view::dashboard(&dashboard, workspace, now, terminal.out_color, out)?;
    }
    Ok(damage)
}

pub(super) fn print_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The store, for looking.
pub(super) fn open_store(workspace: &Workspace) -> recflow_state::Result<Reader> {
    Store::open_read_only(workspace.store())
}

/// The present, for ages and durations.
pub(super) fn now() -> UnixMs {
    UnixMs(SystemClock.now().as_millisecond())
}

/// Tells of rows that could not be read and were left out.
pub(super) fn warn_of_damage(damage: &[Damage]) -> io::Result<()> {
    for row in damage {
        writeln!(io::stderr(), "warning: a row of the store is damaged and left out: {row}")?;
    }
    if !damage.is_empty() {
        writeln!(io::stderr(), "hint: `recflow doctor` checks the store; docs/operations.md says how to restore a backup")?;
    }
    Ok(())
}
