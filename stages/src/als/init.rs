//! The factors to start from.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::bias::Bias;
use super::errors::Side;
use super::hyperparams::AlsParams;
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;
use crate::model::Factors;

/// The users' factors to start from: [`unit_vectors`], with every sign made positive if factors must not be negative.
///
/// Spark's comment promises such a "first quadrant" and its code keeps the signs. At a low rank a start with
/// signs can be lost: where all directions point away from the ratings the best non-negative items are 0, then so
/// are the users, and nothing leaves 0 any more.
pub(super) fn users(ids: &Ids, params: &AlsParams) -> Factors {
    let stride = padded(params.width());
    let mut factors = unit_vectors(ids.as_slice(), params.rank, stride, params.seed);
    if params.nonnegative {
        factors.as_mut_slice().par_iter_mut().with_min_len(4096).for_each(|x| *x = x.abs());
    }
    start_biases(&mut factors, Side::User, params, 0.0);
    Factors::from_padded(ids.clone(), params.width(), factors)
}

/// The items' factors to start from: nothing, but `mean` where there are biases.
pub(super) fn items(ids: &Ids, params: &AlsParams, mean: f64) -> Factors {
    let mut factors = Aligned::zeroed(ids.len() * padded(params.width()));
    start_biases(&mut factors, Side::Item, params, mean);
    Factors::from_padded(ids.clone(), params.width(), factors)
}

fn start_biases(factors: &mut Aligned, side: Side, params: &AlsParams, mean: f64) {
    if params.biases {
        let bias = Bias::of(side, params.rank, mean);
        factors.as_mut_slice().chunks_exact_mut(padded(params.width())).for_each(|row| bias.start(row));
    }
}

/// One vector per id: a direction drawn uniformly (independent normals), of length 1, in rows of `stride`.
///
/// A row's vector depends on the seed and its id alone: each id has its own ChaCha stream. So neither the number of
/// threads nor the other ids in the data change it (Spark seeds by block, and its start changes with the block count).
pub(super) fn unit_vectors(ids: &[i32], rank: usize, stride: usize, seed: u64) -> Aligned {
    let mut factors = Aligned::zeroed(ids.len() * stride);
    factors.as_mut_slice().par_chunks_mut(stride).zip(ids).with_min_len(256).for_each(|(row, &id)| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(id.cast_unsigned()));
        let row = &mut row[..rank];
        row.fill_with(|| StandardNormal.sample(&mut random));
        let norm = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        for x in row {
            *x = (f64::from(*x) / norm) as f32;
        }
    });
    factors
}
