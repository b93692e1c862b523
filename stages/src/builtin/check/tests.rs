//! Each bound on both sides, what is told when several fail, and folders that another engine wrote.

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow_array::{Date32Array, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::*;
use crate::builtin::Etl;
use crate::clock::{ManualClock, SystemClock};
use crate::context::{Level, Report, Reporter};
use crate::{AnyStage, PublishKey};

/// Three ratings of two users and two items, 3 to 5 stars, the newest of 2005-12-31.
const RATINGS: &str = "8:\n1,3,2005-01-05\n2,4,2005-01-06\n9:\n1,5,2005-12-31\n";

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Reporter for Warnings {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn, message } = report {
            self.0.lock().unwrap().push(message);
        }
    }
}

struct World {
    folder: tempfile::TempDir,
    warnings: Arc<Warnings>,
    context: Context,
}

/// A dataset `train`, published at noon of 2006-01-02; the run stands for three in the morning of 2006-01-03.
fn world(text: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let warnings = Arc::new(Warnings::default());
    let clock = Arc::new(ManualClock::new("2006-01-02T12:00:00Z".parse().unwrap()));
    let mut context = Context::plain(folder.path(), PublishKey::new("run", "check", 0));
    context.clock = clock.clone();
    context.reporter = warnings.clone();
    context.logical_date = "2006-01-03T03:00:00Z".parse().unwrap();
    fs::write(folder.path().join("train.txt"), text).unwrap();
    let inputs = json!({ "train_file": "train.txt", "train_output": "train" });
    Etl::run(serde_json::from_value(inputs).unwrap(), &context).unwrap();
    warnings.0.lock().unwrap().clear();
    clock.advance_ms(24 * 3_600_000);
    World { folder, warnings, context }
}

impl World {
    fn check(&self, inputs: Value) -> Result<CheckOutput> {
        AnyStage::of::<Check>().check(&inputs)?;
        Check::run(serde_json::from_value(inputs).unwrap(), &self.context)
    }

    /// Checks one bound of the dataset and returns its outcome, which is only a warning.
    fn one(&self, bound: &str, value: Value) -> Outcome {
        let output = self.check(json!({ "ratings": "train", "on_failure": "warn", bound: value })).unwrap();
        assert_eq!((output.checks.len(), output.passed), (1, output.checks[0].passed));
        output.checks.into_iter().next().unwrap()
    }
}

#[test]
fn every_bound_of_a_dataset_holds_up_to_its_own_value_and_not_beyond() {
    let world = world(RATINGS);
    for (bound, good, bad, found) in [
        ("min_rows", json!(3), json!(4), 3.0),
        ("max_rows", json!(3), json!(2), 3.0),
        ("min_users", json!(2), json!(3), 2.0),
        ("min_items", json!(2), json!(3), 2.0),
        // From the end of 2005-12-31 to the logical date.
        ("max_age", json!("51h"), json!("50h59m"), 51.0 * 3600.0),
        ("max_snapshot_age", json!("1d"), json!("23h"), 24.0 * 3600.0),
    ] {
        let passed = world.one(bound, good);
        assert_eq!((passed.name.as_str(), passed.value, passed.passed), (bound, Some(found), true));
        assert!(!world.one(bound, bad).passed, "{bound}");
    }
    assert_eq!(world.one("min_rows", json!(4)).message, "rows of `train`: found 3, allowed at least 4");
    assert_eq!(world.one("max_age", json!("1d")).message, "newest date of `train`, 2005-12-31, age: found 2d 3h, allowed at most 1d");
    assert_eq!(world.one("max_null_share", json!(0)).value, Some(0.0));
}

#[test]
fn ratings_outside_the_range_fail_at_the_end_where_they_lie() {
    let world = world(RATINGS);
    let found = |range: &str| {
        let output = world.check(json!({ "ratings": "train", "rating_range": range, "on_failure": "warn" })).unwrap();
        output.checks.iter().map(|check| (check.name.clone(), check.value, check.passed)).collect::<Vec<_>>()
    };
    let both = |low, high| vec![("rating_range.min".to_owned(), Some(3.0), low), ("rating_range.max".to_owned(), Some(5.0), high)];
    assert_eq!([found("3-5"), found("3.5-5"), found("0.5-4.5")], [both(true, true), both(false, true), both(true, false)]);
}

#[test]
fn all_bounds_that_do_not_hold_are_told_at_once_and_the_task_fails_or_warns() {
    let world = world(RATINGS);
    let inputs = |on_failure: &str| {
        let metrics = json!({ "rmse": { "value": 1.25, "max": 1 }, "ndcg": { "value": 0.5, "min": 0.1 } });
        json!({ "ratings": "train", "min_rows": 100, "min_users": 2, "metrics": metrics, "on_failure": on_failure })
    };
    let error = world.check(inputs("fail")).unwrap_err();
    let expected = "2 of 4 checks failed: rows of `train`: found 3, allowed at least 100; `rmse`: found 1.25, allowed at most 1";
    assert_eq!((error.message.as_str(), error.kind.is_retryable()), (expected, false));
    assert!(error.hint.unwrap().contains("on_failure: warn"));
    let output = world.check(inputs("warn")).unwrap();
    assert!(!output.passed);
    let names: Vec<(&str, bool)> = output.checks.iter().map(|check| (check.name.as_str(), check.passed)).collect();
    assert_eq!(names, [("min_rows", false), ("min_users", true), ("metrics.ndcg.min", true), ("metrics.rmse.max", false)]);
    let warnings = world.warnings.0.lock().unwrap();
    assert_eq!(*warnings, ["rows of `train`: found 3, allowed at least 100", "`rmse`: found 1.25, allowed at most 1"]);
}

