//! What makes runs start, and who executes them: each decision once, whoever asks twice.

use recflow_state::{Backfill, PipelineRow, RunStatus, SlotDecision, SlotRow, TaskState, Trigger, TriggerStateRow, UnixMs};
use serde_json::json;

use crate::samples::{create, create_with, id, store, task};

fn slot(at: i64, decision: SlotDecision) -> SlotRow {
    SlotRow {
        pipeline: "p".to_owned(),
        at: UnixMs(at),
        until: UnixMs(at),
        count: 1,
        decision,
        reason: None,
        run: (decision == SlotDecision::Run).then(|| id(1)),
        decided_at: UnixMs(at + 5),
    }
}

#[test]
fn a_slot_is_decided_once_and_a_watermark_belongs_to_its_schedule() {
    let (_folder, store) = store();
    store
        .write(|tx| -> recflow_state::Result<()> {
            create(tx, 1, "p")?;
            assert!(tx.add_slot(&slot(60_000, SlotDecision::Run))?);
            assert!(!tx.add_slot(&slot(60_000, SlotDecision::Skipped))?, "decided before");
            assert!(!tx.has_watermark("p")?);
            tx.set_watermark("p", "cron * * * * *", UnixMs(1))?;
            tx.set_watermark("p", "cron * * * * *", UnixMs(60_000))?;
            assert!(tx.has_watermark("p")? && !tx.has_watermark("q")?);
            assert_eq!(tx.watermark("p", "cron * * * * *")?, Some(UnixMs(60_000)));
            assert_eq!(tx.watermark("p", "every 10s")?, None);
            assert_eq!(tx.slots("p", 10)?, [slot(60_000, SlotDecision::Run)]);
            assert_eq!(tx.slot("p", UnixMs(60_000))?, Some(slot(60_000, SlotDecision::Run)));
            Ok(())
        })
        .unwrap();
}

#[test]
fn of_two_that_claim_a_run_one_wins_and_the_order_is_priority_then_age() {
    let (_folder, store) = store();
    store.write(|tx| (1..=3).try_for_each(|n| create(tx, n, "p"))).unwrap();
    let waiting = |limit| store.read(|view| view.unclaimed_of("p", limit)).unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(waiting(2), [id(1), id(2)]);
    assert_eq!(store.read(|view| view.unclaimed()).unwrap(), [("p".to_owned(), 3)]);
    assert!(store.write(|tx| tx.claim_run(&id(1), "x")).unwrap());
    assert!(!store.write(|tx| tx.claim_run(&id(1), "y")).unwrap());
    let active = store.read(|view| view.active_runs("p")).unwrap();
    assert_eq!(
        active.iter().map(|run| (&run.id, run.owner.as_deref(), run.status)).collect::<Vec<_>>(),
        [(&id(1), Some("x"), RunStatus::Running)]
    );
    assert_eq!(waiting(9), [id(2), id(3)]);
    assert!(store.write(|tx| tx.cancel_unclaimed(&id(2), UnixMs(9), "not wanted")).unwrap());
    assert!(!store.write(|tx| tx.cancel_unclaimed(&id(1), UnixMs(9), "not wanted")).unwrap(), "it has an owner");
    let (run, tasks) = store.read(|view| Ok((view.run(&id(2))?, view.tasks(&id(2))?))).unwrap();
    assert_eq!((run.status, run.ended_at, run.reason.as_deref()), (RunStatus::Cancelled, Some(UnixMs(9)), Some("not wanted")));
    assert!(tasks.iter().all(|task| task.state == TaskState::Cancelled));
    assert_eq!(store.read(|view| view.run_ends(0, 10)).unwrap().len(), 1, "a trigger may want to know");
}

#[test]
fn running_tasks_come_with_their_owner_and_their_pool() {
    let (_folder, store) = store();
    store
        .write(|tx| {
            create(tx, 1, "p")?;
            tx.claim_run(&id(1), "x")?;
            tx.put_task(&task(1, 0, "a"))
        })
        .unwrap();
    let running = store.read(|view| view.running_tasks()).unwrap();
    let [only] = running.as_slice() else { panic!("{running:?}") };
    assert_eq!((only.owner.as_deref(), only.pipeline.as_str(), only.task.as_str()), (Some("x"), "p", "a"));
    assert_eq!((only.pool.as_deref(), only.pool_slots), (None, 1));
}

#[test]
fn a_wish_reaches_the_owner_of_its_run_once() {
    let (_folder, store) = store();
    let wish = json!({ "cancel": { "force": false } });
    let number = store
        .write(|tx| -> recflow_state::Result<i64> {
            create(tx, 1, "p")?;
            tx.claim_run(&id(1), "x")?;
            tx.add_control(&id(1), &wish, UnixMs(5))
        })
        .unwrap();
    let open = |owner: &str| store.read(|view| view.open_controls(owner)).unwrap();
    assert!(open("y").is_empty());
    assert_eq!(open("x")[0].body, wish);
    store.write(|tx| tx.answer_control(number, UnixMs(6), None)).unwrap();
    store.write(|tx| tx.answer_control(number, UnixMs(7), Some("too late"))).unwrap();
    assert!(open("x").is_empty());
    let answered = store.read(|view| view.control(number)).unwrap().unwrap();
    assert_eq!((answered.done_at, answered.result), (Some(UnixMs(6)), None));
}

