//! Who executes what: the daemon, runs whose process is gone, and what the daemon saw of the clock.

use recflow_stages::clock::Clock;
use recflow_state::{Reader, Run, RunStatus};

use super::Check;
use crate::engine::owner::is_daemon;
use crate::engine::{Standing, standing};
use crate::upkeep::presence::{ClockJump, Presence};
use crate::workspace::Workspace;

/// Jumps of the clock are told for so long.
const JUMPS_MS: i64 = 7 * 86_400_000;

pub(super) fn examine(reader: &Reader, workspace: &Workspace, clock: &dyn Clock) -> Vec<Check> {
    let read = reader.read_around_damage(|view| {
        let waiting = view.pipelines()?.into_iter().filter(|row| row.present && row.paused_at.is_none()).count();
        Ok((Presence::find(view)?, waiting, view.non_terminal_runs()?, ClockJump::list(view)?))
    });
    match read {
        // What is wrong with the store is told already.
        Err(_) => Vec::new(),
        Ok(((presence, pipelines, open, jumps), _)) => {
            vec![daemon(presence, pipelines, workspace), owners(&open, workspace), clock_jumps(&jumps, clock)]
        }
    }
}

fn daemon(presence: Option<Presence>, pipelines: usize, workspace: &Workspace) -> Check {
    match presence {
        None => Check::ok("daemon", "none has run here: nothing starts by itself"),
        Some(daemon) if daemon.is_alive(workspace) => {
            let address = daemon.address.map(|address| format!(", http://{address}")).unwrap_or_default();
            Check::ok("daemon", format!("alive, process {}, since {}{address}", daemon.pid, daemon.started_at))
        }
        Some(daemon) => Check::warning(
            "daemon",
            format!("gone (process {} started {}), {pipelines} pipelines wait for it", daemon.pid, daemon.started_at),
            "start it: `recflow daemon`, or `systemctl start recflow`",
        ),
    }
}

/// Runs whose process died. A daemon takes up those of the daemon before it; the others wait for a person.
fn owners(open: &[Run], workspace: &Workspace) -> Check {
    let queued = open.iter().filter(|run| run.status == RunStatus::Queued && run.owner.is_none()).count();
    let lost = |run: &&Run| run.owner.is_some() && matches!(standing(workspace, run), Standing::Interrupted);
    let lost: Vec<&Run> = open.iter().filter(lost).collect();
    let alive = open.len() - queued - lost.len();
    let found = format!("{alive} under way, {queued} waiting, {} interrupted", lost.len());
    match lost.iter().find(|run| !run.owner.as_deref().is_some_and(is_daemon)).or(lost.first()) {
        None => Check::ok("runs", found),
        Some(run) if run.owner.as_deref().is_some_and(is_daemon) => Check::warning(
            "runs",
            format!("{found}: {} of {}", run.id, run.pipeline),
            "the next daemon goes on with what the last one left",
        ),
        Some(run) => Check::warning("runs", format!("{found}: {} of {}", run.id, run.pipeline), format!("recflow resume {}", run.id)),
    }
}

fn clock_jumps(jumps: &[ClockJump], clock: &dyn Clock) -> Check {
    let now = clock.now().as_millisecond();
    let recent: Vec<&ClockJump> = jumps.iter().filter(|jump| (now - jump.at.0).abs() < JUMPS_MS).collect();
    match recent.last() {
        None => Check::ok("clock jumps", "none in a week"),
        Some(last) => Check::warning(
            "clock jumps",
            format!("{} in a week, the last by {:+.1} s", recent.len(), last.by_ms as f64 / 1e3),
            "let the machine follow a time server (`timedatectl`); a machine that sleeps shows up here too",
        ),
    }
}
