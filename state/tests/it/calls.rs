//! Each call does what its documentation says.

use recflow_state::{
    AttemptRow, AttemptState, Error, OUTPUT_BYTES_MAX, OUTPUT_DEPTH_MAX, RunFilter, RunStatus, Store, TaskRow, TaskState, UnixMs,
};
use serde_json::{Value, json};

use crate::samples::{attempt, create, id, store, task};

/// A store with the runs 1 to `runs`, the odd ones of pipeline `odd`, the others of `even`.
fn with_runs(runs: u64) -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    for n in 1..=runs {
        let pipeline = if n % 2 == 1 { "odd" } else { "even" };
        store.write(|tx| create(tx, n, pipeline)).unwrap();
    }
    (folder, store)
}

#[test]
fn a_run_comes_back_as_it_was_created() {
    let (_folder, store) = with_runs(1);
    let (run, tasks) = store.read(|view| Ok((view.run(&id(1))?, view.tasks(&id(1))?))).unwrap();
    assert_eq!((run.status, run.pipeline.as_str(), &run.params), (RunStatus::Queued, "odd", &json!({ "rank": 64 })));
    assert_eq!((run.started_at, run.ended_at, run.owner), (None, None, None));
    let waiting =
        |position, name| TaskRow { state: TaskState::Waiting, attempts: 0, queued_at: None, started_at: None, ..task(1, position, name) };
    assert_eq!(tasks, [waiting(0, "a"), waiting(1, "b")]);
}

#[test]
fn a_run_id_is_taken_once() {
    let (_folder, store) = with_runs(1);
    let error = store.write(|tx| create(tx, 1, "odd")).unwrap_err();
    assert!(error.to_string().contains("refused to create run 000000000001: UNIQUE constraint failed: run.id"), "{error}");
}

#[test]
fn what_a_failed_write_did_is_not_kept() {
    let (_folder, store) = with_runs(1);
    let error = store.write(|tx| {
        create(tx, 2, "even")?;
        tx.update_run(&id(1), RunStatus::Failed, None, None, None)?;
        Err::<(), Error>(tx.run(&id(9)).unwrap_err())
    });
    assert!(error.is_err());
    assert_eq!(store.read(|view| view.runs(9, &RunFilter::default())).unwrap().len(), 1);
    assert_eq!(store.read(|view| view.run(&id(1))).unwrap().status, RunStatus::Queued);
}

#[test]
fn a_panic_in_a_write_rolls_back_and_the_store_goes_on() {
    let (_folder, store) = with_runs(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|tx| -> Result<(), Error> {
            create(tx, 2, "even")?;
            panic!("a stage's bug")
        })
    }));
    assert!(panicked.is_err());
    store.write(|tx| create(tx, 3, "odd")).unwrap();
    let runs = store.read(|view| view.runs(9, &RunFilter::default())).unwrap();
    assert_eq!(runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>(), [id(3), id(1)]);
}

#[test]
fn the_same_text_is_kept_once_and_a_version_finds_it_again() {
    let (_folder, store) = store();
    let keep =
        |name: &str, hash: &str, now| store.write(|tx| tx.pipeline_version(name, hash, "name: p", Some("p.yaml"), UnixMs(now))).unwrap();
    let first = keep("p", "h1", 1);
    assert_eq!(keep("p", "h1", 2), first);
    assert_ne!(keep("p", "h2", 3), first);
    assert_ne!(keep("q", "h1", 4), first, "another pipeline with the same text is another version");
    let text = store.read(|view| view.pipeline_text(first)).unwrap();
    assert_eq!((text.text.as_str(), text.file.as_deref(), text.created_at), ("name: p", Some("p.yaml"), UnixMs(1)));
}

#[test]
fn a_run_is_found_by_latest_prefix_and_id() {
    let (_folder, store) = with_runs(40); // 32 is `000000000010`, 33 `000000000011`, ...
    let find = |selector: &str| store.read(|view| view.find_run(selector)).map(|run| run.id);
    assert_eq!(find("latest").unwrap(), id(40));
    assert_eq!(find("000000000010").unwrap(), id(32));
    assert!(matches!(find("00000000001"), Err(Error::Ambiguous { .. })));

    let single = store.write(|tx| create(tx, u64::MAX, "odd")).and_then(|()| store.read(|view| view.find_run("z"))).unwrap();
    assert_eq!(single.id, id(u64::MAX));
}

#[test]
fn an_ambiguous_or_unknown_run_is_answered_with_candidates() {
    let (_folder, store) = with_runs(7);
    let find = |selector: &str| store.read(|view| view.find_run(selector)).unwrap_err();
    assert_eq!(
        find("00").to_string(),
        "several runs match `00`: 000000000001 (odd, queued), 000000000002 (even, queued), 000000000003 (odd, queued), \
         000000000004 (even, queued), 000000000005 (odd, queued), ..."
    );
    assert!(find("x1").to_string().starts_with("no run matches `x1`; the newest are 000000000007 (odd, queued), 000000000006 "));
    for hostile in ["", "%", "' OR 1=1 --", "../../etc/passwd", "0000000000010"] {
        assert!(matches!(find(hostile), Error::NotFound { .. }), "{hostile:?}");
    }
    let (_folder, empty) = with_runs(0);
    assert_eq!(empty.read(|view| view.find_run("latest")).unwrap_err().to_string(), "no run matches `latest`; there is no run yet");
}

