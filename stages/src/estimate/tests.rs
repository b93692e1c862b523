//! Estimates against what stages were measured to take, and the way from one stage to the next.

use serde_json::json;

use super::*;
use crate::Catalog;

fn estimate(forecast: &mut Forecast, stage: &str, inputs: Value) -> Option<Estimate> {
    Catalog::builtin().get(stage).unwrap().estimate(&inputs, forecast)
}

/// The main job at so many ratings, before any of it has run.
fn job(ratings: u64) -> BTreeMap<&'static str, Estimate> {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    let stages = [
        ("generate", json!({ "output": "data", "ratings": ratings })),
        ("etl", json!({ "train_file": "data/train.txt", "train_output": "train", "test_file": "data/test.txt", "test_output": "test" })),
        ("train_als", json!({ "ratings": "train", "models": "models", "rank": 64 })),
        ("evaluate", json!({ "model": "models/version_to_come", "ratings": "test", "train": "train" })),
        ("recommend", json!({ "model": "models/version_to_come", "output": "lists", "exclude_seen": "train" })),
    ];
    stages.into_iter().map(|(stage, inputs)| (stage, estimate(&mut forecast, stage, inputs).unwrap())).collect()
}

#[test]
fn memory_is_within_a_third_of_what_was_measured_at_ten_million() {
    let job = job(10_000_000);
    // docs/benchmarks.md
    for (stage, mebibytes) in [("generate", 292.0), ("train_als", 359.0), ("evaluate", 453.0), ("recommend", 174.0)] {
        let ratio = job[stage].memory_bytes as f64 / (1 << 20) as f64 / mebibytes;
        assert!((0.67..1.5).contains(&ratio), "{stage}: {ratio} times what it took");
    }
}

#[test]
fn more_ratings_or_a_larger_rank_never_take_less() {
    let (small, large) = (job(1_000_000), job(4_000_000));
    for (stage, small) in &small {
        let large = &large[stage];
        assert!(large.memory_bytes > small.memory_bytes && large.cpu_seconds > small.cpu_seconds && large.rows > small.rows, "{stage}");
    }
}

#[test]
fn stages_that_read_what_people_bring_are_within_a_third_of_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    // 4 million ratings of 24.6 bytes, and 2 million of 25.9: only their sizes count.
    for (name, bytes) in [("ratings.csv", 98_254_986), ("stream-1.csv", 51_843_101), ("stream-2.csv", 51_843_101)] {
        std::fs::File::create(folder.path().join(name)).unwrap().set_len(bytes).unwrap();
    }
    let mut forecast = Forecast::new(folder.path());
    let close = |found: u64, mebibytes: f64| (0.67..1.5).contains(&(found as f64 / f64::from(1 << 20) / mebibytes));
    let import = json!({ "train_file": "ratings.csv", "train_output": "train", "test_output": "test", "test_ratio": 0.1 });
    let import = estimate(&mut forecast, "import", import).unwrap();
    assert!(close(import.memory_bytes, 75.7) && (0.5..1.0).contains(&import.cpu_seconds), "{import:?}");
    assert_eq!((import.rows, import.output["test"]["rows"].as_u64()), (3_930_199, Some(393_019)));
    let one = json!({ "csv": "stream-1.csv", "output": "stream" });
    let one = estimate(&mut forecast, "process_stream", one).unwrap();
    assert!(close(one.memory_bytes, 143.9) && (0.3..0.7).contains(&one.cpu_seconds), "{one:?}");
    let both = estimate(&mut forecast, "process_stream", json!({ "csv": "stream-*.csv", "output": "stream" })).unwrap();
    assert_eq!(both.rows, one.rows * 2);
    assert_eq!(forecast.dataset(&WorkspacePath::from("stream/batch/train")).unwrap().rows, (both.rows as f64 * 0.8) as u64);
    assert_eq!(estimate(&mut forecast, "process_stream", json!({ "csv": "nothing-*.csv", "output": "stream" })), None);
}

#[test]
fn drift_at_a_hundred_million_is_within_a_third_of_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    let netflix = |rows| Extent { rows, users: 480_189, items: 17_770 };
    forecast.will_write_dataset("train", netflix(85_500_514));
    forecast.will_write_dataset("test", netflix(9_500_000));
    forecast.will_write_model("model", ModelExtent { users: 480_189, items: 17_770, rank: 64 });
    let inputs = json!({ "model": "model", "original_train": "train", "original_test": "test", "current_train": "new/train", "current_test": "new/test" });
    let found = estimate(&mut forecast, "detect_drift", inputs).unwrap();
    assert!((0.67..1.5).contains(&(found.memory_bytes as f64 / f64::from(766 << 20))), "{found:?}");
    assert!((0.67..1.5).contains(&(found.cpu_seconds / 10.6)), "{found:?}");
}

