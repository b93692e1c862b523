//! Trains on synthetic, Netflix-shaped ratings and prints the time: `cargo bench -p recflow-stages --bench train --
//! [RATINGS [RANK [ITERATIONS]]]`. Ratings are drawn before the clock starts; popularity of users and items
//! falls off like a power law, so some rows are long. GFLOP/s count what exact ALS needs: `nnz · k (k + 1)` a half-step and
//! `k³ / 3` a row.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recflow_stages::als::AlsParams;
use recflow_stages::matrix::{Duplicates, RatingMatrix};
use recflow_stages::metrics::evaluation::{Settings, evaluate};
use recflow_stages::{CancelToken, Context, PublishKey, Ratings};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let rows = arguments.next().unwrap_or(1_000_000);
    let rank = arguments.next().unwrap_or(64);
    let max_iter = arguments.next().unwrap_or(15);
    // The proportions of the Netflix data: 209 ratings a user, but never so few items that rows repeat much.
    let (users, items) = ((rows / 209).max(100), (rows / 500).clamp(100, 17_770));
    let ratings = synthetic(rows, users, items);

    let started = Instant::now();
    let matrix = RatingMatrix::build(&ratings, Duplicates::Latest).expect("a matrix");
    let built = started.elapsed().as_secs_f64();
    let params = AlsParams { rank, max_iter, ..AlsParams::default() }.check().expect("valid parameters");
    let started = Instant::now();
    let fit = params.fit(&matrix, &CancelToken::new(), |_| {}).expect("factors");
    let seconds = started.elapsed().as_secs_f64();

    let (users, items, nnz) = (matrix.users().len(), matrix.items().len(), matrix.nnz());
    let (k, n) = (rank as f64, max_iter as f64);
    let flop = n * (2.0 * nnz as f64 * k * (k + 1.0) + (users + items) as f64 * k.powi(3) / 3.0);
    println!("{} threads, {}: {nnz} ratings, {users} users, {items} items", rayon::current_num_threads(), fit.instruction_set);
    println!("matrix {built:.2} s; rank {rank}, {max_iter} sweeps: {seconds:.2} s, {:.0} GFLOP/s", flop / seconds / 1e9);

    let context = Context::plain(".", PublishKey::new("bench", "evaluate", 1));
    let started = Instant::now();
    let test = synthetic(rows / 10, users, items);
    evaluate(&fit.model, &test, Some(&ratings), Settings { k: 10, rating_threshold: 4.0 }, &context).expect("an evaluation");
    println!("evaluation with baselines, {} test ratings: {:.2} s", test.len(), started.elapsed().as_secs_f64());
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