#[test]
fn runs_are_listed_newest_first_and_filtered() {
    let (_folder, store) = with_runs(6);
    store.write(|tx| tx.update_run(&id(2), RunStatus::Failed, Some(UnixMs(1)), Some(UnixMs(2)), Some("task `a` failed"))).unwrap();
    store.write(|tx| tx.update_run(&id(3), RunStatus::Running, Some(UnixMs(1)), None, None)).unwrap();
    let list = |limit, pipeline: Option<&str>, status| {
        let filter = RunFilter { pipeline: pipeline.map(str::to_owned), status, ..RunFilter::default() };
        let runs = store.read(|view| view.runs(limit, &filter)).unwrap();
        runs.iter().map(|run| (1..=6).find(|&n| run.id == id(n)).unwrap()).collect::<Vec<u64>>()
    };
    assert_eq!(list(3, None, None), [6, 5, 4]);
    assert_eq!(list(9, Some("even"), None), [6, 4, 2]);
    assert_eq!(list(9, None, Some(RunStatus::Queued)), [6, 5, 4, 1]);
    assert_eq!(list(9, Some("even"), Some(RunStatus::Failed)), [2]);
    assert!(list(9, Some("odd"), Some(RunStatus::Failed)).is_empty());
    let open = store.read(|view| view.non_terminal_runs()).unwrap();
    assert_eq!(open.iter().map(|run| run.id.clone()).collect::<Vec<_>>(), [id(1), id(3), id(4), id(5), id(6)]);
}

#[test]
fn of_two_that_take_a_run_one_wins() {
    let (_folder, store) = with_runs(1);
    let take = |expected, new| store.write(|tx| tx.set_owner(&id(1), expected, new)).unwrap();
    assert!(take(None, Some("first")));
    assert!(!take(None, Some("second")));
    assert!(take(Some("first"), Some("second")));
    assert!(!take(Some("first"), Some("third")), "the one that was taken from cannot take it back unseen");
    assert_eq!(store.read(|view| view.run(&id(1))).unwrap().owner.as_deref(), Some("second"));
    assert!(take(Some("second"), None));
}

#[test]
fn the_log_counts_on_and_each_run_has_its_own() {
    let (_folder, store) = with_runs(2);
    let append = |n, bodies: &[Value]| {
        let events: Vec<_> = bodies.iter().map(|body| (UnixMs(7), body.clone())).collect();
        store.write(|tx| tx.append_events(&id(n), &events)).unwrap()
    };
    assert_eq!(append(1, &[]), 0);
    assert_eq!(append(1, &[json!("a"), json!("b")]), 2);
    assert_eq!(append(2, &[json!("x")]), 1);
    assert_eq!(append(1, &[json!({ "c": null })]), 3);
    let events = store.read(|view| view.events(&id(1))).unwrap();
    assert_eq!(
        events.iter().map(|event| (event.seq, event.body.to_string())).collect::<Vec<_>>(),
        [(1, "\"a\"".to_owned()), (2, "\"b\"".to_owned()), (3, "{\"c\":null}".to_owned())]
    );
}

#[test]
fn a_run_that_is_not_there_gets_no_rows() {
    let (_folder, store) = with_runs(1);
    assert!(store.write(|tx| tx.append_events(&id(9), &[(UnixMs(0), json!(1))])).is_err());
    assert!(store.write(|tx| tx.put_task(&task(9, 0, "a"))).is_err());
    assert!(store.write(|tx| tx.put_attempt(&attempt(9, "a", 1))).is_err());
    assert!(store.write(|tx| tx.put_output(&id(9), "a", 1, &json!(1))).is_err());
    assert!(store.write(|tx| tx.add_metric(&id(9), "a", 1, "loss", 1, 0.5)).is_err());
    let error = store.write(|tx| tx.update_run(&id(9), RunStatus::Failed, None, None, None)).unwrap_err();
    assert_eq!(error.to_string(), "no run matches `000000000009`; the only one is 000000000001 (odd, queued)");
    assert!(!store.write(|tx| tx.set_owner(&id(9), None, Some("me"))).unwrap());
}

#[test]
fn a_task_is_replaced_column_by_column_and_keeps_its_place() {
    let (_folder, store) = with_runs(1);
    let failed = TaskRow { state: TaskState::Failed, reason: Some("why".into()), error: Some(json!({ "kind": "io" })), ..task(1, 1, "b") };
    store.write(|tx| tx.put_task(&failed)).unwrap();
    assert_eq!(store.read(|view| view.tasks(&id(1))).unwrap()[1], failed);
    let cleared = TaskRow { state: TaskState::Waiting, generation: 1, queued_at: None, started_at: None, ..task(1, 1, "b") };
    store.write(|tx| tx.put_task(&cleared)).unwrap();
    assert_eq!(store.read(|view| view.tasks(&id(1))).unwrap()[1], cleared, "an empty column empties what was there");
    let error = store.write(|tx| tx.put_task(&task(1, 1, "a"))).unwrap_err();
    assert!(error.to_string().contains("position 1 of run 000000000001 is task `b`, not `a`"), "{error}");
}

