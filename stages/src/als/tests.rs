//! The fast solver against the oracle, the laws of the objective, and what users rely on.

use proptest::prelude::*;

use super::half_step::HalfStep;
use super::init::{self, unit_vectors};
use super::normal_equation::Equations;
use super::oracle::Oracle;
use super::rows::Rows;
use super::*;
use crate::context::CancelToken;
use crate::kernel::{Kernel, padded};
use crate::matrix::{Duplicates, RatingMatrix};
use crate::model::Factors;
use crate::ratings::Ratings;

/// `rows` ratings drawn from `users` × `items` by a small congruential generator; half stars from 0.5 to 5.
pub(super) fn some_ratings(users: i32, items: i32, rows: usize, seed: u64) -> Ratings {
    let mut ratings = Ratings::default();
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut draw = |below: i32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below as u64) as i32
    };
    for row in 0..rows {
        ratings.push(draw(items) * 3, draw(users) - 2, (draw(10) + 1) as f32 / 2.0, row as i32);
    }
    ratings
}

pub(super) fn matrix(ratings: &Ratings) -> RatingMatrix {
    RatingMatrix::build(ratings, Duplicates::Latest).unwrap()
}

pub(super) fn fit(params: AlsParams, matrix: &RatingMatrix) -> Fit {
    params.check().unwrap().fit(matrix, &CancelToken::new(), |_| {}).unwrap()
}

pub(super) fn oracle(params: &AlsParams, matrix: &RatingMatrix) -> Oracle {
    Oracle {
        params: params.clone(),
        entries: (0..matrix.users().len())
            .flat_map(|user| Rows::of(matrix, Side::User).slices(user).map(move |slice| (user, slice)).collect::<Vec<_>>())
            .flat_map(|(user, slice)| {
                slice.entries().map(move |(item, rating, recency)| (user, item as usize, rating.into(), recency.into()))
            })
            .collect(),
        users: to_rows(&init::users(matrix.users(), params)),
        items: to_rows(&init::items(matrix.items(), params, matrix.mean())),
    }
}

fn largest_difference(factors: &Factors, exact: &[Vec<f64>]) -> f64 {
    let rows = (0_u32..).zip(exact).flat_map(|(row, exact)| factors.row(row).iter().zip(exact));
    rows.map(|(&fast, &exact)| (f64::from(fast) - exact).abs()).fold(0.0, f64::max)
}

pub(super) fn bits(factors: &Factors) -> Vec<u32> {
    (0..factors.ids().len() as u32).flat_map(|row| factors.row(row).iter().map(|x| x.to_bits())).collect()
}

/// Sweeps on every instruction set against as many of the oracle: factors and loss.
pub(super) fn agrees_with_the_oracle(params: AlsParams, rows: usize, seed: u64) -> Result<(), TestCaseError> {
    agrees_on(&matrix(&some_ratings(12, 9, rows, seed)), params)
}

/// The same for ratings at hand.
pub(super) fn agrees_on(matrix: &RatingMatrix, params: AlsParams) -> Result<(), TestCaseError> {
    // A few conjugate gradients are no solution: where f32 and f64 stop differs, and the next sweep starts from there. One sweep tells.
    let (sweeps, allowed, allowed_loss) = match params.solver {
        Solver::Cg => (1, 3e-2, 1e-3),
        // With next to no regularisation a row of few ratings is nearly singular, and f32 shows it.
        _ if params.reg < 0.1 => (3, 5e-3, 3e-4),
        _ => (3, 1e-3, 1e-4),
    };
    let params = AlsParams { max_iter: sweeps, ..params };
    let mut oracle = oracle(&params, matrix);
    for _ in 0..sweeps {
        oracle.solve_items();
        oracle.solve_users();
    }
    let params = params.check().unwrap();
    for kernel in Kernel::available() {
        let fit = params.fit_with(kernel, matrix, &CancelToken::new(), |_| {}).unwrap();
        for (factors, exact) in [(fit.model.users(), &oracle.users), (fit.model.items(), &oracle.items)] {
            let scale = exact.iter().flatten().fold(1.0_f64, |largest, x| largest.max(x.abs()));
            prop_assert!(largest_difference(factors, exact) < allowed * scale, "{}", kernel.name());
        }
        let (loss, exact) = (fit.iterations[sweeps - 1].loss, oracle.loss());
        prop_assert!((loss - exact).abs() <= allowed_loss * exact.max(1.0), "{}: loss {loss} for {exact}", kernel.name());
    }
    Ok(())
}

