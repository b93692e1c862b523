//! Who rates what, when, and how.
//!
//! - Popularity of movies falls like `1 / (rank + 8)^0.9`, a long tail with a broad head; activity of users is log-normal (σ = 1): a few rate everything.
//! - Stars are `3.6 + b_user + b_movie + p_user · q_movie + noise`, rounded and clipped to 1-5, with three taste dimensions: enough that matrix
//!   factorisation finds what the biases cannot explain. Standard deviations: 0.35 and 0.4 (biases), 0.75 (taste), 0.5 (noise).
//! - Days run from 1999-11-11 to 2005-12-31 like the prize's; the density grows with the square of the time passed.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::context::{Context, Unit};
use crate::date::days_from_civil;
use crate::error::{Result, StageError};

/// Dimensions of taste.
const TASTES: usize = 3;
const MEAN: f32 = 3.6;
const USER_BIAS: f32 = 0.35;
const MOVIE_BIAS: f32 = 0.4;
const TASTE: f32 = 0.75;
const NOISE: f32 = 0.5;

/// Random streams of the generator, one a purpose; that of a movie follows these.
const USER_STREAM: u64 = 0;
const MOVIE_STREAM: u64 = 1;
/// Counts down: whatever comes after the data set itself.
const NEW_STREAM: u64 = u64::MAX - 1;

/// Movies drawn between two looks at whether the stage should stop.
const BLOCK_MOVIES: usize = 256;

/// A rating of some movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Number of the user, from 0.
    pub(super) user: u32,
    /// Days since 1970-01-01.
    pub(super) date: i32,
    /// 1-5.
    pub(super) stars: u8,
}

impl Drawn {
    /// The user's id in the files: with gaps, as in the prize's data, so that nobody mistakes ids for row numbers.
    pub(super) fn user_id(self) -> u64 {
        u64::from(self.user) * 5 + 6 + u64::from(self.user.wrapping_mul(0x9E37_79B9) >> 30)
    }
}

/// The users and movies, and what they are like.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    /// Running sums of the users' activity.
    activity: Vec<f64>,
    users: Vec<Person>,
    movies: Vec<Person>,
    /// Ratings of each movie.
    counts: Vec<u32>,
}

/// What a user or a movie is like.
#[derive(Debug, Clone, Copy)]
struct Person {
    bias: f32,
    taste: [f32; TASTES],
}

