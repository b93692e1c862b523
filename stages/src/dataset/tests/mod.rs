//! Datasets through their public face: what is published is what is read, whatever dies in between.

mod added;
mod adopted;
mod copies;
mod faults;
mod ids;
mod killed;
mod publishing;
mod readers;
mod rollback;
pub(crate) mod storage;
mod unchanged;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Begin, Dataset, Layout, Mode, RatingTypeChoice, Transaction, Written};
use crate::context::{Context, PublishKey};
use crate::date::parse_iso;
use crate::error::Result;
use crate::ratings::Ratings;

/// Movie, user, stars, date.
type Rating = (i32, i32, f32, &'static str);

/// A folder with datasets in it.
struct Place {
    folder: tempfile::TempDir,
    disk: storage::TestDisk,
}

impl Place {
    fn new() -> Self {
        // In memory where that exists: the sweeps publish thousands of times, and no test outlives the machine.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap(), disk: copies::disk() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A context for a new piece of work.
    fn context(&self, run: &str) -> Context {
        let context = Context::plain(self.folder.path(), PublishKey::new(run, "test", 0));
        Context { storage: Arc::new(self.disk.clone()), ..context }
    }

    /// Upserts `rows` into `name` as a run of its own.
    fn upsert(&self, name: &str, rows: &[Rating]) -> Written {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = format!("{name}-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        publish(&[(&self.path(name), change(rows))], &self.context(&run)).unwrap().remove(0)
    }

    fn read(&self, name: &str) -> Vec<(i32, i32, f32, String)> {
        let context = self.context("reader");
        listed(&Dataset::open(&self.path(name), &context).unwrap(), &context)
    }

    /// The files of the dataset as any engine sees them, relative to its path.
    fn files(&self, name: &str) -> Vec<String> {
        let root = self.path(name).canonicalize().unwrap();
        let mut files = Vec::new();
        walk(&root, &root, &mut files);
        files.sort();
        files
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(root, &path, files) } else { files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()) }
    }
}

fn ratings(rows: &[Rating]) -> Ratings {
    let mut ratings = Ratings::default();
    for &(movie, user, stars, date) in rows {
        ratings.push(movie, user, stars, parse_iso(date.as_bytes()).unwrap());
    }
    ratings
}

/// A change that can be made several times.
#[derive(Clone)]
struct Change {
    rows: Vec<Ratings>,
    mode: Mode,
    rating_type: RatingTypeChoice,
}

impl From<&Change> for super::Change<'_> {
    fn from(change: &Change) -> Self {
        Self { rows: change.rows.clone().into(), mode: change.mode, rating_type: change.rating_type }
    }
}

fn change(rows: &[Rating]) -> Change {
    Change { rows: vec![ratings(rows)], mode: Mode::Upsert, rating_type: RatingTypeChoice::Auto }
}

fn publish(changes: &[(&Path, Change)], context: &Context) -> Result<Vec<Written>> {
    let paths: Vec<&Path> = changes.iter().map(|(path, _)| *path).collect();
    let mut transaction = match Transaction::begin(&paths, context)? {
        Begin::Published(_) => return Ok(Vec::new()),
        Begin::Open(transaction) => transaction,
    };
    let written = changes.iter().enumerate().map(|(index, (_, change))| transaction.write(index, change.into(), &Layout::default()));
    let written = written.collect::<Result<Vec<_>>>()?;
    transaction.commit(&serde_json::json!({ "rows": written.iter().map(|written| written.rows).sum::<u64>() }))?;
    Ok(written)
}

fn listed(dataset: &Dataset, context: &Context) -> Vec<(i32, i32, f32, String)> {
    let all = dataset.read(context).unwrap();
    (0..all.len()).map(|i| (all.movie[i], all.user[i], all.rating[i], crate::date::format_iso(all.date[i]))).collect()
}

fn owned(rows: &[Rating]) -> Vec<(i32, i32, f32, String)> {
    rows.iter().map(|&(movie, user, stars, date)| (movie, user, stars, date.to_owned())).collect()
}
