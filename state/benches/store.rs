//! What the store costs: a commit, a cold start, a byte a task, a question to a large store.
//!
//! `cargo bench -p recflow-state [-- RUNS [TASKS]]`: so many runs (5,000) of so many tasks (20) each; prints one line a figure. A million
//! task rows: `-- 100000 10`. The store lies under the system's temporary folder (`TMPDIR`), whose disk decides the figures.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;
use std::time::{Duration, Instant};

use recflow_state::{
    AttemptRow, AttemptState, Error, NewRun, NewTask, RunFilter, RunId, RunStatus, Store, TaskRow, TaskState, Trigger, Tx, UnixMs,
};
use serde_json::json;

/// Runs, and tasks of each, unless the command line says otherwise: those of a middling pipeline.
const DEFAULT: [u64; 2] = [5_000, 20];
/// Runs whose commits are timed.
const TIMED: u64 = 500;
/// Runs that are filled in by one transaction.
const AT_ONCE: u64 = 100;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> Result {
    let mut given = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let [runs, tasks] = DEFAULT.map(|default| given.next().unwrap_or(default));
    let tasks = u32::try_from(tasks)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let store = Store::open(&path)?;
    commits(&store, tasks)?;
    fill(&store, runs, tasks)?;
    questions(&store)?;
    drop(store);
    cold_starts(&path)?;
    retention(&path, runs.max(TIMED))
}

fn create(tx: &Tx<'_>, n: u64, tasks: u32) -> Result<RunId, Error> {
    let id = RunId::from_random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let run = NewRun {
        id: id.clone(),
        pipeline: format!("pipeline-{}", n % 20),
        version: tx.pipeline_version("pipeline", "hash", "name: pipeline", None, UnixMs(0))?,
        trigger: Trigger::Schedule,
        logical_date: UnixMs(1_790_000_000_000),
        params: json!({ "rank": 64 }),
        owner: None,
        created_at: UnixMs(1_790_000_000_000 + n as i64),
        workspace: "/srv/workspace".to_owned(),
        binary_version: "0.1.0".to_owned(),
        priority: 0,
        cause: None,
        backfill: None,
        replay_of: None,
    };
    let task = |position| NewTask { task_id: format!("task_{position}"), stage: "noop".to_owned(), pool: None };
    tx.create_run(&run, &(0..tasks).map(task).collect::<Vec<_>>())?;
    let (start, end) = (run.created_at, UnixMs(run.created_at.0 + 1_000));
    tx.update_run(&id, if n.is_multiple_of(50) { RunStatus::Failed } else { RunStatus::Succeeded }, Some(start), Some(end), None)?;
    Ok(id)
}

/// What the engine writes when a task ends: the task, its attempt, an event.
fn end_task(tx: &Tx<'_>, run: &RunId, position: u32) -> Result<(), Error> {
    let now = UnixMs(1_790_000_000_000);
    let task_id = format!("task_{position}");
    let task = TaskRow {
        run_id: run.clone(),
        position,
        task_id: task_id.clone(),
        stage: "noop".to_owned(),
        state: TaskState::Succeeded,
        generation: 0,
        attempts: 1,
        queued_at: Some(now),
        started_at: Some(now),
        ended_at: Some(now),
        reason: None,
        error: None,
    };
    let attempt = AttemptRow {
        run_id: run.clone(),
        task_id: task_id.clone(),
        number: 1,
        generation: 0,
        state: AttemptState::Succeeded,
        pid: None,
        pid_start: None,
        started_at: now,
        ended_at: Some(now),
        exit: None,
        peak_rss_bytes: None,
        cpu_ms: Some(0),
        inputs: None,
        error: None,
        output: None,
        log: None,
        progress: None,
    };
    tx.put_task(&task)?;
    tx.put_attempt(&attempt)?;
    tx.append_events(run, &[(now, json!({ "task_succeeded": { "task": task_id } }))]).map(drop)
}

fn commits(store: &Store, tasks: u32) -> Result {
    let mut times = Vec::new();
    for n in 0..TIMED {
        let run = store.write(|tx| create(tx, n, tasks))?;
        for position in 0..tasks {
            let start = Instant::now();
            store.write(|tx| end_task(tx, &run, position))?;
            times.push(start.elapsed());
        }
    }
    let total: Duration = times.iter().sum();
    times.sort();
    println!(
        "3-row commit     p50 {:?}  p99 {:?}  {:.0}/s",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times.len() as f64 / total.as_secs_f64()
    );
    Ok(())
}

