//! The fuzzers' corpus, replayed with the ordinary compiler: no input that ever mattered panics again, and neither do its nearest relatives.
//!
//! `fuzz/src/entries.rs` holds one function for each fuzz target; `fuzz/corpus/TARGET` what was found worth keeping. Each input is also
//! tried with random damage, always the same for a seed: not a fuzzer, which learns from what it reaches, but one that runs with
//! every test. `RECFLOW_MUTATIONS=10000` tries more, `RECFLOW_TEST_SEED` others.

#![allow(missing_docs)]

#[path = "../fuzz/src/entries.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
mod entries;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Damaged relatives of each input.
const MUTATIONS: u64 = 40;

/// What the last panic said, and where: those inside the Parquet decoder are caught and are none of our concern.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn given(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn replay(target: &str, entry: fn(&[u8])) {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = info.to_string();
        }
    }));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).expect("the corpus is there").map(|file| file.expect("readable").path()).collect();
    files.sort();
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("readable")).collect();
    let (seed, mutations) = (given("RECFLOW_TEST_SEED", 1), given("RECFLOW_MUTATIONS", MUTATIONS));
    let mut random = Random(seed);
    let mut failed = None;
    for (file, input) in files.iter().zip(&inputs) {
        for mutation in 0..=mutations {
            let bytes = if mutation == 0 { input.clone() } else { random.damage(input, &inputs) };
            if std::panic::catch_unwind(|| entry(&bytes)).is_err() {
                let found = std::env::temp_dir().join(format!("recflow-{target}-finding"));
                fs::write(&found, &bytes).expect("writable");
                failed =
                    failed.or(Some(format!("`{}`, mutation {mutation}, RECFLOW_TEST_SEED={seed}: {}", file.display(), found.display())));
                break;
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(files.len() >= 4, "only {} files in `{}`", files.len(), folder.display());
    assert_eq!(failed, None, "{}", LAST_PANIC.lock().expect("nobody panics while holding it"));
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// One to four changes of `input`, of the kinds that fuzzers make.
    fn damage(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = at + self.below((bytes.len() - at).min(32) + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff, b':', b',', b'{', b'\n'][self.below(8)],
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                4 => {
                    let other = &others[self.below(others.len())];
                    let from = self.below(other.len() + 1);
                    bytes.splice(at..end, other[from..(from + 32).min(other.len())].iter().copied());
                }
                _ => {
                    let number = [u64::MAX, i64::MAX as u64, u64::from(u32::MAX), i32::MAX as u64, 1 << 40, 0][self.below(6)];
                    for (byte, value) in bytes[at..].iter_mut().zip(&number.to_le_bytes()[..[4, 8][self.below(2)]]) {
                        *byte = *value;
                    }
                }
            }
        }
        bytes
    }
}

#[test]
fn every_netflix_text_of_the_corpus_is_read() {
    replay("netflix_text", entries::netflix_text);
}

#[test]
fn every_parquet_file_of_the_corpus_is_read_or_refused() {
    replay("parquet_dataset", entries::parquet_dataset);
}

#[test]
fn every_table_of_the_corpus_is_imported_or_refused() {
    replay("import", entries::import);
}

#[test]
fn every_model_of_the_corpus_is_opened_or_refused() {
    replay("model", entries::model);
}

#[test]
fn every_pipeline_of_the_corpus_is_checked() {
    replay("pipeline_yaml", entries::pipeline_yaml);
}
