//! What a driver is told, and the handle through which other threads tell it.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};

use jiff::Timestamp;
use recflow_state::RunId;

use super::claim::{Claim, Claims};
use super::launch::Launch;
use super::wish::MarkTask;
use crate::executor::{AttemptKey, Update};
use crate::pipeline::Limits;

/// Takes the answer to a message, on the driver's thread, after what it tells was recorded. Must not block.
pub type Reply<T> = Box<dyn FnOnce(anyhow::Result<T>) + Send>;

/// A message to a driver.
pub enum Message {
    /// An attempt has a process, reported something, or ended.
    Attempt(AttemptKey, Update),
    /// Create a run and execute it.
    Launch(Box<Launch>, Reply<RunId>),
    /// Claim a queued run of the store and execute it.
    Adopt(RunId, Reply<Claim>),
    /// Go on with a run that failed, was cancelled or was interrupted.
    Resume(RunId, Reply<()>),
    /// Declare a task ended.
    Mark(RunId, MarkTask, Reply<()>),
    /// Create a run that repeats another one from a task on.
    Replay {
        /// Which.
        run: RunId,
        /// The first task that runs again.
        from: String,
        /// Takes the new run's id.
        reply: Reply<RunId>,
    },
    /// Resume what daemons left behind.
    Recover(Reply<usize>),
    /// Other limits hold from now on.
    Limit(Limits),
    /// Cancel a run, or all.
    Cancel {
        /// Which; all, if none is named.
        run: Option<RunId>,
        /// At once, without a grace period.
        force: bool,
        /// Who or why, for people.
        reason: String,
    },
    /// Start no more attempts. Those under way may end until then; what is left is stopped, and the runs can be resumed.
    Drain {
        /// When what is left is stopped.
        until: Timestamp,
    },
    /// End the loop after this turn, whatever is under way.
    Stop,
    /// Look again: something may have changed in the store.
    Wake,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt(key, _) => write!(f, "Attempt({key:?})"),
            Self::Launch(launch, _) => write!(f, "Launch({})", launch.pipeline.name),
            Self::Adopt(run, _) => write!(f, "Adopt({run})"),
            Self::Resume(run, _) => write!(f, "Resume({run})"),
            Self::Mark(run, mark, _) => write!(f, "Mark({run}, {})", mark.task),
            Self::Replay { run, from, .. } => write!(f, "Replay({run}, {from})"),
            Self::Recover(_) => write!(f, "Recover"),
            Self::Limit(limits) => write!(f, "Limit({limits:?})"),
            Self::Cancel { run, force, reason } => write!(f, "Cancel({run:?}, {force}, {reason})"),
            Self::Drain { until } => write!(f, "Drain({until})"),
            Self::Stop => write!(f, "Stop"),
            Self::Wake => write!(f, "Wake"),
        }
    }
}

/// Sends messages to a driver from other threads. Cheap to clone.
///
/// A driver that is gone has nothing left to do: messages to it are dropped, and an [`Answer`] says so.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) outbox: Sender<Message>,
}

/// The answer to a message, once it is there.
#[derive(Debug)]
pub struct Answer<T>(Receiver<anyhow::Result<T>>);

impl<T> Answer<T> {
    /// Waits for the answer. Never call it on the driver's own thread.
    pub fn wait(self) -> anyhow::Result<T> {
        self.0.recv().unwrap_or_else(|_| Err(anyhow::anyhow!("the engine has stopped")))
    }
}

impl Handle {
    /// Creates a run and has it executed. The answer is its id.
    pub fn launch(&self, launch: Launch) -> Answer<RunId> {
        self.ask(|reply| Message::Launch(Box::new(launch), reply))
    }

    /// Claims a queued run of the store and has it executed.
    pub fn adopt(&self, run: RunId) -> Answer<Claim> {
        self.ask(|reply| Message::Adopt(run, reply))
    }

    /// Has a run that failed, was cancelled or was interrupted go on.
    pub fn resume(&self, run: RunId) -> Answer<()> {
        self.ask(|reply| Message::Resume(run, reply))
    }

    /// Declares a task of a run ended. See [`Driver::mark`](super::Driver::mark).
    pub fn mark(&self, run: RunId, mark: MarkTask) -> Answer<()> {
        self.ask(|reply| Message::Mark(run, mark, reply))
    }

    /// Has a run repeated from a task on. The answer is the new run's id.
    pub fn replay(&self, run: RunId, from: &str) -> Answer<RunId> {
        self.ask(|reply| Message::Replay { run, from: from.to_owned(), reply })
    }

    /// Has everything resumed that daemons left behind. The answer is how many runs that are.
    pub fn recover(&self) -> Answer<usize> {
        self.ask(Message::Recover)
    }

    /// Sets other limits for what starts from now on.
    pub fn limit(&self, limits: Limits) {
        self.tell(Message::Limit(limits));
    }

    /// Cancels every run of the driver: gracefully, or at once. `reason` is what people will read.
    pub fn cancel(&self, force: bool, reason: &str) {
        self.tell(Message::Cancel { run: None, force, reason: reason.to_owned() });
    }

    /// Cancels one run.
    pub fn cancel_run(&self, run: RunId, force: bool, reason: &str) {
        self.tell(Message::Cancel { run: Some(run), force, reason: reason.to_owned() });
    }

    /// Has no more attempts started. Those under way may end until then; what is left is stopped, and the runs can be resumed.
    pub fn drain(&self, until: Timestamp) {
        self.tell(Message::Drain { until });
    }

    /// Ends the loop, whatever is under way.
    pub fn stop(&self) {
        self.tell(Message::Stop);
    }

    /// Has the driver look at the store again.
    pub fn wake(&self) {
        self.tell(Message::Wake);
    }

    /// Sends any message.
    pub fn tell(&self, message: Message) {
        let _ = self.outbox.send(message);
    }

    fn ask<T: Send + 'static>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Answer<T> {
        let (answer, inbox) = channel();
        let reply = move |result| {
            // Whoever asked may not want to know any more.
            let _ = answer.send(result);
        };
        self.tell(message(Box::new(reply)));
        Answer(inbox)
    }
}

impl Claims for Handle {
    fn claim(&mut self, run: &RunId) -> anyhow::Result<Claim> {
        self.adopt(run.clone()).wait()
    }

    fn wake(&mut self) {
        Handle::wake(self);
    }
}