/// Adds ended runs until there are `runs`, and says what a task costs on disk.
fn fill(store: &Store, runs: u64, tasks: u32) -> Result {
    for first in (TIMED..runs).step_by(AT_ONCE as usize) {
        store.write(|tx| {
            for n in first..runs.min(first + AT_ONCE) {
                let run = create(tx, n, tasks)?;
                for position in 0..tasks {
                    end_task(tx, &run, position)?;
                }
            }
            Ok::<_, Error>(())
        })?;
    }
    let bytes = std::fs::metadata(store.path())?.len();
    let tasks = runs.max(TIMED) * u64::from(tasks);
    println!(
        "size             {tasks} tasks with attempt and event, {} bytes a task, {} tasks a MB",
        bytes / tasks,
        tasks * 1_000_000 / bytes
    );
    Ok(())
}

fn questions(store: &Store) -> Result {
    let time = |what: &str, ask: &dyn Fn() -> Result<(), Error>| -> Result {
        ask()?;
        let start = Instant::now();
        for _ in 0..20 {
            ask()?;
        }
        println!("{what:<16} {:?}", start.elapsed() / 20);
        Ok(())
    };
    let newest = store.read(|view| view.find_run("latest"))?.id;
    time("20 newest runs", &|| store.read(|view| view.runs(20, &RunFilter::default()).map(drop)))?;
    time("20 of a pipeline", &|| {
        let filter = RunFilter { pipeline: Some("pipeline-3".to_owned()), ..RunFilter::default() };
        store.read(|view| view.runs(20, &filter).map(drop))
    })?;
    let ask = |filter: RunFilter| move || store.read(|view| view.runs(20, &filter).map(drop));
    let pipeline = || Some("pipeline-3".to_owned());
    time("20 failed", &ask(RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() }))?;
    time("20 failed of one", &ask(RunFilter { pipeline: pipeline(), status: Some(RunStatus::Failed), ..RunFilter::default() }))?;
    time("20 by events", &ask(RunFilter { trigger: Some(Trigger::Event), ..RunFilter::default() }))?;
    time("20 of a time", &ask(RunFilter { until: Some(UnixMs(1_790_000_002_000)), ..RunFilter::default() }))?;
    time("dashboard", &|| {
        store.read(|view| {
            for name in view.pipelines_with_runs()? {
                view.runs(10, &RunFilter { pipeline: Some(name), ..RunFilter::default() })?;
            }
            view.tasks_under_way()?;
            view.unclaimed().map(drop)
        })
    })?;
    time("a whole run", &|| {
        store.read(|view| {
            view.tasks(&newest)?;
            view.attempts(&newest)?;
            view.events(&newest).map(drop)
        })
    })
}

fn cold_starts(path: &Path) -> Result {
    let time = |what: &str, open: &dyn Fn() -> Result<(), Error>| -> Result {
        let mut times = Vec::new();
        for _ in 0..200 {
            let start = Instant::now();
            open()?;
            times.push(start.elapsed());
        }
        times.sort();
        println!("{what:<16} p50 {:?}  p99 {:?}", times[100], times[198]);
        Ok(())
    };
    let ask = |view: &recflow_state::View<'_>| view.runs(20, &RunFilter::default()).map(drop);
    time("open, ask, close", &|| Store::open(path)?.read(ask))?;
    time("same, read-only", &|| Store::open_read_only(path)?.read(ask))?;
    let in_use = Store::open(path)?;
    time("same, in use", &|| Store::open_read_only(path)?.read(ask))?;
    drop(in_use);
    Ok(())
}

/// Deletes half of the runs as retention does, 16 at a time, and gives the room back.
fn retention(path: &Path, runs: u64) -> Result {
    let store = Store::open(path)?;
    let start = Instant::now();
    let old = store.read(|view| view.ended_before(UnixMs(1_790_000_001_000 + (runs / 2) as i64)))?;
    println!("choose old runs  {:?} for {}", start.elapsed(), old.len());
    let mut times = Vec::new();
    for some in old.chunks(16) {
        let start = Instant::now();
        store.write(|tx| some.iter().try_for_each(|run| tx.delete_run(run).map(drop)))?;
        times.push(start.elapsed());
    }
    times.sort();
    println!("delete 16 runs   p50 {:?}  p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
    let (start, mut pages) = (Instant::now(), 0);
    loop {
        match store.give_back(256)? {
            0 => break,
            freed => pages += freed,
        }
    }
    println!("give room back   {:?} for {pages} pages", start.elapsed());
    Ok(())
}
