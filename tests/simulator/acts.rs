//! What people do, and what goes wrong, at random.

use jiff::SignedDuration;
use recflow::engine::core::Mark;
use recflow::engine::{AtLimit, Enqueue, Launch, MarkTask, Message, Role, Wish, ask, enqueue, pin};
use recflow::pipeline::Pipeline;
use recflow_stages::clock::Clock;
use recflow_state::{Backfill, Run, RunFilter, RunId, Trigger, Tx, UnixMs};

use crate::faults::Sickness;
use crate::history::History;
use crate::pipelines::Flavour;

/// Runs among which people choose.
const RECENT: u32 = 12;

impl History {
    /// Somebody does something, or something goes wrong.
    pub(crate) fn act(&mut self) {
        if self.common.setting.flavour != Flavour::Wild {
            return match self.dice.below(10) {
                0..3 => self.kill(),
                3..8 => self.doom(),
                _ => self.drain(),
            };
        }
        match self.dice.below(100) {
            0..6 => self.kill(),
            6..18 => self.doom(),
            18..21 => self.drain(),
            21..26 => self.sicken_or_heal(),
            26..30 => self.set_the_clock(),
            30..41 => self.trigger(),
            41..51 => self.run_by_hand(),
            51..59 => self.cancel(),
            59..67 => self.mark(),
            67..72 => self.replay(),
            72..81 => self.resume(),
            81..87 => self.pause_or_unpause(),
            87..91 => self.edit(),
            91..93 => self.backfill(),
            _ => self.put_file(),
        }
        self.nudge();
    }

    /// A process dies between two of its actions.
    fn kill(&mut self) {
        if !self.processes.is_empty() {
            let index = self.dice.below(self.processes.len() as u64) as usize;
            self.bury(index);
        }
    }

    /// A process will die while it acts, whichever acts then.
    fn doom(&mut self) {
        let moments = self.dice.between(0, 40);
        self.common.faults.arm(moments);
    }

    fn drain(&mut self) {
        let until = self.common.clock.now() + SignedDuration::from_millis(self.dice.between(0, 3 * self.common.setting.scale));
        let now = self.now();
        if let Some(process) = self.processes.iter_mut().find(|process| process.daemon.is_some()) {
            process.driver.take(Message::Drain { until });
            process.wake = Some(now + 1);
            if let Some(daemon) = process.daemon.as_mut() {
                daemon.look = i64::MAX;
            }
        }
    }

    fn sicken_or_heal(&mut self) {
        let sickness = (!self.common.faults.is_sick()).then(|| {
            let kind = *self.dice.pick(&[Sickness::Full, Sickness::Locked]);
            (kind, self.dice.fork())
        });
        self.common.faults.sicken(sickness);
    }

    /// Forward or back; rarely by more than a day.
    fn set_the_clock(&mut self) {
        let scale = self.common.setting.scale;
        let far = scale >= 600_000 && self.dice.percent(20);
        let by = if far { 30 * 3_600_000 } else { scale * self.dice.between(1, 30) };
        let by = if self.dice.percent(40) { -by } else { by };
        self.common.clock.advance_ms(by);
        let now = self.now();
        // Whoever sleeps wakes within a second, and sees it.
        for process in &mut self.processes {
            process.wake = process.wake.map(|wake| wake.min(now + 1_000));
        }
    }

    fn any_pipeline(&mut self) -> (Pipeline, String) {
        let index = self.dice.below(self.texts.len() as u64) as usize;
        let loaded = self.texts.values().nth(index).expect("there is one");
        (loaded.pipeline.clone().expect("valid"), loaded.source.text().to_owned())
    }

    fn any_run(&mut self) -> Option<Run> {
        let runs = self.common.store.read(|view| view.runs(RECENT, &RunFilter::default())).expect("reads do not fail here");
        (!runs.is_empty()).then(|| self.dice.pick(&runs).clone())
    }

    /// A run through the store, for whoever claims it.
    fn trigger(&mut self) {
        let (pipeline, text) = self.any_pipeline();
        let at = self.clock();
        let new = self.queued(&pipeline, &text, Trigger::Manual, at, None);
        // A person whose command fails sees that.
        let _ = self.common.store.write(|tx| new(tx));
    }

