//! What the API takes on a store of many runs: each read, asked again and again, and what viewers of the stream of changes cost.
//!
//! `cargo bench --bench api [-- RUNS]` prints a Markdown table for a workspace of 40 pipelines and so many runs (100,000 unless given), five tasks
//! each, of which one pipeline has 100 runs of 50 tasks. The client is a plain one on the same machine, a connection a request. Built with
//! the release profile; Linux.

#![expect(clippy::print_stdout, reason = "the table is the output")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use recflow_state::{NewRun, NewTask, RunId, RunStatus, Store, TaskRow, TaskState, Trigger, Tx, UnixMs};
use serde_json::json;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const PIPELINES: usize = 40;
const TASKS: usize = 5;
/// Requests of each call.
const TIMES: usize = 25;
const VIEWERS: usize = 200;
/// 2026-01-01.
const EPOCH_MS: i64 = 1_767_225_600_000;

fn main() -> Result {
    let runs: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir()?;
    let newest = fill(folder.path(), runs)?;
    let recflow = |arguments: &[&str]| -> Result<String> {
        let done = Command::new(env!("CARGO_BIN_EXE_recflow")).args(arguments).current_dir(folder.path()).output()?;
        Ok(String::from_utf8(done.stdout)?.trim().to_owned())
    };
    recflow(&["user", "add", "bench", "--role", "admin"])?;
    let token = recflow(&["token", "create", "bench", "--role", "admin"])?;
    let daemon = Daemon::start(folder.path())?;
    println!("| call, {runs} runs | p50 ms | worst ms | KiB |\n|---|---:|---:|---:|");
    for path in [
        "pipelines".to_owned(),
        "pipelines?search=p1".to_owned(),
        "pipelines/p1".to_owned(),
        "pipelines/wide/grid?limit=100".to_owned(),
        "pipelines/p1/grid?limit=100".to_owned(),
        "pipelines/p1/slots".to_owned(),
        "pipelines/p1/versions".to_owned(),
        "runs".to_owned(),
        "runs?limit=500".to_owned(),
        "runs?pipeline=p1&status=failed".to_owned(),
        "runs?trigger=schedule&since=2026-01-02&until=2026-01-03".to_owned(),
        "runs?status=running".to_owned(),
        format!("runs/{newest}"),
        format!("runs/{newest}/events"),
        format!("runs/{newest}/tasks/t1"),
        "overview".to_owned(),
        "system".to_owned(),
        "drift".to_owned(),
        "reports".to_owned(),
        "models".to_owned(),
        "stages".to_owned(),
    ] {
        let mut times: Vec<Duration> = Vec::new();
        let mut bytes = 0;
        for _ in 0..TIMES {
            let begun = Instant::now();
            let answer = ask(daemon.address, &token, &path)?;
            times.push(begun.elapsed());
            if !answer.starts_with("HTTP/1.1 200") {
                return Err(format!("{path}: {answer:.300}").into());
            }
            bytes = answer.len();
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("| `{path}` | {:.1} | {:.1} | {:.0} |", ms(times[TIMES / 2]), ms(times[TIMES - 1]), bytes as f64 / 1024.0);
    }
    watched(&daemon, &token)
}

/// What viewers cost while nothing changes.
fn watched(daemon: &Daemon, token: &str) -> Result {
    let before = (daemon.cpu()?, daemon.rss_mib()?);
    let mut streams = Vec::new();
    for _ in 0..VIEWERS {
        let mut stream = TcpStream::connect(daemon.address)?;
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")?;
        streams.push(stream);
    }
    let connected = daemon.cpu()?;
    sleep(Duration::from_secs(20));
    let share = (daemon.cpu()? - connected) / 20.0 * 100.0;
    println!("\n{VIEWERS} viewers: {share:.2} % of a core, {:+.1} MiB (before: {:.1} MiB)", daemon.rss_mib()? - before.1, before.1);
    Ok(())
}

/// A request on a connection of its own.
fn ask(address: SocketAddr, token: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A workspace with its pipelines and a store of runs that are over; the id of the newest run.
fn fill(folder: &Path, runs: usize) -> Result<RunId> {
    std::fs::create_dir_all(folder.join("pipelines"))?;
    let file = |count: usize| {
        let task =
            |n: usize| format!("  t{n}: {{ stage: noop{} }}\n", if n > 0 { format!(", needs: [t{}]", n - 1) } else { String::new() });
        format!("schedule: {{ cron: '0 3 29 2 *' }}\ntags: [bench]\ntasks:\n{}", (0..count).map(task).collect::<String>())
    };
    for n in 0..PIPELINES {
        std::fs::write(folder.join(format!("pipelines/p{n}.yaml")), file(TASKS))?;
    }
    std::fs::write(folder.join("pipelines/wide.yaml"), file(50))?;
    let store = Store::open(folder.join(".recflow/state.db"))?;
    let mut made = 0;
    while made < runs {
        let until = (made + 500).min(runs);
        store.write(|tx| (made..until).try_for_each(|n| add(tx, n, &format!("p{}", n % PIPELINES), &file(TASKS), TASKS)))?;
        made = until;
    }
    store.write(|tx| (runs..runs + 100).try_for_each(|n| add(tx, n, "wide", &file(50), 50)))?;
    Ok(RunId::from_random(runs as u64 - 1))
}

fn add(tx: &Tx<'_>, n: usize, pipeline: &str, text: &str, tasks: usize) -> recflow_state::Result<()> {
    let id = RunId::from_random(n as u64);
    let at = UnixMs(EPOCH_MS + n as i64 * 10_000);
    let run = NewRun {
        id: id.clone(),
        pipeline: pipeline.to_owned(),
        version: tx.pipeline_version(pipeline, pipeline, text, None, at)?,
        trigger: if n % 3 == 0 { Trigger::Manual } else { Trigger::Schedule },
        logical_date: at,
        params: json!({ "rank": 64, "data": "data/processed" }),
        owner: None,
        created_at: at,
        workspace: String::new(),
        binary_version: String::new(),
        priority: 0,
        cause: Some(json!({ "slot": at })),
        backfill: None,
        replay_of: None,
    };
    let ids: Vec<String> = (0..tasks).map(|task| format!("t{task}")).collect();
    let new = |task: &String| NewTask { task_id: task.clone(), stage: "noop".to_owned(), pool: None };
    tx.create_run(&run, &ids.iter().map(new).collect::<Vec<_>>())?;
    for (position, task_id) in ids.into_iter().enumerate() {
        tx.put_task(&TaskRow {
            run_id: id.clone(),
            position: position as u32,
            task_id,
            stage: "noop".to_owned(),
            state: TaskState::Succeeded,
            generation: 0,
            attempts: 1,
            queued_at: Some(at),
            started_at: Some(at),
            ended_at: Some(at),
            reason: None,
            error: None,
        })?;
    }
    let events: Vec<_> = (0..2 * tasks).map(|task| (at, json!({ "event": "attempt_started", "task": task / 2, "attempt": 1 }))).collect();
    tx.append_events(&id, &events)?;
    let status = if n % 10 == 0 { RunStatus::Failed } else { RunStatus::Succeeded };
    tx.update_run(&id, status, Some(at), Some(UnixMs(at.0 + 2_500)), None)
}

/// A daemon that listens, killed when dropped.
struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    fn start(workspace: &Path) -> Result<Self> {
        // Nothing of this old is to be deleted while it is measured.
        std::fs::write(workspace.join("recflow.yaml"), "retention: { older_than: 9999d, runs: 1000000 }\n")?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_recflow"));
        let command = command.args(["daemon", "--listen", "127.0.0.1:0", "--log-file", "daemon.log"]).current_dir(workspace);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let log = workspace.join("daemon.log");
        for _ in 0..600 {
            sleep(Duration::from_millis(100));
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(address) = text.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                return Ok(Self { child, address: address.parse()? });
            }
        }
        Err("the daemon does not start".into())
    }

    /// Processor time so far, in seconds.
    fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("a stat line")?.1.split_whitespace().collect();
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }

    fn rss_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("a VmRSS line")?;
        Ok(line.split_whitespace().nth(1).ok_or("a number")?.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
