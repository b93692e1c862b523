//! Other programs: stage `shell`, and what it shares with children of our own.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use recflow_stages::builtin::{Command as What, ShellInputs};
use recflow_stages::clock::{Clock, SystemClock};
use recflow_stages::{ErrorKind, Level, Report, StageError};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

use super::child::too_large;
use super::log::{LogWriter, Mask, Stream};
use super::process::{Exit, MARK, signal_group, spawn_group, wait_group};
use super::request::{Attempt, Ended, Failure, HowToStop, largest_output};
use super::service::Supervision;

/// After a process has ended its pipes are read this much longer: a grandchild that left the group may hold them open.
const DRAIN: Duration = Duration::from_secs(1);
/// So many last lines of standard error go into the error of a failed program.
const LAST_LINES: usize = 5;
/// A line longer than this is split, so that a program without line breaks cannot fill the memory.
const LINE_BYTES_MAX: usize = 64 << 10;

/// An attempt's log, shared by the tasks that read its pipes.
#[derive(Clone)]
pub(super) struct SharedLog(Arc<Mutex<LogInner>>);

struct LogInner {
    writer: LogWriter,
    last_errors: VecDeque<String>,
}

impl SharedLog {
    pub(super) fn new(attempt: &Attempt) -> Self {
        let writer = LogWriter::new(attempt.log.clone(), Mask::new(&attempt.secrets));
        Self(Arc::new(Mutex::new(LogInner { writer, last_errors: VecDeque::new() })))
    }

    pub(super) fn line(&self, t: Timestamp, level: Level, stream: Stream, text: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.writer.write(t, level, stream, text);
        if stream == Stream::Stderr && !text.trim().is_empty() {
            if inner.last_errors.len() == LAST_LINES {
                inner.last_errors.pop_front();
            }
            inner.last_errors.push_back(text.to_owned());
        }
    }

    pub(super) fn report(&self, report: &Report) {
        if let Report::Log { level, message } = report {
            self.line(SystemClock.now(), *level, Stream::Stage, message);
        }
    }

    fn last_errors(&self) -> Vec<String> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last_errors.iter().cloned().collect()
    }
}

/// Copies a pipe to the log, line by line, until it ends.
pub(super) async fn pump(pipe: impl AsyncRead + Unpin, stream: Stream, log: SharedLog) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(more) = read_line(&mut pipe, &mut line).await {
        if !line.is_empty() || more {
            let text = String::from_utf8_lossy(&line);
            log.line(SystemClock.now(), Level::Info, stream, text.trim_end_matches(['\r', '\n']));
        }
        if !more {
            break;
        }
        line.clear();
    }
}

/// Reads up to a line break or [`LINE_BYTES_MAX`]. Returns whether there may be more.
async fn read_line(pipe: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let buffer = pipe.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let room = LINE_BYTES_MAX - line.len();
        let found = buffer.iter().take(room).position(|byte| *byte == b'\n');
        let taken = found.map_or(buffer.len().min(room), |position| position + 1);
        line.extend_from_slice(&buffer[..taken]);
        pipe.consume(taken);
        if found.is_some() || line.len() == LINE_BYTES_MAX {
            return Ok(true);
        }
    }
}

/// Waits for a reader of a pipe, a little: what holds it open after the process's end is not ours any more.
pub(super) async fn finish<T>(reader: tokio::task::JoinHandle<T>) -> Option<T> {
    let abort = reader.abort_handle();
    let ended = tokio::time::timeout(DRAIN, reader).await;
    abort.abort();
    ended.ok()?.ok()
}

