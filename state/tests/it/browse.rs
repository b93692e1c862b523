//! Questions of people who browse.

use recflow_state::{TaskRow, TaskState, UnixMs, VersionId};
use serde_json::json;

use crate::samples::{create, create_with, id, store, task};

#[test]
fn the_states_of_tasks_come_in_the_order_of_the_runs_asked_for() {
    let (_folder, store) = store();
    store.write(|tx| (1..=3).try_for_each(|n| create(tx, n, "p"))).unwrap();
    store.write(|tx| tx.put_task(&TaskRow { state: TaskState::Running, ..task(3, 1, "b") })).unwrap();
    let found = store.read(|view| view.task_standings(&[id(3), id(1)])).unwrap();
    let shown: Vec<_> = found.iter().map(|row| (row.run.clone(), row.task.as_str(), row.state)).collect();
    let waiting = TaskState::Waiting;
    assert_eq!(shown, [(id(3), "a", waiting), (id(3), "b", TaskState::Running), (id(1), "a", waiting), (id(1), "b", waiting)]);
    assert!(store.read(|view| view.task_standings(&[])).unwrap().is_empty());
}

#[test]
fn versions_and_events_come_in_pages() {
    let (_folder, store) = store();
    let ids: Vec<VersionId> =
        (0..3).map(|n| store.write(|tx| tx.pipeline_version("p", &n.to_string(), "text", None, UnixMs(n))).unwrap()).collect();
    let list = |before, limit| -> Vec<VersionId> {
        store.read(|view| view.versions("p", before, limit)).unwrap().into_iter().map(|row| row.id).collect()
    };
    assert_eq!(list(None, 2), [ids[2], ids[1]]);
    assert_eq!(list(Some(ids[1]), 2), [ids[0]]);
    store.write(|tx| create(tx, 1, "p")).unwrap();
    let events: Vec<_> = (0..3).map(|n| (UnixMs(n), json!({ "n": n }))).collect();
    store.write(|tx| tx.append_events(&id(1), &events).map(drop)).unwrap();
    let seqs: Vec<u64> = store.read(|view| view.events_after(&id(1), 1, 5)).unwrap().iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [2, 3]);
}

#[test]
fn looks_for_drift_and_what_followed_are_found() {
    let (_folder, store) = store();
    store
        .write(|tx| {
            create(tx, 1, "watch")?;
            create(tx, 2, "watch")?;
            create_with(tx, 3, "retrain", |run| run.cause = Some(json!({ "pipeline": "watch", "run": id(1) })))?;
            for (n, at) in [(1, 10), (2, 20)] {
                let ended = TaskRow {
                    stage: "detect_drift".to_owned(),
                    state: TaskState::Succeeded,
                    ended_at: Some(UnixMs(at)),
                    ..task(n, 0, "a")
                };
                tx.put_task(&ended)?;
                tx.put_output(&id(n), "a", 1, &json!({ "drift_score": n }))?;
            }
            tx.put_task(&TaskRow { stage: "train_als".to_owned(), state: TaskState::Succeeded, ..task(3, 0, "a") })
        })
        .unwrap();
    store
        .read(|view| {
            let looks = view.drift_outputs(None, 9)?;
            assert_eq!(looks.iter().map(|look| look.run.clone()).collect::<Vec<_>>(), [id(2), id(1)]);
            assert_eq!((looks[1].pipeline.as_str(), looks[1].output["drift_score"].as_u64()), ("watch", Some(1)));
            assert!(view.drift_outputs(Some("other"), 9)?.is_empty());
            assert_eq!(view.runs_caused_by(&id(1))?, [id(3)]);
            assert!(view.has_trained(&id(3))? && !view.has_trained(&id(1))?);
            assert_eq!((view.run_count()?, view.task_count()?), (3, 6));
            Ok(())
        })
        .unwrap();
}
