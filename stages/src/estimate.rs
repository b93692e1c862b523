//! What a task will take, told before it runs: ratings, bytes, memory, time.
//!
//! A [`Forecast`] knows how large the files, datasets and models are that are there; each [`Stage::estimate`](crate::Stage::estimate) asks it for its
//! inputs and tells it what the stage will have written, so that the next one can be estimated before any has run. Nothing is written, and no
//! more is read than the sizes of files and the manifests of datasets and models.
//!
//! The figures are those of `docs/benchmarks.md` on generated ratings, per rating, factor or multiplication: an estimate of memory is mostly right
//! within a fifth, one of time within a half on a similar processor, and both less so for ratings of quite another shape.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::byte_size;
use crate::dataset;
use crate::error::StageError;
use crate::intake::Files;
use crate::model::record::{self, ModelRecord};
use crate::stage::WorkspacePath;

/// Bytes that every process takes: the program, and what all stages use.
pub const PROCESS_BYTES: u64 = 16 << 20;
/// Bytes of a rating in Netflix text.
pub const TEXT_BYTES: u64 = 20;
/// Multiplications and additions a second, of one core, that training and scoring reach.
pub const FLOPS: f64 = 100e9;
/// Bytes of a rating in a dataset: what our files take, compressed.
const PARQUET_BYTES: u64 = 5;

/// How much there is of ratings, and of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Ratings.
    pub rows: u64,
    /// Users with ratings.
    pub users: u64,
    /// Items with ratings.
    pub items: u64,
}

impl Extent {
    /// So many ratings of as many users and items as such data usually have: what is assumed where nobody says.
    pub fn typical(rows: u64) -> Self {
        let items = (1700.0 * (rows as f64 / 100_000.0).cbrt()).ceil() as u64;
        Self { rows, users: rows.div_ceil(100), items: items.min(rows) }
    }

    /// The same users and items with a share of the ratings.
    pub fn share(self, share: f64) -> Self {
        Self { rows: (self.rows as f64 * share) as u64, ..self }
    }

    /// The ratings of both.
    pub fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, users: self.users.max(other.users), items: self.items.max(other.items) }
    }
}

/// A model to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ModelExtent {
    /// Users with factors.
    pub users: u64,
    /// Items with factors.
    pub items: u64,
    /// Floats in a factor.
    pub rank: u64,
}

impl ModelExtent {
    /// Bytes of all factors.
    pub fn bytes(self) -> u64 {
        (self.users + self.items) * self.rank * 4
    }
}

/// What a task will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Ratings that it goes through.
    pub rows: u64,
    /// Bytes that it reads.
    pub read_bytes: u64,
    /// Bytes that it writes.
    pub written_bytes: u64,
    /// The most memory that it holds.
    pub memory_bytes: u64,
    /// Seconds of one core; several share them where the stage computes in parallel.
    pub cpu_seconds: f64,
    /// Where later tasks will find what it wrote, as its output will say.
    #[serde(skip)]
    pub output: Value,
    /// What would take less memory.
    #[serde(skip)]
    pub remedy: &'static str,
}

impl Estimate {
    /// Why task `task` cannot run where there are `memory` bytes at all, and what would make it fit; `None` if it fits.
    pub fn misfit(&self, task: &str, memory: u64) -> Option<StageError> {
        if self.memory_bytes <= memory {
            return None;
        }
        let (needs, has) = (byte_size::about(self.memory_bytes), byte_size::about(memory));
        let error = StageError::input(format!("task `{task}` would need about {needs} of memory, and this machine has {has}"));
        Some(error.with_hint(format!("{}; --ignore-memory starts it all the same, `recflow plan` shows the estimates", self.remedy)))
    }
}

/// What is known of files, datasets and models, those to come included.
#[derive(Debug)]
pub struct Forecast {
    workspace: PathBuf,
    text: BTreeMap<PathBuf, Extent>,
    datasets: BTreeMap<PathBuf, Extent>,
    models: BTreeMap<PathBuf, ModelExtent>,
}

impl Forecast {
    /// What is there in `workspace`, looked up when it is asked for.
    pub fn new(workspace: &Path) -> Self {
        Self { workspace: workspace.to_owned(), text: BTreeMap::new(), datasets: BTreeMap::new(), models: BTreeMap::new() }
    }

    /// The ratings of some Netflix text; of compressed text, as if it were four times as long. `None` if a file is not there.
    pub fn text(&self, files: &Files) -> Option<Extent> {
        let extents = files.paths().map(|path| {
            let path = self.workspace.join(path.as_str());
            if let Some(&extent) = self.text.get(&path) {
                return Some(extent);
            }
            let bytes = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
            let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
            Some(Extent::typical(bytes * if packed { 4 } else { 1 } / TEXT_BYTES))
        });
        extents.reduce(|sum, extent| Some(sum?.and(extent?)))?
    }

    /// The ratings of a dataset. `None` if it is not there.
    pub fn dataset(&self, path: &WorkspacePath) -> Option<Extent> {
        let path = self.workspace.join(path.as_str());
        self.datasets.get(&path).copied().or_else(|| {
            let rows = match dataset::history(&path).ok()?.first() {
                Some(manifest) => manifest.rows,
                None => parquet_bytes(&path)? / PARQUET_BYTES,
            };
            Some(Extent::typical(rows))
        })
    }

    /// A model. `None` if it is not there, or another program wrote it.
    pub fn model(&self, path: &WorkspacePath) -> Option<ModelExtent> {
        let path = self.workspace.join(path.as_str());
        self.models.get(&path).copied().or_else(|| {
            let output = ModelRecord::read(&path).ok()??.output;
            let number = |name: &str| output[name].as_u64();
            Some(ModelExtent { users: number("users")?, items: number("items")?, rank: number("rank")? })
        })
    }

    /// Where the newest model in the folder `models` lies: one to come, else the last by name, which is the date of its training.
    pub fn newest_model(&self, models: &WorkspacePath) -> Option<String> {
        let folder = self.workspace.join(models.as_str());
        let to_come = self.models.keys().rfind(|path| path.parent() == Some(&folder)).cloned();
        let newest = to_come.or_else(|| {
            let there = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path());
            there.filter(|path| path.join(record::FILE).is_file()).max()
        })?;
        Some(newest.strip_prefix(&self.workspace).unwrap_or(&newest).display().to_string())
    }

    /// There will be Netflix text at `path`.
    pub fn will_write_text(&mut self, path: &str, extent: Extent) {
        self.text.insert(self.workspace.join(path), extent);
    }

    /// There will be a dataset at `path`.
    pub fn will_write_dataset(&mut self, path: &str, extent: Extent) {
        self.datasets.insert(self.workspace.join(path), extent);
    }

    /// There will be a model at `path`.
    pub fn will_write_model(&mut self, path: &str, extent: ModelExtent) {
        self.models.insert(self.workspace.join(path), extent);
    }
}

/// Bytes of `rows` ratings in a dataset.
pub fn dataset_bytes(rows: u64) -> u64 {
    rows * PARQUET_BYTES
}

/// Bytes of the Parquet files of a plain folder. `None` if there is none.
fn parquet_bytes(folder: &Path) -> Option<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            bytes += parquet_bytes(&entry.path()).unwrap_or(0);
        } else if entry.path().extension().is_some_and(|extension| extension == "parquet") {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Some(bytes)
}

/// The memory that a process here can have at all: of the machine and, where there is a limit, of its control group. `None` where the system
/// does not tell.
pub fn machine_memory() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = meminfo.and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    });
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min()
}

mod tables;
#[cfg(test)]
mod tests;

pub use tables::Tables;
