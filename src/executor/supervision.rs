//! What all attempts with a process share: a log, pipes that are read, a process that is watched, and a reaper.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use recflow_stages::clock::{Clock, SystemClock};
use recflow_stages::{Level, Report};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

use super::log::{LogWriter, Mask, Stream};
use super::memory::{self, Held};
use super::process::{Exit, signal_group, wait_group};
use super::reaper::Reaper;
use super::request::{Attempt, AttemptKey, HowToStop, ProcessId, Sink, Update};

/// After a process has ended its pipes are read this much longer: a grandchild that left the group may hold them open.
const DRAIN: Duration = Duration::from_secs(1);
/// So many last lines of standard error go into the error of a failed program.
const LAST_LINES: usize = 5;
/// A line longer than this is split, so that a program without line breaks cannot fill the memory.
const LINE_BYTES_MAX: usize = 64 << 10;

/// What supervises an attempt shares with the service.
pub(super) struct Supervision {
    pub(super) sink: Sink,
    /// The strongest wish so far that it should stop.
    pub(super) stop: watch::Receiver<Option<HowToStop>>,
    pub(super) reaper: Arc<SharedReaper>,
}

impl Supervision {
    pub(super) fn report(&self, key: &AttemptKey, update: Update) {
        (self.sink)(key, update);
    }

    /// Announces the process of an attempt and has the reaper watch it.
    pub(super) fn announce(&self, key: &AttemptKey, process: ProcessId) {
        self.reaper.watch(process.pid);
        self.report(key, Update::Process(process));
    }
}

/// The reaper, started with the first process. It is a second line of defence: where it cannot be had, the death
/// signal and the recovery's own search remain, so its failure fails nothing.
#[derive(Default)]
pub(super) struct SharedReaper(Mutex<Option<io::Result<Reaper>>>);

impl SharedReaper {
    fn with(&self, use_it: impl FnOnce(&mut Reaper) -> io::Result<()>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reaper = slot.get_or_insert_with(Reaper::start);
        let result = match reaper {
            Ok(reaper) => use_it(reaper),
            Err(_) => return,
        };
        if let Err(error) = result {
            tracing::warn!(%error, "the reaper process is gone; a script's own children may outlive a crash of recflow");
            *slot = Some(Err(error));
        }
    }

    /// Starts the reaper if it is not there yet: before the process that it is to watch.
    pub(super) fn ensure(&self) {
        self.with(|_| Ok(()));
    }

    pub(super) fn watch(&self, group: u32) {
        self.with(|reaper| reaper.watch(group));
    }

    pub(super) fn forget(&self, group: u32) {
        self.with(|reaper| reaper.forget(group));
    }
}

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

    pub(super) fn last_errors(&self) -> Vec<String> {
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

/// How a process group came to its end.
pub(super) struct Watched {
    pub(super) exit: io::Result<Exit>,
    /// Whether it had been asked to stop.
    pub(super) asked_to_stop: bool,
    /// The most memory that it held, in bytes, as far as that can be told.
    pub(super) peak_bytes: Option<u64>,
}

/// Waits for a process group's end and stops it when asked: a signal, a grace period, a kill.
pub(super) async fn watch_process(pid: u32, mut held: Held, mut stop: watch::Receiver<Option<HowToStop>>, grace: Duration) -> Watched {
    let waiting = tokio::task::spawn_blocking(move || wait_group(pid));
    tokio::pin!(waiting);
    let mut asked = false;
    let deadline = tokio::time::sleep(Duration::from_secs(u32::MAX.into()));
    tokio::pin!(deadline);
    held.look(pid);
    let mut pause = memory::FIRST_PAUSE;
    let look = tokio::time::sleep(pause);
    tokio::pin!(look);
    loop {
        tokio::select! {
            exit = &mut waiting => {
                let exit = exit.unwrap_or_else(|error| Err(io::Error::other(error)));
                let peak_bytes = exit.as_ref().ok().and_then(|exit| held.peak(exit.peak_rss_bytes));
                return Watched { exit, asked_to_stop: asked, peak_bytes };
            }
            () = &mut look => {
                held.look(pid);
                pause = memory::PAUSE_MAX.min(pause * 2);
                look.as_mut().reset(tokio::time::Instant::now() + pause);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

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
