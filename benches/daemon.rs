//! What a daemon costs and how punctual it is, and how a large run flows.
//!
//! `cargo bench --bench daemon [-- SECONDS]` prints a Markdown table: a daemon with 1,000 pipelines that are not due (idle), due one after
//! another (spread), and due all at once (burst); a fan-out of 10,000 tasks and a chain of 1,000 in one run. Figures come from
//! the store and from `/proc`. Built with the release profile; Linux.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use recflow_state::{RunFilter, RunStatus, Store};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const PIPELINES: usize = 1_000;
/// By then a daemon has read all files and come to rest.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

fn main() -> Result {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(60);
    println!("| workload | figure |\n|---|---:|");
    idle(seconds)?;
    spread(seconds)?;
    burst()?;
    flow("fan-out of 10,000 `noop`", &fan_out(10_000)?)?;
    flow("chain of 1,000 `noop`", &chain(1_000)?)?;
    Ok(())
}

/// A daemon, killed when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(workspace: &Path) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recflow"));
        let child =
            command.args(["daemon", "--listen", "none"]).current_dir(workspace).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self(child))
    }

    /// Processor time so far, in seconds, without that of its children.
    fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("a stat line")?.1.split_whitespace().collect();
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }

    fn rss_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("a VmRSS line")?;
        Ok(line.split_whitespace().nth(1).ok_or("a number")?.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn workspace(schedule: impl Fn(usize) -> String) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("pipelines"))?;
    for n in 0..PIPELINES {
        let text = format!("schedule: {{ {} }}\ntasks: {{ a: {{ stage: noop }} }}\n", schedule(n));
        std::fs::write(folder.path().join(format!("pipelines/p{n}.yaml")), text)?;
    }
    Ok(folder)
}

fn idle(seconds: u64) -> Result {
    let folder = workspace(|n| format!("cron: '{} {} 29 2 *'", n % 60, n % 24))?;
    let daemon = Daemon::start(folder.path())?;
    sleep(SETTLED_AFTER);
    let before = daemon.cpu()?;
    sleep(Duration::from_secs(seconds));
    let cpu = (daemon.cpu()? - before) / seconds as f64 * 100.0;
    println!("| 1,000 pipelines, none due: CPU of one core | {cpu:.2} % |");
    println!("| … resident memory | {:.1} MiB |", daemon.rss_mib()?);
    Ok(())
}

fn spread(seconds: u64) -> Result {
    // Each is due once a minute, 60 ms after the one before it. Without catch-up, or each would at first make up for its last slot before the
    // daemon was there, up to a minute late by definition.
    let folder = workspace(|n| {
        let ms = n * 60_000 / PIPELINES;
        format!("every: 1m, start: '2026-01-01T00:00:{:02}.{:03}Z', catchup: none", ms / 1000, ms % 1000)
    })?;
    let daemon = Daemon::start(folder.path())?;
    sleep(SETTLED_AFTER);
    let (before, begun) = (daemon.cpu()?, jiff::Timestamp::now());
    sleep(Duration::from_secs(seconds));
    let cpu = daemon.cpu()? - before;
    println!("| 1,000 pipelines, each due once a minute: CPU of one core | {:.2} % |", cpu / seconds as f64 * 100.0);
    println!("| … resident memory | {:.1} MiB |", daemon.rss_mib()?);
    let runs = lateness(folder.path(), "… slot to its run's start", begun)?;
    println!("| … CPU a run | {:.2} ms |", cpu * 1e3 / runs.max(1) as f64);
    Ok(())
}

fn burst() -> Result {
    // All are due at the same instant, a few seconds from now.
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(6))?.round(jiff::Unit::Second)?;
    let folder = workspace(|_| format!("every: 1d, start: '{at}'"))?;
    let _daemon = Daemon::start(folder.path())?;
    let begun = Instant::now();
    while ended(folder.path())? < PIPELINES && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(200));
    }
    lateness(folder.path(), "1,000 pipelines due at once: slot to its run's start", at)?;
    Ok(())
}

fn ended(workspace: &Path) -> Result<usize> {
    let Ok(store) = Store::open_read_only(workspace.join(".recflow/state.db")) else { return Ok(0) };
    let filter = RunFilter { status: Some(RunStatus::Succeeded), ..RunFilter::default() };
    Ok(store.read(|view| view.runs(100_000, &filter))?.len())
}

/// Prints how late the runs of the slots from `since` on began; returns how many that are. What came due before that was due while nobody was
/// there, or while a thousand files were read for the first time.
fn lateness(workspace: &Path, name: &str, since: jiff::Timestamp) -> Result<usize> {
    let store = Store::open_read_only(workspace.join(".recflow/state.db"))?;
    let runs = store.read(|view| view.runs(100_000, &RunFilter::default()))?;
    let due = runs.iter().filter(|run| run.logical_date.0 >= since.as_millisecond());
    let mut late: Vec<i64> = due.filter_map(|run| Some(run.started_at?.0 - run.logical_date.0)).collect();
    print(name, &mut late);
    Ok(late.len())
}

/// Runs a pipeline and tells how long its tasks waited between ready and started.
fn flow(name: &str, text: &str) -> Result {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("p.yaml"), text)?;
    let begun = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_recflow")).args(["run", "p.yaml", "-q"]).current_dir(folder.path()).status()?;
    let seconds = begun.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{name} ended with {status}").into());
    }
    println!("| {name}: whole process | {seconds:.2} s |");
    let store = Store::open_read_only(folder.path().join(".recflow/state.db"))?;
    let tasks = store.read(|view| view.tasks(&view.find_run("latest")?.id))?;
    let mut waits: Vec<i64> = tasks.iter().filter_map(|task| Some(task.started_at?.0 - task.queued_at?.0)).collect();
    print("… ready to started", &mut waits);
    Ok(())
}

fn print(name: &str, ms: &mut [i64]) {
    ms.sort_unstable();
    let at = |share: f64| ms.get(((ms.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or_default();
    println!("| {name}, of {} | p50 {} ms, p99 {} ms, most {} ms |", ms.len(), at(0.5), at(0.99), at(1.0));
}

fn fan_out(tasks: usize) -> Result<String> {
    let mut text = String::from("tasks:\n  root: { stage: noop }\n");
    for task in 0..tasks {
        writeln!(text, "  t{task}: {{ stage: noop, needs: [root] }}")?;
    }
    Ok(text)
}

fn chain(tasks: usize) -> Result<String> {
    let mut text = String::from("tasks:\n  t0: { stage: noop }\n");
    for task in 1..tasks {
        writeln!(text, "  t{task}: {{ stage: noop, needs: [t{}] }}", task - 1)?;
    }
    Ok(text)
}
