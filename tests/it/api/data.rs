//! Models, drift, datasets, reports.

use serde_json::{Value, json};

use super::{Asker, all, each};

/// Trains two small models, looks for drift, draws a report.
const STORY: &str = "
name: story
params: { out: { type: path, default: reports/a.html } }
tasks:
  generate: { stage: generate, with: { output: raw, ratings: 2000, users: 100, items: 120 } }
  etl: { stage: etl, needs: [generate], with: { train_file: '{{ tasks.generate.output.train }}', train_output: data/train, test_file: '{{ tasks.generate.output.test }}', test_output: data/test, mode: overwrite } }
  train: { stage: train_als, needs: [etl], with: { ratings: data/train, models: models/artifacts, rank: 4, max_iter: 2 } }
  look:
    stage: detect_drift
    needs: [train]
    with: { model: '{{ tasks.train.output.path }}', original_train: data/train, original_test: data/test, current_train: data/train, current_test: data/test }
  report: { stage: report, needs: [look], with: { output: '{{ params.out }}', drift: '{{ tasks.look.output }}' } }
";

fn asker() -> Asker {
    Asker::new(|sandbox| sandbox.write("pipelines/story.yaml", STORY))
}

#[test]
fn models_are_listed_described_promoted_and_rolled_back() {
    let asker = asker();
    assert_eq!(asker.read("models"), json!({ "items": [], "next_cursor": null }));
    let runs = [asker.run("story", &json!({})), asker.run("story", &json!({}))];
    assert_eq!(runs.map(|run| asker.ended(&run)), ["succeeded", "succeeded"]);
    let versions: Vec<String> =
        all(&asker, "models", 1).iter().map(|model| model["version"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(versions.len(), 2);
    let told = asker.sandbox().json(&["models", "show", &versions[0], "--json"]);
    assert_eq!(asker.read(&format!("models/{}", versions[0])), told, "as the command line has it");
    assert_eq!(asker.read("models/latest")["version"], json!(versions[0]));

    let promote = |version: &str| asker.post(&format!("models/{version}/promote"), &json!({ "reason": "I say so" })).is(200).json();
    assert_eq!(promote(&versions[1])["changed"], true);
    assert_eq!(
        (promote(&versions[1])["changed"].clone(), promote(&versions[0])["promotion"]["reason"].clone()),
        (json!(false), json!("I say so (ann)"))
    );
    assert_eq!(asker.read("models/current")["version"], json!(versions[0]));
    assert_eq!(asker.post("models/rollback", &json!({})).is(200).json()["version"], json!(versions[1]));
    let history: Vec<Value> =
        all(&asker, "models/history", 2).iter().map(|decision| json!([decision["version"], decision["decision"]])).collect();
    assert_eq!(history, [json!([versions[1], "rollback"]), json!([versions[0], "person"]), json!([versions[1], "person"])]);
    let listed = asker.read("models");
    assert_eq!(listed["items"][1]["current"], true);
    assert_eq!(listed["items"][1]["promotions"].as_array().map(Vec::len), Some(2));

    let pruned = asker.post("models/prune", &json!({ "keep": 0, "dry_run": true })).is(200).json();
    assert_eq!((&pruned["removed"], pruned["kept"].as_array().map(Vec::len)), (&json!([]), Some(2)));
    Asker::refused(asker.get("models/version_1"), 404, "unknown-model");
    Asker::refused(asker.post("models/version_1/promote", &json!({})), 404, "unknown-model");
    for path in ["models/..%2f..", "models/%2fetc", "models/..", &format!("models/artifacts%2f{}", versions[0])] {
        assert_eq!(asker.get(path).status, 404, "{path}");
    }
    for folder in ["..", "/etc", "models/../../x", ""] {
        Asker::refused(asker.get(&format!("models?folder={folder}")), 400, "bad-request");
    }
    Asker::refused(asker.post("models/rollback?folder=models/none", &json!({})), 409, "no-model-before");
}

#[test]
fn drift_datasets_and_reports_are_shown_and_a_page_acts_in_nobodys_name() {
    let asker = asker();
    let run = asker.run("story", &json!({}));
    assert_eq!(asker.ended(&run), "succeeded");
    let drift = asker.read("drift");
    assert_eq!(drift["pipelines"], json!(["story"]));
    let point = &drift["points"][0];
    assert_eq!((&point["run"], &point["should_retrain"], &point["retrained"]), (&json!(run), &json!(false), &json!(true)));
    assert!(point["metrics"].as_object().is_some_and(|metrics| metrics.values().all(|metric| metric["threshold"].is_f64())), "{point}");
    let shares = |side: &str| point["histograms"][side].as_object().expect("shares").values().filter_map(Value::as_f64).sum::<f64>();
    assert!((shares("original") - 1.0).abs() < 1e-9 && (shares("current") - 1.0).abs() < 1e-9);
    assert_eq!(asker.read("drift?pipeline=other"), json!({ "pipelines": [], "points": [] }));

    let found = asker.read("datasets");
    assert_eq!(each(&found, "path"), ["data/test", "data/train"]);
    let told = asker.sandbox().json(&["data", "show", "data/train", "--json"]);
    let train = asker.read("datasets/detail?path=data/train");
    assert_eq!((&train["months"], &train["ratings"], &train["fingerprint"]), (&told["months"], &told["ratings"], &told["fingerprint"]));
    assert_eq!((&train["path"], train["snapshots"].as_array().map(Vec::len)), (&json!("data/train"), Some(1)));
    assert_eq!(asker.read("datasets/detail?path=data/train"), train, "counted once, told twice");
    Asker::refused(asker.get("datasets/detail?path=data/none"), 404, "unknown-dataset");
    Asker::refused(asker.get("datasets/detail?path=pipelines"), 404, "unknown-dataset");
    Asker::refused(asker.get("datasets/detail"), 400, "bad-request");
    for path in ["..", "/etc", "data/../../etc", "data//train"] {
        Asker::refused(asker.get(&format!("datasets/detail?path={path}")), 400, "bad-request");
    }

    Asker::refused(asker.post("datasets/rollback", &json!({ "path": "data/train" })), 409, "refused");
    Asker::refused(asker.post("datasets/rollback", &json!({ "path": "data/none" })), 404, "unknown-dataset");
    assert_eq!(
        asker.post("datasets/prune", &json!({ "path": "data/train", "keep": 1 })).is(200).json(),
        json!({ "removed": [], "held": [] })
    );

    asker.sandbox().recflow(&["report", &run]).exits(0);
    let outside = asker.sandbox().path().parent().expect("a folder").join("outside.html");
    assert_ne!(asker.post("pipelines/story/runs", &json!({ "params": { "out": outside.display().to_string() } })).status, 500);
    let reports = all(&asker, "reports", 1);
    let mut paths: Vec<&str> = reports.iter().filter_map(|report| report["path"].as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, [format!(".recflow/reports/{run}.html").as_str(), "reports/a.html"]);
    for report in &reports {
        let page = asker.get(&format!("reports/{}", report["id"].as_str().expect("an id"))).is(200);
        assert!(page.body.starts_with("<!DOCTYPE html>") && page.header("content-type") == Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("sandbox; default-src 'none'") && !policy.contains("script"), "{policy}");
        assert_eq!((page.header("x-content-type-options"), report["run"].as_str()), (Some("nosniff"), Some(run.as_str())));
    }
    for id in ["nothing", "..%2f..%2fstate.db", "state.db"] {
        assert_eq!(asker.get(&format!("reports/{id}")).status, 404, "{id}");
    }
}