pub(super) fn any_params() -> impl Strategy<Value = AlsParams> {
    (1_usize..24, 0.02_f64..1.0, 0.0_f64..4.0, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(rank, reg, alpha, implicit, plain, seed)| {
            let reg_scaling = if plain { RegScaling::Plain } else { RegScaling::AlsWr };
            AlsParams { rank, reg, alpha, implicit, reg_scaling, seed, max_iter: 3, ..AlsParams::default() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn three_iterations_equal_the_oracle_on_every_instruction_set(params in any_params(), rows in 1_usize..200, seed: u64) {
        agrees_with_the_oracle(params, rows, seed)?;
    }

    #[test]
    fn the_loss_never_rises_between_half_steps_of_the_oracle_nor_between_our_sweeps(params in any_params(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let mut oracle = oracle(&params, &matrix);
        oracle.solve_items();
        let mut last = oracle.loss();
        for _ in 0..4 {
            oracle.solve_users();
            let after_users = oracle.loss();
            oracle.solve_items();
            let after_items = oracle.loss();
            prop_assert!(after_users <= last * (1.0 + 1e-9) && after_items <= after_users * (1.0 + 1e-9));
            last = after_items;
        }
        let losses: Vec<f64> = fit(AlsParams { max_iter: 6, ..params }, &matrix).iterations.iter().map(|iteration| iteration.loss).collect();
        prop_assert!(losses.is_sorted_by(|before, after| *after <= before * (1.0 + 1e-5)), "{losses:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn none_of_our_half_steps_raises_the_loss_as_the_oracle_computes_it(params in any_params(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        // All eight objectives with each case, so that none depends on luck.
        for (implicit, nonnegative, reg_scaling) in [false, true].into_iter().flat_map(|implicit| {
            [(implicit, false, RegScaling::AlsWr), (implicit, false, RegScaling::Plain), (implicit, true, RegScaling::AlsWr), (implicit, true, RegScaling::Plain)]
        }) {
            let params = AlsParams { implicit, nonnegative, reg_scaling, rank: params.rank.min(8), ..params.clone() };
            let mut oracle = oracle(&params, &matrix);
            let (params, cancel) = (params.check().unwrap(), CancelToken::new());
            let mut trainer = Trainer::new(&params, &matrix);
            let mut last = f64::INFINITY;
            for side in [Side::Item, Side::User].into_iter().cycle().take(8) {
                trainer.half_step(side, &cancel).unwrap();
                let model = trainer.model();
                (oracle.users, oracle.items) = (to_rows(model.users()), to_rows(model.items()));
                let loss = oracle.loss();
                prop_assert!(loss <= last * (1.0 + 1e-5), "{loss} after {last}: {:?}", params.get());
                last = loss;
            }
        }
    }
}

fn any_nonnegative_params() -> impl Strategy<Value = AlsParams> {
    (any_params(), 1_usize..6).prop_map(|(params, rank)| AlsParams { rank, nonnegative: true, ..params })
}

pub(super) fn to_rows(factors: &Factors) -> Vec<Vec<f64>> {
    (0..factors.ids().len() as u32).map(|row| factors.row(row).iter().map(|&x| f64::from(x)).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn three_nonnegative_iterations_equal_the_oracle_that_tries_all_supports(params in any_nonnegative_params(), rows in 1_usize..200, seed: u64) {
        agrees_with_the_oracle(params, rows, seed)?;
    }

    #[test]
    fn no_nonnegative_half_step_raises_the_loss_or_leaves_a_negative_factor(params in any_params(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let mut oracle = oracle(&params, &matrix);
        let mut last = f64::INFINITY;
        for max_iter in 1..5 {
            let model = fit(AlsParams { max_iter, nonnegative: true, ..params.clone() }, &matrix).model;
            let (users, items) = (to_rows(model.users()), to_rows(model.items()));
            prop_assert!(users.iter().chain(&items).flatten().all(|&x| x >= 0.0));
            // These items were solved against the users of one sweep less, which the oracle still holds.
            oracle.items = items;
            for side in [None, Some(users)] {
                if let Some(users) = side {
                    oracle.users = users;
                }
                if max_iter > 1 || oracle.users.iter().flatten().all(|&x| x >= 0.0) {
                    let loss = oracle.loss();
                    prop_assert!(loss <= last * (1.0 + 1e-6), "{loss} after {last}");
                    last = loss;
                }
            }
        }
    }
}

#[test]
fn a_rank_of_one_does_not_get_stuck_at_zero() {
    // Half of the plain starts point away from the ratings and would stay there.
    let mut ratings = Ratings::default();
    ratings.push(1, 1, 4.0, 0);
    for seed in 0..8 {
        let fit = fit(AlsParams { rank: 1, reg: 0.1, seed, nonnegative: true, ..AlsParams::default() }, &matrix(&ratings));
        assert!((3.8..4.0).contains(&fit.model.predict(1, 1).unwrap()));
    }
}

#[test]
fn factors_and_loss_are_bit_identical_for_one_two_three_and_eight_threads() {
    // Item 0 has 10,001 ratings: three segments.
    let mut ratings = some_ratings(10_001, 30, 20_000, 5);
    (0..10_001).for_each(|user| ratings.push(0, user - 2, 3.5, 1_000_000));
    for (implicit, nonnegative, rank) in [(false, false, 20), (true, false, 20), (false, true, 6), (true, true, 6)] {
        let params = AlsParams { rank, max_iter: 2, implicit, nonnegative, ..AlsParams::default() };
        let fits = [1, 2, 3, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(params.clone(), &matrix(&ratings)))
        });
        for other in &fits[1..] {
            assert_eq!(bits(fits[0].model.users()), bits(other.model.users()));
            assert_eq!(bits(fits[0].model.items()), bits(other.model.items()));
            assert_eq!(fits[0].iterations, other.iterations);
        }
    }
}

#[test]
fn a_row_cut_into_segments_equals_the_oracle() {
    let mut ratings = some_ratings(9_000, 3, 100, 5);
    (0..9_000).for_each(|user| ratings.push(3, user - 2, (user % 10 + 1) as f32 / 2.0, 1_000_000));
    let (params, matrix) = (AlsParams { rank: 5, max_iter: 1, ..AlsParams::default() }, matrix(&ratings));
    let mut oracle = oracle(&params, &matrix);
    oracle.solve_items();
    assert!(largest_difference(fit(params, &matrix).model.items(), &oracle.items) < 1e-4);
}

#[test]
fn a_low_rank_matrix_is_recovered() {
    // R = a bᵀ + c dᵀ, two cells of three observed; NumPy: np.outer(a, b) + np.outer(c, d).
    let vector = |phase: f32, n: usize| -> Vec<f32> { (0..n).map(|i| 1.0 + ((i as f32) * phase).sin()).collect() };
    let (a, b, c, d) = (vector(0.7, 40), vector(1.3, 30), vector(2.1, 40), vector(0.4, 30));
    let mut ratings = Ratings::default();
    for (user, item) in (0..40_usize).flat_map(|user| (0..30_usize).map(move |item| (user, item))).filter(|(u, i)| (u + i) % 3 != 0) {
        ratings.push(item as i32, user as i32, a[user] * b[item] + c[user] * d[item], 0);
    }
    let params = AlsParams { rank: 2, reg: 1e-4, max_iter: 100, ..AlsParams::default() };
    let fit = fit(params, &matrix(&ratings));
    for (user, item) in (0..40_usize).flat_map(|user| (0..30_usize).map(move |item| (user, item))) {
        let predicted = fit.model.predict(user as i32, item as i32).unwrap();
        let truth = a[user] * b[item] + c[user] * d[item];
        assert!((predicted - truth).abs() < 0.05, "user {user} item {item}: {predicted} for {truth}");
    }
}

#[test]
fn the_loss_of_one_rating_is_the_one_computed_by_hand() {
    // Rank 1, r = 4, λ = 0.5, x₀ = ±1: y = 4x/(x²+λ) = ±8/3; x = 4y/(y²+λ) = ±(32/3)/(64/9+1/2) = ±192/137.
    let mut ratings = Ratings::default();
    ratings.push(1, 1, 4.0, 0);
    let fit = fit(AlsParams { rank: 1, reg: 0.5, max_iter: 1, ..AlsParams::default() }, &matrix(&ratings));
    let (x, y) = (192.0_f64 / 137.0, 8.0_f64 / 3.0);
    let expected = (4.0 - x * y).powi(2) + 0.5 * (x * x + y * y);
    assert!((fit.iterations[0].loss - expected).abs() < 1e-5, "{} for {expected}", fit.iterations[0].loss);
    assert!((fit.iterations[0].train_rmse.unwrap() - (4.0 - x * y)).abs() < 1e-5);
}

fn refused(rows: &[(i32, i32)], params: AlsParams) -> crate::StageError {
    let mut ratings = Ratings::default();
    rows.iter().for_each(|&(movie, user)| ratings.push(movie, user, 3.0, 0));
    params.check().unwrap().fit(&matrix(&ratings), &CancelToken::new(), |_| {}).unwrap_err().into()
}

#[test]
fn a_singular_row_is_named_with_its_remedy() {
    let error = refused(&[(2, 7)], AlsParams { rank: 3, reg: 0.0, ..AlsParams::default() });
    assert_eq!(error.kind, crate::ErrorKind::Numeric);
    assert_eq!(error.message, "the equation of item 2 (1 ratings, rank 3) is singular");
    assert_eq!(error.hint.unwrap(), "raise `reg` (0.1, say), or lower `rank` to 1 at most: so few ratings do not determine 3 factors");
    // Items 1 and 2 were rated alike by the same users: they are the same to user 8, whose two ratings are worth one.
    let error = refused(&[(1, 7), (1, 8), (2, 7), (2, 8), (3, 9), (3, 7)], AlsParams { rank: 2, reg: 0.0, ..AlsParams::default() });
    assert_eq!(error.message, "the equation of user 8 (2 ratings, rank 2) is singular");
    assert_eq!(error.hint.as_deref(), Some("raise `reg` (0.1, say), or lower `rank`"));
}

#[test]
fn implicit_rows_without_regularisation_are_singular_once_the_other_side_spans_too_little() {
    // Two users in three dimensions: YᵀY itself has rank 2, whatever the ratings add.
    let error = refused(&[(1, 7), (2, 7), (1, 8), (3, 8)], AlsParams { rank: 3, reg: 0.0, implicit: true, ..AlsParams::default() });
    assert_eq!(error.kind, crate::ErrorKind::Numeric);
    assert!(error.message.starts_with("the equation of item ") && error.message.ends_with(", rank 3) is singular"), "{error}");
}

#[test]
fn a_rating_that_is_no_number_is_refused_by_user_and_movie() {
    for rating in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut ratings = some_ratings(5, 5, 20, 1);
        ratings.push(77, 88, rating, 0);
        let error = RatingMatrix::build(&ratings, Duplicates::Latest).unwrap_err();
        assert_eq!(error.message, format!("the rating of movie 77 by user 88 is {rating}, not a finite number"));
        assert_eq!((error.kind, error.hint.is_some()), (crate::ErrorKind::Input, true));
    }
}

#[test]
fn overflowing_factors_are_refused_by_name() {
    let mut ratings = Ratings::default();
    (0..9).for_each(|user| ratings.push(5, user, f32::MAX, 0));
    let params = AlsParams { rank: 1, ..AlsParams::default() }.check().unwrap();
    let error = params.fit(&matrix(&ratings), &CancelToken::new(), |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "the factors of item 5 (9 ratings, rank 1) are not finite numbers");
    let hint = crate::StageError::from(error).hint.unwrap();
    assert_eq!(hint, "look for huge ratings of item 5 in the data, and raise `reg`");
}

#[test]
fn an_exact_solution_too_large_for_f32_is_refused_by_name() {
    // One rating of 3e38 against a factor of 1e-10 makes 3e48, which only f64 can hold.
    let mut ratings = Ratings::default();
    ratings.push(5, 7, 3e38, 0);
    let matrix = matrix(&ratings);
    let mut source = [0.0; 16];
    source[0] = 1e-10;
    for nonnegative in [false, true] {
        let params = AlsParams { rank: 1, reg: 0.0, nonnegative, ..AlsParams::default() };
        let rows = Rows::of(&matrix, Side::Item);
        let equations = Equations::new(&params, Kernel::detect(), Side::Item, rows, &source, 0.0);
        let cancel = CancelToken::new();
        let step = HalfStep { equations, side: Side::Item, ids: &[5], with_error: false, cancel: &cancel };
        assert_eq!(step.run(&mut [0.0; 16]), Err(FitError::NonFinite { side: Side::Item, id: 5, ratings: 1, rank: 1 }));
    }
}

#[test]
fn nonnegative_rows_have_solutions_without_regularisation_too() {
    // Fewer ratings than unknowns; plain least squares refuses these rows.
    let mut ratings = Ratings::default();
    for (movie, user) in [(1, 7), (2, 7), (1, 8)] {
        ratings.push(movie, user, 3.0, 0);
    }
    let fit = fit(AlsParams { rank: 3, reg: 0.0, nonnegative: true, ..AlsParams::default() }, &matrix(&ratings));
    assert!(fit.iterations[14].loss < 1e-6, "{}", fit.iterations[14].loss);
}

#[test]
fn a_tiny_regularisation_is_solved_in_f64() {
    let (params, matrix) = (AlsParams { rank: 6, reg: 1e-6, max_iter: 1, ..AlsParams::default() }, matrix(&some_ratings(30, 20, 60, 3)));
    let mut oracle = oracle(&params, &matrix);
    oracle.solve_items();
    let fit = fit(params, &matrix);
    let scale = oracle.items.iter().flatten().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    assert!(largest_difference(fit.model.items(), &oracle.items) < 1e-4 * scale);
}

#[test]
fn a_cancelled_training_stops() {
    let cancel = CancelToken::new();
    let params = AlsParams { rank: 4, max_iter: 100, ..AlsParams::default() }.check().unwrap();
    let mut sweeps = 0;
    let error = params.fit(&matrix(&some_ratings(20, 20, 100, 1)), &cancel, |iteration| {
        sweeps = iteration.number;
        if iteration.number == 3 {
            cancel.cancel();
        }
    });
    assert_eq!((error.unwrap_err(), sweeps), (FitError::Cancelled, 3));
}

#[test]
fn initial_vectors_have_length_one_and_depend_on_seed_and_id_alone() {
    let all = unit_vectors(&[-5, 3, 8], 10, 16, 1);
    let rows: Vec<&[f32]> = all.as_slice().chunks(padded(10)).collect();
    for row in &rows {
        assert!((row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(row[10..], [0.0; 6]);
    }
    assert_eq!(unit_vectors(&[3], 10, 16, 1).as_slice(), rows[1]);
    assert_ne!(rows[0], rows[1]);
    assert_ne!(unit_vectors(&[3], 10, 16, 2).as_slice(), rows[1]);
}

#[test]
fn parameters_outside_their_limits_are_refused() {
    let refused = |change: fn(&mut AlsParams)| {
        let mut params = AlsParams::default();
        change(&mut params);
        params.check().unwrap_err().to_string()
    };
    assert_eq!(refused(|p| p.rank = 0), "`rank` must be 1 to 1024, found 0");
    assert_eq!(refused(|p| p.rank = 1025), "`rank` must be 1 to 1024, found 1025");
    assert_eq!(refused(|p| p.reg = -0.1), "`reg` must be a number of at least 0, found -0.1");
    assert_eq!(refused(|p| p.max_iter = 0), "`max_iter` must be at least 1, found 0");
    assert_eq!(refused(|p| p.cg_steps = 0), "`cg_steps` must be at least 1, found 0");
    assert_eq!(refused(|p| p.block_size = 0), "`block_size` must be at least 1, found 0");
    let signs =
        |solver: &str| format!("`solver: {solver}` cannot keep factors from being negative: `nonnegative` goes with `cholesky` and `auto`");
    assert_eq!(refused(|p| (p.nonnegative, p.solver) = (true, Solver::Cg)), signs("cg"));
    assert_eq!(refused(|p| (p.nonnegative, p.solver) = (true, Solver::IalsPlusPlus)), signs("ials++"));
    assert_eq!(refused(|p| (p.nonnegative, p.biases) = (true, true)), "`biases` cannot be had with `nonnegative`");
    assert_eq!(refused(|p| (p.implicit, p.biases) = (true, true)), "`biases` cannot be had with `implicit`");
    assert_eq!(refused(|p| p.alpha = f64::NAN), "`alpha` must be a number of at least 0, found NaN");
}
