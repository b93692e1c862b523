//! Goal: whatever is called in whatever order, the store answers as a model of a few maps does.
//!
//! Method: random operations on three runs, in transactions of which some fail at their end, with the store
//! closed and opened in between; then every question is asked of both.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use recflow_state::{AttemptRow, AttemptState, Error, RunFilter, RunStatus, Store, TaskRow, TaskState, Tx, UnixMs};
use serde_json::{Value, json};

use crate::samples::{attempt, create, folder, id, task};

const TASKS: [&str; 2] = ["a", "b"];

#[derive(Debug, Clone)]
enum Op {
    Create,
    Append(Vec<Value>),
    Update(RunStatus, Option<i64>, Option<i64>, Option<String>),
    SetOwner(Option<String>, Option<String>),
    PutTask { position: u32, task: &'static str, state: TaskState, generation: u32, reason: Option<String>, error: Option<Value> },
    PutAttempt { task: &'static str, number: u32, state: AttemptState, ended: Option<i64>, cpu_ms: Option<u64>, output: Option<Value> },
    SetProcess { task: &'static str, number: u32, pid: u32, start: u64 },
    SetProgress { task: &'static str, number: u32, progress: Value },
    PutOutput { task: &'static str, attempt: u32, value: Value },
    AddMetric { task: &'static str, step: u64, value: f64 },
}

#[derive(Debug, Clone)]
enum Step {
    Reopen,
    Write { ops: Vec<(u64, Op)>, fails: bool },
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
        ]
    })
}

fn op() -> impl Strategy<Value = Op> {
    let task = || select(&TASKS[..]);
    let owner = || option::of(select(vec!["x".to_owned(), "y".to_owned()]));
    let count = || 0..u64::from(u32::MAX) * 2;
    prop_oneof![
        2 => Just(Op::Create),
        2 => vec(value(), 0..3).prop_map(Op::Append),
        2 => (select(RunStatus::ALL), option::of(any::<i64>()), option::of(any::<i64>()), option::of(any::<String>()))
            .prop_map(|(status, started, ended, reason)| Op::Update(status, started, ended, reason)),
        2 => (owner(), owner()).prop_map(|(expected, new)| Op::SetOwner(expected, new)),
        2 => (0..3u32, task(), select(TaskState::ALL), any::<u32>(), option::of(any::<String>()), option::of(value())).prop_map(
            |(position, task, state, generation, reason, error)| Op::PutTask { position, task, state, generation, reason, error }
        ),
        3 => (task(), 1..3u32, select(AttemptState::ALL), option::of(any::<i64>()), option::of(count()), option::of(value())).prop_map(
            |(task, number, state, ended, cpu_ms, output)| Op::PutAttempt { task, number, state, ended, cpu_ms, output }
        ),
        1 => (task(), 1..3u32, any::<u32>(), count()).prop_map(|(task, number, pid, start)| Op::SetProcess { task, number, pid, start }),
        1 => (task(), 1..3u32, value()).prop_map(|(task, number, progress)| Op::SetProgress { task, number, progress }),
        2 => (task(), 1..9u32, value()).prop_map(|(task, attempt, value)| Op::PutOutput { task, attempt, value }),
        1 => (task(), 0..4u64, any::<f64>()).prop_map(|(task, step, value)| Op::AddMetric { task, step, value }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let write = (vec((1..=3u64, op()), 1..6), prop::bool::weighted(0.2)).prop_map(|(ops, fails)| Step::Write { ops, fails });
    prop_oneof![1 => Just(Step::Reopen), 9 => write]
}

/// What a run should look like.
#[derive(Debug, Clone, Default)]
struct Model {
    /// The runs, oldest first.
    order: Vec<u64>,
    runs: BTreeMap<u64, ModelRun>,
}

#[derive(Debug, Clone)]
struct ModelRun {
    status: RunStatus,
    times: (Option<i64>, Option<i64>),
    reason: Option<String>,
    owner: Option<String>,
    tasks: BTreeMap<u32, TaskRow>,
    attempts: BTreeMap<(&'static str, u32), AttemptRow>,
    events: Vec<Value>,
    outputs: BTreeMap<String, Value>,
    metrics: BTreeMap<(&'static str, u64), f64>,
}

impl ModelRun {
    fn new(n: u64) -> Self {
        let waiting = |position: u32| TaskRow {
            state: TaskState::Waiting,
            attempts: 0,
            queued_at: None,
            started_at: None,
            ..task(n, position, TASKS[position as usize])
        };
        Self {
            status: RunStatus::Queued,
            times: (None, None),
            reason: None,
            owner: None,
            tasks: (0..2).map(|position| (position, waiting(position))).collect(),
            attempts: BTreeMap::new(),
            events: Vec::new(),
            outputs: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    /// Applies one operation; says whether the store should have accepted it.
    fn apply(&mut self, n: u64, op: &Op) -> bool {
        match op.clone() {
            Op::Create => return false,
            Op::Append(bodies) => self.events.extend(bodies),
            Op::Update(status, started, ended, reason) => (self.status, self.times, self.reason) = (status, (started, ended), reason),
            Op::SetOwner(expected, new) => {
                if self.owner != expected {
                    return false;
                }
                self.owner = new;
            }
            Op::PutTask { position, task, .. } if self.tasks.get(&position).is_some_and(|there| there.task_id != task) => return false,
            Op::PutTask { position, .. } => drop(self.tasks.insert(position, task_row(n, op))),
            Op::PutAttempt { task, number, .. } => {
                let new = attempt_row(n, op);
                let old = self.attempts.remove(&(task, number)).unwrap_or_else(|| new.clone());
                let merged = AttemptRow {
                    ended_at: new.ended_at.or(old.ended_at),
                    cpu_ms: new.cpu_ms.or(old.cpu_ms),
                    output: new.output.or(old.output),
                    pid: old.pid,
                    pid_start: old.pid_start,
                    progress: old.progress,
                    ..new
                };
                self.attempts.insert((task, number), merged);
            }
            Op::SetProcess { task, number, pid, start } => match self.attempts.get_mut(&(task, number)) {
                None => return false,
                Some(attempt) => (attempt.pid, attempt.pid_start) = (Some(pid), Some(start)),
            },
            Op::SetProgress { task, number, progress } => match self.attempts.get_mut(&(task, number)) {
                None => return false,
                Some(attempt) => attempt.progress = Some(progress),
            },
            Op::PutOutput { task, value, .. } => drop(self.outputs.insert(task.to_owned(), value)),
            Op::AddMetric { task, step, value } => drop(self.metrics.insert((task, step), value)),
        }
        true
    }
}

impl Model {
    fn apply(&mut self, n: u64, op: &Op) -> bool {
        match (op, self.runs.get_mut(&n)) {
            (_, Some(run)) => run.apply(n, op),
            (Op::Create, None) => {
                self.order.push(n);
                self.runs.insert(n, ModelRun::new(n));
                true
            }
            // Nothing to append is nothing to refuse.
            (Op::Append(bodies), None) => bodies.is_empty(),
            (_, None) => false,
        }
    }
}

fn task_row(n: u64, op: &Op) -> TaskRow {
    let Op::PutTask { position, task: name, state, generation, reason, error } = op.clone() else { unreachable!() };
    TaskRow { state, generation, reason, error, ..task(n, position, name) }
}

fn attempt_row(n: u64, op: &Op) -> AttemptRow {
    let Op::PutAttempt { task, number, state, ended, cpu_ms, output } = op.clone() else { unreachable!() };
    AttemptRow { state, ended_at: ended.map(UnixMs), cpu_ms, output, ..attempt(n, task, number) }
}

/// Applies one operation to the store; says whether it was accepted.
fn apply(tx: &Tx<'_>, n: u64, op: &Op) -> bool {
    let run = id(n);
    let result = match op {
        Op::Create => create(tx, n, "p"),
        Op::Append(bodies) => {
            let events: Vec<_> = bodies.iter().map(|body| (UnixMs(5), body.clone())).collect();
            tx.append_events(&run, &events).map(drop)
        }
        Op::Update(status, started, ended, reason) => {
            tx.update_run(&run, *status, started.map(UnixMs), ended.map(UnixMs), reason.as_deref())
        }
        Op::SetOwner(expected, new) => return tx.set_owner(&run, expected.as_deref(), new.as_deref()).unwrap(),
        Op::PutTask { .. } => tx.put_task(&task_row(n, op)),
        Op::PutAttempt { .. } => tx.put_attempt(&attempt_row(n, op)),
        Op::SetProcess { task, number, pid, start } => tx.set_attempt_process(&run, task, *number, *pid, *start),
        Op::SetProgress { task, number, progress } => tx.set_progress(&run, task, *number, progress),
        Op::PutOutput { task, attempt, value } => tx.put_output(&run, task, *attempt, value),
        Op::AddMetric { task, step, value } => tx.add_metric(&run, task, 1, "loss", *step, *value),
    };
    result.is_ok()
}

fn assert_agree(store: &Store, model: &Model) {
    let list = store.read(|view| view.runs(99, &RunFilter::default())).unwrap();
    assert!(list.iter().map(|run| run.id.clone()).eq(model.order.iter().rev().map(|&n| id(n))), "newest first");
    let open = store.read(|view| view.non_terminal_runs()).unwrap();
    let is_open = |n: &&u64| !model.runs[n].status.is_terminal();
    assert!(open.iter().map(|run| run.id.clone()).eq(model.order.iter().filter(is_open).map(|&n| id(n))), "open ones, oldest first");

    for (&n, expected) in &model.runs {
        let run = store.read(|view| view.find_run(id(n).as_str())).unwrap();
        assert_eq!((run.started_at, run.ended_at), (expected.times.0.map(UnixMs), expected.times.1.map(UnixMs)));
        assert_eq!((run.status, run.reason, run.owner), (expected.status, expected.reason.clone(), expected.owner.clone()));
        store
            .read(|view| {
                assert!(view.tasks(&run.id)?.iter().eq(expected.tasks.values()));
                assert!(view.attempts(&run.id)?.iter().eq(expected.attempts.values()));
                assert!(view.events(&run.id)?.iter().map(|event| &event.body).eq(&expected.events));
                assert_eq!(view.outputs(&run.id)?, expected.outputs);
                for task in TASKS {
                    let points = view.metrics(&run.id, task)?;
                    let expected: Vec<_> = expected.metrics.iter().filter(|((name, _), _)| *name == task).collect();
                    assert_eq!(points.len(), expected.len());
                    for (point, ((_, step), &value)) in points.iter().zip(expected) {
                        assert_eq!(point.step, *step);
                        assert!(point.value == value || point.value.is_nan() && value.is_nan(), "{} {value}", point.value);
                    }
                }
                Ok(())
            })
            .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_store_agrees_with_a_model(steps in vec(step(), 1..12)) {
        let (_folder, path) = folder();
        let mut store = Store::open(&path).unwrap();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Reopen => {
                    drop(store);
                    store = Store::open(&path).unwrap();
                }
                Step::Write { ops, fails } => {
                    let mut next = model.clone();
                    let written = store.write(|tx| {
                        for (n, op) in &ops {
                            assert_eq!(apply(tx, *n, op), next.apply(*n, op), "run {n}: {op:?}");
                        }
                        if fails { Err(tx.pipeline_text(recflow_state::VersionId(-1)).unwrap_err()) } else { Ok::<_, Error>(()) }
                    });
                    assert_eq!(written.is_err(), fails);
                    if !fails {
                        model = next;
                    }
                }
            }
            assert_agree(&store, &model);
        }
    }
}

#[test]
fn a_float_comes_back_bit_for_bit() {
    let (_folder, store) = crate::samples::store();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    for value in [0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, 1.7976931348623155e308, -0.0, 5e-324] {
        store.write(|tx| tx.put_output(&id(1), "a", 1, &json!(value))).unwrap();
        let read = store.read(|view| view.outputs(&id(1))).unwrap()["a"].as_f64().unwrap();
        assert_eq!(read.to_bits(), value.to_bits(), "{value:e}");
    }
}
