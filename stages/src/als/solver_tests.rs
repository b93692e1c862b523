//! Conjugate gradients, iALS++, `auto` and biases: against the oracle on every instruction set, and what holds of each of them.

use proptest::prelude::*;

use super::errors::Side;
use super::tests::{agrees_on, agrees_with_the_oracle, any_params, bits, fit, matrix, oracle, some_ratings, to_rows};
use super::*;
use crate::context::CancelToken;
use crate::matrix::{Duplicates, RatingMatrix};
use crate::ratings::Ratings;

/// Every solver that is not exact, with and without biases where there can be any.
fn any_solver() -> impl Strategy<Value = AlsParams> {
    let solver = prop_oneof![Just(Solver::Cg), Just(Solver::IalsPlusPlus), Just(Solver::Auto)];
    (any_params(), solver, 1_usize..60, 1_usize..5, 1_usize..40, any::<bool>()).prop_map(
        |(params, solver, rank, cg_steps, block_size, biases)| AlsParams {
            solver,
            rank,
            cg_steps,
            block_size,
            biases: biases && !params.implicit,
            ..params
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn three_iterations_of_any_solver_equal_those_of_the_oracle(params in any_solver(), rows in 1_usize..200, seed: u64) {
        // A row of few ratings is never solved by gradients if it may be exact: `auto` has a test of its own.
        prop_assume!(params.solver != Solver::Auto);
        // Nearly singular rows are another matter: see `as_many_steps_as_unknowns_are_the_exact_solution`.
        let reg = if params.solver == Solver::Cg { params.reg.max(0.1) } else { params.reg };
        agrees_with_the_oracle(AlsParams { reg, ..params }, rows, seed)?;
    }

    #[test]
    fn biases_are_two_more_factors_of_the_same_objective(params in any_params(), rows in 1_usize..200, seed: u64) {
        agrees_with_the_oracle(AlsParams { implicit: false, biases: true, ..params }, rows, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_half_step_of_any_solver_raises_the_loss_as_the_oracle_computes_it(params in any_solver(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let mut oracle = oracle(&params, &matrix);
        let (params, cancel) = (params.check().unwrap(), CancelToken::new());
        let mut trainer = Trainer::new(&params, &matrix);
        let mut last = f64::INFINITY;
        for side in [Side::Item, Side::User].into_iter().cycle().take(8) {
            trainer.half_step(side, &cancel).unwrap();
            (oracle.users, oracle.items) = (to_rows(trainer.model().users()), to_rows(trainer.model().items()));
            let loss = oracle.loss();
            prop_assert!(loss <= last * (1.0 + 1e-5), "{loss} after {last}: {:?}", params.get());
            last = loss;
        }
    }

    #[test]
    fn with_momentum_a_sweep_ends_with_the_loss_of_its_factors(params in any_params(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let params = AlsParams { momentum: true, reg: params.reg.max(0.01), ..params };
        let (mut oracle, valid, cancel) = (oracle(&params, &matrix), params.clone().check().unwrap(), CancelToken::new());
        let mut trainer = Trainer::new(&valid, &matrix);
        for _ in 0..6 {
            let found = trainer.sweep(&cancel).unwrap().loss;
            (oracle.users, oracle.items) = (to_rows(trainer.model().users()), to_rows(trainer.model().items()));
            let loss = oracle.loss();
            prop_assert!((found - loss).abs() <= 1e-4 * loss.max(1e-3), "{found} for {loss}");
            let negative = trainer.model().users().padded_rows().iter().any(|&x| x < 0.0);
            prop_assert!(!(params.nonnegative && negative));
        }
    }

    #[test]
    fn as_many_steps_as_unknowns_are_the_exact_solution(params in any_params(), seed: u64) {
        let (rank, max_iter) = (params.rank.min(6), 2);
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let losses = [Solver::Cholesky, Solver::Cg].map(|solver| {
            let params = AlsParams { solver, rank, max_iter, cg_steps: 3 * rank, reg: params.reg.max(0.1), ..params.clone() };
            fit(params, &matrix).iterations[1].loss
        });
        prop_assert!((losses[0] - losses[1]).abs() < 1e-4 * losses[0], "{losses:?}");
    }

    #[test]
    fn one_block_is_the_exact_solver(params in any_params(), seed: u64) {
        let matrix = matrix(&some_ratings(15, 10, 90, seed));
        let [exact, blocks] = [Solver::Cholesky, Solver::IalsPlusPlus].map(|solver| fit(AlsParams { solver, ..params.clone() }, &matrix));
        prop_assert_eq!(bits(exact.model.users()), bits(blocks.model.users()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn recent_ratings_count_as_much_as_the_oracle_lets_them(params in any_solver(), exact: bool, half_life in 5.0_f64..500.0, seed: u64) {
        let solver = if exact || params.solver == Solver::Auto { Solver::Cholesky } else { params.solver };
        let matrix = RatingMatrix::build_recent(&some_ratings(12, 9, 120, seed), Duplicates::Latest, half_life).unwrap();
        agrees_on(&matrix, AlsParams { solver, ..params })?;
    }
}

#[test]
fn a_training_that_starts_from_its_own_end_stays_there_and_strangers_start_anew() {
    let (all, mut fewer) = (some_ratings(30, 20, 300, 6), Ratings::default());
    for at in (0..all.len()).filter(|&at| all.user[at] != 5 && all.movie[at] != 9) {
        fewer.push(all.movie[at], all.user[at], all.rating[at], all.date[at]);
    }
    for (solver, biases) in [(Solver::Cholesky, false), (Solver::Cg, true), (Solver::IalsPlusPlus, false)] {
        let params = AlsParams { rank: 6, max_iter: 40, solver, biases, ..AlsParams::default() };
        let (matrix, cancel) = (matrix(&fewer), CancelToken::new());
        let older = fit(params.clone(), &matrix);
        let params = params.check().unwrap();
        let first = Trainer::warm(&params, &matrix, &older.model).sweep(&cancel).unwrap();
        let (end, cold) = (older.iterations[39].loss, older.iterations[0].loss);
        assert!(first.loss <= end * (1.0 + 1e-5) && first.loss < 0.9 * cold, "{solver:?}: {} after {end} after {cold}", first.loss);

        let grown = tests::matrix(&all);
        let (cold, warm) = (Trainer::new(&params, &grown), Trainer::warm(&params, &grown, &older.model));
        let user = |model: &crate::model::AlsModel, id| model.users().of(id).unwrap().to_vec();
        assert_eq!(user(warm.model(), 5), user(cold.model(), 5));
        assert_eq!(user(warm.model(), 6), user(&older.model, 6));
    }
}

/// Short rows, a row that passes gather again (2100 ratings at rank 72), and one of three segments.
fn rows_of_all_lengths() -> Ratings {
    let mut ratings = some_ratings(10_001, 30, 20_000, 5);
    (0..10_001).for_each(|user| ratings.push(0, user - 2, (user % 9 + 1) as f32 / 2.0, 1_000_000));
    (0..2_100).for_each(|user| ratings.push(3, 3 * user - 2, (user % 7 + 1) as f32 / 2.0, 1_000_000));
    ratings
}

#[test]
fn every_solver_equals_the_oracle_on_rows_of_any_length() {
    let matrix = matrix(&rows_of_all_lengths());
    for (solver, implicit, biases) in
        [(Solver::Cg, false, true), (Solver::Cg, true, false), (Solver::IalsPlusPlus, false, true), (Solver::IalsPlusPlus, true, false)]
    {
        let params = AlsParams { rank: 70, max_iter: 1, solver, implicit, biases, ..AlsParams::default() };
        let mut oracle = oracle(&params, &matrix);
        // Every other item, to save time, and the two long ones.
        oracle.entries.retain(|entry| entry.1 < 2 || entry.1 % 8 == 0);
        oracle.solve_items();
        let (params, cancel) = (params.check().unwrap(), CancelToken::new());
        let mut trainer = Trainer::new(&params, &matrix);
        trainer.half_step(Side::Item, &cancel).unwrap();
        for (row, (found, exact)) in
            to_rows(trainer.model().items()).iter().zip(&oracle.items).enumerate().filter(|(row, _)| *row < 2 || row % 8 == 0)
        {
            // The oracle's mean is that of fewer ratings.
            let worst = found.iter().zip(exact).take(70).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let allowed = if biases { 0.05 } else { 1e-3 };
            assert!(worst < allowed, "{solver:?} row {row}: {worst}");
        }
    }
}

#[test]
fn every_solver_is_bit_identical_for_one_two_three_and_eight_threads() {
    let matrix = matrix(&rows_of_all_lengths());
    for (solver, implicit, biases) in [
        (Solver::Cg, false, true),
        (Solver::Cg, true, false),
        (Solver::IalsPlusPlus, false, true),
        (Solver::IalsPlusPlus, true, false),
        (Solver::Auto, false, false),
    ] {
        let params = AlsParams { rank: 70, max_iter: 2, solver, implicit, biases, ..AlsParams::default() };
        let fits = [1, 2, 3, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(params.clone(), &matrix))
        });
        for other in &fits[1..] {
            assert_eq!(bits(fits[0].model.users()), bits(other.model.users()), "{solver:?}");
            assert_eq!(bits(fits[0].model.items()), bits(other.model.items()), "{solver:?}");
            assert_eq!(fits[0].iterations, other.iterations);
        }
    }
}

#[test]
fn auto_is_exact_at_low_ranks_and_saves_work_at_high_ones() {
    let matrix = matrix(&some_ratings(60, 40, 1_500, 1));
    let factors = |rank, solver| bits(fit(AlsParams { rank, solver, max_iter: 1, ..AlsParams::default() }, &matrix).model.users());
    assert_eq!(factors(8, Solver::Auto), factors(8, Solver::Cholesky));
    assert_eq!(factors(256, Solver::Auto), factors(256, Solver::Cg));
}

#[test]
fn biases_hold_the_mean_and_the_ones_in_their_places() {
    let ratings = some_ratings(15, 10, 90, 3);
    let matrix = matrix(&ratings);
    let model = fit(AlsParams { rank: 3, biases: true, ..AlsParams::default() }, &matrix).model;
    assert_eq!(model.rank(), 5);
    assert!(to_rows(model.users()).iter().all(|user| user[4] == 1.0) && to_rows(model.items()).iter().all(|item| item[3] == 1.0));
    // So much regularisation leaves nothing but the mean.
    let model = fit(AlsParams { rank: 3, biases: true, reg: 1e6, ..AlsParams::default() }, &matrix).model;
    let (user, item) = (matrix.users().as_slice()[2], matrix.items().as_slice()[1]);
    assert!((f64::from(model.predict(user, item).unwrap()) - matrix.mean()).abs() < 1e-3);
}

#[test]
fn a_new_user_of_a_model_with_biases_gets_a_bias() {
    let matrix = matrix(&some_ratings(40, 20, 500, 4));
    for solver in [Solver::Cholesky, Solver::Cg] {
        let params = AlsParams { rank: 4, biases: true, solver, ..AlsParams::default() }.check().unwrap();
        let model = params.fit(&matrix, &CancelToken::new(), |_| {}).unwrap().model;
        let row = matrix.layers()[0].by_user.outer_view(7).unwrap();
        let ratings: Vec<(u32, f32)> = row.iter().map(|(column, &rating)| (column as u32, rating)).collect();
        let found = params.fold_in(model.items(), &ratings).unwrap();
        assert_eq!((found.len(), found[5]), (6, 1.0));
        if solver == Solver::Cholesky {
            assert_eq!(found, model.users().row(7));
        }
    }
}

#[test]
fn momentum_reaches_the_loss_of_fifteen_sweeps_in_ten() {
    // A low-rank truth with noise, of which a constant part is what takes plain sweeps long.
    let mut ratings = Ratings::default();
    for (user, movie) in (0..300).flat_map(|user| (0..60).map(move |movie| (user, movie))) {
        if (user * 31 + movie * 17) % 7 < 2 {
            let taste = if user % 3 == movie % 3 { 1.0 } else { -0.5 };
            ratings.push(movie, user, 3.5 + taste + ((user * 7 + movie * 13) % 10) as f32 / 20.0, 0);
        }
    }
    let matrix = matrix(&ratings);
    let params = AlsParams { rank: 8, reg: 0.02, ..AlsParams::default() };
    let plain = fit(params.clone(), &matrix);
    let carried = fit(AlsParams { momentum: true, max_iter: 10, ..params }, &matrix);
    assert!(carried.iterations[9].loss <= plain.iterations[14].loss, "{} for {}", carried.iterations[9].loss, plain.iterations[14].loss);
}