#[test]
fn a_figure_that_is_absent_fails_unless_that_is_allowed() {
    let world = world(RATINGS);
    let check = |bounds: Value| world.check(json!({ "metrics": { "rmse": bounds } }));
    let error = check(json!({ "value": null, "max": 1 })).unwrap_err();
    assert_eq!(error.message, "1 of 1 checks failed: `rmse`: found nothing, allowed at most 1");
    check(json!({ "max": 1 })).unwrap_err();
    assert!(check(json!({ "value": null, "max": 1, "allow_null": true })).unwrap().passed);
    assert!(check(json!({ "value": 2, "max": 1, "allow_null": true })).is_err());
    assert_eq!(check(json!({ "value": 1, "min": 1, "max": 1 })).unwrap().checks.len(), 2);
}

#[test]
fn files_must_be_there_and_neither_too_small_nor_too_large_nor_too_old() {
    let mut world = world(RATINGS);
    world.context.clock = Arc::new(SystemClock);
    let check = |bounds: Value| world.check(json!({ "files": [bounds], "on_failure": "warn" })).unwrap();
    let bytes = RATINGS.len();
    assert!(check(json!({ "path": "train.txt", "min_bytes": bytes, "max_bytes": bytes, "max_age": "1h" })).passed);
    assert!(!check(json!({ "path": "train.txt", "max_bytes": bytes - 1 })).passed);
    let missing = check(json!({ "path": "gone.txt" }));
    assert_eq!(missing.checks[0].message, "bytes of `gone.txt`: found nothing, allowed at least 0");
    assert_eq!((missing.passed, missing.checks[0].name.as_str()), (false, "files.gone.txt.min_bytes"));
    assert!(!check(json!({ "path": "train" })).passed, "a folder is no file");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 3600);
    File::options().append(true).open(world.folder.path().join("train.txt")).unwrap().set_modified(old).unwrap();
    assert!(!check(json!({ "path": "train.txt", "max_age": "2h" })).passed);
}

/// A plain folder, as another engine writes it: of four rows one has no rating.
fn plain_folder(folder: &Path) {
    let month = folder.join("spark/year=2005/month=1");
    fs::create_dir_all(&month).unwrap();
    let columns = [("MOVIE_ID", DataType::Int32), ("CUST_ID", DataType::Int32), ("RATING", DataType::Int32), ("DATE", DataType::Date32)];
    let schema = Arc::new(Schema::new(columns.map(|(name, kind)| Field::new(name, kind, true)).to_vec()));
    let numbers = |numbers: [i32; 4]| Arc::new(Int32Array::from(numbers.to_vec()));
    let ratings = Arc::new(Int32Array::from(vec![Some(3), None, Some(4), Some(5)]));
    let dates = Arc::new(Date32Array::from(vec![12_788; 4]));
    let batch = RecordBatch::try_new(schema.clone(), vec![numbers([1, 2, 3, 4]), numbers([7; 4]), ratings, dates]).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(month.join("part-0.parquet")).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn nulls_of_a_folder_that_another_engine_wrote_are_counted_and_it_has_no_age() {
    let world = world(RATINGS);
    plain_folder(world.folder.path());
    let check = |bound: &str, value: Value| {
        let output = world.check(json!({ "ratings": "spark", bound: value, "on_failure": "warn" })).unwrap();
        (output.checks[0].value, output.passed)
    };
    assert_eq!(check("max_null_share", json!(0.25)), (Some(0.25), true));
    assert_eq!(check("max_null_share", json!(0.2)), (Some(0.25), false));
    assert_eq!(check("min_rows", json!(3)), (Some(3.0), true));
    assert_eq!(check("max_snapshot_age", json!("100d")), (None, false));
}

#[test]
fn a_dataset_without_rows_has_neither_range_nor_newest_date() {
    let world = world("8:\n");
    for (bound, value) in [("rating_range", json!("0.5-5")), ("max_age", json!("1d")), ("min_users", json!(1))] {
        assert!(!world.check(json!({ "ratings": "train", bound: value, "on_failure": "warn" })).unwrap().passed, "{bound}");
    }
}

#[test]
fn a_check_that_could_not_fail_is_a_mistake() {
    let world = world(RATINGS);
    let error = |inputs: Value| world.check(inputs).unwrap_err().message;
    assert_eq!(error(json!({})), "there is nothing to check");
    assert_eq!(error(json!({ "ratings": "train" })), "there is nothing to check");
    assert_eq!(error(json!({ "min_rows": 1 })), "a bound concerns the dataset `ratings`, which is not given");
    assert_eq!(error(json!({ "metrics": { "rmse": { "value": 1 } } })), "the figure `rmse` under `metrics` has no bound");
    assert_eq!(error(json!({ "ratings": "nowhere", "min_rows": 1 })), "there is no dataset at `nowhere`");
    let wrong = json!({ "ratings": "train", "max_null_share": 1.5, "on_failure": "ignore", "metrics": { "rmse": { "mx": 1 } } });
    let message = AnyStage::of::<Check>().check(&wrong).unwrap_err().to_string();
    for part in ["at most 1, found 1.5", "one of fail, warn", "`metrics.rmse`: unknown input `mx`"] {
        assert!(message.contains(part), "{message}");
    }
    for age in ["soon", "7", "-1d", "1mo", "1y"] {
        assert!(serde_json::from_value::<Age>(json!(age)).is_err(), "{age}");
    }
    for (age, hours) in [("36h", 36.0), ("7d", 168.0), ("1h30m", 1.5), ("1w", 168.0)] {
        assert_eq!(
            serde_json::from_value::<Age>(json!(age)).unwrap(),
            serde_json::from_value(json!(format!("{}m", hours * 60.0))).unwrap()
        );
    }
}
