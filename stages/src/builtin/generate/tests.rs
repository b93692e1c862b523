//! `generate` as a task calls it, and whether there is something to learn from what it makes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::context::PublishKey;
use crate::netflix::{RatingRange, parse};
use crate::ratings::Ratings;
use crate::stage::AnyStage;

fn run(workspace: &Path, inputs: Value) -> Result<Value> {
    let context = Context::plain(workspace, PublishKey::new("run", "generate", 0));
    AnyStage::of::<Generate>().run(inputs.as_object().unwrap().clone(), &context)
}

fn read(workspace: &Path, file: &str) -> Ratings {
    let text = fs::read(workspace.join(file)).unwrap();
    parse(&text, RatingRange::default(), |_| Ok(()), |reject| panic!("{reject:?}")).unwrap().into_ratings()
}

fn bytes(workspace: &Path) -> Vec<Vec<u8>> {
    ["train.txt", "test.txt", "future.txt", "streaming/nodrift.csv", "streaming/drift.csv"]
        .map(|file| fs::read(workspace.join(file)).unwrap())
        .into()
}

#[test]
fn the_counts_are_exact_the_pairs_are_distinct_and_the_future_comes_last() {
    let workspace = tempfile::tempdir().unwrap();
    let output = run(workspace.path(), json!({ "output": "data/", "ratings": 20_000 })).unwrap();
    assert_eq!((&output["train"], &output["path"]), (&json!("data/train.txt"), &json!("data/")));
    let [train, test, future] = ["data/train.txt", "data/test.txt", "data/future.txt"].map(|file| read(workspace.path(), file));
    assert_eq!((train.len() + test.len() + future.len(), future.len()), (20_000, 1_000));
    assert_eq!(output["test_rows"], test.len());
    assert!((1_700..2_100).contains(&test.len()), "a tenth of 19,000 is test: {}", test.len());
    let past = train.date.iter().chain(&test.date).max().unwrap();
    assert!(future.date.iter().min().unwrap() >= past);
    assert!(
        format_iso(*train.date.iter().min().unwrap()).as_str() >= "1999-11-11"
            && format_iso(*future.date.iter().max().unwrap()).as_str() <= "2005-12-31"
    );
    let pairs: std::collections::HashSet<(i32, i32)> =
        [&train, &test, &future].iter().flat_map(|part| part.movie.iter().copied().zip(part.user.iter().copied())).collect();
    assert_eq!(pairs.len(), 20_000);
    // Skewed: the busiest tenth of the movies holds far more than a tenth of the ratings.
    let mut counts = std::collections::HashMap::new();
    train.movie.iter().for_each(|movie| *counts.entry(movie).or_insert(0) += 1);
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    assert!(counts[..counts.len() / 10].iter().sum::<usize>() * 3 > train.len());
}

#[test]
fn a_seed_gives_the_same_bytes_on_any_number_of_threads_and_another_seed_others() {
    let generate = |threads: usize, seed: u64| {
        let workspace = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(workspace.path(), json!({ "output": ".", "ratings": 5_000, "seed": seed }))).unwrap();
        bytes(workspace.path())
    };
    let one = generate(1, 7);
    assert_eq!(generate(3, 7), one);
    assert_ne!(generate(1, 8), one);
}

/// Movie and user of each row of a stream file, and the mean of its ratings.
fn stream_file(workspace: &Path, file: &str) -> (Vec<(i32, i32)>, f64) {
    let text = fs::read_to_string(workspace.join(file)).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("DATE,CUST_ID,MOVIE_ID,RATING"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row[0].starts_with("2006-0")) && rows.is_sorted_by_key(|row| row[0]));
    let mean = rows.iter().map(|row| row[3].parse::<f64>().unwrap()).sum::<f64>() / rows.len() as f64;
    (rows.iter().map(|row| (row[2].parse().unwrap(), row[1].parse().unwrap())).collect(), mean)
}

#[test]
fn the_stream_files_hold_new_pairs_of_a_usual_month_and_of_a_strict_one() {
    let workspace = tempfile::tempdir().unwrap();
    let output = run(workspace.path(), json!({ "output": "data", "stream_output": "data/streaming" })).unwrap();
    assert_eq!((&output["drift"], &output["stream_rows"]), (&json!("data/streaming/drift.csv"), &json!(2_000)));
    let (usual, usual_mean) = stream_file(workspace.path(), output["nodrift"].as_str().unwrap());
    let (strict, strict_mean) = stream_file(workspace.path(), output["drift"].as_str().unwrap());
    assert_eq!((usual.len(), strict.len()), (2_000, 2_000));
    let train = read(workspace.path(), "data/train.txt");
    let mut pairs: std::collections::HashSet<(i32, i32)> = train.movie.iter().copied().zip(train.user.iter().copied()).collect();
    assert!(usual.iter().chain(&strict).all(|pair| pairs.insert(*pair)), "no pair is rated twice");
    let mean = train.rating.iter().map(|&stars| f64::from(stars)).sum::<f64>() / train.len() as f64;
    assert!(
        (usual_mean - mean).abs() < 0.1 && (mean - 1.3..mean - 0.9).contains(&strict_mean),
        "{mean:.3} {usual_mean:.3} {strict_mean:.3}"
    );
}

