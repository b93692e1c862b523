//! The thread that owns all attempts under way.
//!
//! One thread with a single-threaded tokio runtime starts processes, reads their pipes and stops them. It lives as
//! long as the executor, which the kernel's death signal needs (it follows the thread that called `fork`). Commands to
//! it travel on an unbounded channel: there are at most a few for each attempt, and attempts are bounded by `--jobs`.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use recflow_stages::StageError;
use tokio::sync::{mpsc, oneshot, watch};

use super::execute::{Execute, LostAttempt};
use super::request::{Attempt, AttemptKey, Ended, Failure, HowToStop, Sink, Update, Work};
use super::supervision::{SharedReaper, Supervision};
use super::{child, inline, shell};

/// More than the most attempts at once (`--jobs` has 16 bits): with fewer, the end of one would go unnoticed until
/// others end.
const MAX_WAITING: usize = 1 << 17;

enum Command {
    Start(Box<Attempt>),
    Release(AttemptKey),
    Stop(AttemptKey, HowToStop),
}

/// Executes attempts. Dropping it kills what is under way and waits for its thread.
#[derive(Debug)]
pub struct Executor {
    commands: Option<mpsc::UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Executor {
    /// Starts the executor's thread.
    pub fn start(sink: Sink) -> io::Result<Self> {
        let (commands, inbox) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // Each attempt has a thread that waits for its process; they are as many as `--jobs` allows.
            .max_blocking_threads(MAX_WAITING)
            .build()?;
        let thread = std::thread::Builder::new().name("executor".to_owned()).spawn(move || {
            runtime.block_on(serve(inbox, sink));
            // An inline stage that does not look at its token must not keep the program from ending.
            runtime.shutdown_background();
        })?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    fn send(&self, command: Command) {
        let commands = self.commands.as_ref().expect("present until dropped");
        // The thread ends only after this sender is dropped, or by a panic, which `drop` passes on.
        let _ = commands.send(command);
    }
}

impl Execute for Executor {
    fn start(&self, attempt: Attempt) {
        self.send(Command::Start(Box::new(attempt)));
    }

    fn release(&self, key: AttemptKey) {
        self.send(Command::Release(key));
    }

    fn stop(&self, key: AttemptKey, how: HowToStop) {
        self.send(Command::Stop(key, how));
    }

    fn bury(&self, lost: &LostAttempt) {
        lost.bury();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

struct UnderWay {
    stop: watch::Sender<Option<HowToStop>>,
    release: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

async fn serve(mut inbox: mpsc::UnboundedReceiver<Command>, sink: Sink) {
    let mut under_way: HashMap<AttemptKey, UnderWay> = HashMap::new();
    let reaper = Arc::new(SharedReaper::default());
    while let Some(command) = inbox.recv().await {
        match command {
            Command::Start(attempt) => {
                under_way.retain(|_, attempt| !attempt.task.is_finished());
                let key = attempt.key.clone();
                let (stop, stop_inbox) = watch::channel(None);
                let (release, released) = oneshot::channel();
                let supervision = Supervision { sink: sink.clone(), stop: stop_inbox, reaper: reaper.clone() };
                let task = tokio::spawn(supervise(*attempt, supervision, released));
                under_way.insert(key, UnderWay { stop, release: Some(release), task });
            }
            Command::Release(key) => {
                if let Some(release) = under_way.get_mut(&key).and_then(|attempt| attempt.release.take()) {
                    let _ = release.send(());
                }
            }
            Command::Stop(key, how) => {
                if let Some(attempt) = under_way.get(&key) {
                    attempt.stop.send_if_modified(|wish| {
                        let stronger = wish.is_none_or(|weaker| weaker < how);
                        if stronger {
                            *wish = Some(how);
                        }
                        stronger
                    });
                }
            }
        }
    }
    // The owner is gone: kill what is left and wait for it.
    for attempt in under_way.values() {
        attempt.stop.send_replace(Some(HowToStop::AtOnce));
    }
    for (_, attempt) in under_way {
        let _ = attempt.task.await;
    }
}

async fn supervise(attempt: Attempt, supervision: Supervision, released: oneshot::Receiver<()>) {
    let key = attempt.key.clone();
    let sink = supervision.sink.clone();
    let work = tokio::spawn(async move {
        match &attempt.work {
            Work::Inline { stage, inputs } => inline::run(&attempt, stage, inputs.clone(), &supervision).await,
            Work::Child { stage, inputs } => child::run(&attempt, stage, inputs, supervision, released).await,
            Work::Program { inputs } => shell::run(&attempt, inputs, supervision).await,
        }
    });
    let ended = work
        .await
        .unwrap_or_else(|panic| Ended::without_process(Err(Failure::Failed(StageError::bug(format!("the executor panicked: {panic}"))))));
    sink(&key, Update::Ended(ended));
}
