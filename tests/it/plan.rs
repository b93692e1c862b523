//! `recflow plan`: what a run would take, told before it runs.

use crate::sandbox::Sandbox;

const JOB: &str = "
params: { ratings: { type: integer, default: 1000000 } }
tasks:
  generate: { stage: generate, with: { output: data, ratings: '{{ params.ratings }}' } }
  etl: { stage: etl, needs: [generate], with: { train_file: '{{ tasks.generate.output.train }}', train_output: train } }
  train: { stage: train_als, needs: [etl], with: { ratings: '{{ tasks.etl.output.train.path }}', models: models } }
";

#[test]
fn a_plan_estimates_each_stage_and_writes_nothing() {
    let sandbox = Sandbox::with(JOB);
    let ran = sandbox.recflow(&["plan", "p.yaml"]).exits(0);
    assert!(ran.out.contains("estimates, each task alone on") && ran.out.contains("1 000 000"), "{}", ran.all());
    let plan = sandbox.recflow(&["plan", "p.yaml", "--json", "-p", "ratings=2000000"]).exits(0).json();
    assert_eq!(plan["tasks"][0]["estimate"]["rows"], 2_000_000);
    assert!(plan["tasks"][2]["estimate"]["memory_bytes"].as_u64().expect("a number") > 50 << 20);
    assert!(!sandbox.file(".recflow").exists() && !sandbox.file("data").exists());
}

#[test]
fn a_run_that_cannot_fit_is_refused_before_it_starts() {
    // 2 000 000 000 ratings want 76 GB to train on.
    let sandbox = Sandbox::with(JOB);
    let plan = sandbox.recflow(&["plan", "p.yaml", "--json", "-p", "ratings=2000000000"]).exits(0).json();
    let machine = plan["machine_memory_bytes"].as_u64().expect("Linux tells");
    if machine > plan["tasks"][0]["estimate"]["memory_bytes"].as_u64().expect("a number") {
        return; // a large machine: `cli::plan` has the test of what is refused
    }
    let ran = sandbox.recflow(&["run", "p.yaml", "-p", "ratings=2000000000"]).exits(2);
    assert!(ran.err.contains("task `generate` would need about") && ran.err.contains("hint: generate fewer"), "{}", ran.all());
    assert!(!sandbox.file(".recflow").exists());
}
