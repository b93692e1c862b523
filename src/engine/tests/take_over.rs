//! Runs that a process takes over from a dead one. The simulator found each of these histories.

use std::sync::atomic::AtomicBool;

use recflow_state::{Error, Fault, Moment};

use super::*;

const ONE: &str = "max_active_runs: 1\ntasks: { a: { stage: noop, pool: gpu } }";

fn gpu() -> Limits {
    Limits { max_parallel_tasks: None, pools: [("gpu".to_owned(), 1)].into() }
}

/// A world whose store cannot be written while the flag is set.
fn world_that_fills_up() -> (World, Arc<AtomicBool>) {
    let full = Arc::new(AtomicBool::new(false));
    let told = full.clone();
    let fault = Fault::new(move |moment| match moment {
        Moment::Begin if told.load(Ordering::Relaxed) => Err(Error::Full { path: ":memory:".into() }),
        _ => Ok(()),
    });
    let store = Arc::new(Store::in_memory_with(fault).unwrap());
    (World { store, ..World::new() }, full)
}

#[test]
fn a_recovered_run_waits_for_room_and_holds_no_slot_meanwhile() {
    let world = World::new();
    let mut dead = world.process("daemon-1", 4, gpu());
    let left = dead.launch(ONE);
    world.kill(dead);
    let mut command = world.process("ab", 4, gpu());
    let other = command.launch(ONE);
    assert_eq!(world.status(&other), RunStatus::Running, "an interrupted run holds no place");
    let mut next = world.process("daemon-2", 4, gpu());
    assert_eq!(next.driver.recover().unwrap(), 1);
    assert_eq!(next.hands.0.lock().unwrap().buried.len(), 1, "what it left is removed at once");
    assert_eq!((next.turn(), world.status(&left)), (Vec::new(), RunStatus::Queued));
    assert_eq!(world.running(), 1, "nor a slot of the pool");
    command.succeed("a");
    world.pass(Duration::from_secs(1));
    assert_eq!(next.turn(), ["a"]);
    next.succeed("a");
    assert_eq!(world.status(&left), RunStatus::Succeeded);
}

#[test]
fn a_full_disk_fails_no_run_that_is_recovered_and_is_waited_for() {
    let (world, full) = world_that_fills_up();
    let mut dead = world.process("daemon-1", 4, gpu());
    let run = dead.launch(ONE);
    world.kill(dead);
    let mut next = world.process("daemon-2", 4, gpu());
    full.store(true, Ordering::Relaxed);
    assert_eq!(next.driver.recover().unwrap(), 0);
    assert!(!next.driver.is_idle() && next.driver.next_wake().is_some(), "there is something left to do");
    full.store(false, Ordering::Relaxed);
    assert_eq!(world.status(&run), RunStatus::Running);
    world.pass(Duration::from_secs(1));
    assert_eq!(next.turn(), ["a"]);
}

#[test]
fn a_run_that_waits_for_room_outlasts_a_full_disk() {
    let (world, full) = world_that_fills_up();
    let mut first = world.process("ab", 4, gpu());
    first.launch(ONE);
    let mut second = world.process("cd", 4, gpu());
    second.driver.launch(launch(ONE)).unwrap();
    full.store(true, Ordering::Relaxed);
    assert_eq!(second.turn(), [""; 0]);
    full.store(false, Ordering::Relaxed);
    first.succeed("a");
    world.pass(Duration::from_secs(1));
    assert_eq!(second.turn(), ["a"]);
}

#[test]
fn a_run_that_waits_for_room_can_be_cancelled_from_outside() {
    let world = World::new();
    let mut first = world.process("ab", 4, gpu());
    first.launch(ONE);
    let mut second = world.process("cd", 4, gpu());
    let waiting = second.driver.launch(launch(ONE)).unwrap();
    second.turn();
    let wish = Wish::Cancel { force: false, reason: "not needed".to_owned() };
    let id = world.store.write(|tx| ask(tx, &waiting, &wish, UnixMs(0))).unwrap();
    world.pass(Duration::from_secs(1));
    second.turn();
    assert_eq!((world.status(&waiting), world.reason(&waiting).as_str()), (RunStatus::Cancelled, "not needed"));
    assert!(world.store.read(|view| view.control(id)).unwrap().unwrap().done_at.is_some());
    assert!(second.driver.is_idle());
}

#[test]
fn whoever_dies_before_a_mark_is_recorded_leaves_a_run_that_was_over_over() {
    let world = World::new();
    let mut first = world.process("ab", 4, gpu());
    let run = first.launch(ONE);
    first.succeed("a");
    let mut marker = world.process("daemon-1", 4, gpu());
    let mark = MarkTask { task: "a".to_owned(), r#as: Mark::Failed, taken: None, output: None, reason: "wrong".to_owned() };
    marker.driver.mark(&run, &mark).unwrap();
    world.kill(marker);
    let mut next = world.process("daemon-2", 4, gpu());
    next.driver.recover().unwrap();
    next.turn();
    assert_eq!(world.status(&run), RunStatus::Succeeded);
    let ends = world.store.read(|view| view.run_ends(0, 10)).unwrap();
    assert_eq!(ends.len(), 1, "it has not ended a second time");
}

#[test]
fn work_whose_success_a_person_took_back_is_done_again_under_another_key() {
    let world = World::new();
    let mut process = world.process("ab", 4, Limits::default());
    let run = process.launch("tasks: { a: { stage: noop }, b: { stage: noop, needs: [a] } }");
    process.succeed("a");
    let mark = MarkTask { task: "a".to_owned(), r#as: Mark::Failed, taken: None, output: None, reason: "wrong".to_owned() };
    process.fail("b");
    process.driver.mark(&run, &mark).unwrap();
    process.turn();
    process.turn();
    process.driver.resume(&run).unwrap();
    process.driver.turn(&mut Nobody).unwrap();
    let started = std::mem::take(&mut process.hands.0.lock().unwrap().started);
    let key = started.last().expect("it runs again").publish_key.clone();
    assert_eq!(key.as_str(), format!("{run}/a/1"));
}
