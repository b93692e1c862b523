//! Non-negative least squares: the `x ≥ 0` that minimises `½ xᵀA x − bᵀx`, in f64.
//!
//! An active-set method (Lawson, Hanson: *Solving Least Squares Problems*, 1974, chapter 23) that frees unknowns in
//! blocks. Unknowns are *free* or held at 0. A round frees all held unknowns that the gradient would have grow, then
//! descends: it walks to the minimum over the free ones (a Cholesky solve), stops where the first of them meets 0,
//! holds that one, and goes on from there. A round whose minimum lets nothing grow is the last.
//!
//! *Why it is exact.* `x` always is the minimum over its own free unknowns, not an approach to it, and at the end
//! `w = b − A x` is at most rounding ([`TOLERANCE`]) wherever `x = 0`: these are the Karush-Kuhn-Tucker conditions,
//! which have one solution if `A` is positive definite. (Spark's `NNLS`, a projected conjugate gradient, stops at
//! a step of 1e-7 or after `max(400, 20 n)` steps, whatever comes first.)
//!
//! *Why it ends.* Each round lowers the objective, so no set of free unknowns comes twice: the way to the minimum
//! over a block just freed leads downhill, so at least one of the block grows along it; those that would
//! shrink are held again before the first step.
//!
//! Between two sweeps few unknowns change sides, so a row starts from the set that was free before: one or two small
//! solves instead of several large ones. That start says which set is tried first, nothing about the solution.

use super::exact::{System, cholesky};

/// The share of its own terms that `w` may have and count as 0: rounding leaves some 1e-16 times the rank.
const TOLERANCE: f64 = 1e-12;

/// Solver and its buffers, which grow to the largest system seen.
#[derive(Debug, Default)]
pub(super) struct Nnls {
    x: Vec<f64>,
    /// The free unknowns, ascending.
    free: Vec<usize>,
    /// The minimum over the free unknowns, in their order.
    minimum: Vec<f64>,
    /// Lower triangle of the free unknowns' part of `A`, then its Cholesky factor.
    factor: Vec<f64>,
    /// How much the objective falls with each unknown, `w`; 0 where that is rounding or the unknown is positive.
    pull: Vec<f64>,
}

impl Nnls {
    /// Solves `system`, first with those unknowns free that `guess` names; false if the free part of `A` has pivots that differ
    /// by more than `1 / smallest_ratio`, or rounding keeps the method from ending. [`Self::solution`] has the result.
    pub(super) fn solve(&mut self, system: &System, guess: impl Fn(usize) -> bool, smallest_ratio: f64) -> bool {
        let n = system.b.len();
        // Comparisons would take a NaN for an unknown to be held.
        if !system.is_finite() {
            return false;
        }
        self.x.clear();
        self.x.resize(n, 0.0);
        self.pull.clear();
        self.pull.resize(n, 0.0);
        set_free(&mut self.free, &self.x, guess);
        // A guess may be singular; 0 is as good a start.
        self.descend(system, smallest_ratio);
        // Without rounding far fewer rounds than unknowns do; see the module on why they end.
        for _ in 0..3 * n + 10 {
            let Some(steepest) = self.find_pulls(system) else { return true };
            set_free(&mut self.free, &self.x, |unknown| self.pull[unknown] > 0.0);
            if !self.descend(system, smallest_ratio) {
                // Together they may depend on one another. Alone the steepest does not, unless `A` itself is singular.
                set_free(&mut self.free, &self.x, |unknown| unknown == steepest);
                if !self.descend(system, smallest_ratio) {
                    return false;
                }
            }
        }
        false
    }

    /// What the last [`Self::solve`] found: nowhere negative.
    pub(super) fn solution(&self) -> &[f64] {
        &self.x
    }

