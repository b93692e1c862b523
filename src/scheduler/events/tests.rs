//! Each event leads to one run or to a reason, whatever else happens.

use std::cell::RefCell;
use std::sync::Arc;

use recflow_stages::Catalog as Stages;
use recflow_state::{RunStatus, Store};

use super::*;
use crate::engine::entropy::SystemEntropy;
use crate::engine::{Enqueue, enqueue, pin};
use crate::pipeline::load;
use crate::workspace::Workspace;

/// A world that a test changes.
#[derive(Default)]
struct Toy(RefCell<Found>);

impl World for Toy {
    fn look(&self, source: &EventSource) -> Found {
        let found = self.0.borrow().clone();
        match source {
            EventSource::Pipeline { .. } => Found::default(),
            EventSource::Dataset { .. } => Found { files: BTreeMap::new(), ..found },
            EventSource::File { .. } => Found { snapshot: None, ..found },
        }
    }
}

struct Scene {
    store: Store,
    workspace: Workspace,
    world: Toy,
    entry: Entry,
}

impl Scene {
    /// A pipeline `p` with this `on`, seen for the first time at 0 s.
    fn new(on: &str) -> Self {
        let store = Store::in_memory().unwrap();
        let text = format!("name: p\nparams: {{ x: {{ type: string, default: none }} }}\non: {on}\ntasks: {{ a: {{ stage: noop }} }}\n");
        let loaded = load(&text, "p.yaml", Stages::builtin());
        let pipeline = loaded.pipeline.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let version = store.write(|tx| pin(tx, "p", &text, None, UnixMs(0))).unwrap();
        let entry = Entry { pipeline: Arc::new(pipeline), version, file: "p.yaml".into() };
        let workspace = Workspace::new(std::path::Path::new("/nowhere"), None).unwrap();
        let scene = Self { store, workspace, world: Toy::default(), entry };
        assert_eq!(scene.look(0), [""; 0]);
        scene
    }

