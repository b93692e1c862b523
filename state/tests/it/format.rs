//! Stores of earlier versions still open.
//!
//! `fixtures/vN.sql` is a dump of a store as schema N wrote it. Each is frozen: a new schema adds a new dump.

use std::fs;
use std::path::Path;

use recflow_state::{AttemptState, RunStatus, SlotDecision, Store, TaskState, Trigger, UnixMs};
use rusqlite::Connection;
use serde_json::json;

use crate::samples::{folder, id};

const V1: &str = include_str!("../fixtures/v1.sql");
const V2: &str = include_str!("../fixtures/v2.sql");
const V3: &str = include_str!("../fixtures/v3.sql");
const V4: &str = include_str!("../fixtures/v4.sql");
const V5: &str = include_str!("../fixtures/v5.sql");

fn restore(dump: &str, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    Connection::open(path).unwrap().execute_batch(dump).unwrap();
}

/// The statements that made the tables and indexes, by name.
fn schema(path: &Path) -> Vec<(String, Option<String>)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_store_of_schema_1_opens_and_its_rows_mean_the_same() {
    let (_folder, path) = folder();
    restore(V1, &path);
    let store = Store::open(&path).unwrap();
    store
        .read(|view| {
            let run = view.find_run("latest")?;
            assert_eq!((run.priority, run.cause, run.backfill, run.replay_of), (0, None, None, None));
            assert_eq!((run.id, run.status, run.trigger), (id(2), RunStatus::Failed, Trigger::Schedule));
            assert_eq!((run.started_at, run.ended_at), (Some(UnixMs(1_790_000_000_100)), Some(UnixMs(1_790_000_009_000))));
            assert_eq!(run.params, json!({ "rank": 64, "data_dir": "data/combined" }));
            assert_eq!((run.owner.as_deref(), run.reason.as_deref()), (Some("owner-1"), Some("task `train` failed")));
            assert_eq!(view.pipeline_text(run.version)?.text, "name: etl-train-test\ntasks: {}\n");

            let tasks = view.tasks(&id(2))?;
            assert_eq!(tasks.iter().map(|task| task.state).collect::<Vec<_>>(), [TaskState::Succeeded, TaskState::Failed]);
            assert_eq!(tasks[1].error, Some(json!({ "kind": "numeric", "message": "user row 812: not positive definite" })));

            let attempts = view.attempts(&id(2))?;
            assert_eq!(attempts.len(), 2);
            assert_eq!((attempts[1].state, attempts[1].exit.as_deref()), (AttemptState::Failed, Some("exit 1")));
            assert_eq!((attempts[1].pid, attempts[1].pid_start, attempts[1].peak_rss_bytes), (Some(4242), Some(987_654), Some(1 << 30)));
            assert_eq!(attempts[0].output, Some(json!({ "rows": 100_000 })));

            assert_eq!(view.events(&id(2))?[1].body, json!({ "task_started": { "task": "etl" } }));
            assert_eq!(view.outputs(&id(2))?["etl"], json!({ "rows": 100_000 }));
            let losses: Vec<_> = view.metrics(&id(2), "train")?.iter().map(|point| point.value.to_string()).collect();
            assert_eq!(losses, ["0.9273", "NaN"]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_store_of_schema_2_opens_and_its_rows_mean_the_same() {
    let (_folder, path) = folder();
    restore(V2, &path);
    rows_of_schema_2_mean_the_same(&Store::open(&path).unwrap());
}

#[test]
fn a_store_of_schema_3_opens_and_its_rows_mean_the_same() {
    let (_folder, path) = folder();
    restore(V3, &path);
    rows_of_schema_2_mean_the_same(&Store::open(&path).unwrap());
}

#[test]
fn a_store_of_schema_4_opens_and_its_rows_mean_the_same() {
    let (_folder, path) = folder();
    restore(V4, &path);
    let store = Store::open(&path).unwrap();
    rows_of_schema_2_mean_the_same(&store);
    store
        .write(|tx| -> recflow_state::Result<()> {
            let users = tx.users()?;
            assert_eq!(
                users.iter().map(|row| (row.name.as_str(), row.role.as_str())).collect::<Vec<_>>(),
                [("ann", "admin"), ("bob", "viewer")]
            );
            assert!(users[0].password.as_ref().is_some_and(|hash| hash.starts_with("$argon2id$")) && users[1].password.is_none());
            let token = tx.token_by_hash("00aa")?.expect("it was made");
            assert_eq!((token.user.as_str(), token.scope.as_str(), token.name.as_str()), ("ann", "operator", "ci"));
            assert_eq!((token.expires_at, token.last_used_at), (Some(UnixMs(1_797_776_000_002)), Some(UnixMs(1_790_000_060_000))));
            let session = tx.session("00bb")?.expect("she is signed in");
            assert_eq!((session.by_link, session.used_at), (true, UnixMs(1_790_000_000_004)));
            assert_eq!(tx.take_link("00cc")?.and_then(|link| link.role).as_deref(), Some("viewer"));
            let audit = tx.audit(&recflow_state::AuditFilter::default(), 9)?;
            assert_eq!((audit[0].seq, audit[0].action.as_str(), audit[0].outcome.as_str()), (7, "promoteModel", "done"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_store_of_schema_5_opens_and_its_rows_mean_the_same() {
    let (_folder, path) = folder();
    restore(V5, &path);
    Store::open_read_only(&path).unwrap();
    let store = Store::open(&path).unwrap();
    rows_of_schema_2_mean_the_same(&store);
    let (kept, changes) = store.read(|view| Ok((view.changes_kept()?, view.changes_after(41, 9)?))).unwrap();
    assert_eq!(kept, Some((41, 43)));
    assert_eq!((changes[0].seq, changes[0].kind.as_str(), changes[0].task.as_deref()), (42, "task", Some("train")));
    assert_eq!((changes[1].kind.as_str(), changes[1].pipeline.as_deref(), &changes[1].run), ("pipeline", Some("etl-train-test"), &None));
}

fn rows_of_schema_2_mean_the_same(store: &Store) {
    store
        .read(|view| {
            let run = view.run(&id(2))?;
            assert_eq!((run.priority, run.cause), (5, Some(json!({ "slot": 1_790_000_000_000_u64 }))));
            let pipeline = view.pipeline("etl-train-test")?.expect("it was paused");
            assert_eq!((pipeline.error.as_deref(), pipeline.paused_at), (Some("unknown key `foo`"), Some(UnixMs(1_790_000_000_007))));
            assert_eq!(view.watermark("etl-train-test", "cron 0 3 * * * UTC")?, Some(UnixMs(1_790_000_000_000)));
            let slots = view.slots("etl-train-test", 10)?;
            assert_eq!(
                slots.iter().map(|slot| (slot.decision, slot.count)).collect::<Vec<_>>(),
                [(SlotDecision::Run, 1), (SlotDecision::Skipped, 2)]
            );
            assert_eq!(view.trigger_state("retrain", "pipeline drift-watch")?.expect("it waits").seen, json!({ "end": 1 }));
            assert_eq!(view.run_ends(0, 9)?[0].status, RunStatus::Failed);
            assert_eq!(view.control(1)?.expect("it was answered").result.as_deref(), Some("it had ended"));
            assert_eq!(view.backfill(1)?.expect("it is there").max_active, 3);
            assert_eq!(view.fact("looked_at")?, Some(json!(1_790_000_000_000_u64)));
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_old_store_that_is_opened_for_writing_has_the_schema_of_a_new_one() {
    let (_folder, new) = folder();
    Store::open(&new).unwrap();
    for dump in [V1, V2, V3, V4, V5] {
        let (_folder, old) = folder();
        restore(dump, &old);
        Store::open(&old).unwrap();
        assert_eq!(schema(&old), schema(&new));
    }
}
