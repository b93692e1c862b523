//! `etl`, `train_als` and `recommend`, killed or out of disk at random moments: what was there stays, or what was to come is there whole; a
//! resumed run ends as an undisturbed one does, and leaves no more files.
//!
//! Method: the moments are operations of the stage's storage, counted, so that a moment is the same instruction on any machine. An
//! undisturbed run says how many there are; the seed of a failing test says which were chosen (`RECFLOW_TEST_SEED` replays it).
//! A few kills by the clock hit what lies between the operations, the recording process included.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use recflow_stages::dataset::Dataset;
use recflow_stages::{Context, PublishKey};

use crate::sandbox::Sandbox;

/// Moments of each kind for each stage: with three stages, 51 of each.
const MOMENTS: usize = 17;

/// A stage, what it finds and what people can see of its result.
struct Case {
    arguments: &'static [&'static str],
    /// The workspace before: an older result is there.
    before: Sandbox,
    /// What people can see: equal before and after a fault, or equal to what an undisturbed run gives.
    content: fn(&Path) -> Vec<String>,
}

impl Case {
    fn new(arguments: &'static [&'static str], content: fn(&Path) -> Vec<String>) -> Self {
        let before = Sandbox::new();
        before.write("train.txt", "8:\n1,3,2005-01-05\n2,4,2005-02-06\n9:\n1,5,2005-12-31\n");
        before.write("test.txt", "8:\n3,3,2005-01-05\nnot a rating\n");
        let stage = |arguments: &[&str]| drop(before.recflow(&[&["stage"], arguments].concat()).exits(0));
        stage(&["etl", "train_file=train.txt", "train_output=data/train", "test_file=test.txt", "test_output=data/test"]);
        stage(&["train_als", "ratings=data/train", "models=models", "rank=2", "max_iter=2"]);
        let version = versions(before.path()).remove(0);
        let version = version.strip_prefix(before.path()).expect("inside");
        std::os::unix::fs::symlink(version, before.file("first")).expect("writable");
        stage(&["recommend", "model=first", "output=lists", "k=1"]);
        before.write("train.txt", "8:\n1,5,2005-01-05\n7,4,2005-03-06\n9:\n7,1,2005-12-31\n");
        before.write("test.txt", "8:\n4,3,2005-01-05\nnot a rating\n");
        Self { arguments, before, content }
    }

    /// A workspace like the one before.
    fn workspace(&self) -> Sandbox {
        let copy = Sandbox::new();
        let copied = Command::new("cp").arg("-a").arg(self.before.file(".")).arg(copy.path()).status().expect("cp starts");
        assert!(copied.success());
        copy
    }

    fn command(&self, sandbox: &Sandbox) -> Command {
        sandbox.command(&[&["stage"], self.arguments, &["--json"]].concat())
    }

    /// Whether the stage succeeds where its storage breaks after some operations.
    fn survives(&self, fault: &str, operations: u64) -> bool {
        let sandbox = self.workspace();
        self.command(&sandbox).env(fault, operations.to_string()).output().expect("starts").status.success()
    }

    /// How many operations the storage must let through.
    fn operations(&self, fault: &str) -> u64 {
        let mut enough = 16;
        while !self.survives(fault, enough) {
            enough *= 2;
            assert!(enough < 1 << 16, "{fault} at any operation fails {:?}", self.arguments);
        }
        let mut too_few = 0;
        while enough - too_few > 1 {
            let middle = u64::midpoint(enough, too_few);
            if self.survives(fault, middle) { enough = middle } else { too_few = middle }
        }
        enough
    }

    /// Breaks the stage at random operations, and in the end by the clock.
    fn break_at_random(&self) {
        let seed = seed();
        let (old, undisturbed) = ((self.content)(self.before.path()), self.workspace());
        let begun = Instant::now();
        assert!(self.command(&undisturbed).output().expect("starts").status.success());
        let took = begun.elapsed();
        let (new, files) = ((self.content)(undisturbed.path()), files(undisturbed.path()));
        assert_ne!(old, new, "{:?} changes nothing", self.arguments);
        let mut random = seed;
        let mut both = [0, 0];
        for fault in ["RECFLOW_STORAGE_DIES_AFTER", "RECFLOW_STORAGE_FULL_AFTER"] {
            let operations = self.operations(fault);
            for round in 0..MOMENTS as u64 {
                // One from each part of the run.
                let moment = (round * operations + next(&mut random) % operations) / MOMENTS as u64;
                let sandbox = self.workspace();
                let ran = self.command(&sandbox).env(fault, moment.to_string()).output().expect("starts");
                let place = format!("{fault}={moment} of {operations}, RECFLOW_TEST_SEED={seed}");
                assert!(!ran.status.success(), "{place}: not reached");
                let found = (self.content)(sandbox.path());
                assert!(found == old || found == new, "{place}: neither old nor new: {found:?}");
                both[usize::from(found == new)] += 1;
                self.goes_on(&sandbox, &new, &files, &place);
            }
        }
        assert!(both[0] > 0, "RECFLOW_TEST_SEED={seed}: no fault came before the result was there");
        for part in 0..3 {
            let sandbox = self.workspace();
            let mut run = sandbox.spawn(&[&["stage"], self.arguments].concat());
            let after = took.mul_f64((f64::from(part) + (next(&mut random) % 1000) as f64 / 1000.0) / 3.0);
            std::thread::sleep(after);
            run.signal(libc::SIGKILL);
            sandbox.wait_until("the process is dead", || run.is_over());
            sandbox.wait_until("its run is over", || sandbox.json(&["runs", "--json"])[0]["status"] != "running");
            let place = format!("killed after {after:?}, RECFLOW_TEST_SEED={seed}");
            let found = (self.content)(sandbox.path());
            assert!(found == old || found == new, "{place}: neither old nor new: {found:?}");
            if found == old && sandbox.status()["status"] == "succeeded" {
                // Killed before there was a run; the newest is an earlier one.
                assert!(self.command(&sandbox).output().expect("starts").status.success(), "{place}");
            }
            self.goes_on(&sandbox, &new, &files, &place);
        }
    }

    /// That a resumed run ends as an undisturbed one.
    fn goes_on(&self, sandbox: &Sandbox, new: &[String], files: &[String], place: &str) {
        let resumed = sandbox.recflow(&["resume", "latest"]);
        assert_eq!(resumed.code, Some(0), "{place}\n{}", resumed.all());
        assert_eq!((self.content)(sandbox.path()), new, "{place}: resumed");
        assert_eq!(self::files(sandbox.path()), files, "{place}: something is left over, or missing");
    }
}