#[test]
fn a_search_costs_its_trials_and_folds_and_half_of_that_if_it_stops_early() {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    forecast.will_write_dataset("train", Extent::typical(10_000_000));
    let mut of = |inputs: Value| {
        let mut all = json!({ "ratings": "train", "validation": { "kind": "k_fold", "folds": 3 }, "max_parallel": 1 });
        all.as_object_mut().unwrap().extend(inputs.as_object().unwrap().clone());
        estimate(&mut forecast, "tune", all).unwrap()
    };
    let one = of(json!({ "search": { "rank": 64 } }));
    let four = of(json!({ "search": { "rank": 64, "reg": [0.1, 0.2], "biases": [true, false] } }));
    let stopped =
        of(json!({ "search": { "rank": 64, "reg": [0.1, 0.2], "biases": [true, false] }, "early_stopping": "successive_halving" }));
    assert!(four.cpu_seconds > 3.5 * one.cpu_seconds && stopped.cpu_seconds < 0.6 * four.cpu_seconds);
    assert_eq!(four.memory_bytes, one.memory_bytes);
    assert!(of(json!({ "search": { "rank": 64 }, "validation": { "kind": "hold_out" } })).memory_bytes < one.memory_bytes);
}

#[test]
fn a_memory_limit_bounds_the_etl_and_costs_writing() {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    forecast.will_write_text("train.txt", Extent::typical(1_000_000_000));
    let mut of = |limit: Value| {
        let mut inputs = json!({ "train_file": "train.txt", "train_output": "train", "mode": "overwrite" });
        inputs["memory_limit"] = limit;
        estimate(&mut forecast, "etl", inputs).unwrap()
    };
    let (free, bound) = (of(Value::Null), of(json!("1GiB")));
    assert!(free.memory_bytes > 7 << 30 && bound.memory_bytes <= 1 << 30);
    assert!(bound.written_bytes > free.written_bytes);
}

#[test]
fn what_is_not_there_and_will_not_be_has_no_estimate() {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    assert_eq!(estimate(&mut forecast, "train_als", json!({ "ratings": "nowhere", "models": "models" })), None);
    assert_eq!(estimate(&mut forecast, "etl", json!({ "train_file": "nowhere.txt", "train_output": "train" })), None);
    assert_eq!(estimate(&mut forecast, "shell", json!({ "command": ["true"] })), None);
}

#[test]
fn the_newest_model_is_the_one_to_come_or_the_last_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut forecast = Forecast::new(folder.path());
    let find = |forecast: &mut Forecast| {
        estimate(forecast, "find_model", json!({ "models": "models/" })).map(|found| found.output["path"].clone())
    };
    assert_eq!(find(&mut forecast), None);
    for version in ["version_20250101_000000", "version_20260101_000000", "version_20270101_000000"] {
        std::fs::create_dir_all(folder.path().join("models").join(version)).unwrap();
        if version != "version_20270101_000000" {
            std::fs::write(folder.path().join("models").join(version).join("recflow.json"), "{}").unwrap();
        }
    }
    assert_eq!(find(&mut forecast), Some(json!("models/version_20260101_000000")));
    forecast.will_write_model("models/version_to_come", ModelExtent { users: 1, items: 1, rank: 1 });
    assert_eq!(find(&mut forecast), Some(json!("models/version_to_come")));
}

#[test]
fn files_and_datasets_that_are_there_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.txt"), vec![b'1'; 2000]).unwrap();
    let mut forecast = Forecast::new(folder.path());
    let found = estimate(&mut forecast, "etl", json!({ "train_file": "train.txt", "train_output": "train" })).unwrap();
    assert_eq!(found.rows, 100);
    std::fs::create_dir_all(folder.path().join("plain/year=2005/month=1")).unwrap();
    std::fs::write(folder.path().join("plain/year=2005/month=1/part-0.parquet"), vec![0; 5000]).unwrap();
    assert_eq!(forecast.dataset(&WorkspacePath::from("plain")).unwrap().rows, 1000);
}
