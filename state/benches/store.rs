//! What the store costs: a commit, a cold start, a byte a task, a question to a large store.
//!
//! `cargo bench -p recflow-state [-- RUNS]`; prints one line a figure. The store lies under the system's
//! temporary folder (`TMPDIR`), whose disk decides the figures.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::Path;
use std::time::{Duration, Instant};

use recflow_state::{AttemptRow, AttemptState, Error, NewRun, NewTask, RunFilter, RunId, Store, TaskRow, TaskState, Trigger, UnixMs};
use serde_json::json;

/// Tasks of a run: those of a middling pipeline.
const TASKS: u32 = 20;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> Result {
    let runs = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(5_000);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let store = Store::open(&path)?;
    commits(&store)?;
    fill(&store, runs)?;
    questions(&store)?;
    drop(store);
    cold_starts(&path)
}

fn create(store: &Store, n: u64) -> Result<RunId> {
    let id = RunId::from_random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    store.write(|tx| {
        let run = NewRun {
            id: id.clone(),
            pipeline: format!("pipeline-{}", n % 20),
            version: tx.pipeline_version("pipeline", "hash", "name: pipeline", None, UnixMs(0))?,
            trigger: Trigger::Schedule,
            logical_date: UnixMs(1_790_000_000_000),
            params: json!({ "rank": 64 }),
            owner: None,
            created_at: UnixMs(1_790_000_000_000),
            workspace: "/srv/workspace".to_owned(),
            binary_version: "0.1.0".to_owned(),
            priority: 0,
            cause: None,
            backfill: None,
            replay_of: None,
        };
        let task = |position| NewTask { task_id: format!("task_{position}"), stage: "noop".to_owned(), pool: None };
        tx.create_run(&run, &(0..TASKS).map(task).collect::<Vec<_>>())
    })?;
    Ok(id)
}

/// What the engine writes when a task ends: the task, its attempt, an event.
fn end_task(store: &Store, run: &RunId, position: u32) -> Result<(), Error> {
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
    store.write(|tx| {
        tx.put_task(&task)?;
        tx.put_attempt(&attempt)?;
        tx.append_events(run, &[(now, json!({ "task_succeeded": { "task": task_id } }))]).map(drop)
    })
}

fn commits(store: &Store) -> Result {
    let mut times = Vec::new();
    for n in 0..500 {
        let run = create(store, n)?;
        for position in 0..TASKS {
            let start = Instant::now();
            end_task(store, &run, position)?;
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
fn fill(store: &Store, runs: u64) -> Result {
    for n in 500..runs {
        let run = create(store, n)?;
        for position in 0..TASKS {
            end_task(store, &run, position)?;
        }
    }
    let bytes = std::fs::metadata(store.path())?.len();
    let tasks = runs.max(500) * u64::from(TASKS);
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
