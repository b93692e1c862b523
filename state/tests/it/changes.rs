//! What changed is told once, in order, and by whoever made the change.

use recflow_state::{AttemptState, ChangeRow, PipelineRow, RunStatus, Store, TaskRow, TaskState, Tx, UnixMs};
use serde_json::json;

use crate::samples::{attempt, create, id, store, task};

fn write(store: &Store, work: impl FnOnce(&Tx<'_>) -> recflow_state::Result<()>) {
    store.write(work).unwrap();
}

fn behind(store: &Store, seq: u64) -> Vec<ChangeRow> {
    store.read(|view| view.changes_after(seq, 1_000)).unwrap()
}

fn words(changes: &[ChangeRow]) -> Vec<String> {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    changes
        .iter()
        .map(|row| format!("{} {} {} {}", row.kind, word(&row.pipeline), word(&row.task), word(&row.state)).trim().to_owned())
        .collect()
}

#[test]
fn a_change_is_told_where_something_became_another_and_not_where_it_was_written_again() {
    let (_folder, store) = store();
    assert_eq!(store.read(|view| view.changes_kept()).unwrap(), None);
    write(&store, |tx| create(tx, 1, "p"));
    for _ in 0..2 {
        write(&store, |tx| tx.update_run(&id(1), RunStatus::Running, Some(UnixMs(1)), None, None));
        write(&store, |tx| tx.put_task(&TaskRow { state: TaskState::Running, ..task(1, 0, "a") }));
        write(&store, |tx| tx.put_attempt(&attempt(1, "a", 1)));
        write(&store, |tx| tx.set_progress(&id(1), "a", 1, &json!({ "done": 7 })));
    }
    let changes = behind(&store, 0);
    assert_eq!(words(&changes), ["run p  queued", "run p  running", "task p a running", "task p a running"]);
    assert!(changes.iter().map(|row| row.seq).eq(1..=4));
    assert_eq!(changes[3].progress, Some(json!({ "done": 7 })));
    assert_eq!(words(&behind(&store, 3)), ["task p a running"]);
}

#[test]
fn what_was_rolled_back_was_never_told_and_leaves_no_gap() {
    let (_folder, store) = store();
    write(&store, |tx| create(tx, 1, "p"));
    let undone: Result<(), anyhow_free::Undone> = store.write(|tx| {
        tx.update_run(&id(1), RunStatus::Running, None, None, None)?;
        Err(anyhow_free::Undone)
    });
    assert!(undone.is_err());
    write(&store, |tx| tx.note_model_change());
    let changes = behind(&store, 0);
    assert_eq!((words(&changes), changes[1].seq), (vec!["run p  queued".to_owned(), "model".to_owned()], 2));
}

/// An error of a caller's own.
mod anyhow_free {
    #[derive(Debug)]
    pub(super) struct Undone;

    impl From<recflow_state::Error> for Undone {
        fn from(_: recflow_state::Error) -> Self {
            Self
        }
    }
}

#[test]
fn pipelines_and_promotions_are_told() {
    let (_folder, store) = store();
    let row = |error: Option<&str>| PipelineRow {
        name: "p".to_owned(),
        file: None,
        version: None,
        error: error.map(str::to_owned),
        present: true,
        paused_at: None,
        changed_at: UnixMs(0),
    };
    write(&store, |tx| tx.put_pipeline(&row(None)));
    write(&store, |tx| tx.put_pipeline(&row(None)));
    write(&store, |tx| tx.put_pipeline(&row(Some("no"))));
    write(&store, |tx| tx.set_paused("p", true, UnixMs(5)).map(drop));
    assert_eq!(words(&behind(&store, 0)), ["pipeline p", "pipeline p", "pipeline p"]);
    write(&store, |tx| create(tx, 1, "p"));
    let promoted = TaskRow { stage: "promote".to_owned(), state: TaskState::Succeeded, ..task(1, 0, "a") };
    write(&store, |tx| tx.put_task(&promoted));
    let told = words(&behind(&store, 4));
    assert!(told.contains(&"task p a succeeded".to_owned()) && told.contains(&"model p a".to_owned()), "{told:?}");
}

#[test]
fn the_newest_changes_are_kept_however_many_there_were() {
    let (_folder, store) = store();
    write(&store, |tx| create(tx, 1, "p"));
    write(&store, |tx| (0..20_200).try_for_each(|_| tx.note_model_change()));
    let (first, last) = store.read(|view| view.changes_kept()).unwrap().unwrap();
    assert_eq!(last, 20_201);
    assert!((20_000..20_064).contains(&(last - first + 1)), "{first}");
    assert_eq!(attempt(1, "a", 1).state, AttemptState::Running, "the sample is one under way");
}
