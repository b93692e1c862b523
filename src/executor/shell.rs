//! Other programs: stage `shell`.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use recflow_stages::builtin::{Command as What, ShellInputs};
use recflow_stages::{ErrorKind, StageError};
use serde_json::{Map, Value};

use super::log::Stream;
use super::memory::Held;
use super::output::OutputFile;
use super::patience;
use super::process::{Exit, MARK, spawn_group};
use super::request::{Attempt, Ended, Failure};
use super::supervision::{SharedLog, Supervision, Watched, finish, pump, watch_process};

pub(super) async fn run(attempt: &Attempt, inputs: &Map<String, Value>, supervision: Supervision) -> Ended {
    match program(attempt, inputs, &supervision).await {
        Ok(ended) => ended,
        Err(error) => Ended::without_process(Err(Failure::Failed(error))),
    }
}

async fn program(attempt: &Attempt, inputs: &Map<String, Value>, supervision: &Supervision) -> Result<Ended, StageError> {
    let inputs: ShellInputs = serde_json::from_value(Value::Object(inputs.clone()))
        .map_err(|error| StageError::input(format!("invalid inputs for stage `shell`: {error}")))?;
    let output = OutputFile::of(attempt);
    let created = patience::start(supervision, || output.create()).await;
    if created.map_err(|error| crowded(StageError::io("create", output.path(), &error), &error))?.is_none() {
        return Ok(Ended::without_process(Err(Failure::Stopped)));
    }
    let mut command = command(attempt, &inputs, output.path())?;
    let log = SharedLog::new(attempt);
    supervision.reaper.ensure();
    let held = Held::before_fork();
    let started = patience::start(supervision, || spawn_group(&mut command)).await;
    let Some((mut child, process)) = started.map_err(|error| cannot_start(&command, attempt, &error))? else {
        return Ok(Ended::without_process(Err(Failure::Stopped)));
    };
    supervision.announce(&attempt.key, process);
    let pipes = (|| {
        let stdout = tokio::process::ChildStdout::from_std(child.stdout.take().expect("piped"))?;
        let stderr = tokio::process::ChildStderr::from_std(child.stderr.take().expect("piped"))?;
        io::Result::Ok((stdout, stderr))
    })();
    let (stdout, stderr) = pipes.map_err(|error| StageError::new(ErrorKind::Io, "cannot read the program's output").with_cause(error))?;
    let stdout = tokio::spawn(pump(stdout, Stream::Stdout, log.clone()));
    let stderr = tokio::spawn(pump(stderr, Stream::Stderr, log.clone()));
    let Watched { exit, asked_to_stop, peak_bytes } = watch_process(process.pid, held, supervision.stop.clone(), attempt.grace).await;
    supervision.reaper.forget(process.pid);
    let exit = exit.map_err(|error| StageError::new(ErrorKind::Io, "cannot wait for the program").with_cause(error))?;
    finish(stdout).await;
    finish(stderr).await;
    let result = match exit.code() {
        // Also with exit code 0: a program that ends in good order when it is told to has not done its work.
        _ if asked_to_stop => Err(Failure::Stopped),
        Some(0) => output.read().map_err(Failure::Failed),
        _ => Err(Failure::Failed(program_failed(&exit, &log))),
    };
    Ok(Ended { result, exit: Some(exit.describe()), peak_rss_bytes: peak_bytes, cpu_ms: Some(exit.cpu_ms) })
}

fn program_failed(exit: &Exit, log: &SharedLog) -> StageError {
    let mut error = StageError::new(ErrorKind::Io, format!("the program ended with {}", exit.describe()));
    error.causes = log.last_errors();
    error
}

fn command(attempt: &Attempt, inputs: &ShellInputs, output: &Path) -> Result<Command, StageError> {
    let mut command = match inputs.what()? {
        What::Arguments(arguments) => {
            let mut command = Command::new(&arguments[0]);
            command.args(&arguments[1..]);
            command
        }
        What::Script(script) => {
            let mut command = Command::new("sh");
            command.args(["-e", "-c", &script, "sh"]);
            command
        }
    };
    let folder = inputs.cwd.as_ref().map_or_else(|| attempt.workspace.clone(), |cwd| attempt.workspace.join(cwd.as_str()));
    command.current_dir(folder);
    // recflow's own settings and secrets are not the program's; what it may see is what `env` gives it.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RECFLOW_") {
            command.env_remove(name);
        }
    }
    command.envs(&attempt.env);
    command.envs(inputs.env.iter().map(|(name, value)| (name, as_text(value))));
    command
        .env("RECFLOW_RUN_ID", &*attempt.key.run)
        .env("RECFLOW_PIPELINE", &attempt.pipeline)
        .env("RECFLOW_TASK_ID", &attempt.task_id)
        .env("RECFLOW_ATTEMPT", attempt.key.attempt.to_string())
        .env("RECFLOW_PUBLISH_KEY", attempt.publish_key.as_str())
        .env("RECFLOW_LOGICAL_DATE", attempt.logical_date.to_string())
        .env("RECFLOW_WORKSPACE", &attempt.workspace)
        .env("RECFLOW_OUTPUT", output)
        .env(MARK, attempt.publish_key.as_str());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// A value as an environment variable: strings as they are, others as JSON.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn cannot_start(command: &Command, attempt: &Attempt, error: &io::Error) -> StageError {
    let program = command.get_program().to_string_lossy();
    let folder = command.get_current_dir().unwrap_or(&attempt.workspace);
    if !folder.is_dir() {
        return StageError::input(format!("the working directory `{}` does not exist", folder.display()));
    }
    match error.kind() {
        io::ErrorKind::NotFound => {
            StageError::input(format!("program `{program}` was not found")).with_hint("install it, or give its full path")
        }
        io::ErrorKind::PermissionDenied => {
            StageError::input(format!("program `{program}` may not be executed")).with_hint("make it executable: chmod +x")
        }
        // Another try would be given the same.
        io::ErrorKind::ArgumentListTooLong => {
            let largest = attempt.env.iter().max_by_key(|(_, value)| value.len());
            let hint = largest.map(|(name, value)| format!("{name} alone has {} bytes; pass large values through a file", value.len()));
            StageError::input(format!("cannot start program `{program}`: its arguments and environment are too large for the system"))
                .with_hint(hint.unwrap_or_else(|| "pass large values through a file".to_owned()))
        }
        io::ErrorKind::InvalidInput => {
            StageError::input(format!("cannot start program `{program}`: an argument or environment variable holds a zero byte"))
        }
        _ => crowded(StageError::new(ErrorKind::Io, format!("cannot start program `{program}`")).with_cause(error), error),
    }
}

/// The same, with the remedy if the system had no room.
fn crowded(failure: StageError, error: &io::Error) -> StageError {
    if patience::is_crowded(error) { failure.with_hint(patience::HINT) } else { failure }
}