    /// Computes `pull`; returns the unknown with the largest, `None` if none is pulled.
    fn find_pulls(&mut self, system: &System) -> Option<usize> {
        let mut steepest: Option<usize> = None;
        for i in 0..self.x.len() {
            let (mut pull, mut terms) = (system.b[i], system.b[i].abs());
            for &j in &self.free {
                let term = system.a(i, j) * self.x[j];
                pull -= term;
                terms += term.abs();
            }
            let counts = self.x[i] == 0.0 && pull > TOLERANCE * terms;
            self.pull[i] = if counts { pull } else { 0.0 };
            if counts && steepest.is_none_or(|steepest| pull > self.pull[steepest]) {
                steepest = Some(i);
            }
        }
        steepest
    }

    /// Goes to the minimum over the free unknowns and holds those that meet 0 on the way. False if a minimum cannot be
    /// trusted; `x` is then as good as before or better.
    fn descend(&mut self, system: &System, smallest_ratio: f64) -> bool {
        while !self.free.is_empty() {
            if !self.find_minimum(system, smallest_ratio) {
                return false;
            }
            // The share of the way at which an unknown meets 0; one that stands at 0 and would shrink is there already.
            let meets_zero = |x: f64, minimum: f64| (minimum <= 0.0).then(|| if x > 0.0 { x / (x - minimum) } else { 0.0 });
            let ways = self.free.iter().map(|&i| self.x[i]).zip(&self.minimum);
            let reach = ways.filter_map(|(x, &minimum)| meets_zero(x, minimum)).reduce(f64::min);
            let (mut kept, reached_all) = (0, reach.is_none());
            let reach = reach.unwrap_or(1.0);
            for place in 0..self.free.len() {
                let (unknown, minimum) = (self.free[place], self.minimum[place]);
                let x = self.x[unknown];
                if meets_zero(x, minimum).is_some_and(|way| way <= reach) {
                    self.x[unknown] = 0.0;
                } else {
                    self.x[unknown] = if reached_all { minimum } else { (x + reach * (minimum - x)).max(0.0) };
                    self.free[kept] = unknown;
                    kept += 1;
                }
            }
            self.free.truncate(kept);
            if reached_all {
                return true;
            }
        }
        true
    }

    /// Solves the free unknowns' part of the system.
    fn find_minimum(&mut self, system: &System, smallest_ratio: f64) -> bool {
        let n = self.free.len();
        self.factor.clear();
        self.factor.resize(n * n, 0.0);
        for (row, &i) in self.factor.chunks_exact_mut(n).zip(&self.free) {
            row.iter_mut().zip(&self.free).take_while(|(_, j)| **j <= i).for_each(|(a, &j)| *a = system.a(i, j));
        }
        self.minimum.clear();
        self.minimum.extend(self.free.iter().map(|&i| system.b[i]));
        cholesky(&mut self.factor, &mut self.minimum, n, smallest_ratio)
    }
}