impl World {
    /// Users and movies for so many ratings.
    ///
    /// # Errors
    /// More ratings than half of all pairs: nothing sparse could be drawn from them.
    pub(super) fn new(ratings: u64, users: u32, items: u32, seed: u64) -> Result<Self> {
        let most = u64::from(users.div_ceil(2)) * u64::from(items);
        if ratings > most {
            return Err(StageError::input(format!(
                "{ratings} ratings are too many for {users} users and {items} items: at most half of all pairs, {most}"
            ))
            .with_hint("give fewer `ratings`, or more `users` or `items`"));
        }
        let mut random = stream(seed, USER_STREAM);
        let mut sum = 0.0;
        let activity = (0..users)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(&mut random);
                sum += normal.exp();
                sum
            })
            .collect();
        let user_taste = TASTE.sqrt() / (TASTES as f32).powf(0.25);
        let people = |count, bias, random: &mut ChaCha8Rng| (0..count).map(|_| Person::draw(bias, user_taste, random)).collect();
        let users_drawn = people(users, USER_BIAS, &mut random);
        let movies = people(items, MOVIE_BIAS, &mut stream(seed, MOVIE_STREAM));
        Ok(Self { seed, activity, users: users_drawn, movies, counts: counts(ratings, users.div_ceil(2), items, seed) })
    }

    /// Draws all ratings: for each movie, in order of users.
    pub(super) fn draw(&self, context: &Context) -> Result<Vec<Vec<Drawn>>> {
        let mut all = Vec::with_capacity(self.movies.len());
        let (mut done, total) = (0, self.counts.iter().map(|&count| u64::from(count)).sum());
        for start in (0..self.movies.len()).step_by(BLOCK_MOVIES) {
            context.check_cancelled()?;
            let block = start..(start + BLOCK_MOVIES).min(self.movies.len());
            let drawn: Vec<Vec<Drawn>> = block.into_par_iter().map(|movie| self.draw_movie(movie)).collect();
            done += drawn.iter().map(|movie| movie.len() as u64).sum::<u64>();
            all.extend(drawn);
            context.progress("generate", done, Some(total), Unit::Rows);
        }
        Ok(all)
    }

    /// Draws `rows` ratings of pairs that nobody rated before (fewer if hardly a pair is left), with the activity and popularity of the past, on
    /// any of `days`, each `shift` stars higher than the same people would have rated. `past` holds what was drawn for each movie; `taken`, what
    /// was drawn since, is added to. `purpose` tells the draws apart.
    pub(super) fn draw_new(
        &self,
        rows: u64,
        days: Range<i32>,
        shift: f32,
        purpose: u64,
        past: &[Vec<Drawn>],
        taken: &mut FxHashSet<(u32, u32)>,
    ) -> Vec<(u32, Drawn)> {
        let mut random = stream(self.seed, NEW_STREAM - purpose);
        let mut sum = 0;
        let popularity: Vec<u64> = self
            .counts
            .iter()
            .map(|&count| {
                sum += u64::from(count);
                sum
            })
            .collect();
        let total = self.activity.last().copied().unwrap_or(0.0);
        let mut drawn = Vec::with_capacity(rows as usize);
        // Where nearly every pair was rated, the last few could take arbitrarily long to find.
        for _ in 0..rows * 64 {
            if drawn.len() as u64 == rows {
                break;
            }
            let rating = random.random_range(0..sum.max(1));
            let movie = popularity.partition_point(|&sum_to| sum_to <= rating);
            let at = random.random::<f64>() * total;
            let user = self.activity.partition_point(|&sum| sum <= at).min(self.activity.len() - 1) as u32;
            let date = random.random_range(days.clone());
            let noise: f32 = StandardNormal.sample(&mut random);
            let known = past.get(movie).is_none_or(|past| past.binary_search_by_key(&user, |drawn| drawn.user).is_ok());
            if !known && taken.insert((movie as u32, user)) {
                let stars = self.opinion(user as usize, movie) + NOISE * noise + shift;
                drawn.push((movie as u32, Drawn { user, date, stars: stars.round().clamp(1.0, 5.0) as u8 }));
            }
        }
        drawn
    }

    fn draw_movie(&self, movie: usize) -> Vec<Drawn> {
        let mut random = stream(self.seed, MOVIE_STREAM + 1 + movie as u64);
        let mut users = self.draw_users(self.counts[movie] as usize, &mut random);
        users.sort_unstable();
        let first = days_from_civil(1999, 11, 11);
        let days = f64::from(days_from_civil(2006, 1, 1) - first);
        let rate = |user: u32| {
            let passed = random.random::<f64>().cbrt();
            let noise: f32 = StandardNormal.sample(&mut random);
            let stars = self.opinion(user as usize, movie) + NOISE * noise;
            Drawn { user, date: first + (passed * days) as i32, stars: stars.round().clamp(1.0, 5.0) as u8 }
        };
        users.into_iter().map(rate).collect()
    }

    /// `count` different users, the active ones more likely.
    fn draw_users(&self, count: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
        let total = self.activity.last().copied().unwrap_or(0.0);
        let mut chosen = FxHashSet::default();
        let mut users = Vec::with_capacity(count);
        // Half of all users at most are wanted, so this ends soon; but the very inactive ones could take arbitrarily long.
        for _ in 0..count * 64 {
            if users.len() == count {
                break;
            }
            let at = random.random::<f64>() * total;
            let user = (self.activity.partition_point(|&sum| sum <= at)).min(self.activity.len() - 1) as u32;
            if chosen.insert(user) {
                users.push(user);
            }
        }
        let rest = (0..self.activity.len() as u32).filter(|user| !chosen.contains(user));
        let missing = count - users.len();
        users.extend(rest.take(missing));
        users
    }

    /// What the user thinks of the movie, in stars, before noise and rounding.
    fn opinion(&self, user: usize, movie: usize) -> f32 {
        let (user, movie) = (&self.users[user], &self.movies[movie]);
        let taste: f32 = user.taste.iter().zip(&movie.taste).map(|(p, q)| p * q).sum();
        MEAN + user.bias + movie.bias + taste
    }
}

impl Person {
    fn draw(bias: f32, taste: f32, random: &mut ChaCha8Rng) -> Self {
        let mut normal = |deviation: f32| {
            let value: f32 = StandardNormal.sample(random);
            deviation * value
        };
        Self { bias: normal(bias), taste: [(); TASTES].map(|()| normal(taste)) }
    }
}

/// How often each movie is rated: `ratings` in all, none more than `most` times. Ranks are dealt to movies at random.
fn counts(ratings: u64, most: u32, items: u32, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..items).collect();
    let mut random = stream(seed, u64::MAX);
    for last in (1..order.len()).rev() {
        order.swap(last, random.random_range(0..=last));
    }
    let weight = |rank: usize| (rank as f64 + 8.0).powf(-0.9);
    let total: f64 = (0..order.len()).map(weight).sum();
    let mut counts = vec![0_u32; order.len()];
    let (mut sum, mut dealt) = (0.0, 0);
    for (rank, &movie) in order.iter().enumerate() {
        // Rounding the running sum, not each share, deals out exactly `ratings`.
        sum += weight(rank) / total * ratings as f64;
        let upto = if rank + 1 == order.len() { ratings } else { (sum.round() as u64).min(ratings) };
        let count = upto.saturating_sub(dealt).min(u64::from(most)) as u32;
        counts[movie as usize] = count;
        dealt = upto.max(dealt);
    }
    // What was cut from the most popular goes to the next ones that have room.
    let mut left = ratings - counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    for &movie in &order {
        let room = u64::from(most - counts[movie as usize]).min(left);
        counts[movie as usize] += room as u32;
        left -= room;
    }
    counts
}

/// A stream of random numbers for one purpose: what is drawn for one never shifts what is drawn for another.
fn stream(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose);
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_stay_below_the_most_also_when_the_head_is_cut() {
        for (ratings, most, items) in [(100_000, 500, 1_700), (50, 5, 10), (49, 5, 10), (1, 1, 1), (3, 100, 100)] {
            let counts = counts(ratings, most, items, 1);
            assert_eq!(counts.iter().map(|&count| u64::from(count)).sum::<u64>(), ratings);
            assert!(counts.iter().all(|&count| count <= most));
        }
    }
}
