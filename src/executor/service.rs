//! The thread that owns all attempts under way.
//!
//! One thread with a single-threaded tokio runtime starts processes, reads their pipes and stops them. It lives as
//! long as the executor, which the kernel's death signal needs (it follows the thread that called `fork`). Commands to
//! it travel on an unbounded channel: there are at most a few for each attempt, and attempts are bounded by `--jobs`.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use recflow_stages::StageError;
use tokio::sync::{mpsc, oneshot, watch};

use super::reaper::Reaper;
use super::request::{Attempt, AttemptKey, Ended, Failure, HowToStop, ProcessId, Update, Work};
use super::{child, inline, shell};

/// Receives what happens to attempts, on the executor's threads. Must not block for long.
pub type Sink = Arc<dyn Fn(&AttemptKey, Update) + Send + Sync>;

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

    /// Starts an attempt. Its end is reported in any case.
    pub fn execute(&self, attempt: Attempt) {
        self.send(Command::Start(Box::new(attempt)));
    }

    /// Lets a child begin, once its process has been recorded. Others need no release.
    pub fn release(&self, key: AttemptKey) {
        self.send(Command::Release(key));
    }

    /// Stops an attempt; one that is not under way any more is fine.
    pub fn stop(&self, key: AttemptKey, how: HowToStop) {
        self.send(Command::Stop(key, how));
    }

    fn send(&self, command: Command) {
        let commands = self.commands.as_ref().expect("present until dropped");
        // The thread ends only after this sender is dropped, or by a panic, which `drop` passes on.
        let _ = commands.send(command);
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

    fn watch(&self, group: u32) {
        self.with(|reaper| reaper.watch(group));
    }

    pub(super) fn forget(&self, group: u32) {
        self.with(|reaper| reaper.forget(group));
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