/// The model versions of a workspace, oldest first.
fn versions(workspace: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(workspace.join("models")).expect("there").map(|entry| entry.expect("readable").path());
    let is_version = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("version_"));
    let mut versions: Vec<PathBuf> = entries.filter(is_version).collect();
    versions.sort();
    versions
}

/// All files of a workspace, by path; a version by its place in the list, as its name is a time.
fn files(workspace: &Path) -> Vec<String> {
    let mut found = Vec::new();
    walk(workspace, workspace, &mut found);
    let names: Vec<String> =
        versions(workspace).iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    for path in &mut found {
        // The last first: versions of one second have names that begin alike.
        for (number, name) in names.iter().enumerate().rev() {
            *path = path.replace(name, &format!("version {number}"));
        }
    }
    // Logs and records of runs differ; what stages leave there does not.
    found.retain(|path| !path.starts_with(".recflow/") || path.ends_with(".tmp"));
    found.sort();
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.is_symlink() {
            walk(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).expect("inside").display().to_string());
        }
    }
}

/// Rows of both datasets, by fingerprint, as a reader gets them.
fn datasets(workspace: &Path) -> Vec<String> {
    let context = Context::plain(workspace, PublishKey::new("reader", "reader", 0));
    let describe = |name: &str| {
        let dataset = Dataset::open(&workspace.join(name), &context).expect("readable");
        let rows = dataset.read(&context).expect("readable");
        format!("{name}: {} rows, {}", rows.len(), dataset.fingerprint())
    };
    vec![describe("data/train"), describe("data/test")]
}

/// The visible versions, with the bytes of their factors and whether the rest is there.
fn models(workspace: &Path) -> Vec<String> {
    let describe = |path: PathBuf| {
        let hash = |side: &str| {
            let mut files = Vec::new();
            walk(&path, &path.join(side), &mut files);
            files.sort();
            let bytes: Vec<u8> = files.iter().flat_map(|file| std::fs::read(path.join(file)).expect("readable")).collect();
            format!("{} files, {}", files.len(), blake3::hash(&bytes).to_hex())
        };
        let model = recflow_stages::model::open(&path).map(|model| model.rank());
        format!("{model:?} {} {}", hash("userFactors"), hash("itemFactors"))
    };
    versions(workspace).into_iter().map(describe).collect()
}

/// The list, without its footer: that names the run which wrote it.
fn lists(workspace: &Path) -> Vec<String> {
    let bytes = std::fs::read(workspace.join("lists/part-00000.parquet")).expect("there");
    let (rest, tail) = bytes.split_at(bytes.len() - 8);
    let footer = u32::from_le_bytes(tail[..4].try_into().expect("four bytes")) as usize;
    assert_eq!(&tail[4..], b"PAR1", "a whole Parquet file");
    vec![blake3::hash(&rest[..rest.len() - footer]).to_hex().to_string()]
}

fn seed() -> u64 {
    let given = std::env::var("RECFLOW_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_nanos() as u64)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn an_etl_broken_at_any_moment_leaves_both_datasets_old_or_both_new() {
    let arguments = &["etl", "train_file=train.txt", "train_output=data/train", "test_file=test.txt", "test_output=data/test"];
    Case::new(arguments, datasets).break_at_random();
}

#[test]
fn a_training_broken_at_any_moment_leaves_a_whole_version_or_none() {
    Case::new(&["train_als", "ratings=data/train", "models=models", "rank=3", "max_iter=2"], models).break_at_random();
}

#[test]
fn recommendations_broken_at_any_moment_are_the_old_list_or_the_new_one() {
    Case::new(&["recommend", "model=first", "output=lists", "k=2"], lists).break_at_random();
}