/// Waits for a process group's end and stops it when asked: a signal, a grace period, a kill. Returns how it ended and
/// whether it had been asked to stop.
pub(super) async fn watch_process(pid: u32, mut stop: watch::Receiver<Option<HowToStop>>, grace: Duration) -> (io::Result<Exit>, bool) {
    let waiting = tokio::task::spawn_blocking(move || wait_group(pid));
    tokio::pin!(waiting);
    let mut asked = false;
    let deadline = tokio::time::sleep(Duration::from_secs(u32::MAX.into()));
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            exit = &mut waiting => return (exit.unwrap_or_else(|error| Err(io::Error::other(error))), asked),
            Ok(()) = stop.changed() => {
                let wish = *stop.borrow_and_update();
                match wish {
                    Some(HowToStop::Gracefully) => {
                        signal_group(pid, libc::SIGTERM);
                        deadline.as_mut().reset(tokio::time::Instant::now() + grace);
                    }
                    Some(HowToStop::AtOnce) => signal_group(pid, libc::SIGKILL),
                    None => continue,
                }
                asked = true;
            }
            () = &mut deadline, if asked => {
                signal_group(pid, libc::SIGKILL);
                deadline.as_mut().reset(tokio::time::Instant::now() + grace);
            }
        }
    }
}

pub(super) async fn run(attempt: &Attempt, inputs: &Map<String, Value>, supervision: Supervision) -> Ended {
    match program(attempt, inputs, &supervision).await {
        Ok(ended) => ended,
        Err(error) => Ended::without_process(Err(Failure::Failed(error))),
    }
}

/// The file that a program writes its output to. It goes with the attempt, however that ends.
struct OutputFile(PathBuf);

