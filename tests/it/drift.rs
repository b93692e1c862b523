//! `detect_drift` through the binary: what `validate` knows of its inputs, and what a run says of it.

use crate::sandbox::Sandbox;

/// A pipeline that looks for drift among the quickstart's data, with these weights.
fn pipeline(weights: &str) -> String {
    format!(
        r#"
params: {{ kl: {{ type: number, default: 0.7 }} }}
tasks:
  find: {{ stage: find_model, with: {{ models: models/artifacts }} }}
  detect_drift:
    stage: detect_drift
    needs: [find]
    with:
      model: "{{{{ tasks.find.output.path }}}}"
      original_train: data/quickstart/parquet/train
      original_test: data/quickstart/parquet/test
      current_train: data/quickstart/parquet/test
      current_test: data/quickstart/parquet/test
      weights: {weights}
  check_retrain:
    needs: [detect_drift]
    branch:
      - {{ when: tasks.detect_drift.output.should_retrain, to: retrain }}
      - {{ to: skip_retrain }}
  retrain: {{ stage: noop, needs: [check_retrain] }}
  skip_retrain: {{ stage: noop, needs: [check_retrain] }}
"#
    )
}

#[test]
fn weights_that_do_not_sum_to_one_are_an_error_before_the_run() {
    let validated = |weights: &str| Sandbox::with(&pipeline(weights)).recflow(&["validate", "p.yaml"]);
    let wrong = validated("{ kl: 0.5, mean: 0.3 }").exits(2).all();
    assert!(wrong.contains("the weights sum to 0.8, not to 1: KL 0.5, mean shift 0.3"), "{wrong}");
    assert!(wrong.contains("p.yaml:14:16"), "the place is named: {wrong}");
    validated("{ kl: 0.7, mean: 0.3 }").exits(0);
    // What a template will be is known only when the task's turn has come.
    validated(r#"{ kl: "{{ params.kl }}", mean: 0.1 }"#).exits(0);
}

#[test]
fn a_run_says_why_it_did_not_retrain() {
    let sandbox = Sandbox::with(&pipeline("{ kl: 0.7, mean: 0.3 }"));
    sandbox.recflow(&["run", "quickstart", "-p", "ratings=4000", "-p", "rank=4", "-p", "max_iter=3"]).exits(0);
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(0);
    let output = sandbox.status()["tasks"]["detect_drift"]["output"].clone();
    assert!(output["drift_score"].as_f64().is_some_and(|score| score > 0.0 && score < 1.0), "{output}");
    assert_eq!(output["model_drift"]["rmse_increase"], 0.0, "the same test set on both sides");
    let reason = output["reason"].as_str().expect("text");
    assert!(ran.out.contains(&format!("drift      no retrain: {reason}\n           score of the data ")), "{}", ran.all());
    assert!(ran.out.contains(&format!("check_retrain: took skip_retrain: no other side was true: {reason}\n")), "{}", ran.all());

    sandbox.write("p.yaml", &pipeline(r#"{ kl: "{{ params.kl }}", mean: 0.1 }"#));
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    let task = &run["tasks"]["detect_drift"];
    assert!(task["error"].as_str().is_some_and(|error| error.contains("the weights sum to 0.8, not to 1")), "{task}");
}