    /// What records a queued run.
    fn queued<'a>(
        &mut self,
        pipeline: &'a Pipeline,
        text: &'a str,
        trigger: Trigger,
        logical_date: UnixMs,
        backfill: Option<i64>,
    ) -> impl Fn(&Tx<'_>) -> recflow_state::Result<()> + use<'a> {
        let (now, id) = (self.clock(), RunId::from_random(self.dice.next()));
        let workspace = self.common.workspace.clone();
        move |tx| {
            let version = pin(tx, &pipeline.name, text, None, now)?;
            let params = pipeline.resolve_params(&[]).expect("all have defaults");
            let new = Enqueue {
                id: id.clone(),
                pipeline,
                version,
                params: &params,
                trigger,
                logical_date,
                owner: None,
                cause: None,
                backfill,
                replay_of: None,
            };
            enqueue(tx, &workspace, new, now)
        }
    }

    /// `recflow run`, beside the daemon.
    fn run_by_hand(&mut self) {
        let (pipeline, text) = self.any_pipeline();
        let at_limit = *self.dice.pick(&[AtLimit::Wait, AtLimit::Refuse]);
        let params = pipeline.resolve_params(&[]).expect("all have defaults");
        let launch = Launch { pipeline, text, file: None, params, trigger: Trigger::Manual, logical_date: None, at_limit };
        self.start(Role::Command, |process| process.driver.launch(launch).map(drop));
    }

    /// Tells whoever executes a run; false if nobody does.
    fn wish(&mut self, run: &Run, wish: &Wish) -> bool {
        if run.status.is_terminal() || !self.common.village.lives(run.owner.as_deref()) {
            return false;
        }
        let (clock, now) = (self.clock(), self.now());
        let _ = self.common.store.write(|tx| ask(tx, &run.id, wish, clock));
        if let Some(owner) = self.processes.iter_mut().find(|process| Some(&process.owner) == run.owner.as_ref()) {
            owner.driver.take(Message::Wake);
            owner.wake = Some(now + 1);
        }
        true
    }

    fn cancel(&mut self) {
        let Some(run) = self.any_run().filter(|run| !run.status.is_terminal()) else { return };
        let (force, reason) = (self.dice.percent(20), "somebody wants it".to_owned());
        if run.owner.is_none() {
            let clock = self.clock();
            let _ = self.common.store.write(|tx| tx.cancel_unclaimed(&run.id, clock, &reason));
        } else if !self.wish(&run, &Wish::Cancel { force, reason: reason.clone() }) {
            self.start(Role::Command, |process| {
                process.driver.resume(&run.id)?;
                process.driver.take(Message::Cancel { run: Some(run.id), force, reason });
                Ok(())
            });
        }
    }

    fn mark(&mut self) {
        let Some(run) = self.any_run() else { return };
        let tasks = self.common.store.read(|view| view.tasks(&run.id)).expect("reads do not fail here");
        let task = self.dice.pick(&tasks).task_id.clone();
        let r#as = *self.dice.pick(&[Mark::Succeeded, Mark::Failed, Mark::Skipped]);
        let mark = MarkTask { task, r#as, taken: None, output: None, reason: "somebody says so".to_owned() };
        if !self.wish(&run, &Wish::Mark(mark.clone())) {
            self.start(Role::Command, |process| process.driver.mark(&run.id, &mark));
        }
    }

    fn replay(&mut self) {
        let Some(run) = self.any_run() else { return };
        let tasks = self.common.store.read(|view| view.tasks(&run.id)).expect("reads do not fail here");
        let from = self.dice.pick(&tasks).task_id.clone();
        self.start(Role::Command, |process| process.driver.replay(&run.id, &from).map(drop));
    }

    fn resume(&mut self) {
        let Some(run) = self.any_run() else { return };
        self.start(Role::Command, |process| process.driver.resume(&run.id));
    }

    fn pause_or_unpause(&mut self) {
        let name = self.any_pipeline().0.name;
        let (clock, pause) = (self.clock(), self.dice.percent(50));
        if let Ok(true) = self.common.store.write(|tx| tx.set_paused(&name, pause, clock)) {
            self.paused.insert(name);
        }
    }

    /// A person saves another version of a pipeline: other tasks, the same schedules, triggers and limits.
    fn edit(&mut self) {
        let blueprint = self.dice.pick(&self.blueprints).clone();
        let setting = self.common.setting.clone();
        let (name, loaded) = blueprint.loaded(&mut self.dice, &setting);
        self.texts.insert(name, loaded);
    }

    fn backfill(&mut self) {
        let (pipeline, text) = self.any_pipeline();
        let clock = self.clock();
        let days = self.dice.between(2, 5);
        let date = |day: i64| UnixMs(clock.0 - day * 86_400_000);
        let new = Backfill {
            id: 0,
            pipeline: pipeline.name.clone(),
            since: date(days),
            until: date(1),
            max_active: self.dice.between(1, 2) as u32,
            created_at: clock,
            cancelled_at: None,
        };
        let Ok(id) = self.common.store.write(|tx| tx.add_backfill(&new)) else { return };
        for day in 1..=days {
            let run = self.queued(&pipeline, &text, Trigger::Backfill, date(day), Some(id));
            let _ = self.common.store.write(|tx| run(tx));
        }
    }

    /// A file, or a snapshot of a dataset, for a pipeline that may watch it.
    fn put_file(&mut self) {
        let name = self.any_pipeline().0.name;
        let stamp = format!("{:020}", self.now());
        for folder in [format!("in/{name}"), format!("data/{name}")] {
            self.common.files.add(&folder, &stamp);
        }
    }
}