impl OutputFile {
    fn create(attempt: &Attempt) -> Result<Self, StageError> {
        let path = output_path(&attempt.home, &attempt.key.run, &attempt.task_id, attempt.key.attempt);
        let folder = path.parent().unwrap_or(&attempt.home);
        std::fs::create_dir_all(folder).map_err(|error| StageError::io("create", folder, &error))?;
        // What a program writes is not masked yet: it is nobody else's to read.
        let created = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        created.map_err(|error| StageError::io("create", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn output_path(home: &Path, run: &str, task: &str, attempt: u32) -> PathBuf {
    home.join("tmp").join(format!("{run}-{task}-{attempt}.output"))
}

/// Removes what an attempt whose owner died may have left: its output, in which secrets are not masked yet.
pub fn remove_lost_output(home: &Path, run: &str, task: &str, attempt: u32) {
    let _ = std::fs::remove_file(output_path(home, run, task, attempt));
}

async fn program(attempt: &Attempt, inputs: &Map<String, Value>, supervision: &Supervision) -> Result<Ended, StageError> {
    let inputs: ShellInputs = serde_json::from_value(Value::Object(inputs.clone()))
        .map_err(|error| StageError::input(format!("invalid inputs for stage `shell`: {error}")))?;
    let output = OutputFile::create(attempt)?;
    let mut command = command(attempt, &inputs, &output.0)?;
    let log = SharedLog::new(attempt);
    supervision.reaper.ensure();
    let (mut child, process) = spawn_group(&mut command).map_err(|error| cannot_start(&command, attempt, &error))?;
    supervision.announce(&attempt.key, process);
    let pipes = (|| {
        let stdout = tokio::process::ChildStdout::from_std(child.stdout.take().expect("piped"))?;
        let stderr = tokio::process::ChildStderr::from_std(child.stderr.take().expect("piped"))?;
        io::Result::Ok((stdout, stderr))
    })();
    let (stdout, stderr) = pipes.map_err(|error| StageError::new(ErrorKind::Io, "cannot read the program's output").with_cause(error))?;
    let stdout = tokio::spawn(pump(stdout, Stream::Stdout, log.clone()));
    let stderr = tokio::spawn(pump(stderr, Stream::Stderr, log.clone()));
    let (exit, asked_to_stop) = watch_process(process.pid, supervision.stop.clone(), attempt.grace).await;
    supervision.reaper.forget(process.pid);
    let exit = exit.map_err(|error| StageError::new(ErrorKind::Io, "cannot wait for the program").with_cause(error))?;
    finish(stdout).await;
    finish(stderr).await;
    let result = match exit.code() {
        Some(0) => read_output(&output.0).map_err(Failure::Failed),
        _ if asked_to_stop => Err(Failure::Stopped),
        _ => Err(Failure::Failed(program_failed(&exit, &log))),
    };
    Ok(Ended { result, exit: Some(exit.describe()), peak_rss_bytes: Some(exit.peak_rss_bytes), cpu_ms: Some(exit.cpu_ms) })
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
fn as_text(value: &Value) -> String {
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
        _ => StageError::new(ErrorKind::Io, format!("cannot start program `{program}`")).with_cause(error),
    }
}

/// Reads what the program wrote to `$RECFLOW_OUTPUT`: a JSON document, or lines `key=value`.
fn read_output(path: &Path) -> Result<Value, StageError> {
    // The program had the folder for itself: what lies there now may be a pipe that nobody writes or a device without
    // end. Opening waits for nobody, only a file is read, and no more of it than is allowed.
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = match opened {
        Ok(file) => file,
        // A program may well remove the file it has no use for.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Value::Object(Map::new())),
        Err(error) => return Err(StageError::io("read", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| StageError::io("read", path, &error))?;
    if !metadata.is_file() {
        return Err(StageError::input("$RECFLOW_OUTPUT is not a file any more").with_hint("write to the file; don't replace it"));
    }
    let limit = largest_output() as u64;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| StageError::io("read", path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(metadata.len().max(limit + 1) as usize));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| StageError::input("the output is not UTF-8 text").with_hint("write JSON or `key=value` lines to $RECFLOW_OUTPUT"))?;
    parse_output(&text)
}

fn parse_output(text: &str) -> Result<Value, StageError> {
    let not_json = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // What begins like JSON was meant as JSON: a `=` somewhere in it must not turn it into a key and a value.
    if text.trim_start().starts_with(['{', '[', '"']) {
        return Err(StageError::input("the output begins like JSON and is not").with_cause(not_json));
    }
    let mut members = Map::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once('=') else {
            return Err(StageError::input(format!(
                "line {} of the output is neither JSON nor `key=value`: {:?}",
                number + 1,
                excerpt(line)
            ))
            .with_hint("write one JSON document, or lines like `rows=100`, to $RECFLOW_OUTPUT"));
        };
        // Numbers, true, false and null keep their type; anything else is text.
        let value = match serde_json::from_str(value) {
            // A whole number beyond 64 bits would lose its last digits.
            Ok(Value::Number(number)) if number.is_f64() && value.trim().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) => {
                Value::String(value.trim().to_owned())
            }
            Ok(scalar @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => scalar,
            _ => Value::String(value.to_owned()),
        };
        members.insert(key.trim().to_owned(), value);
    }
    Ok(Value::Object(members))
}

/// The beginning of a line, for messages.
fn excerpt(line: &str) -> String {
    const CHARS_MAX: usize = 80;
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_output_is_json_or_lines_of_key_and_value() {
        assert_eq!(parse_output("").unwrap(), json!({}));
        assert_eq!(parse_output("{\"rows\": 3}\n").unwrap(), json!({ "rows": 3 }));
        assert_eq!(parse_output("[1, 2]").unwrap(), json!([1, 2]));
        assert_eq!(
            parse_output("rows=3\n\nname=a=b\nok=true\nid=007\n").unwrap(),
            json!({ "rows": 3, "name": "a=b", "ok": true, "id": "007" })
        );
        let error = parse_output("rows=3\noops\n").unwrap_err();
        assert_eq!(error.message, "line 2 of the output is neither JSON nor `key=value`: \"oops\"");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_line_without_end_is_split() {
        let text = "x".repeat(LINE_BYTES_MAX + 10) + "\ny";
        let mut pipe = BufReader::new(text.as_bytes());
        let mut lengths = Vec::new();
        loop {
            let mut line = Vec::new();
            let more = read_line(&mut pipe, &mut line).await.unwrap();
            lengths.push(line.len());
            if !more {
                break;
            }
        }
        assert_eq!(lengths, [LINE_BYTES_MAX, 11, 1]);
    }
}