/// Frees the positive unknowns and those that `also` names, holds all others.
fn set_free(free: &mut Vec<usize>, x: &[f64], also: impl Fn(usize) -> bool) {
    free.clear();
    free.extend((0..x.len()).filter(|&i| x[i] > 0.0 || also(i)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::als::exact::SINGULAR;
    use crate::als::oracle::best_of_all_supports;

    /// The normal equation of `terms` (rows of `n` numbers, then a target) and a ridge.
    fn system(n: usize, ridge: f64, terms: &[Vec<f64>]) -> System {
        let mut system = System { a: vec![0.0; n * n], b: vec![0.0; n] };
        for i in 0..n {
            system.b[i] = terms.iter().map(|term| term[n] * term[i]).sum();
            (0..=i).for_each(|j| system.a[i * n + j] = terms.iter().map(|term| term[i] * term[j]).sum());
            system.a[i * n + i] += ridge;
        }
        system
    }

    fn any_system(ranks: std::ops::Range<usize>) -> impl Strategy<Value = System> {
        // Small whole numbers now and then, so that unknowns are exactly 0 without being held and columns repeat.
        let number = prop_oneof![-2.0_f64..2.0, (-2_i8..3).prop_map(f64::from)];
        (ranks, 1e-6_f64..1.0).prop_flat_map(move |(n, ridge)| {
            prop::collection::vec(prop::collection::vec(number.clone(), n + 1), 1..2 * n + 3)
                .prop_map(move |terms| system(n, ridge, &terms))
        })
    }

    /// `x` and `w = b - A x`, with the size of its terms.
    fn residual<'a>(system: &'a System, x: &'a [f64]) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        (0..x.len()).map(move |i| {
            let products = x.iter().enumerate().map(|(j, x)| system.a(i, j) * x);
            let (sum, size) = products.fold((0.0, 0.0), |(sum, size), product| (sum + product, size + product.abs()));
            (x[i], system.b[i] - sum, system.b[i].abs() + size)
        })
    }

    fn objective(system: &System, x: &[f64]) -> f64 {
        residual(system, x).zip(&system.b).map(|((x, w, _), b)| -0.5 * x * (b + w)).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn the_solution_is_the_best_of_all_supports(system in any_system(1..6), guess: u8) {
            let mut nnls = Nnls::default();
            prop_assert!(nnls.solve(&system, |i| guess >> i & 1 == 1, SINGULAR));
            let n = system.b.len();
            let rows: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| system.a(i, j)).chain([system.b[i]]).collect()).collect();
            let expected = best_of_all_supports(&rows);
            let scale = expected.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
            let worst = nnls.solution().iter().zip(&expected).map(|(x, expected)| (x - expected).abs()).fold(0.0, f64::max);
            prop_assert!(worst <= 1e-6 * scale, "{:?} for {expected:?}", nnls.solution());
            prop_assert!(objective(&system, nnls.solution()) <= objective(&system, &expected) + 1e-12 * scale);
        }

        #[test]
        fn the_kkt_conditions_hold_whatever_the_guess(system in any_system(1..40), guess: u64) {
            let mut nnls = Nnls::default();
            for guess in [0, u64::MAX, guess] {
                prop_assert!(nnls.solve(&system, |i| guess >> i & 1 == 1, SINGULAR));
                for (x, w, size) in residual(&system, nnls.solution()) {
                    prop_assert!(x >= 0.0 && x.is_sign_positive());
                    prop_assert!(if x > 0.0 { w.abs() <= 1e-11 * size } else { w <= 1e-11 * size }, "x {x}, w {w} of {size}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_that_plain_least_squares_makes_negative_is_held_and_the_other_solved_again() {
        // A = [2 1; 1 2], b = [3 -1]: unconstrained (7/3, -5/3); with x₂ = 0, x₁ = 3/2 and w₂ = -1 - 3/2 < 0.
        let system = System { a: vec![2.0, 0.0, 1.0, 2.0], b: vec![3.0, -1.0] };
        let mut nnls = Nnls::default();
        assert!(nnls.solve(&system, |_| true, SINGULAR));
        assert!((nnls.solution()[0] - 1.5).abs() < 1e-15 && nnls.solution()[1] == 0.0);
    }

    #[test]
    fn columns_that_depend_on_one_another_are_freed_one_by_one() {
        // Three equal columns and no ridge: any split of the sum 2 is a solution; the first takes it all.
        let system = System { a: vec![1.0; 9], b: vec![2.0; 3] };
        let mut nnls = Nnls::default();
        assert!(nnls.solve(&system, |_| true, SINGULAR));
        assert!((nnls.solution()[0] - 2.0).abs() < 1e-15 && nnls.solution()[1..] == [0.0, 0.0]);
    }

    #[test]
    fn a_system_without_a_minimum_or_of_infinite_numbers_is_refused() {
        let mut nnls = Nnls::default();
        assert!(!nnls.solve(&System { a: vec![0.0], b: vec![1.0] }, |_| false, SINGULAR));
        assert!(!nnls.solve(&System { a: vec![1.0], b: vec![f64::INFINITY] }, |_| false, SINGULAR));
        assert!(!nnls.solve(&System { a: vec![f64::NAN], b: vec![1.0] }, |_| true, SINGULAR));
        assert!(nnls.solve(&System { a: vec![0.0], b: vec![0.0] }, |_| true, SINGULAR));
        assert_eq!(nnls.solution(), [0.0]);
    }
}