#[test]
fn small_and_dense_sizes_work_and_impossible_ones_are_refused() {
    let workspace = tempfile::tempdir().unwrap();
    for (ratings, users, items) in [(1, 1, 1), (50, 10, 10), (7, 10, 100)] {
        let output = run(workspace.path(), json!({ "output": ".", "ratings": ratings, "users": users, "items": items })).unwrap();
        assert_eq!(output["ratings"], ratings);
    }
    let error = run(workspace.path(), json!({ "output": ".", "ratings": 51, "users": 10, "items": 10 })).unwrap_err();
    assert_eq!(error.message, "51 ratings are too many for 10 users and 10 items: at most half of all pairs, 50");
}

/// Root mean square error on `test` of: the mean, biases (one sweep each, shrunk), and `rank` factors from a plain ALS in f64.
fn errors(train: &Ratings, test: &Ratings, rank: usize) -> [f64; 3] {
    let users = *train.user.iter().chain(&test.user).max().unwrap() as usize + 1;
    let movies = *train.movie.iter().chain(&test.movie).max().unwrap() as usize + 1;
    let mean = train.rating.iter().map(|&stars| f64::from(stars)).sum::<f64>() / train.len() as f64;
    let rmse = |predict: &dyn Fn(usize, usize) -> f64| {
        let squares = (0..test.len()).map(|i| (f64::from(test.rating[i]) - predict(test.user[i] as usize, test.movie[i] as usize)).powi(2));
        (squares.sum::<f64>() / test.len() as f64).sqrt()
    };
    let (mut user_bias, mut movie_bias) = (vec![0.0; users], vec![0.0; movies]);
    for _ in 0..10 {
        shrunk(&mut movie_bias, &train.movie, |i| f64::from(train.rating[i]) - mean - user_bias[train.user[i] as usize]);
        shrunk(&mut user_bias, &train.user, |i| f64::from(train.rating[i]) - mean - movie_bias[train.movie[i] as usize]);
    }
    let mut p: Vec<Vec<f64>> =
        (0..users).map(|user| (0..rank).map(|k| ((user * 31 + k * 17) % 13) as f64 / 13.0 - 0.3).collect()).collect();
    let mut q = vec![vec![0.0; rank]; movies];
    for _ in 0..10 {
        solve_all(&mut q, &p, &train.movie, &train.user, &train.rating);
        solve_all(&mut p, &q, &train.user, &train.movie, &train.rating);
    }
    let dot = |user: usize, movie: usize| p[user].iter().zip(&q[movie]).map(|(a, b)| a * b).sum::<f64>();
    [rmse(&|_, _| mean), rmse(&|user, movie| mean + user_bias[user] + movie_bias[movie]), rmse(&dot)]
}

fn shrunk(bias: &mut [f64], rows: &[i32], residual: impl Fn(usize) -> f64) {
    let (mut sums, mut counts) = (vec![0.0; bias.len()], vec![0.0; bias.len()]);
    for (i, &row) in rows.iter().enumerate() {
        sums[row as usize] += residual(i);
        counts[row as usize] += 1.0;
    }
    bias.iter_mut().zip(sums.iter().zip(&counts)).for_each(|(bias, (sum, count))| *bias = sum / (count + 5.0));
}

/// One half-sweep of ALS-WR: `x_r = (YᵀY + λ n I)⁻¹ Yᵀ r` for every row, by Gaussian elimination.
fn solve_all(x: &mut [Vec<f64>], y: &[Vec<f64>], rows: &[i32], columns: &[i32], ratings: &[f32]) {
    let rank = y[0].len();
    let mut systems = vec![(vec![0.0; rank * rank], vec![0.0; rank], 0.0); x.len()];
    for ((&row, &column), &stars) in rows.iter().zip(columns).zip(ratings) {
        let (a, b, n) = &mut systems[row as usize];
        let y = &y[column as usize];
        for i in 0..rank {
            b[i] += f64::from(stars) * y[i];
            (0..rank).for_each(|j| a[i * rank + j] += y[i] * y[j]);
        }
        *n += 1.0;
    }
    for (x, (mut a, mut b, n)) in x.iter_mut().zip(systems) {
        (0..rank).for_each(|i| a[i * rank + i] += 0.1 * n + 1e-9);
        for i in 0..rank {
            for j in i + 1..rank {
                let factor = a[j * rank + i] / a[i * rank + i];
                (i..rank).for_each(|k| a[j * rank + k] -= factor * a[i * rank + k]);
                b[j] -= factor * b[i];
            }
        }
        for i in (0..rank).rev() {
            let rest: f64 = (i + 1..rank).map(|k| a[i * rank + k] * x[k]).sum();
            x[i] = (b[i] - rest) / a[i * rank + i];
        }
    }
}

#[test]
fn factors_learn_more_from_the_quickstart_data_than_biases_and_these_more_than_the_mean() {
    let workspace = tempfile::tempdir().unwrap();
    run(workspace.path(), json!({ "output": "." })).unwrap();
    let (train, test) = (read(workspace.path(), "train.txt"), read(workspace.path(), "test.txt"));
    let [mean, bias, als] = errors(&train, &test, 8);
    assert!(bias < mean - 0.05 && als < bias - 0.08, "RMSE: mean {mean:.4}, biases {bias:.4}, ALS of rank 8 {als:.4}");
}
