//! Runs from their beginning to their end, across the deaths of processes.

use super::*;

const CHAIN: &str = "tasks: { a: { stage: noop }, b: { stage: noop, needs: [a] } }";

#[test]
fn nothing_acts_before_a_turn_and_a_run_goes_from_turn_to_turn() {
    let world = World::new();
    let mut process = world.process("daemon-1", 4, Limits::default());
    let run = process.driver.launch(launch(CHAIN)).unwrap();
    assert!(process.hands.0.lock().unwrap().started.is_empty());
    assert_eq!(process.turn(), ["a"]);
    assert_eq!(world.tasks(&run), "running waiting");
    assert_eq!(process.succeed("a"), ["b"]);
    assert_eq!(process.succeed("b"), [""; 0]);
    assert_eq!(world.status(&run), RunStatus::Succeeded);
    assert!(process.driver.is_idle());
    let ends = world.store.read(|view| view.run_ends(0, 10)).unwrap();
    assert_eq!(ends.iter().map(|end| &end.run).collect::<Vec<_>>(), [&run]);
}

#[test]
fn a_daemon_takes_up_what_a_dead_one_left_and_leaves_the_runs_of_commands_alone() {
    let world = World::new();
    let mut dead = world.process("daemon-1", 4, Limits::default());
    let run = dead.launch(CHAIN);
    let mut command = world.process("ab", 4, Limits::default());
    let other = command.launch(CHAIN);
    let mut next = world.process("daemon-2", 4, Limits::default());
    assert_eq!(next.driver.recover().unwrap(), 0, "the first daemon lives");
    world.kill(dead);
    world.kill(command);
    assert_eq!(next.driver.recover().unwrap(), 1);
    assert_eq!(next.hands.0.lock().unwrap().buried.len(), 1, "what is left of the attempt is removed before it runs again");
    assert_eq!(next.turn(), ["a"]);
    assert_eq!(next.driver.recover().unwrap(), 0, "once");
    next.succeed("a");
    next.succeed("b");
    assert_eq!(world.status(&run), RunStatus::Succeeded);
    assert_eq!(world.status(&other), RunStatus::Running, "a person decides about it");
}

#[test]
fn a_run_that_cannot_be_recovered_fails_alone_and_says_why() {
    let world = World::new();
    let mut dead = world.process("daemon-1", 4, Limits::default());
    let (good, bad) = (dead.launch(CHAIN), dead.launch(CHAIN));
    world.store.write(|tx| tx.append_events(&bad, &[(UnixMs(0), json!({ "event": "nonsense" }))])).unwrap();
    world.kill(dead);
    let mut next = world.process("daemon-2", 4, Limits::default());
    assert_eq!(next.driver.recover().unwrap(), 1);
    next.turn();
    assert_eq!((world.status(&good), world.status(&bad)), (RunStatus::Running, RunStatus::Failed));
    assert!(world.reason(&bad).contains("history") && world.tasks(&bad) == "cancelled cancelled", "{}", world.reason(&bad));
}

#[test]
fn a_drained_attempt_counts_as_nothing_and_the_run_can_be_resumed() {
    let world = World::new();
    let mut process = world.process("daemon-1", 1, Limits::default());
    let run = process.driver.launch(launch("tasks: { a: { stage: noop }, b: { stage: noop } }")).unwrap();
    assert_eq!(process.turn(), ["a"]);
    process.driver.take(Message::Drain { until: world.clock.now() + Duration::from_secs(5) });
    process.turn();
    assert!(process.stopped().is_empty() && !process.driver.is_over(), "it may end until then");
    world.pass(Duration::from_secs(5));
    process.turn();
    assert_eq!(process.stopped(), [HowToStop::Gracefully]);
    assert_eq!(process.end("a", Err(Failure::Stopped)), [""; 0], "nothing new starts");
    assert!(process.driver.is_over());
    assert_eq!((world.status(&run), world.tasks(&run).as_str()), (RunStatus::Running, "queued queued"));
    world.kill(process);
    let mut next = world.process("daemon-2", 4, Limits::default());
    assert_eq!(next.driver.recover().unwrap(), 1);
    assert_eq!(next.turn().len(), 2);
    let events = world.store.read(|view| view.events(&run)).unwrap();
    assert!(!events.iter().any(|event| event.body["outcome"]["outcome"] == "lost"), "no loss was counted");
}

#[test]
fn a_run_that_the_store_refuses_is_condemned_and_the_others_go_on() {
    let world = World::new();
    let mut process = world.process("daemon-1", 4, Limits::default());
    let (first, second) = (process.driver.launch(launch(CHAIN)).unwrap(), process.driver.launch(launch(CHAIN)).unwrap());
    process.turn();
    // As if a person had deleted the first run's rows: another store, which knows only the second one.
    let other = World::new();
    let mut twin = other.process("daemon-1", 4, Limits::default());
    twin.driver.entropy = Arc::new(Counting(AtomicU64::new(1u64.wrapping_add(0x9e37_79b9_7f4a_7c15))));
    assert_eq!(twin.driver.launch(launch(CHAIN)).unwrap(), second);
    twin.turn();
    process.driver.store = other.store.clone();
    for run in [&first, &second] {
        let key = AttemptKey { run: run.as_str().into(), task: 0, attempt: 1 };
        process.driver.take(Message::Attempt(key, Update::Ended(Ended::without_process(Ok(json!(1))))));
    }
    assert_eq!(process.turn().len(), 1, "the second run goes on");
    assert!(!process.driver.runs.contains_key(first.as_str()));
    assert_eq!(other.tasks(&second), "succeeded running");
}

#[test]
fn while_the_store_is_locked_nothing_acts_and_nothing_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.store = Arc::new(Store::open(folder.path().join("state.db")).unwrap());
    let mut process = world.process("daemon-1", 4, Limits::default());
    let run = process.launch(CHAIN);
    let other = Store::open(folder.path().join("state.db")).unwrap();
    let key = AttemptKey { run: run.as_str().into(), task: 0, attempt: 1 };
    // The lock outlasts the busy timeout.
    let held: Result<(), recflow_state::Error> = other.write(|_| {
        process.driver.take(Message::Attempt(key, Update::Ended(Ended::without_process(Ok(json!(1))))));
        assert_eq!(process.turn(), [""; 0], "what follows has not been recorded");
        assert!(process.driver.stuck.is_some() && process.driver.next_wake().is_some());
        assert_eq!(process.turn(), [""; 0], "nor is it tried again before it is time");
        Ok(())
    });
    held.unwrap();
    assert_eq!(world.tasks(&run), "running waiting");
    world.pass(Duration::from_secs(1));
    assert_eq!(process.turn(), ["b"]);
    assert_eq!(world.tasks(&run), "succeeded running");
}

#[test]
fn a_retry_keeps_its_delay_when_the_clock_is_set_back() {
    let world = World::new();
    let mut process = world.process("daemon-1", 4, Limits::default());
    process.driver.launch(launch("tasks: { a: { stage: noop, retries: 1, retry_delay: 60s } }")).unwrap();
    process.turn();
    let error = StageError::io("read", Path::new("x"), &std::io::Error::other("disk"));
    process.end("a", Err(Failure::Failed(error)));
    world.clock.advance_ms(-3_600_000);
    assert_eq!(process.turn(), [""; 0]);
    world.pass(Duration::from_secs(61));
    assert_eq!(process.turn(), ["a"]);
}
