//! What may be deleted, what goes with it, copies, and room given back.

use std::fs;

use recflow_state::{Error, Kept, RunFilter, RunId, RunStatus, SlotDecision, SlotRow, Store, UnixMs};
use rusqlite::Connection;
use serde_json::json;

use crate::samples::{attempt, create, id, store, task};

/// Ends run `n` at `at`.
fn end(store: &Store, n: u64, at: i64) {
    store.write(|tx| tx.update_run(&id(n), RunStatus::Succeeded, Some(UnixMs(1)), Some(UnixMs(at)), None)).unwrap();
}

/// Runs 1 to `runs` of `p` with a task, an attempt, an event, an output and a metric each; all but the last one over, at 10, 20, ….
fn with_runs(runs: u64) -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    for n in 1..=runs {
        let fill = |tx: &recflow_state::Tx<'_>| {
            create(tx, n, "p")?;
            tx.put_task(&task(n, 0, "a"))?;
            tx.put_attempt(&attempt(n, "a", 1))?;
            tx.append_events(&id(n), &[(UnixMs(0), json!("begun"))])?;
            tx.put_output(&id(n), "a", 1, &json!({ "text": "x".repeat(500) }))?;
            tx.add_metric(&id(n), "a", 1, "loss", 1, 0.5)?;
            tx.add_control(&id(n), &json!("cancel"), UnixMs(0))?;
            tx.add_run_end(&id(n), RunStatus::Succeeded, UnixMs(0))
        };
        store.write(fill).unwrap();
        if n < runs {
            end(&store, n, n as i64 * 10);
        }
    }
    (folder, store)
}

/// Rows by table, those without any left out.
fn rows(store: &Store) -> Vec<(String, u32)> {
    let connection = Connection::open(store.path()).unwrap();
    let tables = ["run", "task", "attempt", "event", "output", "metric", "control", "run_end", "pipeline_version", "slot"];
    let count = |table: &str| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
    tables.into_iter().map(|table| (table.to_owned(), count(table))).filter(|(_, count)| *count > 0).collect()
}

#[test]
fn a_deleted_run_takes_everything_of_it_along() {
    let (_folder, store) = with_runs(2);
    let before = rows(&store);
    assert!(store.write(|tx| tx.delete_run(&id(1))).unwrap());
    let halved = |(table, count): &(String, u32)| (table.clone(), if table == "pipeline_version" { *count } else { count / 2 });
    assert_eq!(rows(&store), before.iter().map(halved).collect::<Vec<_>>());
    assert!(!store.write(|tx| tx.delete_run(&id(1))).unwrap(), "it is gone");
    assert_eq!(store.read(|view| view.kept(&id(1))).unwrap(), Kept::No);
}

#[test]
fn a_run_that_is_not_over_or_that_such_a_one_was_made_from_stays() {
    let (_folder, store) = with_runs(5);
    let sql = format!("UPDATE run SET replay_of = '{}', cause = '{{\"run\":\"{}\"}}' WHERE id = '{}'", id(1), id(2), id(5));
    Connection::open(store.path()).unwrap().execute_batch(&sql).unwrap();
    let deleted: Vec<bool> = (1..=5).map(|n| store.write(|tx| tx.delete_run(&id(n))).unwrap()).collect();
    assert_eq!(deleted, [false, false, true, true, false]);
    assert_eq!(store.read(|view| view.ended_before(UnixMs(1_000))).unwrap(), [] as [RunId; 0]);
    assert_eq!(store.read(|view| view.kept(&id(5))).unwrap(), Kept::UnderWay);
    end(&store, 5, 50);
    assert_eq!(store.read(|view| view.ended_before(UnixMs(1_000))).unwrap(), [id(1), id(2), id(5)], "what was made from them is over");
}

