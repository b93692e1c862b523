//! The loop around a driver: a thin shell that waits.
//!
//! Messages arrive on one unbounded channel: executor threads must not block, and the reports of an attempt are
//! throttled where they are made. All decisions are the driver's ([`Driver`]); this file only decides how long to sleep.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;
use recflow_stages::clock::Clock;
use recflow_state::{RunId, Store};

use super::driver::{Driver, Options, Parts};
use super::entropy::Entropy;
use super::launch::Launch;
use super::message::{Handle, Message};
use super::notice::Observer;
use super::owner::{LockFiles, Owner, any_alive};
use super::wake::Listener;
use super::wish::MarkTask;
use crate::executor::Executor;
use crate::workspace::Workspace;

/// So many messages are taken in one turn at most, so that a talkative attempt cannot put off the commit.
const MESSAGES_PER_TURN: usize = 1_000;

/// Longest sleep while a timer is set: the clock may be set forward, or the machine suspended, meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// A driver with real processes, a real clock and a store on disk, and the loop that feeds it.
#[derive(Debug)]
pub struct Service {
    driver: Driver,
    handle: Handle,
    inbox: Receiver<Message>,
    _listener: Option<Listener>,
    // Dropped last: while anything of the driver is there, its runs are owned.
    owner: Owner,
}

impl Service {
    /// A service without runs. Registers this process as an owner and opens the store, creating both where needed.
    pub fn start(workspace: Workspace, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, options: Options) -> anyhow::Result<Self> {
        Self::start_with(workspace, clock, entropy, options, || {})
    }

    /// The same; `also` is called, on a thread of its own, when another process wakes this one with [`wake`](super::wake()).
    pub fn start_with(
        workspace: Workspace,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: Options,
        also: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Self> {
        let owners = workspace.owners();
        let owner = Owner::register(&owners, options.role, entropy.next())
            .with_context(|| format!("cannot register as an owner of runs in `{}`", owners.display()))?;
        let store = Store::open_unless_used(workspace.store(), || any_alive(&owners, Some(owner.id())))?;
        let (outbox, inbox) = channel();
        let sink_outbox = outbox.clone();
        let executor = Executor::start(Arc::new(move |key, update| {
            let _ = sink_outbox.send(Message::Attempt(key.clone(), update));
        }))
        .context("cannot start the executor")?;
        let (executor, lock_files) = (Box::new(executor), Arc::new(LockFiles::new(owners)));
        let handle = Handle { outbox };
        let waker = handle.clone();
        let on_wake = move || {
            waker.wake();
            also();
        };
        // Where no socket can be made, wishes are heard within a second.
        let listener = Listener::start(&workspace.owners(), owner.id(), on_wake)
            .inspect_err(|error| tracing::debug!(%error, "nobody can wake this process"))
            .ok();
        let parts = Parts { store: Arc::new(store), workspace, clock, entropy, owners: lock_files, owner: owner.id().to_owned(), executor };
        Ok(Self { driver: Driver::new(parts, options), handle, inbox, _listener: listener, owner })
    }

    /// Sends messages to the driver from other threads.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The store that the driver writes.
    pub fn store(&self) -> &Arc<Store> {
        self.driver.store()
    }

    /// As [`Driver::launch`].
    pub fn launch(&mut self, launch: Launch) -> anyhow::Result<RunId> {
        self.driver.launch(launch)
    }

    /// As [`Driver::mark`].
    pub fn mark(&mut self, run: &RunId, mark: &MarkTask) -> anyhow::Result<()> {
        self.driver.mark(run, mark)
    }

    /// As [`Driver::replay`].
    pub fn replay(&mut self, of: &RunId, from: &str) -> anyhow::Result<RunId> {
        self.driver.replay(of, from)
    }

    /// As [`Driver::recover`].
    pub fn recover(&mut self) -> anyhow::Result<usize> {
        self.driver.recover()
    }

    /// Cancels a run that was taken over, before it is driven or from its own thread. See [`Handle::cancel_run`].
    pub fn cancel(&mut self, run: &RunId, force: bool, reason: &str) {
        self.driver.take(Message::Cancel { run: Some(run.clone()), force, reason: reason.to_owned() });
    }

    /// The id under which this process owns runs.
    pub fn owner(&self) -> &str {
        self.owner.id()
    }

    /// As [`Driver::resume`].
    pub fn resume(&mut self, run: &RunId) -> anyhow::Result<()> {
        self.driver.resume(run)
    }

    /// Executes all runs that were taken over to their end.
    ///
    /// An error means that the store could not be written: what is under way is killed, and the runs can be resumed.
    pub fn drive(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        loop {
            self.driver.turn(observer)?;
            if self.driver.is_idle() {
                return Ok(());
            }
            self.wait();
        }
    }

    /// Executes runs as they come, until it is told to stop or has been drained.
    ///
    /// An error means that the store is damaged beyond writing; one that cannot be written for the moment is waited for
    /// ([`Patience`](super::Patience)).
    pub fn serve(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        loop {
            self.driver.turn(observer)?;
            if self.driver.is_over() {
                return Ok(());
            }
            self.wait();
        }
    }

    /// Waits for a message or a timer, then takes all that have come.
    fn wait(&mut self) {
        let first = match self.driver.next_wake() {
            None => self.inbox.recv().ok(),
            Some(at) => {
                let pause = Duration::from_millis(u64::try_from(at.0 - self.driver.now().0).unwrap_or(0));
                self.inbox.recv_timeout(pause.min(SLEEP_MAX)).ok()
            }
        };
        if let Some(message) = first {
            self.driver.take(message);
        }
        for message in self.inbox.try_iter().take(MESSAGES_PER_TURN) {
            self.driver.take(message);
        }
    }
}
