//! Trains and prints the time of every sweep: `cargo bench -p recflow-stages --bench train -- [RATINGS [RANK [ITERATIONS]]] [OPTION…]`.
//!
//! | option | |
//! |---|---|
//! | `solver=cholesky`, `cg`, `ials++`, `auto` | how rows are solved; `steps=N`, `block=N` |
//! | `implicit`, `biases`, `plain` | the objective; `reg=X`, `alpha=X`, `half_life=DAYS` |
//! | `momentum` | whether sweeps start from where the one before was heading |
//! | `data=PATH` | a dataset in place of drawn ratings, as `etl` writes it |
//! | `test=PATH` | a dataset whose RMSE is printed after every sweep, beside the clock |
//! | `evaluate` | ranking figures of drawn test ratings after the training, and their time |
//!
//! Without `data`, ratings are drawn before the clock starts; popularity of users and items falls off like a power law, so some rows are long.
//! GFLOP/s count what exact ALS needs: `nnz · k (k + 1)` a half-step and `k³ / 3` a row. Memory is the peak of the process so far.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::Path;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use recflow_stages::als::{AlsParams, AlsValidParams, RegScaling, Solver, Trainer};
use recflow_stages::dataset::Dataset;
use recflow_stages::matrix::{Duplicates, RatingMatrix};
use recflow_stages::metrics::evaluation::{Settings, evaluate};
use recflow_stages::model::AlsModel;
use recflow_stages::{CancelToken, Context, PublishKey, Ratings};

/// What stands on the command line.
struct Arguments(Vec<String>);

impl Arguments {
    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|other| other == word)
    }
    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
    fn number<T: std::str::FromStr>(&self, name: &str, default: T) -> T {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
    fn place(&self, place: usize, default: usize) -> usize {
        self.0.iter().filter_map(|word| word.parse().ok()).nth(place).unwrap_or(default)
    }
    fn params(&self) -> AlsValidParams {
        let base = AlsParams::default();
        let solvers = [Solver::Cholesky, Solver::Cg, Solver::IalsPlusPlus, Solver::Auto];
        let params = AlsParams {
            rank: self.place(1, base.rank),
            max_iter: self.place(2, base.max_iter),
            reg: self.number("reg", base.reg),
            alpha: self.number("alpha", base.alpha),
            solver: solvers.into_iter().find(|solver| self.text("solver") == Some(solver.name())).unwrap_or_default(),
            cg_steps: self.number("steps", base.cg_steps),
            block_size: self.number("block", base.block_size),
            implicit: self.has("implicit"),
            biases: self.has("biases"),
            momentum: self.has("momentum"),
            reg_scaling: if self.has("plain") { RegScaling::Plain } else { base.reg_scaling },
            ..base
        };
        params.check().expect("valid parameters")
    }
}

fn main() {
    let arguments = Arguments(std::env::args().skip(1).collect());
    let (context, params) = (Context::plain(".", PublishKey::new("bench", "train", 1)), arguments.params());
    let started = Instant::now();
    let read = |path: &str| Dataset::open(Path::new(path), &context).and_then(|dataset| dataset.read(&context)).expect("a dataset");
    let rows = arguments.place(0, 1_000_000);
    // The proportions of the Netflix data: 209 ratings a user, but never so few items that rows repeat much.
    let (users, items) = ((rows / 209).max(100), (rows / 500).clamp(100, 17_770));
    let ratings = arguments.text("data").map_or_else(|| synthetic(rows, users, items), read);
    println!("{} ratings in {:.2} s, {} MiB", ratings.len(), started.elapsed().as_secs_f64(), peak_mib());

    let started = Instant::now();
    let matrix = match arguments.text("half_life").and_then(|days| days.parse().ok()) {
        None => RatingMatrix::build(&ratings, Duplicates::Latest),
        Some(days) => RatingMatrix::build_recent(&ratings, Duplicates::Latest, days),
    };
    let matrix = matrix.expect("a matrix");
    println!("matrix in {:.2} s, {} MiB", started.elapsed().as_secs_f64(), peak_mib());
    let kept = arguments.has("evaluate").then_some(ratings);
    let model = train(&params, &matrix, arguments.text("test").map(read).as_ref());

    if let Some(ratings) = kept {
        let started = Instant::now();
        let test = synthetic(rows / 10, users, items);
        evaluate(&model, &test, Some(&ratings), Settings { k: 10, rating_threshold: 4.0 }, &context).expect("an evaluation");
        println!("evaluation with baselines, {} test ratings: {:.2} s", test.len(), started.elapsed().as_secs_f64());
    }
}

/// All sweeps. Their test errors do not count as time.
fn train(params: &AlsValidParams, matrix: &RatingMatrix, test: Option<&Ratings>) -> AlsModel {
    let AlsParams { rank, max_iter, solver, .. } = *params.get();
    let mut trainer = Trainer::new(params, matrix);
    let (mut seconds, mut busy) = (0.0, 0.0);
    for _ in 0..max_iter {
        let (started, processor) = (Instant::now(), processor_seconds());
        let iteration = trainer.sweep(&CancelToken::new()).expect("a sweep");
        seconds += started.elapsed().as_secs_f64();
        busy += processor_seconds() - processor;
        let tested = test.map_or_else(String::new, |test| format!(", test RMSE {:.4}", rmse(trainer.model(), test)));
        println!("{:3}: {seconds:7.2} s, loss {:.5e}{tested}", iteration.number, iteration.loss);
    }
    let (users, items, nnz) = (matrix.users().len(), matrix.items().len(), matrix.nnz());
    let (k, n) = (rank as f64, max_iter as f64);
    let flop = n * (2.0 * nnz as f64 * k * (k + 1.0) + (users + items) as f64 * k.powi(3) / 3.0);
    let (threads, set, solver) = (rayon::current_num_threads(), trainer.instruction_set(), solver.name());
    println!("{threads} threads, {set}: {nnz} ratings, {users} users, {items} items");
    println!(
        "rank {rank}, {max_iter} sweeps by {solver}: {seconds:.2} s ({busy:.2} s of the processors), {:.0} GFLOP/s, {} MiB",
        flop / seconds / 1e9,
        peak_mib()
    );
    trainer.into_model()
}

/// Over the pairs that `model` knows.
fn rmse(model: &AlsModel, test: &Ratings) -> f64 {
    let squared = |at: usize| Some((f64::from(model.predict(test.user[at], test.movie[at])?) - f64::from(test.rating[at])).powi(2));
    let squares = (0..test.len()).into_par_iter().filter_map(squared).map(|squared| (squared, 1_u64));
    let (sum, count) = squares.reduce(|| (0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (sum / count as f64).sqrt()
}

/// What this process has had of the processors, to a hundredth of a second: where others use them too it tells more than the clock.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, user and system time are the 12th and the 13th field.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process has held.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// `rows` draws of a user and an item; duplicates are left to the matrix.
fn synthetic(rows: usize, users: usize, items: usize) -> Ratings {
    let mut random = ChaCha8Rng::seed_from_u64(rows as u64);
    let mut ratings = Ratings::with_capacity(rows);
    for row in 0..rows {
        let mut draw = |below: usize| ((random.random::<f64>().powi(2)) * below as f64) as i32;
        let (user, movie) = (draw(users), draw(items));
        ratings.push(movie, user, random.random_range(1..=5) as f32, row as i32 % 2000);
    }
    ratings
}