#[test]
fn a_pipeline_keeps_its_last_good_version_and_stays_paused_over_edits() {
    let (_folder, store) = store();
    let row = |version, error: Option<&str>| PipelineRow {
        name: "p".to_owned(),
        file: Some("p.yaml".to_owned()),
        version,
        error: error.map(str::to_owned),
        present: true,
        paused_at: None,
        changed_at: UnixMs(1),
    };
    let version = store.write(|tx| tx.pipeline_version("p", "h", "name: p", None, UnixMs(0))).unwrap();
    store.write(|tx| tx.put_pipeline(&row(Some(version), None))).unwrap();
    assert!(store.write(|tx| tx.set_paused("p", true, UnixMs(3))).unwrap());
    assert!(!store.write(|tx| tx.set_paused("p", true, UnixMs(4))).unwrap(), "it was");
    store.write(|tx| tx.put_pipeline(&row(None, Some("unknown key `foo`")))).unwrap();
    let kept = store.read(|view| view.pipeline("p")).unwrap().unwrap();
    assert_eq!((kept.version, kept.error.as_deref(), kept.paused_at), (Some(version), Some("unknown key `foo`"), Some(UnixMs(3))));
    assert!(store.write(|tx| tx.set_paused("p", false, UnixMs(5))).unwrap());
    assert!(!store.write(|tx| tx.set_paused("nobody", true, UnixMs(5))).unwrap());
}

#[test]
fn triggers_ends_backfills_and_facts_come_back_as_they_were_kept() {
    let (_folder, store) = store();
    let state = TriggerStateRow {
        pipeline: "p".to_owned(),
        key: "pipeline q".to_owned(),
        seen: json!({ "end": 7 }),
        pending: Some(json!(["a"])),
        pending_since: Some(UnixMs(3)),
    };
    let mut backfill = Backfill {
        id: 0,
        pipeline: "p".to_owned(),
        since: UnixMs(1),
        until: UnixMs(9),
        max_active: 2,
        created_at: UnixMs(10),
        cancelled_at: None,
    };
    store
        .write(|tx| {
            create(tx, 1, "p")?;
            tx.put_trigger_state(&state)?;
            tx.add_run_end(&id(1), RunStatus::Failed, UnixMs(4))?;
            tx.add_run_end(&id(1), RunStatus::Succeeded, UnixMs(5))?;
            backfill.id = tx.add_backfill(&backfill)?;
            tx.put_fact("looked_at", &json!(3))?;
            tx.put_fact("looked_at", &json!(4))
        })
        .unwrap();
    store
        .read(|view| {
            assert_eq!(view.trigger_state("p", "pipeline q")?, Some(state.clone()));
            let ends = view.run_ends(1, 10)?;
            assert_eq!((ends.len(), ends[0].seq, ends[0].status), (1, 2, RunStatus::Succeeded));
            assert_eq!(view.last_run_end()?, 2);
            assert_eq!(view.backfill(backfill.id)?, Some(backfill.clone()));
            assert_eq!(view.fact("looked_at")?, Some(json!(4)));
            assert_eq!(view.fact("unknown")?, None);
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_next_run_leaves_out_full_backfills_and_what_a_pause_holds_back() {
    let (_folder, store) = store();
    let next = |paused, full: &[i64]| store.read(|view| view.next_unclaimed("p", paused, full)).unwrap().map(|run| run.id);
    let backfill = Backfill {
        id: 0,
        pipeline: "p".to_owned(),
        since: UnixMs(0),
        until: UnixMs(9),
        max_active: 1,
        created_at: UnixMs(0),
        cancelled_at: None,
    };
    let number = store
        .write(|tx| -> recflow_state::Result<i64> {
            let number = tx.add_backfill(&backfill)?;
            create_with(tx, 1, "p", |run| (run.trigger, run.backfill) = (Trigger::Backfill, Some(number)))?;
            create_with(tx, 2, "p", |run| (run.trigger, run.backfill) = (Trigger::Backfill, Some(number)))?;
            create_with(tx, 3, "p", |run| run.trigger = Trigger::Schedule)?;
            create_with(tx, 4, "p", |_| {})?;
            Ok(number)
        })
        .unwrap();
    assert_eq!(next(false, &[]), Some(id(1)));
    assert_eq!(next(false, &[number]), Some(id(3)));
    assert_eq!(next(true, &[number]), Some(id(4)), "a person asked for it");
    assert_eq!(store.read(|view| view.open_runs_of_backfill(number)).unwrap().len(), 2);
}
