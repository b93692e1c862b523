//! What may run at once, over real processes that share a store.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

/// A task that counts how many of its kind run beside it, as seen from the folder `name`.
fn counting(name: &str) -> String {
    format!("mkdir -p {name}; touch {name}/$$; ls {name} | wc -l >> {name}.log; sleep 0.05; rm {name}/$$")
}

fn most(sandbox: &Sandbox, name: &str) -> usize {
    sandbox.read(&format!("{name}.log")).lines().map(|line| line.trim().parse::<usize>().expect("a number")).max().unwrap_or(0)
}

#[test]
fn three_processes_together_keep_the_slots_of_a_pool_and_the_bound_of_a_task() {
    let mut text = String::from("tasks:\n");
    for task in 0..6 {
        writeln!(text, "  gpu{task}: {{ stage: shell, pool: gpu, with: {{ script: '{}' }} }}", counting("gpu")).expect("a string");
    }
    writeln!(text, "  one: {{ stage: shell, max_active: 1, with: {{ script: '{}' }} }}", counting("one")).expect("a string");
    let sandbox = Sandbox::with(&text);
    sandbox.write("recflow.yaml", "pools: { gpu: 2 }\n");
    let runs: Vec<_> = (0..3).map(|_| sandbox.spawn(&["run", "p.yaml", "--jobs", "8", "--quiet"])).collect();
    runs.into_iter().for_each(|run| drop(run.wait().exits(0)));
    assert_eq!(sandbox.read("gpu.log").lines().count(), 18, "each task ran once");
    assert_eq!((most(&sandbox, "gpu"), most(&sandbox, "one")), (2, 1));
}

#[test]
fn a_run_at_max_active_runs_waits_with_a_message_or_refuses() {
    let sandbox = Sandbox::with(
        "max_active_runs: 1\ntasks:\n  wait: { stage: shell, with: { script: 'touch up; while [ ! -e go ]; do sleep 0.02; done' } }\n",
    );
    let first = sandbox.spawn(&["run", "p.yaml"]);
    sandbox.wait_until("the first run is up", || sandbox.file("up").exists());
    let refused = sandbox.recflow(&["run", "p.yaml", "--no-wait"]).exits(1);
    assert!(refused.err.contains("`max_active_runs` is 1"), "{}", refused.all());
    let second = sandbox.spawn(&["run", "p.yaml"]);
    let count = || sandbox.json(&["runs", "--json"]).as_array().map_or(0, Vec::len);
    sandbox.wait_until("the second run is recorded", || count() == 2);
    assert_eq!(sandbox.status()["status"], "queued");
    sandbox.write("go", "");
    first.wait().exits(0);
    let second = second.wait().exits(0);
    assert!(second.all().contains("waits: 1 runs of `p` are under way"), "{}", second.all());
}

#[test]
fn a_pool_that_recflow_yaml_does_not_have_is_an_error_before_anything_runs() {
    let sandbox = Sandbox::with("tasks:\n  a: { stage: noop, pool: gpus }\n");
    sandbox.write("recflow.yaml", "pools: { gpu: 2 }\n");
    for arguments in [["validate", "p.yaml"], ["run", "p.yaml"]] {
        let refused = sandbox.recflow(&arguments).exits(2);
        assert!(refused.err.contains("there is no pool `gpus`") && refused.err.contains("did you mean `gpu`?"), "{}", refused.all());
    }
    sandbox.write("recflow.yaml", "pool: { gpu: 2 }\n");
    let refused = sandbox.recflow(&["run", "p.yaml"]).exits(2);
    assert!(refused.err.contains("unknown key `pool`") && refused.err.contains("did you mean `pools`?"), "{}", refused.all());
}
