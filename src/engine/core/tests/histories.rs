//! Random graphs under random histories. Method: a small driver with a seeded generator picks any event that may
//! happen next (also late and repeated ones, cancellation, clears) until the run is over; the laws are checked at
//! every step. A failure prints the seed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// splitmix64: the histories must not change with a dependency.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

fn random_plan(dice: &mut Dice) -> Plan {
    let count = 1 + dice.roll(9);
    let tasks = (0..count)
        .map(|number| {
            let needs: Vec<TaskIx> = (0..number).filter(|_| dice.roll(3) == 0).collect();
            let mut task = task(&format!("t{number}"), &needs);
            if dice.roll(2) == 0 {
                task.rule = TriggerRule::ALL[dice.roll(TriggerRule::ALL.len())];
            }
            task.retry.retries = dice.roll(3) as u32;
            task.timeout_ms = (dice.roll(3) == 0).then_some(1_000);
            task.allow_failure = dice.roll(4) == 0;
            task
        })
        .collect();
    Plan::new(tasks, dice.0)
}

/// A run under a random history, with everything that happened to it.
struct History {
    run: Driven,
    events: Vec<Stamped>,
    queued: Vec<TaskIx>,
    timers: Vec<(i64, TaskIx, Timer)>,
    running: BTreeSet<(TaskIx, u32)>,
    cancelled: bool,
}

