//! Versions on disk: round trips, crashes at every write, which one is found, and models that cannot be right.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use proptest::prelude::*;

use super::publish::Claim;
use super::record::{DatasetRecord, FORMAT, to_created_at};
use super::versions::{find, list, published};
use super::*;
use crate::als::{AlsParams, Iteration};
use crate::clock::ManualClock;
use crate::context::{Report, Reporter};
use crate::kernel::{Aligned, padded};
use crate::matrix::{Duplicates, Ids};
use crate::storage::{Disk, FailAfter};
use crate::{Context, PublishKey};

/// A temporary workspace, a clock that stands still and the warnings so far.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) warnings: Arc<Warnings>,
    pub(crate) context: Context,
}

#[derive(Default)]
pub(crate) struct Warnings(pub(crate) Mutex<Vec<String>>);

impl Reporter for Warnings {
    fn report(&self, report: Report) {
        if let Report::Log { level: crate::Level::Warn, message } = report {
            self.0.lock().unwrap().push(message);
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        // In memory where that exists: the sweeps publish many times, and no test outlives the machine.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let clock = Arc::new(ManualClock::new("2025-03-01T03:15:00.250Z".parse().unwrap()));
        let warnings = Arc::new(Warnings::default());
        let mut context = Context::plain(folder.path(), PublishKey::new("run", "train", 1));
        context.clock = clock.clone();
        context.reporter = warnings.clone();
        Self { folder, clock, warnings, context }
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    pub(crate) fn publish(&self) -> crate::Result<ModelRecord> {
        self.publish_with(|_| {})
    }

    fn publish_with(&self, change: impl FnOnce(&mut ModelRecord)) -> crate::Result<ModelRecord> {
        let changed = |claim: &Claim| {
            let mut record = record(claim, &self.context.publish_key);
            change(&mut record);
            record
        };
        publish(&self.models(), &model(3, &[1, 7], &[-4, 9]), changed, &self.context)
    }

    /// Publishes a version a second after the last one; tells its name.
    pub(crate) fn another(&self) -> String {
        self.clock.advance_ms(1000);
        self.publish().unwrap().version
    }

    /// Everything in the folder of models but the lock.
    fn entries(&self) -> BTreeSet<String> {
        let Ok(entries) = fs::read_dir(self.models()) else { return BTreeSet::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|name| name != ".lock").collect()
    }
}

/// Factors that differ in every place.
fn factors(rank: usize, ids: &[i32]) -> Factors {
    let ids = Ids::of(ids);
    let mut rows = Aligned::zeroed(ids.len() * padded(rank));
    for (row, &id) in rows.as_mut_slice().chunks_mut(padded(rank)).zip(ids.as_slice()) {
        row[..rank].iter_mut().zip(1..).for_each(|(value, p)| *value = id as f32 / p as f32);
    }
    Factors::from_padded(ids, rank, rows)
}

fn model(rank: usize, users: &[i32], items: &[i32]) -> AlsModel {
    AlsModel::new(factors(rank, users), factors(rank, items))
}

fn rows(factors: &Factors) -> Vec<(i32, Vec<f32>)> {
    (0..).zip(factors.ids().as_slice()).map(|(row, &id)| (id, factors.row(row).to_vec())).collect()
}

pub(crate) fn record(claim: &Claim, key: &PublishKey) -> ModelRecord {
    ModelRecord {
        format: FORMAT,
        version: claim.version.clone(),
        created_at: to_created_at(claim.created_at),
        publish_key: key.clone(),
        output: serde_json::json!({ "version": claim.version }),
        binary_version: "0.0.0".to_owned(),
        instruction_set: "portable".to_owned(),
        params: AlsParams::default(),
        recency_half_life: None,
        warm_start: None,
        duplicates: Duplicates::Latest,
        cold_start: ColdStart::Drop,
        mean_rating: Some(3.5),
        dataset: DatasetRecord { path: "train".to_owned(), fingerprint: "f".to_owned(), rows: 4 },
        holdout: None,
        rank: 3,
        users: 2,
        items: 2,
        ratings: 4,
        fit_seconds: 0.5,
        metrics: [("loss".to_owned(), 0.1 + 0.2)].into(),
        iterations: vec![Iteration { number: 1, loss: 0.1 + 0.2, train_rmse: None, holdout_rmse: None }],
    }
}

#[test]
fn a_version_has_sparks_layout_and_is_named_after_its_second() {
    let world = World::new();
    let record = world.publish().unwrap();
    assert_eq!((record.version.as_str(), record.created_at.as_str()), ("version_20250301_031500", "2025-03-01T03:15:00.250Z"));
    let version = world.models().join(&record.version);
    for file in ["metadata/part-00000", "metadata/_SUCCESS", "userFactors/_SUCCESS", "itemFactors/_SUCCESS", "recflow.json"] {
        assert!(version.join(file).is_file(), "{file}");
    }
    let metadata = fs::read_to_string(version.join("metadata/part-00000")).unwrap();
    assert_eq!(
        metadata,
        concat!(
            r#"{"class":"org.apache.spark.ml.recommendation.ALSModel","timestamp":1740798900250,"sparkVersion":"3.5.0","#,
            r#""uid":"ALS_recflow_version_20250301_031500","#,
            r#""paramMap":{"userCol":"CUST_ID","itemCol":"MOVIE_ID","coldStartStrategy":"drop"},"#,
            r#""defaultParamMap":{"userCol":"user","itemCol":"item","predictionCol":"prediction","coldStartStrategy":"nan"},"rank":3}"#,
            "\n"
        )
    );
    assert_eq!(ModelRecord::read(&version).unwrap(), Some(record));
    assert_eq!(world.entries().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn factors_come_back_bit_for_bit_whatever_the_order_and_number_of_files(
        rank in 1_usize..40,
        ids in prop::collection::btree_set(any::<i32>(), 2..50),
    ) {
        let ids: Vec<i32> = ids.into_iter().collect();
        let whole = factors(rank, &ids);
        let folder = tempfile::tempdir().unwrap();
        // Two files, the higher ids first, as Spark's hash partitions may have it.
        let (low, high) = ids.split_at(ids.len() / 2);
        for (name, ids) in [("part-00000-x.snappy.parquet", high), ("part-00001-x.snappy.parquet", low)] {
            parquet_factors::write(&factors(rank, ids), fs::File::create(folder.path().join(name)).unwrap()).unwrap();
        }
        fs::write(folder.path().join("_SUCCESS"), "").unwrap();
        fs::write(folder.path().join(".part-00000-x.crc"), "crc").unwrap();
        prop_assert_eq!(rows(&parquet_factors::read(folder.path(), rank).unwrap()), rows(&whole));
    }
}

/// `tests/data/spark_als_model` was saved by Spark 3.5.1: `ALS(rank=2, maxIter=5, seed=1, …).fit(…)` on six made-up
/// ratings, the users in two part files; `predictions.json` is what its own `transform` gave.
#[test]
fn a_model_that_spark_saved_opens_and_predicts_what_spark_predicted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spark_als_model");
    let found = open(&folder).unwrap();
    assert_eq!((found.rank(), found.users().ids().len(), found.items().ids().len()), (2, 3, 3));
    let predictions: Vec<(i32, i32, f32)> = serde_json::from_slice(&fs::read(folder.join("predictions.json")).unwrap()).unwrap();
    assert_eq!(predictions.len(), 9);
    for (user, item, expected) in predictions {
        assert!((found.predict(user, item).unwrap() - expected).abs() < 1e-5);
    }
    assert_eq!((found.predict(99, 10), found.cold_rule()), (None, ColdRule::Drop));
}

#[test]
fn what_a_model_does_with_strangers_comes_back_and_spark_is_told_as_much_as_it_knows() {
    let expected =
        [(ColdStart::Drop, "drop", ColdRule::Drop), (ColdStart::Nan, "nan", ColdRule::Nan), (ColdStart::Mean, "nan", ColdRule::Mean(3.5))];
    for (cold_start, told, rule) in expected {
        let world = World::new();
        let version = world.models().join(world.publish_with(|record| record.cold_start = cold_start).unwrap().version);
        assert_eq!(open(&version).unwrap().cold_rule(), rule);
        let metadata: serde_json::Value = serde_json::from_slice(&fs::read(version.join("metadata/part-00000")).unwrap()).unwrap();
        assert_eq!(metadata["paramMap"]["coldStartStrategy"], told);
    }
    let world = World::new();
    let meanless = |record: &mut ModelRecord| (record.cold_start, record.mean_rating) = (ColdStart::Mean, None);
    let version = world.models().join(world.publish_with(meanless).unwrap().version);
    let error = open(&version).unwrap_err();
    assert_eq!(error.message, "the recflow.json of `version_20250301_031500` has `cold_start: mean` but no `mean_rating`");
}

#[test]
fn the_cold_start_strategy_of_a_model_that_spark_saved_is_kept() {
    let world = World::new();
    let version = world.models().join(world.publish().unwrap().version);
    fs::remove_file(version.join("recflow.json")).unwrap();
    let class = "org.apache.spark.ml.recommendation.ALSModel";
    let opened = |set: &str, default: &str| {
        let line = format!(r#"{{"class":"{class}","rank":3,"paramMap":{{{set}}},"defaultParamMap":{{{default}}}}}"#);
        fs::write(version.join("metadata/part-00000"), line).unwrap();
        open(&version).map(|model| model.cold_rule())
    };
    let [drop, nan] = [r#""coldStartStrategy":"Drop""#, r#""coldStartStrategy":"nan""#];
    assert_eq!(opened(drop, nan).unwrap(), ColdRule::Drop);
    assert_eq!(opened(nan, drop).unwrap(), ColdRule::Nan);
    assert_eq!(opened("", drop).unwrap(), ColdRule::Drop);
    assert_eq!(opened("", "").unwrap(), ColdRule::Nan);
    let error = opened(r#""coldStartStrategy":"mean""#, nan).unwrap_err();
    assert!(error.message.ends_with(r#"metadata/part-00000` has a `coldStartStrategy` of "mean""#), "{error}");
}

#[test]
fn a_record_from_before_cold_start_and_nonnegative_still_reads() {
    let world = World::new();
    let record = world.publish().unwrap();
    let path = world.models().join(&record.version).join("recflow.json");
    let mut old: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for key in ["cold_start", "mean_rating"] {
        old.as_object_mut().unwrap().remove(key).unwrap();
    }
    old["params"].as_object_mut().unwrap().remove("nonnegative").unwrap();
    fs::write(&path, old.to_string()).unwrap();
    let read = ModelRecord::read(&world.models().join(&record.version)).unwrap();
    assert_eq!(read, Some(ModelRecord { mean_rating: None, ..record }));
}

#[test]
fn versions_of_one_second_get_different_names_that_sort_by_time() {
    let world = World::new();
    let names: Vec<String> = (0..3).map(|_| world.publish().unwrap().version).collect();
    assert_eq!(names, ["version_20250301_031500", "version_20250301_031500_001", "version_20250301_031500_002"]);
    assert_eq!(find(&world.models(), &Which::Latest, &world.context).unwrap().name, names[2]);
}

#[test]
fn trainings_at_the_same_instant_in_several_threads_do_not_collide() {
    let world = World::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| world.publish().unwrap().version)).collect();
        let names: BTreeSet<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(world.entries(), names);
    });
}

#[test]
fn a_disk_that_fills_up_at_any_write_leaves_nothing_or_the_whole_version() {
    for operations in 0.. {
        let mut world = World::new();
        world.context.storage = Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
        let result = world.publish();
        let entries = world.entries();
        match &result {
            // Only the last sync comes after the version is visible.
            Err(error) if !entries.is_empty() => assert!(error.message.starts_with("cannot publish"), "{operations}: {error}"),
            Err(error) => assert!(error.kind == crate::ErrorKind::Io, "{operations}: {error:?}"),
            Ok(_) => {}
        }
        if let Some(version) = entries.iter().next() {
            assert_eq!(entries.len(), 1, "{operations}: {entries:?}");
            open(&world.models().join(version)).unwrap();
        }
        if result.is_ok() {
            assert!(operations > 20);
            return;
        }
    }
}

#[test]
fn what_a_dead_training_left_is_removed_and_what_a_live_one_writes_is_not() {
    let world = World::new();
    let [dead, live] = [".version.1-0.tmp", ".version.1-1.tmp"].map(|name| world.models().join(name));
    fs::create_dir_all(dead.join("userFactors")).unwrap();
    fs::create_dir_all(&live).unwrap();
    let alive = fs::File::open(&live).unwrap();
    alive.lock().unwrap();
    world.publish().unwrap();
    assert!(!dead.exists() && live.exists());
}

#[test]
fn work_already_published_is_found_by_its_key() {
    let world = World::new();
    assert_eq!(published(&world.models(), &world.context.publish_key).unwrap(), None);
    let record = world.publish().unwrap();
    assert_eq!(published(&world.models(), &world.context.publish_key).unwrap(), Some(record));
    assert_eq!(published(&world.models(), &PublishKey::new("run", "train", 2)).unwrap(), None);
}

#[test]
fn the_newest_is_the_one_published_last_whatever_its_name() {
    let world = World::new();
    let first = world.publish().unwrap().version;
    fs::rename(world.models().join(&first), world.models().join("version_20990101_000000")).unwrap();
    world.clock.advance_ms(60_000);
    let second = world.publish().unwrap().version;
    assert_eq!(find(&world.models(), &Which::Latest, &world.context).unwrap().name, second);
    // Without a record, as Spark saves, the name counts.
    fs::remove_file(world.models().join("version_20990101_000000/recflow.json")).unwrap();
    let latest = find(&world.models(), &Which::Latest, &world.context).unwrap();
    assert_eq!(latest.name, "version_20990101_000000");
    assert_eq!(latest.created_at, Some("2099-01-01T00:00:00Z".parse::<Timestamp>().unwrap()));
}

#[test]
fn a_broken_version_is_skipped_with_a_warning_that_says_why() {
    let world = World::new();
    let whole = world.publish().unwrap().version;
    world.clock.advance_ms(1000);
    let broken = world.models().join(world.publish().unwrap().version);
    fs::remove_dir_all(broken.join("itemFactors")).unwrap();
    fs::create_dir(world.models().join("version_20990101_000000")).unwrap();
    assert_eq!(find(&world.models(), &Which::Latest, &world.context).unwrap().name, whole);
    let warnings = world.warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("model version `models/version_20250301_031501` is skipped: cannot list `"), "{}", warnings[0]);
    assert!(warnings[0].contains("itemFactors"));
    assert!(warnings[1].starts_with("model version `models/version_20990101_000000` is skipped: cannot list `"), "{}", warnings[1]);
}

#[test]
fn a_newer_record_is_refused_rather_than_misread() {
    let world = World::new();
    let version = world.models().join(world.publish().unwrap().version);
    fs::write(version.join("recflow.json"), r#"{ "format": 2, "surprise": [] }"#).unwrap();
    let error = ModelRecord::read(&version).unwrap_err();
    assert!(error.message.ends_with("recflow.json` has format 2; this recflow knows formats up to 1"), "{error}");
    assert!(list(&world.models(), &world.context).unwrap().is_empty());
}

#[test]
fn current_is_what_the_link_names_and_the_latest_with_a_warning_if_it_names_nothing_good() {
    let world = World::new();
    let (first, second) = (world.another(), world.another());
    let link = world.models().join("current");
    let current = || {
        let name = find(&world.models(), &Which::Current, &world.context).unwrap().name;
        (name, std::mem::take(&mut *world.warnings.0.lock().unwrap()))
    };
    let latest_because = |why: &str| {
        let remedy = "stage `promote` or `recflow models promote VERSION` sets the current one";
        (second.clone(), vec![format!("{why}: taking the latest, {second}; {remedy}")])
    };
    assert_eq!(current(), latest_because("no version in `models` was promoted yet"));
    // Made by a person: as good as ours.
    std::os::unix::fs::symlink(&first, &link).unwrap();
    assert_eq!(current(), (first.clone(), vec![]));
    fs::rename(world.models().join(&first), world.folder.path().join("gone")).unwrap();
    assert_eq!(current(), latest_because(&format!("`models/current` names {first}, which is not there any more")));
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("../elsewhere", &link).unwrap();
    let why = format!("`{}` names `../elsewhere`, which is no version beside it", link.display());
    assert_eq!(current(), latest_because(&why));
}

#[test]
fn a_version_that_is_not_there_is_answered_with_those_that_are() {
    let world = World::new();
    let error = |which: &str| find(&world.models(), &Which::from(which), &world.context).unwrap_err();
    assert_eq!(error("latest").message, "there is no model version in `models`");
    assert_eq!(error("latest").hint.as_deref(), Some("train one first: stage `train_als` publishes a version there"));
    let name = world.publish().unwrap().version;
    assert_eq!(error("version_1").message, "there is no model version `version_1` in `models`");
    assert_eq!(error("version_1").hint, Some(format!("newest there: {name}")));
    for outside in ["../models", "a/b", ".hidden", "", ".."] {
        assert_eq!(error(outside).message, format!("`{outside}` is not the name of a model version"));
    }
    assert_eq!(find(&world.models(), &Which::from(name.as_str()), &world.context).unwrap().name, name);
}

/// Publishes a good model, replaces its user factors and opens it.
fn opened_with(damage: impl FnOnce(&Path)) -> String {
    let world = World::new();
    let version = world.models().join(world.publish().unwrap().version);
    damage(&version);
    let error = open(&version).unwrap_err();
    error.to_string().replace(&format!("{}/", version.display()), "")
}

#[test]
fn factors_that_cannot_be_right_are_refused_with_the_file_s_name() {
    let part = "userFactors/part-00000-recflow-c000.snappy.parquet";
    let write = |version: &Path, factors: &Factors| {
        parquet_factors::write(factors, fs::File::create(version.join(part)).unwrap()).unwrap();
    };
    assert_eq!(
        opened_with(|version| write(version, &factors(2, &[5]))),
        format!("`{part}` holds 2 features for id 5; the model's rank is 3")
    );
    let infinite = Factors::from_padded(Ids::of(&[6]), 3, {
        let mut rows = Aligned::zeroed(padded(3));
        rows.as_mut_slice()[1] = f32::INFINITY;
        rows
    });
    assert_eq!(opened_with(|version| write(version, &infinite)), format!("`{part}` holds a feature of id 6 that is not a finite number"));
    let twice = |version: &Path| {
        fs::copy(version.join(part), version.join("userFactors/part-00001.parquet")).unwrap();
    };
    let error = opened_with(twice);
    assert!(error.ends_with("userFactors` holds factors for id 1 twice"), "{error}");
    assert!(
        opened_with(|version| fs::write(version.join(part), "PAR1").unwrap()).starts_with(&format!("`{part}` is not readable Parquet"))
    );
    assert!(opened_with(|version| fs::remove_file(version.join(part)).unwrap()).ends_with("userFactors` holds no factors"));
}

#[test]
fn metadata_that_cannot_be_right_are_refused() {
    let with = |line: &str| opened_with(|version| fs::write(version.join("metadata/part-00000"), line).unwrap());
    assert!(with("not json").starts_with("`metadata/part-00000` is not model metadata"));
    assert_eq!(with(r#"{"class":"KMeans"}"#), "`metadata/part-00000` describes a model of class \"KMeans\"");
    for rank in ["0", "-1", "1e300", "\"3\"", "99999999999"] {
        let line = format!(r#"{{"class":"org.apache.spark.ml.recommendation.ALSModel","rank":{rank}}}"#);
        assert!(with(&line).starts_with("`metadata/part-00000` has no usable rank: "), "{rank}");
    }
}

#[test]
fn a_model_that_is_not_there_is_said_to_be_missing() {
    let error = open(Path::new("/nonexistent/version_x")).unwrap_err();
    assert_eq!(error.message, "there is no model at `/nonexistent/version_x`");
    assert_eq!(error.kind, crate::ErrorKind::Input);
}
