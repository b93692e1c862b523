//! How a run comes to be executed here: `max_active_runs` holds over all processes of a store.
//!
//! A run waits as `queued`: without an owner until a daemon claims it, or owned by the `recflow run` that created it and
//! waits for room. Both ask in the transaction that makes the run `running`, and count the runs that are under way and whose owner lives:
//! an interrupted run holds no place.

use anyhow::{Context as _, bail};
use recflow_stages::Catalog;
use recflow_state::{Run, RunId, RunStatus, TaskRow, TaskState, Tx};

use super::core::Event;
use super::driver::Driver;
use super::launch::Seed;
use super::live::LiveRun;
use super::notice::{Notice, Observer};
use super::owner::Liveness;
use crate::pipeline::Pipeline;

/// How often a run that waits for room asks again, in milliseconds: other processes do not tell when they are done.
const ASK_EVERY_MS: i64 = 250;

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The run is this driver's, and begins with its next turn.
    Taken,
    /// As many runs of its pipeline or of its backfill are under way as may be; the text says so. It stays queued.
    Full(String),
    /// It is not queued any more, or another process has it.
    Gone,
}

/// Who claims queued runs: a driver, or another thread that asks one through its handle.
pub trait Claims {
    /// As [`Driver::claim`].
    fn claim(&mut self, run: &RunId) -> anyhow::Result<Claim>;

    /// Has the driver look at what people want of its runs.
    fn wake(&mut self);
}

/// A run of this process that waits for room.
#[derive(Debug)]
pub(super) struct Waiting {
    run: LiveRun,
    events: Vec<Event>,
    /// Whether it was under way before.
    resumed: bool,
    told: bool,
}

impl Waiting {
    pub(super) fn is(&self, run: &RunId) -> bool {
        self.run.id == *run
    }
}

impl Driver {
    /// Claims a queued run of the store that nobody owns.
    ///
    /// A run that cannot begin, because its definition is not valid for this version or a variable has no value, ends as
    /// failed; the error says why.
    pub fn claim(&mut self, id: &RunId) -> anyhow::Result<Claim> {
        if self.draining.is_some() {
            return Ok(Claim::Full("this process is ending".to_owned()));
        }
        let (row, text) = self.store.read(|view| {
            let row = view.run(id)?;
            let text = view.pipeline_text(row.version)?;
            Ok((row, text))
        })?;
        let grown = valid(&row, &text.text, text.file.as_deref()).and_then(|pipeline| {
            // Such a task would wait for ever.
            match self.options.limits.check(&pipeline).first() {
                Some(problem) => bail!("{}", problem.message),
                None => self.seed(&row, pipeline),
            }
        });
        let run = match grown {
            Ok(run) => run,
            Err(error) => {
                self.fail(&row, &format!("{error:#}"))?;
                return Err(error);
            }
        };
        let claim = self.store.write(|tx| {
            if let Err(full) = self.room(tx, &run)? {
                return Ok(Claim::Full(full));
            }
            let taken = tx.claim_run(id, &self.owner)?;
            Ok::<_, anyhow::Error>(if taken { Claim::Taken } else { Claim::Gone })
        })?;
        if claim == Claim::Taken {
            self.adopt(run, vec![Event::Created], false);
        }
        Ok(claim)
    }

    /// A run of a row, before its first event.
    pub(super) fn seed(&self, row: &Run, pipeline: Pipeline) -> anyhow::Result<LiveRun> {
        let params = row.params.as_object().cloned().unwrap_or_default();
        let seed = Seed { id: &row.id, pipeline: &row.pipeline, params: &params, trigger: row.trigger, logical_date: row.logical_date };
        let mut run = seed.grow(pipeline, &self.options)?;
        run.priority = row.priority;
        run.backfill = row.backfill;
        Ok(run)
    }

    /// Whether another run of the pipeline, and of the backfill, may be under way; if not, why. Those that were created earlier and wait
    /// in a live process go first.
    pub(super) fn room(&self, tx: &Tx<'_>, run: &LiveRun) -> recflow_state::Result<Result<(), String>> {
        let name = &run.pipeline.name;
        let alive = |run: &Run| self.is_alive(run.owner.as_deref());
        let limit = run.pipeline.max_active_runs;
        let backfill = run.backfill.map(|id| tx.backfill(id)).transpose()?.flatten();
        if limit.is_none() && backfill.is_none() {
            return Ok(Ok(()));
        }
        let active: Vec<Run> = tx.active_runs(name)?.into_iter().filter(alive).collect();
        if let Some(backfill) = backfill
            && active.iter().filter(|run| run.backfill == Some(backfill.id)).count() >= backfill.max_active as usize
        {
            return Ok(Err(format!("{} runs of backfill {} are under way, as many as it may have", backfill.max_active, backfill.id)));
        }
        let Some(limit) = limit else { return Ok(Ok(())) };
        let older = tx.queued_before(name, &run.id)?.into_iter().filter(|owner| self.is_alive(Some(owner))).count();
        if active.len() + older >= limit as usize {
            let first = active.first().map(|run| format!(", such as {}", run.id)).unwrap_or_default();
            return Ok(Err(format!("{} runs of `{name}` are under way{first}; `max_active_runs` is {limit}", active.len())));
        }
        Ok(Ok(()))
    }

