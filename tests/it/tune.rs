//! Hyper-parameter search, as a user runs it.

use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, skipped};

fn figure(run: &Value, path: &str) -> f64 {
    run["tasks"].pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {run:#}"))
}

#[test]
fn tune_train_trains_with_what_it_found_and_repeats_itself() {
    let sandbox = Sandbox::new();
    sandbox.recflow(&["run", "quickstart", "-p", "ratings=6000", "-p", "rank=4", "-p", "max_iter=2"]).exits(0);
    let tune = |threads: &str| {
        let arguments = ["run", "tune-train", "-p", "data=data/quickstart/parquet", "-p", "max_iter=9", "--threads", threads, "--json"];
        sandbox.recflow(&arguments).exits(0).json()
    };
    let run = tune("1");
    let output = &run["tasks"]["tune"]["output"];
    let best = &output["best"];
    let model: Value =
        serde_json::from_str(&sandbox.read(&format!("{}/recflow.json", run["tasks"]["train"]["output"]["path"].as_str().unwrap())))
            .unwrap();
    for name in ["rank", "reg", "max_iter"] {
        assert_eq!(model["params"][name], best[name], "{name}");
    }
    assert!(figure(&run, "/test/output/rmse") > 0.0);
    // 16 trials, 3 folds, 9 sweeps: after 3 the best five go on.
    assert_eq!(output["sweeps"], 3 * (16 * 3 + 5 * 6));
    let scores: Vec<f64> =
        output["trials"].as_array().unwrap().iter().filter(|t| t["state"] == "completed").map(|t| t["mean"].as_f64().unwrap()).collect();
    assert_eq!((scores.len(), scores.iter().copied().reduce(f64::min)), (5, Some(figure(&run, "/tune/output/best_score"))));
    assert_eq!(sandbox.read("data/tuning/trials.csv").lines().count(), 17);
    let again = tune("3");
    assert_eq!(&again["tasks"]["tune"]["output"]["best"], best);
    assert_eq!(figure(&again, "/tune/output/best_score").to_bits(), figure(&run, "/tune/output/best_score").to_bits());
    let shown = sandbox.recflow(&["status", "latest"]).exits(0);
    assert!(shown.out.contains("best of 16 trials: rank "), "{}", shown.all());
}

#[test]
fn a_mistake_in_the_search_is_found_before_anything_runs() {
    let sandbox = Sandbox::with(
        "tasks:\n  t:\n    stage: tune\n    with: { ratings: r, search: { rnak: [8], reg: [0.1, -1] }, validation: { kind: k_fold, folds: 1 } }\n",
    );
    let ran = sandbox.recflow(&["validate", "p.yaml"]).exits(2);
    for words in ["rnak", "did you mean `rank`?", "`search.reg[1]`", "`validation.folds`"] {
        assert!(ran.all().contains(words), "no {words} in {}", ran.all());
    }
}

/// On `u1.base`, where Spark's ALS has a test RMSE of 0.9378 at rank 10 and λ 0.1, and 0.9892 at rank 20 and λ 0.05.
#[test]
fn movielens_100k_is_tuned_to_what_is_known_of_it() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let [convert, data, test] = ["to_netflix.py", "ml-100k/u.data.gz", "ml-100k/u1.test.gz"].map(|file| shared.join(file));
    if ![&convert, &data, &test].iter().all(|file| file.exists()) {
        assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "`{}` is required and is not all there", shared.display());
        return skipped(&format!("`{}` is not all there", shared.display()));
    }
    let sandbox = Sandbox::new();
    let convert = std::process::Command::new("python3").arg(convert).arg(sandbox.file("in")).arg(data).arg("--test").arg(test).output();
    assert!(convert.expect("python3").status.success());
    sandbox.recflow(&["stage", "etl", "train_file=in/train.txt", "train_output=train", "-q"]).exits(0);
    let tune = |more: &[&str]| {
        let search = r#"search={"rank": [10, 20], "reg": [0.01, 0.05, 0.1], "max_iter": 10}"#;
        let run = sandbox.recflow(&[&["stage", "tune", "ratings=train", search, "--json"], more].concat()).exits(0).json();
        run["tasks"]["tune"]["output"].clone()
    };
    let folds = tune(&[r#"validation={"folds": 3}"#]);
    assert_eq!(folds["best"]["reg"], 0.1, "{:#}", folds["trials"]);
    let rmse = folds["best_score"].as_f64().unwrap();
    assert!((0.93..0.97).contains(&rmse), "{rmse}");
    assert_eq!(folds["folds"].as_array().unwrap().iter().map(|fold| fold["held_out"].as_u64().unwrap()).sum::<u64>(), 80_000);
    let by_time = tune(&[r#"validation={"kind": "hold_out_by_time", "share": 0.1}"#, "early_stopping=successive_halving"]);
    assert_eq!((&by_time["best"]["reg"], &by_time["folds"][0]["held_out"]), (&Value::from(0.1), &Value::from(8000)));
    // Most of the latest ratings are by people who had not been there before.
    assert!(by_time["folds"][0]["cold"].as_u64().unwrap() > 4000, "{:#}", by_time["folds"]);
}