impl History {
    fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let plan = random_plan(&mut dice);
        let mut history = Self {
            run: Driven { state: RunState::new(&plan), plan, now_ms: 0 },
            events: Vec::new(),
            queued: Vec::new(),
            timers: Vec::new(),
            running: BTreeSet::new(),
            cancelled: false,
        };
        history.happen(Event::Created);
        let mut clears = dice.roll(3);
        let mut marks = dice.roll(3);
        for turn in 0.. {
            assert!(turn < 10_000, "the run does not end: {}", history.run.tokens());
            if !history.run.state.status.is_terminal() {
                let event = history.next(&mut dice);
                history.happen(event);
            } else if marks > 0 {
                marks -= 1;
                let mark = history.mark(&mut dice);
                history.cancelled &= !history.is_legal(&mark);
                history.happen_if_legal(mark);
            } else if clears > 0 && history.run.state.status != RunStatus::Succeeded {
                clears -= 1;
                history.cancelled = false;
                let ended = dice.roll(history.run.plan.len());
                history.happen(Event::Cleared { tasks: vec![ended] });
            } else {
                break;
            }
        }
        history
    }

    fn next(&mut self, dice: &mut Dice) -> Event {
        self.run.now_ms += dice.roll(2_000) as i64;
        loop {
            match dice.roll(12) {
                0..=3 if !self.queued.is_empty() => {
                    let task = self.queued.swap_remove(dice.roll(self.queued.len()));
                    if dice.roll(8) == 0 {
                        return Event::Skipped { task, reason: "`when` is false".to_owned() };
                    }
                    return Event::AttemptStarted { task, attempt: self.run.state.tasks[task].attempts + 1 };
                }
                4..=7 if !self.running.is_empty() => {
                    let position = dice.roll(self.running.len());
                    let (task, attempt) = *self.running.iter().nth(position).unwrap();
                    // One in ten ends is reported twice: the second report must be recognised as late.
                    if dice.roll(10) > 0 {
                        self.running.remove(&(task, attempt));
                    }
                    return Event::AttemptEnded { task, attempt, outcome: self.outcome(task, dice) };
                }
                8..=9 if !self.timers.is_empty() => {
                    let (at_ms, task, timer) = self.timers.swap_remove(dice.roll(self.timers.len()));
                    self.run.now_ms = self.run.now_ms.max(at_ms);
                    return Event::TimerFired { task, timer };
                }
                11 if dice.roll(20) == 0 => {
                    let mark = self.mark(dice);
                    if self.is_legal(&mark) {
                        return mark;
                    }
                }
                10 if dice.roll(40) == 0 => {
                    self.cancelled = true;
                    return Event::CancelRequested { force: dice.roll(2) == 0, reason: "somebody".to_owned() };
                }
                _ => {}
            }
        }
    }

    /// A person's word on any task.
    fn mark(&self, dice: &mut Dice) -> Event {
        let task = dice.roll(self.run.plan.len());
        let below = &self.run.plan.downstream[task];
        let r#as = [Mark::Succeeded, Mark::Failed, Mark::Skipped][dice.roll(3)];
        let sides = (r#as == Mark::Succeeded && dice.roll(4) == 0).then(|| below.iter().copied().filter(|_| dice.roll(2) == 0).collect());
        Event::Marked { task, r#as, taken: sides, reason: "somebody".to_owned() }
    }

    fn is_legal(&self, event: &Event) -> bool {
        let stamped = Stamped { at_ms: self.run.now_ms, event: event.clone() };
        self.run.state.clone().apply(&self.run.plan, &stamped).is_ok_and(|step| !step.is_stale())
    }

    fn happen_if_legal(&mut self, event: Event) {
        if self.is_legal(&event) {
            self.happen(event);
        }
    }

    fn outcome(&self, task: TaskIx, dice: &mut Dice) -> Outcome {
        let below = &self.run.plan.downstream[task];
        match dice.roll(11) {
            0 => Outcome::Failed { retryable: true, reason: "disk".to_owned() },
            1 => Outcome::Failed { retryable: false, reason: "input".to_owned() },
            2 => Outcome::Lost { reason: "power".to_owned() },
            3 => Outcome::Stopped,
            4 => Outcome::Skipped { reason: "nothing to do".to_owned() },
            5 if dice.roll(3) == 0 => Outcome::Deferred { until_ms: self.run.now_ms + 500 },
            7 if dice.roll(3) == 0 => Outcome::Interrupted { reason: "drained".to_owned() },
            6 => Outcome::Succeeded { taken: Some(below.iter().copied().filter(|_| dice.roll(2) == 0).collect()) },
            _ => Outcome::Succeeded { taken: None },
        }
    }

    fn happen(&mut self, event: Event) {
        let stamped = Stamped { at_ms: self.run.now_ms, event };
        let step = self.run.state.apply(&self.run.plan, &stamped).unwrap_or_else(|error| panic!("{error}"));
        for effect in &step.effects {
            match effect {
                Effect::Enqueue(task) => {
                    self.assert_rule_holds(*task);
                    assert!(!self.cancelled, "a cancelled run starts nothing new");
                    self.queued.push(*task);
                }
                Effect::Start { task, attempt } => assert!(self.running.insert((*task, *attempt)), "attempts are numbered apart"),
                Effect::Wake { task, timer, at_ms } => {
                    assert!(*at_ms >= self.run.now_ms);
                    self.timers.push((*at_ms, *task, *timer));
                }
                Effect::Stop { .. } | Effect::RunEnded(_) => {}
            }
        }
        self.queued.retain(|task| self.run.state.tasks[*task].phase == Phase::Queued);
        if !step.is_stale() {
            self.events.push(stamped);
        }
    }

    /// Counts the upstream tasks afresh and asks the rule, independently of what the state has kept.
    fn assert_rule_holds(&self, task: TaskIx) {
        let mut counts = Counts::of(self.run.plan.tasks[task].needs.len());
        for upstream in &self.run.plan.tasks[task].needs {
            match self.run.state.tasks[*upstream].phase {
                Phase::Succeeded { .. } => counts.succeeded += 1,
                Phase::Skipped => counts.skipped += 1,
                Phase::Failed | Phase::Cancelled => counts.failed += 1,
                Phase::UpstreamFailed => counts.upstream_failed += 1,
                _ => {}
            }
        }
        assert_eq!(judge(self.run.plan.tasks[task].rule, counts), Verdict::Run, "task {task} over {counts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Every run ends; when it has, every task has ended, and the outcome rule holds.
    #[test]
    fn every_run_ends_and_its_status_follows_from_its_tasks(seed: u64) {
        let history = History::of(seed);
        let state = &history.run.state;
        prop_assert!(state.tasks.iter().all(|record| record.phase.is_terminal()));
        let failed = state.tasks.iter().zip(&history.run.plan.tasks).any(|(record, plan)| record.phase == Phase::Failed && !plan.allow_failure);
        let expected = match (history.cancelled, failed) {
            (true, _) => RunStatus::Cancelled,
            (_, true) => RunStatus::Failed,
            _ => RunStatus::Succeeded,
        };
        prop_assert_eq!(state.status, expected);
    }

    /// Replaying the events, after a round trip through their stored form, gives the same state.
    #[test]
    fn replaying_the_stored_events_gives_the_same_state(seed: u64) {
        let history = History::of(seed);
        let mut replayed = RunState::new(&history.run.plan);
        for stamped in &history.events {
            let stored = serde_json::to_string(stamped).unwrap();
            replayed.apply(&history.run.plan, &serde_json::from_str(&stored).unwrap()).unwrap();
        }
        prop_assert_eq!(replayed, history.run.state);
    }

    /// The same seed gives the same history, byte for byte.
    #[test]
    fn the_same_seed_gives_the_same_history(seed: u64) {
        let text = |history: History| serde_json::to_string(&history.events).unwrap();
        prop_assert_eq!(text(History::of(seed)), text(History::of(seed)));
    }
}
