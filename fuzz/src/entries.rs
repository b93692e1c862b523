//! One function a target: what it does with the bytes, and what must hold.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use recflow::pipeline;
use recflow_stages::dataset::{Begin, Change, Dataset, Layout, Mode, RatingTypeChoice, Transaction, overview};
use recflow_stages::netflix::{self, RatingRange};
use recflow_stages::{Catalog, Context, PublishKey, Ratings, model};

/// Netflix text: parsed, whatever it is; each line is a row, a header, blank or rejected, and every row is in range.
pub fn netflix_text(data: &[u8]) {
    let range = RatingRange::default();
    let mut rejected = 0_u64;
    let count = |_: netflix::Reject<'_>| {
        rejected += 1;
        Ok(())
    };
    let parsed = netflix::parse(data, range, |_| Ok(()), count).expect("nothing cancels it");
    assert!(parsed.rows() + rejected <= parsed.lines);
    let ratings = parsed.into_ratings();
    assert!(ratings.rating.iter().all(|&stars| range.contains(stars)));
}

/// A dataset folder with one file of these bytes: opened, read and described, then adopted by an upsert and read again.
pub fn parquet_dataset(data: &[u8]) {
    let folder = scratch();
    let (path, month) = (folder.path().join("train"), folder.path().join("train/year=2005/month=1"));
    fs::create_dir_all(&month).expect("writable");
    fs::write(month.join("a.parquet"), data).expect("writable");
    let context = context(folder.path());
    let Ok(dataset) = Dataset::open(&path, &context) else { return };
    let rows = dataset.read(&context).map(|ratings| ratings.len() as u64);
    let _ = overview(&dataset, &context);
    drop(dataset);
    // What could be opened can be read: opening a plain folder reads it.
    let rows = rows.expect("read before");
    let mut more = Ratings::default();
    more.push(1, 1, 3.0, 12_784);
    let Ok(Begin::Open(mut transaction)) = Transaction::begin(&[&path], &context) else { panic!("it was opened before") };
    let change = Change { rows: vec![more].into(), mode: Mode::Upsert, rating_type: RatingTypeChoice::Float };
    // Dates may lie beyond any calendar, added columns may be nested: refused is fine.
    if let Ok(written) = transaction.write(0, change, &Layout::default()) {
        transaction.commit(&()).expect("there is room");
        assert!(written.rows <= rows + 1);
        let read = Dataset::open(&path, &context).and_then(|dataset| dataset.read(&context)).expect("ours");
        assert_eq!(read.len() as u64, written.rows);
    }
}

/// A table of ratings to import, text or Parquet: imported or refused, and what is imported can be read and imported again.
pub fn import(data: &[u8]) {
    let folder = scratch();
    fs::write(folder.path().join("r.csv"), data).expect("writable");
    let context = context(folder.path());
    let stage = Catalog::builtin().get("import").expect("built in");
    let inputs = || [("train_file", "r.csv"), ("train_output", "train")].map(|(name, value)| (name.to_owned(), value.into())).into_iter();
    let Ok(output) = stage.run(inputs().collect(), &context) else { return };
    let read = Dataset::open(&folder.path().join("train"), &context).and_then(|dataset| dataset.read(&context)).expect("ours");
    assert_eq!(Some(read.len() as u64), output["train"]["rows"].as_u64());
    let again = Context::plain(folder.path(), PublishKey::new("fuzz", "again", 0));
    let again = stage.run(inputs().collect(), &again).expect("it was imported before");
    assert_eq!(again["train"]["fingerprint"], output["train"]["fingerprint"]);
}

/// A model version with one file of these bytes, the first of which says which: metadata, record or factors.
pub fn model(data: &[u8]) {
    static WHOLE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let whole = WHOLE.get_or_init(trained);
    let Some((&which, data)) = data.split_first() else { return };
    let folder = scratch();
    let replaced = ["metadata/part-00000", "recflow.json", "userFactors/part-00000-recflow-c000.snappy.parquet"][usize::from(which) % 3];
    copy(&whole.path().join("model"), folder.path());
    let file = folder.path().join(replaced);
    assert!(file.is_file(), "{replaced} is not where it was");
    fs::write(file, data).expect("writable");
    if let Ok(model) = model::open(folder.path()) {
        assert!(model.rank() > 0);
    }
}

/// A pipeline: checked, and every diagnostic can be shown.
pub fn pipeline_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let loaded = pipeline::load(text, "fuzz.yaml", Catalog::builtin());
    let _ = loaded.render(false);
    let _ = loaded.report();
}

fn context(workspace: &Path) -> Context {
    Context::plain(workspace, PublishKey::new("fuzz", "fuzz", 0))
}

/// A folder in memory, where there is one.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

/// A small model, as `train_als` publishes it, in `model/`.
fn trained() -> tempfile::TempDir {
    let folder = scratch();
    let context = context(folder.path());
    let mut ratings = Ratings::default();
    for user in 1..6 {
        ratings.push(user % 3, user, 3.0, 12_784);
    }
    let path = folder.path().join("train");
    let Ok(Begin::Open(mut transaction)) = Transaction::begin(&[&path], &context) else { panic!("nothing is there") };
    let change = Change { rows: vec![ratings].into(), mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto };
    transaction.write(0, change, &Layout::default()).expect("there is room");
    transaction.commit(&()).expect("there is room");
    let inputs = [("ratings", "train"), ("models", "models")].map(|(name, value)| (name.to_owned(), value.into()));
    let mut inputs: serde_json::Map<String, serde_json::Value> = inputs.into_iter().collect();
    inputs.insert("rank".to_owned(), 2.into());
    inputs.insert("max_iter".to_owned(), 1.into());
    let stage = Catalog::builtin().get("train_als").expect("built in");
    let output = stage.run(inputs, &context).expect("trains");
    let version = output["path"].as_str().expect("a path");
    fs::rename(folder.path().join(version), folder.path().join("model")).expect("writable");
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).expect("writable");
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("writable");
        }
    }
}