    pub(super) fn is_alive(&self, owner: Option<&str>) -> bool {
        owner.is_some_and(|owner| owner == self.owner || matches!(self.owners.liveness(owner), Liveness::Alive { .. }))
    }

    /// Has a run of this process, which is recorded as queued, begin as soon as there is room.
    pub(super) fn wait_for_room(&mut self, run: LiveRun, events: Vec<Event>, resumed: bool) {
        if !resumed && run.pipeline.max_active_runs.is_none() {
            return self.adopt(run, events, false);
        }
        self.waiting.push(Waiting { run, events, resumed, told: false });
        self.look_again_at = self.now();
    }

    /// When a run that waits for room asks again, in unix milliseconds.
    pub(super) fn next_look(&self) -> Option<i64> {
        (!self.waiting.is_empty()).then_some(self.look_again_at.0)
    }

    /// Lets runs begin that have waited for room. While the store cannot be written they wait.
    pub(super) fn begin_what_may(&mut self, observer: &mut dyn Observer) -> anyhow::Result<()> {
        let now = self.now();
        let is_early = now < self.look_again_at && self.look_again_at.0 - now.0 <= ASK_EVERY_MS;
        if self.waiting.is_empty() || self.draining.is_some() || is_early {
            return Ok(());
        }
        self.look_again_at.0 = now.0 + ASK_EVERY_MS;
        let mut trouble = None;
        for mut waiting in std::mem::take(&mut self.waiting) {
            let room = self.store.write(|tx| {
                let room = self.room(tx, &waiting.run)?;
                if room.is_ok() {
                    let started_at = waiting.run.started_at.or(Some(now));
                    tx.update_run(&waiting.run.id, RunStatus::Running, started_at, None, None)?;
                }
                Ok::<_, recflow_state::Error>(room)
            });
            match room {
                Ok(Ok(())) => self.adopt(waiting.run, waiting.events, waiting.resumed),
                Err(error) => {
                    self.waiting.push(waiting);
                    trouble = Some(error);
                }
                Ok(Err(full)) => {
                    if !std::mem::replace(&mut waiting.told, true) {
                        observer.notice(&Notice::Waiting { reason: format!("run {} waits: {full}", waiting.run.id) });
                    }
                    self.waiting.push(waiting);
                }
            }
        }
        match trouble {
            Some(error) if !self.options.patience.waits_for(&error) => {
                Err(anyhow::Error::from(error).context("cannot ask whether a run may begin"))
            }
            _ => Ok(()),
        }
    }

    /// Has what waits for room and is to be cancelled begin, so that it can end in good order.
    pub(super) fn begin_to_cancel(&mut self, which: impl Fn(&RunId) -> bool) {
        let (chosen, rest) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| which(&waiting.run.id));
        self.waiting = rest;
        let chosen: Vec<Waiting> = chosen;
        chosen.into_iter().for_each(|waiting| self.adopt(waiting.run, waiting.events, waiting.resumed));
    }

    /// Ends a run that nobody executes and that cannot be brought to life.
    pub(super) fn fail(&self, row: &Run, reason: &str) -> anyhow::Result<()> {
        let now = self.now();
        self.store
            .write(|tx| {
                for task in tx.tasks(&row.id)?.into_iter().filter(|task| !task.state.is_terminal()) {
                    let reason = Some(reason.to_owned());
                    tx.put_task(&TaskRow { state: TaskState::Cancelled, ended_at: Some(now), reason, ..task })?;
                }
                tx.update_run(&row.id, RunStatus::Failed, row.started_at, Some(now), Some(reason))?;
                tx.add_run_end(&row.id, RunStatus::Failed, now)
            })
            .with_context(|| format!("cannot record that run {} failed", row.id))
    }
}

/// The pinned definition of a run, checked again: the binary may have changed since.
pub(super) fn valid(row: &Run, text: &str, file: Option<&str>) -> anyhow::Result<Pipeline> {
    let loaded = crate::pipeline::load(text, file.unwrap_or(&row.pipeline), Catalog::builtin());
    let Some(pipeline) = loaded.pipeline else {
        bail!("the pipeline of run {} is not valid for this version of recflow; the run was created by {}", row.id, row.binary_version);
    };
    Ok(pipeline)
}