#[test]
fn an_attempt_gains_facts_and_loses_none() {
    let (_folder, store) = with_runs(1);
    store.write(|tx| tx.put_attempt(&attempt(1, "a", 1))).unwrap();
    store.write(|tx| tx.set_attempt_process(&id(1), "a", 1, 4_000_000, u64::from(u32::MAX) + 1)).unwrap();
    store.write(|tx| tx.set_progress(&id(1), "a", 1, &json!({ "done": 3 }))).unwrap();
    let ended = AttemptRow {
        state: AttemptState::Succeeded,
        ended_at: Some(UnixMs(2_000)),
        exit: Some("exit 0".to_owned()),
        peak_rss_bytes: Some(5 << 30),
        cpu_ms: Some(12),
        output: Some(json!({ "rows": 5 })),
        inputs: None,
        log: None,
        ..attempt(1, "a", 1)
    };
    store.write(|tx| tx.put_attempt(&ended)).unwrap();
    let expected = AttemptRow {
        pid: Some(4_000_000),
        pid_start: Some(u64::from(u32::MAX) + 1),
        progress: Some(json!({ "done": 3 })),
        inputs: attempt(1, "a", 1).inputs,
        log: attempt(1, "a", 1).log,
        ..ended
    };
    assert_eq!(store.read(|view| view.attempts(&id(1))).unwrap(), [expected]);
    let error = store.write(|tx| tx.set_progress(&id(1), "a", 2, &json!(1))).unwrap_err();
    assert!(error.to_string().contains("there is no attempt 2 of task `a` in run 000000000001"), "{error}");
}

#[test]
fn outputs_are_current_and_by_task() {
    let (_folder, store) = with_runs(1);
    let put = |task: &str, attempt, value: &Value| store.write(|tx| tx.put_output(&id(1), task, attempt, value)).unwrap();
    put("b", 1, &json!([1, "é", null]));
    put("a", 1, &json!({ "z": 1, "a": 0.1 }));
    put("b", 2, &json!("again"));
    let outputs = store.read(|view| view.outputs(&id(1))).unwrap();
    assert_eq!(serde_json::to_string(&outputs).unwrap(), r#"{"a":{"z":1,"a":0.1},"b":"again"}"#, "fields keep their order");
}

#[test]
fn an_output_of_a_mebibyte_is_kept_and_one_byte_more_is_not() {
    let (_folder, store) = with_runs(1);
    let put = |length| store.write(|tx| tx.put_output(&id(1), "a", 1, &json!("x".repeat(length))));
    put(OUTPUT_BYTES_MAX - 2).unwrap(); // two quotes
    let error = put(OUTPUT_BYTES_MAX - 1).unwrap_err();
    assert_eq!(error.to_string(), "the output of task `a` is too large: 1048577 bytes of JSON, at most 1048576 (1 MiB) are kept");
    assert_eq!(error.hint(), Some("write the data to a file and return its path"));
    let output = Some(json!("x".repeat(OUTPUT_BYTES_MAX)));
    assert!(matches!(store.write(|tx| tx.put_attempt(&AttemptRow { output, ..attempt(1, "a", 1) })), Err(Error::TooLarge { .. })));
}

#[test]
fn an_output_is_nested_so_deep_and_no_deeper() {
    let (_folder, store) = with_runs(1);
    let nested = |levels| (0..levels).fold(json!(1), |value, _| json!([value]));
    let put = |levels| store.write(|tx| tx.put_output(&id(1), "a", 1, &nested(levels)));
    put(OUTPUT_DEPTH_MAX).unwrap();
    assert_eq!(store.read(|view| view.outputs(&id(1))).unwrap()["a"], nested(OUTPUT_DEPTH_MAX));
    assert!(matches!(put(OUTPUT_DEPTH_MAX + 1), Err(Error::TooLarge { .. })));
}

#[test]
fn a_metric_may_be_any_number_and_is_replaced_by_the_same_point() {
    let (_folder, store) = with_runs(1);
    let add = |attempt, step, value| store.write(|tx| tx.add_metric(&id(1), "a", attempt, "loss", step, value)).unwrap();
    add(2, 1, f64::NAN);
    add(1, 2, f64::NEG_INFINITY);
    add(1, 10, 0.5);
    add(1, 10, 0.1 + 0.2);
    let metrics = store.read(|view| view.metrics(&id(1), "a")).unwrap();
    let points: Vec<_> = metrics.iter().map(|point| (point.attempt, point.step, point.value.to_string())).collect();
    assert_eq!(points, [(1, 2, "-inf".to_owned()), (1, 10, "0.30000000000000004".to_owned()), (2, 1, "NaN".to_owned())]);
    assert!(store.read(|view| view.metrics(&id(1), "b")).unwrap().is_empty());
}
