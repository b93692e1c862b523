//! ALS in f64, slow and clear, with nothing in common with the fast one but the initial factors: rows as lists of
//! (column, rating), normal equations by three nested loops, Gaussian elimination with row exchanges.

use super::errors::Side;
use super::hyperparams::{AlsParams, RegScaling, Solver};

/// Ratings as (user row, item row, rating, recency).
pub(super) type Entries = Vec<(usize, usize, f64, f64)>;

/// The factors of both sides, rows of `rank`.
#[derive(Debug, Clone)]
pub(super) struct Oracle {
    pub(super) params: AlsParams,
    pub(super) entries: Entries,
    pub(super) users: Vec<Vec<f64>>,
    pub(super) items: Vec<Vec<f64>>,
}

impl Oracle {
    pub(super) fn solve_items(&mut self) {
        let entries: Entries = self.entries.iter().map(|&(user, item, rating, recency)| (item, user, rating, recency)).collect();
        self.items = solve_side(&self.params, Side::Item, self.mean(), &entries, &self.items, &self.users);
    }

    pub(super) fn solve_users(&mut self) {
        self.users = solve_side(&self.params, Side::User, self.mean(), &self.entries, &self.users, &self.items);
    }

    fn mean(&self) -> f64 {
        self.entries.iter().map(|entry| entry.2).sum::<f64>() / self.entries.len() as f64
    }

    /// The objective, over all cells one by one.
    pub(super) fn loss(&self) -> f64 {
        let mut loss = 0.0;
        let (mut user_counts, mut item_counts) = (vec![0.0; self.users.len()], vec![0.0; self.items.len()]);
        for &(user, item, rating, recency) in &self.entries {
            let counts = if !self.params.implicit { recency } else { f64::from(u8::from(rating > 0.0)) };
            user_counts[user] += counts;
            item_counts[item] += counts;
            let predicted = dot(&self.users[user], &self.items[item]);
            loss += match self.params.implicit {
                false => recency * (rating - predicted).powi(2),
                true => {
                    let (confidence, preference) = (1.0 + self.params.alpha * rating.abs() * recency, f64::from(u8::from(rating > 0.0)));
                    // The cell's share of the sum over all cells below is taken back.
                    confidence * (preference - predicted).powi(2) - predicted.powi(2)
                }
            };
        }
        if self.params.implicit {
            for (user, item) in self.users.iter().flat_map(|user| self.items.iter().map(move |item| (user, item))) {
                loss += dot(user, item).powi(2);
            }
        }
        // What regularisation draws towards: 0, but the item bias towards the mean; the ones beside the biases are nobody's to choose.
        let rank = self.params.rank;
        let (mut user_center, mut item_center) = (vec![0.0; self.params.width()], vec![0.0; self.params.width()]);
        if self.params.biases {
            (user_center[rank + 1], item_center[rank], item_center[rank + 1]) = (1.0, 1.0, self.mean());
        }
        for (rows, counts, center) in [(&self.users, user_counts, user_center), (&self.items, item_counts, item_center)] {
            for (row, count) in rows.iter().zip(counts) {
                let away: Vec<f64> = row.iter().zip(&center).map(|(x, center)| x - center).collect();
                loss += self.params.reg * scaled(&self.params, count) * dot(&away, &away);
            }
        }
        loss
    }
}

