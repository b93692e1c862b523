//! One process: the daemon, or a command such as `recflow run`. The driver, the scheduler and the catalog in it are the real ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use recflow::engine::{Claim, Claims, Driver, Message, Notice, Observer, Options, Parts, Patience, Role};
use recflow::pipeline::Loaded;
use recflow::scheduler::catalog::Catalog;
use recflow::scheduler::look::Scheduler;
use recflow::scheduler::tick::Agenda;
use recflow_state::{RunId, UnixMs};

use crate::laws::Laws;
use crate::machine::{Hands, Machine};
use crate::trace::Trace;
use crate::world::{Common, Eyes};

/// A process that lives.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) owner: String,
    pub(crate) driver: Driver,
    pub(crate) daemon: Option<Loop>,
    observer: Watch,
    /// When the driver has to be turned, in the time that no jump touches.
    pub(crate) wake: Option<i64>,
}

/// The daemon's other half.
#[derive(Debug)]
pub(crate) struct Loop {
    scheduler: Scheduler,
    catalog: Catalog,
    /// What the catalog has read.
    read: BTreeMap<String, Arc<Loaded>>,
    /// When it has to look.
    pub(crate) look: i64,
}

/// Watches a driver.
#[derive(Debug)]
struct Watch {
    common: Common,
    trace: Trace,
    laws: Arc<Laws>,
    ended: bool,
}

impl Observer for Watch {
    fn notice(&mut self, notice: &Notice) {
        self.common.faults.moment();
        if let Notice::RunEnded { run, status, .. } = notice {
            self.trace.note(format_args!("{run} ends {}", status.as_str()));
            self.laws.of_an_end(&self.common, run);
            self.ended = true;
        }
    }
}

/// Asks the driver of the same process, as the daemon's thread asks through its handle.
struct Asking<'a> {
    driver: &'a mut Driver,
    observer: &'a mut Watch,
}

impl Claims for Asking<'_> {
    fn claim(&mut self, run: &RunId) -> anyhow::Result<Claim> {
        let (answer, inbox) = channel();
        self.driver.take(Message::Adopt(run.clone(), Box::new(move |claim| drop(answer.send(claim)))));
        self.driver.turn(self.observer)?;
        inbox.try_recv().unwrap_or_else(|_| Err(anyhow!("the driver waits for the store")))
    }

    fn wake(&mut self) {
        self.driver.take(Message::Wake);
    }
}

impl Process {
    pub(crate) fn new(
        owner: &str,
        role: Role,
        jobs: usize,
        common: &Common,
        machine: &Arc<Mutex<Machine>>,
        laws: &Arc<Laws>,
        trace: &Trace,
    ) -> Self {
        let (common, laws, trace) = (common.clone(), laws.clone(), trace.clone());
        let hands =
            Hands { owner: owner.to_owned(), common: common.clone(), machine: machine.clone(), laws: laws.clone(), trace: trace.clone() };
        let parts = Parts {
            store: common.store.clone(),
            workspace: common.workspace.clone(),
            clock: common.clock.clone(),
            entropy: common.ids.clone(),
            owners: common.village.clone(),
            owner: owner.to_owned(),
            executor: Box::new(hands),
        };
        let options = Options {
            jobs,
            threads: 2,
            grace: Duration::from_secs(10),
            secrets: BTreeMap::new(),
            patience: if role == Role::Daemon { Patience::Forever } else { Patience::ForLocks },
            role,
            limits: (*common.limits).clone(),
            memory: None,
        };
        let scheduler = Scheduler {
            store: common.store.clone(),
            workspace: common.workspace.clone(),
            clock: common.clock.clone(),
            entropy: common.ids.clone(),
            owners: common.village.clone(),
            world: Box::new(Eyes(common.files.clone())),
            agenda: Agenda::default(),
        };
        let new = Loop { scheduler, catalog: Catalog::default(), read: BTreeMap::new(), look: 0 };
        Self {
            owner: owner.to_owned(),
            driver: Driver::new(parts, options),
            daemon: (role == Role::Daemon).then_some(new),
            observer: Watch { common, trace, laws, ended: false },
            wake: None,
        }
    }

    /// The driver acts once.
    pub(crate) fn turn(&mut self) -> anyhow::Result<()> {
        self.driver.turn(&mut self.observer)
    }

    /// The scheduler looks once. Returns when it wants to look again.
    pub(crate) fn look(&mut self, texts: &BTreeMap<String, Arc<Loaded>>, now: UnixMs) -> anyhow::Result<Option<UnixMs>> {
        let Some(daemon) = &mut self.daemon else { return Ok(None) };
        for (name, loaded) in texts {
            if daemon.read.get(name).is_some_and(|read| Arc::ptr_eq(read, loaded)) {
                continue;
            }
            let file = format!("{name}.yaml");
            daemon.catalog.read(Path::new(&file), loaded, &daemon.scheduler.store, now)?;
            daemon.read.insert(name.clone(), loaded.clone());
        }
        daemon.scheduler.look(&daemon.catalog, &mut Asking { driver: &mut self.driver, observer: &mut self.observer })
    }

    /// Whether a run has ended since this was asked last.
    pub(crate) fn has_ended_a_run(&mut self) -> bool {
        std::mem::take(&mut self.observer.ended)
    }
}
