//! A workspace with stream files and datasets, and the stages run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::builtin::{Merge, ProcessStream};
use crate::context::{Context, PublishKey};
use crate::dataset::tests::storage::TestDisk;
use crate::dataset::{Begin, Change, Dataset, Layout, Mode, RatingTypeChoice, Transaction};
use crate::date::{format_iso, parse_iso};
use crate::error::Result;
use crate::ratings::Ratings;
use crate::stage::AnyStage;
use crate::storage::Storage;

/// Movie, user, half stars, date.
pub(crate) type Rating = (i32, i32, i32, String);

/// A workspace in memory where that exists: the sweeps publish thousands of times.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        Self(if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// A context for the task of a run.
    pub(crate) fn context(&self, run: &str, storage: impl Storage + 'static) -> Context {
        let context = Context::plain(self.0.path(), PublishKey::new(run, "task", 0));
        Context { storage: Arc::new(storage), ..context }
    }

    pub(crate) fn process(&self, run: &str, inputs: Value) -> Result<Value> {
        self.process_on(TestDisk::new(), run, inputs)
    }

    pub(crate) fn process_on(&self, storage: impl Storage + 'static, run: &str, inputs: Value) -> Result<Value> {
        let mut all = json!({ "csv": "data/streaming/current.csv", "output": "data/streaming", "settle_seconds": 0 });
        all.as_object_mut().unwrap().extend(inputs.as_object().unwrap().clone());
        AnyStage::of::<ProcessStream>().run(all.as_object().unwrap().clone(), &self.context(run, storage))
    }

    pub(crate) fn merge_on(&self, storage: impl Storage + 'static, run: &str) -> Result<Value> {
        let inputs = json!({ "stream": "data/streaming", "processed": "data/processed" });
        AnyStage::of::<Merge>().run(inputs.as_object().unwrap().clone(), &self.context(run, storage))
    }

    /// The rows of a dataset, sorted; none if it is not there.
    pub(crate) fn rows(&self, name: &str) -> Vec<Rating> {
        let context = self.context("reader", TestDisk::new());
        let Ok(dataset) = Dataset::open(&self.path(name), &context) else { return Vec::new() };
        let all = dataset.read(&context).unwrap();
        let mut rows: Vec<Rating> =
            (0..all.len()).map(|row| (all.movie[row], all.user[row], (all.rating[row] * 2.0) as i32, format_iso(all.date[row]))).collect();
        rows.sort();
        rows
    }

    /// Training and test rows together, sorted, as often as they stand there.
    pub(crate) fn both(&self, folder: &str) -> Vec<Rating> {
        let mut rows = [self.rows(&format!("{folder}/train")), self.rows(&format!("{folder}/test"))].concat();
        rows.sort();
        rows
    }

    /// Publishes rows as `etl` would.
    pub(crate) fn processed(&self, rows: &[Rating]) {
        let context = self.context("etl", TestDisk::new());
        let paths = ["data/processed/train", "data/processed/test"].map(|name| self.path(name));
        let Begin::Open(mut transaction) = Transaction::begin(&[&paths[0], &paths[1]], &context).unwrap() else { panic!("published") };
        for (index, part) in [rows, &rows[..1]].iter().enumerate() {
            let mut ratings = Ratings::default();
            part.iter().for_each(|(movie, user, halves, date)| {
                ratings.push(*movie, *user, *halves as f32 / 2.0, parse_iso(date.as_bytes()).unwrap());
            });
            let change = Change { rows: vec![ratings].into(), mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto };
            transaction.write(index, change, &Layout::default()).unwrap();
        }
        transaction.commit(&json!(null)).unwrap();
    }

    /// What lies in a folder, without what is hidden; empty if it is not there.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    /// Claims that nobody has finished: their records, and files in the folder of claimed ones.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let mut names = self.files("data/streaming/.claims");
        names.retain(|name| name != "lock");
        [names, self.files("data/streaming/.claimed")].concat()
    }
}

/// Ratings and their file: two users, four movies, three months.
pub(crate) fn ratings() -> (String, Vec<Rating>) {
    let (mut text, mut rows) = ("DATE,CUST_ID,MOVIE_ID,RATING\n".to_owned(), Vec::new());
    for n in 0..24 {
        let (movie, user, stars, date) = (1 + n % 4, 10 + n % 3, 1 + n % 5, format!("2006-0{}-{:02}", 1 + n % 3, 1 + n));
        text.push_str(&format!("{date},{user},{movie},{stars}\n"));
        rows.push((movie, user, stars * 2, date));
    }
    rows.sort();
    (text, rows)
}

pub(crate) const CSV: &str = "data/streaming/current.csv";

/// An output without what depends on the time, and on how many snapshots failed attempts began.
pub(crate) fn timeless(mut output: Value) -> Value {
    for place in ["/train", "/test", "/batch/train", "/batch/test"] {
        output.pointer_mut(place).unwrap()["snapshot"] = Value::Null;
    }
    for file in output["files"].as_array_mut().unwrap() {
        file["archive"] = json!(file["archive"].is_string());
    }
    output
}
