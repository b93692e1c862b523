//! What may be under way at once, over several processes.

use super::*;

fn pools(pools: &[(&str, u32)]) -> Limits {
    Limits { max_parallel_tasks: None, pools: pools.iter().map(|(name, slots)| ((*name).to_owned(), *slots)).collect() }
}

#[test]
fn two_processes_share_the_slots_of_a_pool() {
    let world = World::new();
    let limits = pools(&[("gpu", 2)]);
    let text = "tasks: { a: { stage: noop, pool: gpu }, b: { stage: noop, pool: gpu }, free: { stage: noop } }";
    let mut first = world.process("daemon-1", 9, limits.clone());
    let mut second = world.process("ab", 9, limits);
    first.driver.launch(launch(text)).unwrap();
    assert_eq!(first.turn(), ["a", "b", "free"]);
    second.driver.launch(launch(text)).unwrap();
    assert_eq!(second.turn(), ["free"], "tasks without a pool pass");
    assert!(second.driver.next_wake().is_some(), "the other process does not tell when it is done");
    first.succeed("a");
    assert_eq!(second.turn(), ["a"]);
    assert_eq!(second.turn(), [""; 0]);
    world.kill(first);
    assert_eq!(second.turn(), ["b"], "a dead process holds no slot");
}

#[test]
fn the_oldest_task_that_does_not_fit_keeps_its_place_in_its_pool() {
    let world = World::new();
    let mut process = world.process("daemon-1", 9, pools(&[("gpu", 2)]));
    process.driver.launch(launch("tasks: { small: { stage: noop, pool: gpu } }")).unwrap();
    assert_eq!(process.turn(), ["small"]);
    world.pass(Duration::from_secs(1));
    process.driver.launch(launch("tasks: { big: { stage: noop, pool: gpu, pool_slots: 2 } }")).unwrap();
    assert_eq!(process.turn(), [""; 0]);
    world.pass(Duration::from_secs(1));
    process.driver.launch(launch("tasks: { late: { stage: noop, pool: gpu }, other: { stage: noop } }")).unwrap();
    assert_eq!(process.turn(), ["other"], "`late` would fit, and must not overtake");
    assert_eq!(process.succeed("small"), ["big"]);
    assert_eq!(process.succeed("big"), ["late"]);
}

#[test]
fn tasks_start_by_priority_of_their_pipeline_then_their_own_then_age() {
    let world = World::new();
    let mut process = world.process("daemon-1", 1, Limits::default());
    process.driver.launch(launch("name: low\ntasks: { l1: { stage: noop, priority: 9 }, l2: { stage: noop } }")).unwrap();
    process.driver.launch(launch("name: high\npriority: 5\ntasks: { h1: { stage: noop }, h2: { stage: noop, priority: 1 } }")).unwrap();
    let mut order = process.turn();
    for _ in 0..3 {
        let last = order.last().unwrap().clone();
        order.extend(process.succeed(&last));
    }
    assert_eq!(order, ["h2", "h1", "l1", "l2"]);
}

#[test]
fn a_pipeline_and_a_task_bound_their_own_tasks_over_all_runs() {
    let world = World::new();
    let mut process = world.process("daemon-1", 9, Limits::default());
    let text = "max_active_tasks: 3\ntasks: { a: { stage: noop, max_active: 1 }, b: { stage: noop } }";
    process.driver.launch(launch(text)).unwrap();
    process.driver.launch(launch(text)).unwrap();
    let mut started = process.turn();
    started.sort();
    assert_eq!(started, ["a", "b", "b"]);
    assert_eq!(process.succeed("b"), [""; 0], "the second `a` is held back by the first, not by the pipeline");
    assert_eq!(process.succeed("a"), ["a"]);
}

#[test]
fn max_parallel_tasks_bounds_all_processes_together() {
    let world = World::new();
    let limits = Limits { max_parallel_tasks: Some(3), pools: BTreeMap::new() };
    let text = "tasks: { a: { stage: noop }, b: { stage: noop } }";
    let mut first = world.process("daemon-1", 9, limits.clone());
    let mut second = world.process("ab", 9, limits);
    first.driver.launch(launch(text)).unwrap();
    second.driver.launch(launch(text)).unwrap();
    assert_eq!((first.turn().len(), second.turn().len(), world.running()), (2, 1, 3));
    first.succeed("b");
    assert_eq!(second.turn(), ["b"]);
}

#[test]
fn no_more_runs_of_a_pipeline_are_under_way_than_it_says_and_those_that_wait_begin_in_their_order() {
    let world = World::new();
    let text = "max_active_runs: 1\ntasks: { a: { stage: noop } }";
    let mut first = world.process("ab", 9, Limits::default());
    let mut second = world.process("cd", 9, Limits::default());
    let mut third = world.process("ef", 9, Limits::default());
    let run = first.driver.launch(launch(text)).unwrap();
    assert_eq!(first.turn(), ["a"]);
    let waiting = second.driver.launch(launch(text)).unwrap();
    third.driver.launch(launch(text)).unwrap();
    assert_eq!((second.turn(), third.turn()), (Vec::new(), Vec::new()));
    assert_eq!(world.status(&waiting), RunStatus::Queued);
    let refused = third.driver.launch(Launch { at_limit: AtLimit::Refuse, ..launch(text) }).unwrap_err().to_string();
    assert!(refused.contains(run.as_str()) && refused.contains("`max_active_runs` is 1"), "{refused}");
    first.succeed("a");
    world.pass(Duration::from_secs(1));
    assert_eq!(third.turn(), [""; 0], "the older one goes first");
    assert_eq!(second.turn(), ["a"]);
    world.kill(second);
    world.pass(Duration::from_secs(1));
    assert_eq!(third.turn(), ["a"], "an interrupted run holds no place");
}

#[test]
fn a_queued_run_is_claimed_once_and_within_the_limit() {
    let world = World::new();
    let mut first = world.process("daemon-1", 9, Limits::default());
    let text = "max_active_runs: 1\ntasks: { a: { stage: noop } }";
    let mut runs = Vec::new();
    for _ in 0..2 {
        let id = RunId::from_random(world.entropy.next());
        let launch = launch(text);
        let workspace = Workspace::new(Path::new("/nowhere"), None).unwrap();
        world
            .store
            .write(|tx| {
                let version = pin(tx, "p", text, Some("p.yaml"), UnixMs(0))?;
                let (pipeline, params) = (&launch.pipeline, &launch.params);
                let (trigger, logical_date) = (Trigger::Schedule, UnixMs(0));
                let new = Enqueue {
                    id: id.clone(),
                    pipeline,
                    version,
                    params,
                    trigger,
                    logical_date,
                    owner: None,
                    cause: None,
                    backfill: None,
                    replay_of: None,
                };
                enqueue(tx, &workspace, new, UnixMs(0))
            })
            .unwrap();
        runs.push(id);
    }
    assert_eq!(first.driver.claim(&runs[0]).unwrap(), Claim::Taken);
    assert!(matches!(first.driver.claim(&runs[1]).unwrap(), Claim::Full(_)));
    assert_eq!(first.turn(), ["a"]);
    first.succeed("a");
    assert_eq!(first.driver.claim(&runs[1]).unwrap(), Claim::Taken);
    first.turn();
    first.succeed("a");
    assert_eq!(first.driver.claim(&runs[0]).unwrap(), Claim::Gone);
}
