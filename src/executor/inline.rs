//! Cheap stages, on a thread of this process. A panic fails the attempt, never the program.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recflow_stages::clock::{Clock, SystemClock};
use recflow_stages::{CancelToken, Catalog, Context, Report, Reporter, StageError};
use serde_json::{Map, Value};

use super::attempt::panic_message;
use super::log::{LogWriter, Mask, Stream};
use super::request::{Attempt, AttemptKey, Ended, Failure, HowToStop, Sink, Update, stage_clock};
use super::supervision::Supervision;

/// Passes a stage's reports on and keeps its log.
struct InlineReporter {
    key: AttemptKey,
    sink: Sink,
    log: Mutex<LogWriter>,
}

impl Reporter for InlineReporter {
    fn report(&self, report: Report) {
        if let Report::Log { level, message } = &report {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.write(SystemClock.now(), *level, Stream::Stage, message);
        }
        (self.sink)(&self.key, Update::Report(report));
    }
}

/// A thread cannot be killed. One that does not listen (it may hang in a read from a dead server) is left to itself:
/// cheap stages publish nothing.
fn abandoned() -> Ended {
    Ended::without_process(Err(Failure::Stopped))
}

pub(super) async fn run(attempt: &Attempt, stage: &str, inputs: Map<String, Value>, supervision: &Supervision) -> Ended {
    let cancel = CancelToken::new();
    let context = Context {
        workspace: attempt.workspace.clone(),
        home: attempt.home.clone(),
        publish_key: attempt.publish_key.clone(),
        logical_date: attempt.logical_date,
        storage: recflow_stages::storage::from_environment(),
        clock: stage_clock(attempt.clock_at),
        reporter: Arc::new(InlineReporter {
            key: attempt.key.clone(),
            sink: supervision.sink.clone(),
            log: Mutex::new(LogWriter::new(attempt.log.clone(), Mask::new(&attempt.secrets))),
        }),
        cancel: cancel.clone(),
    };
    let stage = stage.to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let Some(stage) = Catalog::builtin().get(&stage) else {
            return Err(StageError::bug(format!("stage `{stage}` is not in this binary")));
        };
        std::panic::catch_unwind(AssertUnwindSafe(|| stage.run(inputs, &context)))
            .unwrap_or_else(|panic| Err(StageError::bug(format!("stage `{}` panicked: {}", stage.spec.name, panic_message(&*panic)))))
    });
    tokio::pin!(work);
    let mut stop = supervision.stop.clone();
    let deadline = tokio::time::sleep(Duration::from_secs(u32::MAX.into()));
    tokio::pin!(deadline);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            Ok(()) = stop.changed() => {
                cancel.cancel();
                match *stop.borrow_and_update() {
                    Some(HowToStop::AtOnce) => return abandoned(),
                    _ => deadline.as_mut().reset(tokio::time::Instant::now() + attempt.grace),
                }
            }
            () = &mut deadline, if cancel.is_cancelled() => return abandoned(),
        }
    };
    Ended::without_process(match result {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(_)) if cancel.is_cancelled() => Err(Failure::Stopped),
        Ok(Err(error)) => Err(Failure::Failed(error)),
        Err(error) => Err(Failure::Failed(StageError::bug(format!("the stage's thread died: {error}")))),
    })
}
