//! Heavy stages, the child's side: `recflow __attempt`.
//!
//! The child reads one JSON line from standard input ([`Order`]), runs the stage, and writes JSON lines
//! ([`Message`]) to standard output; the last one is [`Message::Ended`]. Standard error is free text and goes to the
//! log. It publishes nothing but through the stage's own atomic step, so it may be killed at any instant.

use std::cell::Cell;
use std::io::{self, BufRead, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use recflow_stages::{CancelToken, Catalog, Context, PublishKey, Report, Reporter, StageError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::memory::own_peak;
use super::request::stage_clock;

/// What the child is told to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) stage: String,
    pub(super) inputs: Map<String, Value>,
    pub(super) publish_key: PublishKey,
    pub(super) logical_date: Timestamp,
    pub(super) clock_at: Option<Timestamp>,
    pub(super) workspace: PathBuf,
    pub(super) home: PathBuf,
    pub(super) threads: usize,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub(super) enum Message {
    /// The stage reported something.
    Report { body: Report },
    /// The stage ended; nothing follows.
    Ended {
        result: Result<Value, StageError>,
        /// The most memory that the child has held, in bytes.
        #[serde(default)]
        peak_rss_bytes: Option<u64>,
    },
}

/// Between two progress reports at least this long passes: people can't read faster.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Writes messages to standard output. If nobody reads any more, the owner is dead: so should the child be.
struct PipeReporter {
    last_progress: Mutex<Option<Instant>>,
}

impl Reporter for PipeReporter {
    fn report(&self, report: Report) {
        if matches!(report, Report::Progress(_)) {
            let mut last = self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| last.elapsed() < PROGRESS_EVERY) {
                return;
            }
            *last = Some(Instant::now());
        }
        // A report that does not arrive is a report less; the end is what matters.
        let _ = send(&Message::Report { body: report });
    }
}

fn send(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// The main function of `recflow __attempt`. Its own exit code says only whether the protocol was kept: a stage that
/// failed has said so in its last message.
pub fn main() -> u8 {
    let mut line = String::new();
    let order: Order = match io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_str(&line).map_err(|error| error.to_string()))
    {
        Ok(order) => order,
        Err(error) => {
            let result = Err(StageError::bug(format!("an attempt got no order: {error}")));
            return u8::from(send(&Message::Ended { result, peak_rss_bytes: None }).is_err());
        }
    };
    let result = run(order);
    u8::from(send(&Message::Ended { result, peak_rss_bytes: own_peak() }).is_err())
}

fn run(order: Order) -> Result<Value, StageError> {
    let Some(stage) = Catalog::builtin().get(&order.stage) else {
        return Err(StageError::bug(format!("stage `{}` is not in this binary", order.stage)));
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(order.threads.max(1))
        .build_global()
        .map_err(|error| StageError::bug(format!("cannot start {} threads: {error}", order.threads)))?;
    let context = Context {
        workspace: order.workspace,
        home: order.home,
        publish_key: order.publish_key,
        logical_date: order.logical_date,
        storage: recflow_stages::storage::from_environment(),
        clock: stage_clock(order.clock_at),
        reporter: Arc::new(PipeReporter { last_progress: Mutex::new(None) }),
        cancel: CancelToken::new(),
    };
    let place = remember_panic_place();
    let work = || {
        recflow_stages::failpoint::hit("attempt.started");
        stage.run(order.inputs, &context)
    };
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let at = place().map(|place| format!(" at {place}")).unwrap_or_default();
        Err(StageError::bug(format!("stage `{}` panicked{at}: {}", order.stage, panic_message(&*panic))))
    })
}

thread_local! {
    static PANIC_PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Remembers where a panic happened; the usual message still goes to standard error, and so to the log.
fn remember_panic_place() -> impl Fn() -> Option<String> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANIC_PLACE.set(info.location().map(ToString::to_string));
        usual(info);
    }));
    || PANIC_PLACE.take()
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}