fn scaled(params: &AlsParams, count: f64) -> f64 {
    if params.reg_scaling == RegScaling::Plain { 1.0 } else { count }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Every row of one side from what it was `before`, against the `other` side.
fn solve_side(params: &AlsParams, side: Side, mean: f64, entries: &Entries, before: &[Vec<f64>], other: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let solve_row = |row: usize| {
        let rank = params.width();
        let mut a = vec![vec![0.0; rank + 1]; rank];
        let mut count = 0.0;
        let mut add = |y: &[f64], weight: f64, target: f64| {
            for i in 0..rank {
                (0..rank).for_each(|j| a[i][j] += weight * y[i] * y[j]);
                a[i][rank] += target * y[i];
            }
        };
        if params.implicit {
            other.iter().for_each(|y| add(y, 1.0, 0.0));
        }
        for &(_, column, rating, recency) in entries.iter().filter(|entry| entry.0 == row) {
            let y = &other[column];
            if !params.implicit {
                add(y, recency, recency * rating);
                count += recency;
            } else if rating > 0.0 {
                add(y, params.alpha * rating * recency, 1.0 + params.alpha * rating * recency);
                count += 1.0;
            } else {
                add(y, params.alpha * rating.abs() * recency, 0.0);
            }
        }
        let ridge = params.reg * scaled(params, count);
        (0..rank).for_each(|i| a[i][i] += ridge);
        if params.biases {
            let (one, own, center) = match side {
                Side::User => (params.rank + 1, params.rank, 0.0),
                Side::Item => (params.rank, params.rank + 1, mean),
            };
            a[own][rank] += ridge * center;
            // The equation `x[one] = 1` in place of its own.
            (0..=rank).for_each(|j| a[one][j] = f64::from(u8::from(j == one || j == rank)));
        }
        let held = params.biases.then_some(if side == Side::User { params.rank + 1 } else { params.rank });
        match params.solver {
            _ if params.nonnegative => best_of_all_supports(&a),
            Solver::Cholesky | Solver::Auto => eliminate(a),
            Solver::Cg => gradient_steps(&a, &before[row], held, params.cg_steps),
            Solver::IalsPlusPlus => block_steps(&a, &before[row], params.block_size.next_multiple_of(16)),
        }
    };
    (0..before.len()).map(solve_row).collect()
}

/// Conjugate gradients from `x`, as the textbook has them; `held` is not touched.
fn gradient_steps(a: &[Vec<f64>], x: &[f64], held: Option<usize>, steps: usize) -> Vec<f64> {
    let n = a.len();
    let times = |v: &[f64]| -> Vec<f64> { (0..n).map(|i| if Some(i) == held { 0.0 } else { dot(&a[i][..n], v) }).collect() };
    let mut x = x.to_vec();
    let mut residual: Vec<f64> = times(&x).iter().enumerate().map(|(i, ax)| if Some(i) == held { 0.0 } else { a[i][n] - ax }).collect();
    let mut direction = residual.clone();
    let right: f64 = a.iter().map(|row| row[n] * row[n]).sum();
    for _ in 0..steps {
        let before = dot(&residual, &residual);
        if before <= 1e-12 * right {
            break;
        }
        let product = times(&direction);
        let step = before / dot(&direction, &product);
        (0..n).for_each(|i| (x[i], residual[i]) = (x[i] + step * direction[i], residual[i] - step * product[i]));
        let ratio = dot(&residual, &residual) / before;
        (0..n).for_each(|i| direction[i] = residual[i] + ratio * direction[i]);
    }
    x
}

/// Each block of unknowns in turn solved with the others as they are.
fn block_steps(a: &[Vec<f64>], x: &[f64], block: usize) -> Vec<f64> {
    let n = a.len();
    let mut x = x.to_vec();
    for from in (0..n).step_by(block) {
        let columns = from..(from + block).min(n);
        let part = columns.clone().map(|i| {
            let others: f64 = (0..n).filter(|j| !columns.contains(j)).map(|j| a[i][j] * x[j]).sum();
            a[i][columns.clone()].iter().copied().chain([a[i][n] - others]).collect()
        });
        let solved = eliminate(part.collect());
        x[columns].copy_from_slice(&solved);
    }
    x
}

/// The `x ≥ 0` that minimises `½ xᵀA x − bᵀx`, `b` being the last column: of all sets of unknowns that may differ from 0,
/// solved one by one, the one that is nowhere negative and lowest. 2ⁿ solves.
pub(super) fn best_of_all_supports(a: &[Vec<f64>]) -> Vec<f64> {
    let n = a.len();
    let mut best = (0.0, vec![0.0; n]);
    for set in 1_u32..1 << n {
        let support: Vec<usize> = (0..n).filter(|i| set >> i & 1 == 1).collect();
        let part = eliminate(support.iter().map(|&i| support.iter().chain([&n]).map(|&j| a[i][j]).collect()).collect());
        // At the minimum over a support the objective is -½ bᵀx.
        let value: f64 = support.iter().zip(&part).map(|(&i, x)| -0.5 * a[i][n] * x).sum();
        if part.iter().all(|&x| x >= 0.0) && value < best.0 {
            best = (value, vec![0.0; n]);
            support.iter().zip(part).for_each(|(&i, x)| best.1[i] = x);
        }
    }
    best.1
}

/// Solves the system whose last column is the right-hand side.
fn eliminate(mut a: Vec<Vec<f64>>) -> Vec<f64> {
    let n = a.len();
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs())).unwrap();
        a.swap(column, pivot);
        for row in 0..n {
            if row != column {
                let factor = a[row][column] / a[column][column];
                let pivot = a[column].clone();
                a[row].iter_mut().zip(pivot).skip(column).for_each(|(x, pivot)| *x -= factor * pivot);
            }
        }
    }
    (0..n).map(|i| a[i][n] / a[i][i]).collect()
}