#[test]
fn old_runs_are_found_by_their_end_and_by_their_number() {
    let (_folder, store) = with_runs(6);
    assert_eq!(store.read(|view| view.ended_before(UnixMs(30))).unwrap(), [id(1), id(2)]);
    assert_eq!(store.read(|view| view.ended_beyond("p", 3)).unwrap(), [id(2), id(1)], "run 6 is not over and does not count");
    assert_eq!(store.read(|view| view.ended_beyond("q", 0)).unwrap(), [] as [RunId; 0]);
}

#[test]
fn texts_and_slots_go_once_nothing_needs_them() {
    let (_folder, store) = with_runs(2);
    for at in 1..=4 {
        let run = (at == 2).then(|| id(1));
        let decision = if run.is_some() { SlotDecision::Run } else { SlotDecision::Skipped };
        let slot = SlotRow {
            pipeline: "p".to_owned(),
            at: UnixMs(at),
            until: UnixMs(at),
            count: 1,
            decision,
            reason: None,
            run,
            decided_at: UnixMs(at),
        };
        assert!(store.write(|tx| tx.add_slot(&slot)).unwrap());
    }
    let slots = || store.read(|view| view.slots("p", 9)).unwrap().iter().map(|slot| slot.at.0).collect::<Vec<_>>();
    assert_eq!(store.write(|tx| tx.delete_slots("p", UnixMs(4), 1)).unwrap(), 2);
    assert_eq!(slots(), [4, 2], "that of a run that is kept stays");
    store.write(|tx| tx.delete_run(&id(1))).unwrap();
    assert_eq!(store.write(|tx| tx.delete_slots("p", UnixMs(4), 5)).unwrap(), 0, "the newest five stay");
    assert_eq!(store.write(|tx| tx.delete_slots("p", UnixMs(4), 1)).unwrap(), 1);

    assert_eq!(store.write(|tx| tx.delete_unused_texts(UnixMs(100))).unwrap(), 0, "run 2 executes it");
    end(&store, 2, 20);
    store.write(|tx| tx.delete_run(&id(2))).unwrap();
    assert_eq!(store.write(|tx| tx.delete_unused_texts(UnixMs(0))).unwrap(), 0, "it is younger");
    assert_eq!(store.write(|tx| tx.delete_unused_texts(UnixMs(100))).unwrap(), 1);
}

#[test]
fn what_was_deleted_is_given_back_in_steps_and_the_file_shrinks() {
    let (_folder, store) = with_runs(400);
    for n in 1..400 {
        store.write(|tx| tx.delete_run(&id(n))).unwrap();
    }
    assert_eq!(store.give_back(16).unwrap(), 16);
    while store.give_back(64).unwrap() > 0 {}
    let path = store.path().to_owned();
    drop(store);
    let health = Store::open_read_only(&path).unwrap().health().unwrap();
    assert_eq!((health.problems, health.free_bytes, health.shrinks), (vec![], 0, true));
    assert!(fs::metadata(&path).unwrap().len() == health.bytes && health.bytes < 400_000, "{} bytes", health.bytes);
}

#[test]
fn a_copy_is_one_instant_of_the_store_although_a_writer_goes_on() {
    let (folder, store) = with_runs(3);
    let target = folder.path().join("copy.db");
    let health = store
        .write(|tx| {
            tx.delete_run(&id(1))?;
            Store::open_read_only(store.path())?.copy_to(&target)
        })
        .unwrap();
    assert!(health.problems.is_empty() && health.bytes == fs::metadata(&target).unwrap().len());
    let runs = |store: &Store| store.read(|view| view.runs(9, &RunFilter::default())).unwrap();
    assert_eq!(runs(&store).len(), 2);
    let copy = Store::open(&target).unwrap();
    assert_eq!(runs(&copy).len(), 3, "the write was not committed yet");
    assert_eq!(copy.read(|view| view.outputs(&id(3))).unwrap(), store.read(|view| view.outputs(&id(3))).unwrap());

    let error = Store::open_read_only(store.path()).unwrap().copy_to(&target).unwrap_err();
    assert!(matches!(&error, Error::Other { path, .. } if *path == target) && error.to_string().contains("exists"), "{error}");
}
