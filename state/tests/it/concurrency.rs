//! Several writers, and readers beside them.

use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use recflow_state::{Error, RunFilter, RunStatus, Store, UnixMs};
use serde_json::json;

use crate::samples::{create, folder, id, store};

/// Transactions of one writer.
const ROUNDS: u64 = 150;

/// Writes `ROUNDS` transactions that each read what they change: a lost update or a lock error would show.
fn write_rounds(store: &Store, writer: u64) {
    for round in 0..ROUNDS {
        store
            .write(|tx| {
                let seen = tx.append_events(&id(1), &[])?;
                let kept = tx.append_events(&id(1), &[(UnixMs(0), json!({ "writer": writer, "round": round }))])?;
                assert_eq!(kept, seen + 1, "nobody writes in between");
                Ok::<_, Error>(())
            })
            .unwrap();
    }
}

fn assert_nothing_lost(store: &Store, writers: u64) {
    let events = store.read(|view| view.events(&id(1))).unwrap();
    assert_eq!(events.len() as u64, writers * ROUNDS);
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "the log has no gap");
    for writer in 0..writers {
        let rounds = events.iter().filter(|event| event.body["writer"] == writer).map(|event| event.body["round"].as_u64().unwrap());
        assert!(rounds.eq(0..ROUNDS), "writer {writer}: all there, in its order");
    }
}

#[test]
fn threads_that_write_at_once_lose_nothing() {
    let (_folder, store) = store();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || write_rounds(store, writer));
        }
    });
    assert_nothing_lost(&store, 4);
}

#[test]
fn processes_that_write_at_once_lose_nothing_and_are_never_told_that_the_database_is_locked() {
    let (_folder, path) = folder();
    let store = Store::open(&path).unwrap();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    let spawn = |writer: u64| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "concurrency::child_that_writes", "--ignored", "--nocapture"]);
        command.env("STATE_TEST_CHILD", format!("{writer} {}", path.display())).spawn().unwrap()
    };
    let children: Vec<_> = (1..3).map(spawn).collect();
    write_rounds(&store, 0);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_nothing_lost(&store, 3);
}

#[test]
#[ignore = "a child of the test above"]
fn child_that_writes() {
    let Ok(child) = std::env::var("STATE_TEST_CHILD") else { return };
    let (writer, path) = child.split_once(' ').unwrap();
    write_rounds(&Store::open(path).unwrap(), writer.parse().unwrap());
}

#[test]
fn many_that_open_a_new_store_at_once_all_succeed() {
    for _ in 0..20 {
        let (_folder, path) = folder();
        let start = Barrier::new(6);
        let open = |n: u64, path: &Path| {
            start.wait();
            Store::open(path).unwrap().write(|tx| create(tx, n, "p")).unwrap();
        };
        thread::scope(|scope| {
            for n in 0..6 {
                let (open, path) = (&open, path.as_path());
                scope.spawn(move || open(n, path));
            }
        });
        let runs = Store::open(&path).unwrap().read(|view| view.runs(99, &RunFilter::default())).unwrap();
        assert_eq!(runs.len(), 6);
    }
}

#[test]
fn a_reader_keeps_its_snapshot_while_a_writer_commits() {
    let (_folder, store) = store();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    let reader = Store::open_read_only(store.path()).unwrap();
    let status = |run: recflow_state::Run| run.status;
    reader
        .read(|old| {
            assert_eq!(old.run(&id(1)).map(status)?, RunStatus::Queued);
            store.write(|tx| tx.update_run(&id(1), RunStatus::Running, Some(UnixMs(1)), None, None))?;
            assert_eq!(old.run(&id(1)).map(status)?, RunStatus::Queued, "the snapshot does not move");
            assert_eq!(store.read(|new| new.run(&id(1))).map(status)?, RunStatus::Running, "a new one sees the commit");
            Ok(())
        })
        .unwrap();
    assert_eq!(reader.read(|view| view.run(&id(1))).map(status).unwrap(), RunStatus::Running);
}

#[test]
fn a_reader_does_not_wait_for_a_transaction_and_does_not_see_it() {
    let (_folder, store) = store();
    store.write(|tx| create(tx, 1, "p")).unwrap();
    let reader = Store::open_read_only(store.path()).unwrap();
    store
        .write(|tx| {
            tx.update_run(&id(1), RunStatus::Failed, None, None, None)?;
            assert_eq!(reader.read(|view| view.run(&id(1)))?.status, RunStatus::Queued);
            assert_eq!(Store::open_read_only(store.path())?.read(|view| view.run(&id(1)))?.status, RunStatus::Queued);
            assert_eq!(tx.run(&id(1))?.status, RunStatus::Failed, "a transaction sees what it wrote");
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn the_last_writer_may_close_while_others_open() {
    let (_folder, path) = folder();
    Store::open(&path).unwrap().write(|tx| create(tx, 1, "p")).unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let append = |store: Store| store.write(|tx| tx.append_events(&id(1), &[(UnixMs(0), json!(null))]));
                    Store::open(&path).and_then(append).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..120 {
                Store::open_read_only(&path).and_then(|reader| reader.read(|view| view.events(&id(1)))).unwrap();
            }
        });
    });
    assert_eq!(Store::open(&path).unwrap().read(|view| view.events(&id(1))).unwrap().len(), 120);
}
