//! The simulator: the real engine, scheduler and store under a clock, a machine and people that follow from one seed.
//!
//! Real: `Driver` and its state machine, `Scheduler` (slots, triggers, queue), `Catalog`, the SQL and its transactions (SQLite in memory). Made up: time,
//! what attempts do, files, deaths of processes, failures of the disk, people. A history runs on one thread, and its seed gives the
//! same one again, byte for byte.
//!
//! ```text
//! history ── next event ──▶ process (driver, scheduler) ──▶ store (faults) ──▶ machine (attempts)
//!    ▲                                                                         │
//!    └───────────────── laws: after each start and end, and at rest ◀──────────┘
//! ```
//!
//! `make test` plays a few hundred runs; `make simulate RUNS=1000000` as many as one wants; `make simulate SEED=7` one history again, with its text.

mod acts;
mod dice;
mod faults;
mod history;
mod laws;
mod machine;
mod pipelines;
mod process;
mod trace;
mod world;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use history::{Told, flavour, play};
use pipelines::Flavour;
use trace::Trace;

/// Plays the history of a seed; where it can be compared with one without crashes, that one too. Returns how many runs and attempts that were.
fn pass(seed: u64) -> (u64, u64) {
    let told = play(seed, true, &Trace::new(false));
    let (mut runs, mut attempts) = (told.runs as u64, told.attempts);
    if flavour(seed) != Flavour::Wild {
        let calm = play(seed, false, &Trace::new(false));
        same_ends(&told, &calm);
        (runs, attempts) = (runs + calm.runs as u64, attempts + calm.attempts);
    }
    (runs, attempts)
}

/// Crashes change nothing about how runs end.
fn same_ends(crashed: &Told, calm: &Told) {
    let slots = |told: &Told| told.ends.keys().cloned().collect::<Vec<_>>();
    assert_eq!(slots(crashed), slots(calm), "crashes change which slots run");
    for (slot, ends) in &crashed.ends {
        assert!(
            crashed.unlucky.contains(slot) || *ends == calm.ends[slot],
            "{slot:?} ended {ends:?}, without crashes {:?}",
            calm.ends[slot]
        );
    }
}

/// A number that `make simulate` hands over.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, not a number")))
}

#[test]
fn a_seed_has_one_history_byte_for_byte() {
    for seed in [1, 2] {
        let [first, second] = [Trace::new(true), Trace::new(true)].map(|trace| play(seed, true, &trace));
        assert_eq!(first.text, second.text);
        assert_eq!(first.fingerprint, second.fingerprint);
        assert!(first.runs > 5, "it is not a history of nothing");
    }
    assert_ne!(play(1, true, &Trace::new(false)).fingerprint, play(2, true, &Trace::new(false)).fingerprint);
}

#[test]
fn random_histories_keep_the_laws() {
    let begun = Instant::now();
    let mut runs = 0;
    for seed in 1_000..1_020 {
        runs += pass(seed).0;
        if begun.elapsed() > Duration::from_secs(5) {
            break;
        }
    }
    assert!(runs > 0);
}

/// `make simulate`: RUNS runs from SEED on, on THREADS threads; or the one history of SEED if RUNS is not given.
#[test]
#[ignore = "make simulate"]
fn simulate() {
    let (first, wanted) = (given("SEED"), given("RUNS"));
    if let (Some(seed), None) = (first, wanted) {
        let trace = Trace::new(true);
        let kept = trace.clone();
        let played = catch_unwind(move || play(seed, true, &kept));
        eprintln!("{}", trace.text());
        pass(seed);
        return drop(played.expect("it kept the laws"));
    }
    let (first, wanted) = (first.unwrap_or(1), wanted.unwrap_or(10_000));
    let threads = given("THREADS").unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64));
    let (seeds, runs, attempts, broken) = (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    eprintln!("seeds from {first} on, {wanted} runs, {threads} threads");
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while runs.load(Ordering::Relaxed) < wanted && !broken.load(Ordering::Relaxed) {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    let Ok((played, started)) = catch_unwind(|| pass(seed)) else {
                        broken.store(true, Ordering::Relaxed);
                        eprintln!("seed {seed} broke a law: make simulate SEED={seed}");
                        return;
                    };
                    attempts.fetch_add(started, Ordering::Relaxed);
                    let before = runs.fetch_add(played, Ordering::Relaxed);
                    if (before + played) / 10_000 > before / 10_000 {
                        eprintln!("{} runs, {} s, seed {seed}", before + played, begun.elapsed().as_secs());
                    }
                }
            });
        }
    });
    assert!(!broken.load(Ordering::Relaxed), "a law was broken");
    let (runs, attempts, histories) = (runs.into_inner(), attempts.into_inner(), seeds.into_inner() - first);
    eprintln!("{runs} runs of {attempts} attempts in {histories} histories kept the laws, in {} s", begun.elapsed().as_secs());
}
