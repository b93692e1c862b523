//! Heavy stages, the parent's side: a child process of this binary.
//!
//! The child waits for its order. The parent announces the process first and sends the order once it is released, so
//! that a process that works is always one that was recorded.

use std::process::{Command, Stdio};

use recflow_stages::StageError;
use recflow_stages::clock::{Clock, SystemClock};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;

use super::attempt::{Message, Order};
use super::log::Stream;
use super::memory::Held;
use super::output::too_large;
use super::patience;
use super::process::{MARK, out_of_memory_kills, spawn_group, this_program};
use super::request::{Attempt, Ended, Failure, OUTPUT_BYTES_MAX, Update};
use super::supervision::{SharedLog, Supervision, Watched, finish, pump, watch_process};

pub(super) async fn run(
    attempt: &Attempt,
    stage: &str,
    inputs: &Map<String, Value>,
    supervision: Supervision,
    released: oneshot::Receiver<()>,
) -> Ended {
    match start(attempt, stage, inputs, &supervision, released).await {
        Ok(ended) => ended,
        Err(error) => {
            let failure = StageError::new(recflow_stages::ErrorKind::Io, "cannot start a process for the attempt").with_cause(&error);
            let failure = if patience::is_crowded(&error) { failure.with_hint(patience::HINT) } else { failure };
            Ended::without_process(Err(Failure::Failed(failure)))
        }
    }
}

async fn start(
    attempt: &Attempt,
    stage: &str,
    inputs: &Map<String, Value>,
    supervision: &Supervision,
    released: oneshot::Receiver<()>,
) -> std::io::Result<Ended> {
    // Before there is a process that would have to be stopped if this fails.
    let order = Order {
        stage: stage.to_owned(),
        inputs: inputs.clone(),
        publish_key: attempt.publish_key.clone(),
        logical_date: attempt.logical_date,
        clock_at: attempt.clock_at,
        workspace: attempt.workspace.clone(),
        home: attempt.home.clone(),
        threads: attempt.threads,
    };
    let mut line = serde_json::to_vec(&order)?;
    line.push(b'\n');
    let mut command = Command::new(this_program()?);
    // Parameters have reached a stage as its inputs; as variables they could only be too long for the system.
    let env = attempt.env.iter().filter(|(name, _)| !name.starts_with("RECFLOW_PARAM_"));
    command.arg("__attempt").env(MARK, attempt.publish_key.as_str()).envs(env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let memory_kills = out_of_memory_kills();
    supervision.reaper.ensure();
    let held = Held::before_fork();
    let Some((mut child, process)) = patience::start(supervision, || spawn_group(&mut command)).await? else {
        return Ok(Ended::without_process(Err(Failure::Stopped)));
    };
    supervision.announce(&attempt.key, process);

    let log = SharedLog::new(attempt);
    let mut orders = tokio::process::ChildStdin::from_std(child.stdin.take().expect("piped"))?;
    let messages = tokio::process::ChildStdout::from_std(child.stdout.take().expect("piped"))?;
    let errors = tokio::process::ChildStderr::from_std(child.stderr.take().expect("piped"))?;
    let stderr = tokio::spawn(pump(errors, Stream::Stderr, log.clone()));
    let sink = supervision.sink.clone();
    let key = attempt.key.clone();
    let stage_log = log.clone();
    let stdout = tokio::spawn(async move {
        let mut lines = BufReader::new(messages).lines();
        let mut result = None;
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(Message::Report { body }) => {
                    stage_log.report(&body);
                    sink(&key, Update::Report(body));
                }
                Ok(Message::Ended { result: ended, peak_rss_bytes }) => result = Some((ended, line.len(), peak_rss_bytes)),
                Err(_) => stage_log.line(SystemClock.now(), recflow_stages::Level::Info, Stream::Stdout, &line),
            }
        }
        result
    });

    let order = tokio::spawn(async move {
        if released.await.is_ok() {
            // A child that is dead already has an end to report; that it did not listen is no news.
            let _ = orders.write_all(&line).await;
        }
    });
    let Watched { exit, asked_to_stop, peak_bytes } = watch_process(process.pid, held, supervision.stop.clone(), attempt.grace).await;
    order.abort();
    let exit = exit?;
    supervision.reaper.forget(process.pid);
    let result = finish(stdout).await.flatten();
    finish(stderr).await;

    // What it says itself is exact.
    let peak_rss_bytes = result.as_ref().and_then(|(_, _, told)| *told).or(peak_bytes);
    let result = match result {
        Some((Ok(_), size, _)) if size > OUTPUT_BYTES_MAX + 64 => Err(Failure::Failed(too_large(size))),
        Some((Ok(output), ..)) => Ok(output),
        _ if asked_to_stop => Err(Failure::Stopped),
        Some((Err(error), ..)) => Err(Failure::Failed(error)),
        None => Err(Failure::Failed(explain(&exit, stage, memory_kills))),
    };
    Ok(Ended { result, exit: Some(exit.describe()), peak_rss_bytes, cpu_ms: Some(exit.cpu_ms) })
}

/// A process that ended without a last message: says what is known.
fn explain(exit: &super::process::Exit, stage: &str, memory_kills_before: Option<u64>) -> StageError {
    let mib = exit.peak_rss_bytes >> 20;
    let killed_for_memory = exit.signal() == Some(libc::SIGKILL) && out_of_memory_kills() > memory_kills_before;
    // A crash costs one attempt: the next one may find more memory.
    let error = |message: String| StageError::new(recflow_stages::ErrorKind::Io, message);
    if killed_for_memory {
        return error(format!("stage `{stage}` was killed by the kernel: out of memory, at {mib} MiB"))
            .with_hint("use less memory: a smaller rank, fewer parallel tasks (`--jobs 1`), or a larger machine");
    }
    let error = error(format!("stage `{stage}` ended with {} and no result, at {mib} MiB", exit.describe()));
    match exit.signal() {
        Some(libc::SIGKILL) => {
            error.with_hint("somebody killed it, or a memory limit of its container did; `recflow logs` shows its last words")
        }
        _ => error.with_hint("`recflow logs` shows its last words"),
    }
}
