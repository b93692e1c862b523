//! ALS in f64, slow and clear, with nothing in common with the fast one but the initial factors: rows as lists of
//! (column, rating), normal equations by three nested loops, Gaussian elimination with row exchanges.

use super::hyperparams::{AlsParams, RegScaling};

/// Ratings as (user row, item row, rating).
pub(super) type Triples = Vec<(usize, usize, f64)>;

/// The factors of both sides, rows of `rank`.
#[derive(Debug, Clone)]
pub(super) struct Oracle {
    pub(super) params: AlsParams,
    pub(super) triples: Triples,
    pub(super) users: Vec<Vec<f64>>,
    pub(super) items: Vec<Vec<f64>>,
}

impl Oracle {
    pub(super) fn solve_items(&mut self) {
        let triples: Triples = self.triples.iter().map(|&(user, item, rating)| (item, user, rating)).collect();
        self.items = solve_side(&self.params, &triples, self.items.len(), &self.users);
    }

    pub(super) fn solve_users(&mut self) {
        self.users = solve_side(&self.params, &self.triples, self.users.len(), &self.items);
    }

    /// The objective, over all cells one by one.
    pub(super) fn loss(&self) -> f64 {
        let mut loss = 0.0;
        let (mut user_counts, mut item_counts) = (vec![0.0; self.users.len()], vec![0.0; self.items.len()]);
        for &(user, item, rating) in &self.triples {
            let counts = if !self.params.implicit || rating > 0.0 { 1.0 } else { 0.0 };
            user_counts[user] += counts;
            item_counts[item] += counts;
            let predicted = dot(&self.users[user], &self.items[item]);
            loss += match self.params.implicit {
                false => (rating - predicted).powi(2),
                true => {
                    let (confidence, preference) = (1.0 + self.params.alpha * rating.abs(), f64::from(u8::from(rating > 0.0)));
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
        for (rows, counts) in [(&self.users, user_counts), (&self.items, item_counts)] {
            for (row, count) in rows.iter().zip(counts) {
                loss += self.params.reg * scaled(&self.params, count) * dot(row, row);
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

fn solve_side(params: &AlsParams, triples: &Triples, rows: usize, other: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let solve_row = |row: usize| {
        let rank = params.rank;
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
        for &(_, column, rating) in triples.iter().filter(|triple| triple.0 == row) {
            let y = &other[column];
            if !params.implicit {
                add(y, 1.0, rating);
                count += 1.0;
            } else if rating > 0.0 {
                add(y, params.alpha * rating, 1.0 + params.alpha * rating);
                count += 1.0;
            } else {
                add(y, params.alpha * rating.abs(), 0.0);
            }
        }
        (0..rank).for_each(|i| a[i][i] += params.reg * scaled(params, count));
        if params.nonnegative { best_of_all_supports(&a) } else { eliminate(a) }
    };
    (0..rows).map(solve_row).collect()
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
