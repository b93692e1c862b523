//! What people see of a workspace: pipelines with their last results, what is under way, what waits, whether a daemon is there.

use std::io::{self, Write};

use recflow_state::UnixMs;

use super::events::cut;
use super::summary::{print_table, table};
use super::text;
use crate::facts::dashboard::{Dashboard, PipelineFact, needs_attention};
use crate::workspace::Workspace;

/// Prints the dashboard.
pub(in crate::cli) fn dashboard(
    dashboard: &Dashboard,
    workspace: &Workspace,
    now: UnixMs,
    color: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let flags = workspace.flags();
    if !dashboard.any_run {
        writeln!(out, "nothing has run in `{}` yet; try `recflow run quickstart{flags}`", workspace.root().display())?;
        if dashboard.pipelines.is_empty() {
            return writeln!(out, "`recflow init` writes the shipped pipelines into a workspace");
        }
        writeln!(out)?;
    }
    pipelines(&dashboard.pipelines, now, color, out)?;
    running(dashboard, out)?;
    queued(dashboard, out)?;
    daemon(dashboard, out)?;
    let worst = dashboard.pipelines.iter().filter_map(|pipeline| pipeline.last.as_ref()).find(|run| needs_attention(run.status));
    if let Some(run) = worst {
        writeln!(out, "\nnext: recflow status {}{flags}", run.run)?;
    }
    Ok(())
}

fn pipelines(pipelines: &[PipelineFact], now: UnixMs, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = table(&["pipeline", "results", "next", "when", "time", "last run", ""], &[4]);
    for pipeline in pipelines {
        let last = pipeline.last.as_ref();
        rows.add_row([
            pipeline.pipeline.clone(),
            pipeline.results.iter().map(|status| text::run_sign(status)).collect(),
            next(pipeline, now),
            last.map(|run| text::ago(now.0 - run.created_at.0)).unwrap_or_default(),
            last.and_then(|run| run.seconds).map(text::duration).unwrap_or_default(),
            last.map(|run| run.run.clone()).unwrap_or_else(|| "never ran".to_owned()),
            last.map(|run| run.status.to_owned()).unwrap_or_default(),
        ]);
    }
    let states: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.last.as_ref().map_or("", |run| run.status)).collect();
    print_table(&rows, &states, color, out)?;
    let (start, end) = text::paint("failed", color);
    for pipeline in pipelines {
        if let (Some(error), Some(file)) = (&pipeline.error, &pipeline.file) {
            let kept = if pipeline.last.is_some() { "; the version before stays in force" } else { "" };
            writeln!(out, "\n{start}invalid{end}: {file}: {}{kept}", cut(error))?;
            writeln!(out, "         recflow validate {file}")?;
        }
    }
    Ok(())
}

/// When a pipeline starts by itself: `in 5h (Tue 03:00)`.
fn next(pipeline: &PipelineFact, now: UnixMs) -> String {
    match &pipeline.firing {
        _ if pipeline.paused => "paused".to_owned(),
        Some(firing) => {
            format!("{} ({})", text::ahead(firing.at.as_millisecond() - now.0), firing.local.strftime("%a %H:%M"))
        }
        None => String::new(),
    }
}

fn running(dashboard: &Dashboard, out: &mut dyn Write) -> io::Result<()> {
    if dashboard.running.is_empty() {
        return Ok(());
    }
    let mut rows = table(&["running now", "task", "stage", "run", "time", ""], &[4]);
    for task in &dashboard.running {
        rows.add_row([
            task.pipeline.clone(),
            task.task.clone(),
            task.stage.clone(),
            task.run.clone(),
            task.seconds.map(text::duration).unwrap_or_default(),
            if task.attempts > 1 { format!("attempt {}", task.attempts) } else { String::new() },
        ]);
    }
    writeln!(out, "\n{}", rows.trim_fmt())
}

fn queued(dashboard: &Dashboard, out: &mut dyn Write) -> io::Result<()> {
    let waiting: Vec<String> = dashboard.queued.iter().map(|(pipeline, count)| format!("{count} of {pipeline}")).collect();
    if waiting.is_empty() { Ok(()) } else { writeln!(out, "\nwaiting to run: {}", waiting.join(", ")) }
}

fn daemon(dashboard: &Dashboard, out: &mut dyn Write) -> io::Result<()> {
    let scheduled = dashboard.pipelines.iter().any(|pipeline| pipeline.firing.is_some());
    match &dashboard.daemon {
        Some(daemon) if daemon.alive => {
            let listen = daemon.address.as_ref().map(|at| format!(", http://{at}")).unwrap_or_default();
            writeln!(out, "\ndaemon: alive (pid {}{listen}), since {}", daemon.pid, daemon.started_at)
        }
        Some(daemon) => writeln!(out, "\ndaemon: gone (pid {} started {}); nothing starts by itself", daemon.pid, daemon.started_at),
        None if scheduled || !dashboard.queued.is_empty() => writeln!(out, "\ndaemon: none; nothing starts by itself"),
        None => Ok(()),
    }
}
