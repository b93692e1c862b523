//! What people want of runs: cancel, mark, replay; here or through the store.

use super::*;

const THREE: &str = "tasks: { a: { stage: noop }, b: { stage: noop, needs: [a] }, c: { stage: noop, needs: [b] } }";

fn word(task: &str, r#as: Mark) -> MarkTask {
    MarkTask { task: task.to_owned(), r#as, taken: None, output: None, reason: "ann says so".to_owned() }
}

#[test]
fn a_wish_of_another_process_is_heard_within_a_second_and_answered() {
    let world = World::new();
    let mut process = world.process("daemon-1", 4, Limits::default());
    let run = process.driver.launch(launch(THREE)).unwrap();
    assert_eq!(process.turn(), ["a"]);
    let asked = world.store.write(|tx| {
        let mark = ask(tx, &run, &Wish::Mark(word("a", Mark::Succeeded)), UnixMs(0))?;
        let nonsense = ask(tx, &run, &Wish::Mark(word("z", Mark::Failed)), UnixMs(0))?;
        Ok::<_, anyhow::Error>((mark, nonsense))
    });
    let (mark, nonsense) = asked.unwrap();
    world.pass(Duration::from_secs(1));
    assert_eq!(process.turn(), ["b"]);
    assert_eq!(process.stopped(), [HowToStop::AtOnce], "what ran is not needed any more");
    let answer = |id| world.store.read(|view| view.control(id)).unwrap().unwrap();
    assert!(answer(mark).done_at.is_some() && answer(mark).result.is_none());
    assert!(answer(nonsense).result.unwrap().contains("no task `z`; it has a, b, c"));
    let cancel = Wish::Cancel { force: false, reason: "ann".to_owned() };
    world.store.write(|tx| ask(tx, &run, &cancel, UnixMs(0))).unwrap();
    process.driver.take(Message::Wake);
    process.turn();
    process.end("b", Err(Failure::Stopped));
    assert_eq!(world.status(&run), RunStatus::Cancelled);
}

#[test]
fn the_late_end_of_an_attempt_whose_task_was_marked_changes_nothing() {
    let world = World::new();
    let mut process = world.process("daemon-1", 4, Limits::default());
    let run = process.driver.launch(launch(THREE)).unwrap();
    process.turn();
    process.driver.mark(&run, &word("a", Mark::Skipped)).unwrap();
    process.turn();
    process.succeed("a");
    assert_eq!(world.tasks(&run), "skipped skipped skipped");
    assert!(world.store.read(|view| view.outputs(&run)).unwrap().is_empty());
    let attempts = world.store.read(|view| view.attempts(&run)).unwrap();
    assert_eq!(attempts[0].state, recflow_state::AttemptState::Cancelled);
}

#[test]
fn marking_a_failed_task_of_a_run_that_is_over_has_it_go_on_below() {
    let world = World::new();
    let mut process = world.process("ab", 4, Limits::default());
    let run = process.driver.launch(launch(THREE)).unwrap();
    process.turn();
    process.fail("a");
    assert_eq!(world.status(&run), RunStatus::Failed);
    let error = process.driver.mark(&run, &word("nothing", Mark::Succeeded)).unwrap_err();
    assert!(error.to_string().contains("no task `nothing`"), "{error}");
    assert_eq!(world.status(&run), RunStatus::Failed, "a mistake changes nothing");
    process.driver.mark(&run, &word("a", Mark::Succeeded)).unwrap();
    assert_eq!(process.turn(), ["b"]);
    process.succeed("b");
    process.succeed("c");
    assert_eq!((world.status(&run), world.tasks(&run).as_str()), (RunStatus::Succeeded, "succeeded succeeded succeeded"));
}

#[test]
fn a_replay_begins_at_its_task_with_the_old_outputs_and_publish_keys_of_its_own() {
    let world = World::new();
    let mut process = world.process("ab", 4, Limits::default());
    let text = r#"
tasks:
  a: { stage: shell, with: { command: ['true'] } }
  b: { stage: noop, needs: [a], when: "tasks.a.output.by == 'a'" }
  c: { stage: noop, needs: [b] }
"#;
    let old = process.driver.launch(launch(text)).unwrap();
    process.turn();
    for task in ["a", "b", "c"] {
        process.succeed(task);
    }
    let new = process.driver.replay(&old, "b").unwrap();
    process.driver.turn(&mut Nobody).unwrap();
    let started = std::mem::take(&mut process.hands.0.lock().unwrap().started);
    let [attempt] = started.as_slice() else { panic!("{started:?}") };
    assert_eq!((attempt.task_id.as_str(), &*attempt.key.run), ("b", new.as_str()));
    assert!(attempt.publish_key.as_str().starts_with(new.as_str()));
    assert_eq!(world.tasks(&new), "succeeded running waiting");
    assert_eq!(world.store.read(|view| view.outputs(&new)).unwrap()["a"], json!({ "by": "a" }));
    assert_eq!(world.store.read(|view| view.run(&new)).unwrap().replay_of, Some(old.clone()));
    assert_eq!(world.status(&old), RunStatus::Succeeded, "the old run is what it was");
    // The process dies: the copied outputs are still there.
    world.kill(process);
    let mut next = world.process("cd", 4, Limits::default());
    next.driver.resume(&new).unwrap();
    assert_eq!(next.turn(), ["b"]);
}

#[test]
fn a_run_that_waits_for_room_can_be_cancelled() {
    let world = World::new();
    let mut process = world.process("ab", 4, Limits::default());
    let text = "max_active_runs: 1\ntasks: { a: { stage: noop } }";
    let first = process.driver.launch(launch(text)).unwrap();
    process.turn();
    let second = process.driver.launch(launch(text)).unwrap();
    process.turn();
    process.driver.take(Message::Cancel { run: Some(second.clone()), force: false, reason: "ann".to_owned() });
    process.turn();
    assert_eq!((world.status(&first), world.status(&second)), (RunStatus::Running, RunStatus::Cancelled));
    assert_eq!(world.store.read(|view| view.tasks(&second)).unwrap()[0].state, TaskState::Cancelled);
}