    /// A look at `s` seconds: the parameter `x` of each run that it created.
    fn look(&self, s: i64) -> Vec<String> {
        let alive = |_: &str| true;
        let ticker = Ticker { store: &self.store, workspace: &self.workspace, entropy: &SystemEntropy, is_alive: &alive };
        let (created, _) = ticker.look_at_triggers(&self.entry, &self.world, UnixMs(s * 1_000)).unwrap();
        let runs = created.iter().map(|id| self.store.read(|view| view.run(id)).unwrap());
        runs.map(|run| run.params["x"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A run of another pipeline ends with this output of its task `a`.
    fn end(&self, pipeline: &str, status: RunStatus, output: Value) {
        self.end_of(pipeline, status, output, None);
    }

    /// A run that was itself started by this.
    fn end_caused(&self, pipeline: &str, cause: Option<Value>) {
        self.end_of(pipeline, RunStatus::Succeeded, Value::Null, cause);
    }

    fn end_of(&self, pipeline: &str, status: RunStatus, output: Value, cause: Option<Value>) {
        let id = RunId::from_random(crate::engine::entropy::Entropy::next(&SystemEntropy));
        let run = Enqueue {
            id: id.clone(),
            pipeline: &Pipeline { name: pipeline.to_owned(), ..(*self.entry.pipeline).clone() },
            version: self.entry.version,
            params: &Map::new(),
            trigger: Trigger::Manual,
            logical_date: UnixMs(0),
            owner: None,
            cause,
            backfill: None,
            replay_of: None,
        };
        let ended = |tx: &Tx<'_>| {
            enqueue(tx, &self.workspace, run, UnixMs(0))?;
            tx.put_output(&id, "a", 1, &output)?;
            tx.update_run(&id, status, None, Some(UnixMs(0)), None)?;
            tx.add_run_end(&id, status, UnixMs(0))
        };
        self.store.write(ended).unwrap();
    }

    fn put(&self, file: &str, stamp: &str) {
        self.world.0.borrow_mut().files.insert(file.to_owned(), stamp.to_owned());
    }
}

#[test]
fn each_end_that_is_meant_starts_one_run_with_what_it_returned() {
    let scene = Scene::new("{ pipeline: q, when: run.outputs.a.n > 1, params: { x: \"n={{ run.outputs.a.n }}\" } }");
    scene.end("q", RunStatus::Succeeded, json!({ "n": 2 }));
    scene.end("q", RunStatus::Succeeded, json!({ "n": 1 }));
    scene.end("q", RunStatus::Failed, json!({ "n": 3 }));
    scene.end("r", RunStatus::Succeeded, json!({ "n": 4 }));
    scene.end("q", RunStatus::Succeeded, json!({ "n": 5 }));
    assert_eq!(scene.look(1), ["n=2", "n=5"]);
    assert_eq!(scene.look(2), [""; 0]);
}

#[test]
fn what_ended_before_the_trigger_was_there_starts_nothing() {
    let scene = Scene::new("{ pipeline: q }");
    scene.end("q", RunStatus::Succeeded, Value::Null);
    assert_eq!(scene.look(1).len(), 1);
    // Another trigger of the same store, seen now for the first time.
    let later =
        Entry { pipeline: Arc::new(Pipeline { name: "later".to_owned(), ..(*scene.entry.pipeline).clone() }), ..scene.entry.clone() };
    let scene = Scene { entry: later, ..scene };
    assert_eq!(scene.look(2), [""; 0]);
    scene.end("q", RunStatus::Succeeded, Value::Null);
    assert_eq!(scene.look(3).len(), 1);
}

#[test]
fn a_condition_that_cannot_be_told_is_recorded_and_starts_nothing() {
    let scene = Scene::new("{ pipeline: q, when: run.outputs.a.n > 1 }");
    scene.end("q", RunStatus::Succeeded, json!({}));
    assert_eq!(scene.look(1), [""; 0]);
    let slots = scene.store.read(|view| view.slots("p", 9)).unwrap();
    let reason = slots[0].reason.as_deref().unwrap_or_default();
    assert!(reason.contains("run.outputs.a.n") && reason.contains("not defined"), "{reason}");
    assert_eq!(scene.look(2), [""; 0], "and not asked again");
}

#[test]
fn what_happens_within_the_debounce_leads_to_one_run_of_the_latest() {
    let scene = Scene::new("{ pipeline: q, debounce: 10s, params: { x: \"{{ run.outputs.a.n }}\" } }");
    scene.end("q", RunStatus::Succeeded, json!({ "n": "one" }));
    assert_eq!(scene.look(1), [""; 0]);
    scene.end("q", RunStatus::Succeeded, json!({ "n": "two" }));
    assert_eq!(scene.look(9), [""; 0]);
    assert_eq!(scene.look(18), [""; 0], "quiet for nine seconds");
    assert_eq!(scene.look(19), ["two"]);
    assert_eq!(scene.look(40), [""; 0]);
    // A clock that goes back must not hold it up for longer than was asked.
    scene.end("q", RunStatus::Succeeded, json!({ "n": "three" }));
    assert_eq!(scene.look(50), [""; 0]);
    assert_eq!(scene.look(2), ["three"]);
}

#[test]
fn a_paused_pipeline_lets_events_pass() {
    let scene = Scene::new("{ pipeline: q }");
    let row = recflow_state::PipelineRow {
        name: "p".to_owned(),
        file: None,
        version: None,
        error: None,
        present: true,
        paused_at: Some(UnixMs(0)),
        changed_at: UnixMs(0),
    };
    scene.store.write(|tx| tx.put_pipeline(&row)).unwrap();
    scene.end("q", RunStatus::Succeeded, Value::Null);
    assert_eq!(scene.look(1), [""; 0]);
    assert!(scene.store.write(|tx| tx.set_paused("p", false, UnixMs(2_000))).unwrap());
    assert_eq!(scene.look(3), [""; 0]);
}

#[test]
fn files_are_taken_together_once_they_have_been_quiet() {
    let scene = Scene::new("{ file: \"in/*\", debounce: 5s, params: { x: \"{{ event.paths | join(' ') }}\" } }");
    scene.put("in/a", "1");
    assert_eq!(scene.look(1), [""; 0]);
    scene.put("in/b", "1");
    assert_eq!(scene.look(4), [""; 0]);
    scene.put("in/b", "2");
    assert_eq!(scene.look(8), [""; 0], "it grows");
    assert_eq!(scene.look(13), ["in/a in/b"]);
    assert_eq!(scene.look(30), [""; 0]);
    scene.put("in/a", "other");
    assert_eq!((scene.look(31), scene.look(36)), (vec![], vec!["in/a".to_owned()]));
}

#[test]
fn pipelines_that_start_one_another_come_to_an_end() {
    let scene = Scene::new("{ pipeline: q }");
    let mut last: Option<Value> = None;
    let mut started = 0;
    for s in 1..=80 {
        scene.end_caused("q", last.clone());
        let alive = |_: &str| true;
        let ticker = Ticker { store: &scene.store, workspace: &scene.workspace, entropy: &SystemEntropy, is_alive: &alive };
        let (created, _) = ticker.look_at_triggers(&scene.entry, &scene.world, UnixMs(s * 1_000)).unwrap();
        let Some(id) = created.first() else { break };
        started += 1;
        last = scene.store.read(|view| view.run(id)).unwrap().cause;
    }
    assert_eq!(started, CHAIN_MAX);
    let slots = scene.store.read(|view| view.slots("p", 1)).unwrap();
    assert!(slots[0].reason.as_deref().is_some_and(|reason| reason.contains("in a row")), "{slots:?}");
}

#[test]
fn a_new_snapshot_starts_a_run_at_once() {
    let scene = Scene::new("{ dataset: data/ratings, params: { x: \"{{ event.snapshot }}\" } }");
    scene.world.0.borrow_mut().snapshot = Some("7".to_owned());
    assert_eq!(scene.look(1), ["7"]);
    assert_eq!(scene.look(2), [""; 0]);
    scene.world.0.borrow_mut().snapshot = None;
    assert_eq!(scene.look(3), [""; 0], "a dataset that is gone is no news");
    scene.world.0.borrow_mut().snapshot = Some("8".to_owned());
    assert_eq!(scene.look(4), ["8"]);
}
