//! The distribution of the two-sided Kolmogorov-Smirnov statistic `D_n` of one sample of n elements.
//!
//! After Simard and L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution" (Journal of Statistical Software 39, 2011): no single
//! formula is accurate everywhere, so the plane of (n, d) is divided.
//!
//! | where | how |
//! |---|---|
//! | `n d ≤ 1`, `n d ≥ n - 1` | closed forms (Ruben, Gambino 1982) |
//! | d large: `d ≥ ½`, or `n d²` over 4 (2.2 for n > 140) | twice the one-sided tail, an exact sum (Miller 1956) |
//! | n ≤ 140, or `n d^1.5 ≤ 1.4` | Durbin's matrix (Marsaglia, Tsang, Wang 2003), exact |
//! | the rest, and all of n > 100,000 | the series of Pelz and Good (1976) |

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

/// Above this many elements the series is good to 1e-10 everywhere, and the exact sums are long.
const LARGE: u64 = 100_000;

/// `P(D_n ≥ d)` for n at least 1; from 0 to 1.
pub fn survival(n: u64, d: f64) -> f64 {
    let size = n as f64;
    let (nd, nd2) = (size * d, size * d * d);
    let survival = if nd <= 0.5 {
        1.0
    } else if d >= 1.0 {
        0.0
    } else if nd <= 1.0 {
        // n! ((2 n d - 1) / n)^n
        1.0 - (ln_gamma(size + 1.0) + size * ((2.0 * nd - 1.0) / size).ln()).exp()
    } else if nd >= size - 1.0 {
        2.0 * (size * (-d).ln_1p()).exp()
    } else if n > LARGE {
        if nd2 >= 18.0 { 0.0 } else { 1.0 - pelz_good(size, d) }
    } else if d >= 0.5 || nd2 > if n <= 140 { 4.0 } else { 2.2 } {
        2.0 * one_sided(n, d)
    } else if n <= 140 || size * d.powf(1.5) <= 1.4 {
        1.0 - durbin(n, d)
    } else {
        1.0 - pelz_good(size, d)
    };
    survival.clamp(0.0, 1.0)
}

/// `P(D_n⁺ ≥ d) = d Σ_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)` over `0 ≤ j ≤ n (1 - d)` (Birnbaum, Tingey 1951). All terms are positive.
fn one_sided(n: u64, d: f64) -> f64 {
    let size = n as f64;
    let ln_factorial = ln_gamma(size + 1.0);
    let term = |j: u64| {
        let j = j as f64;
        let (up, left) = (d + j / size, 1.0 - d - j / size);
        if left <= 0.0 {
            return 0.0;
        }
        let ln_choose = ln_factorial - ln_gamma(j + 1.0) - ln_gamma(size - j + 1.0);
        (ln_choose + (j - 1.0) * up.ln() + (size - j) * left.ln()).exp()
    };
    d * (0..=(size * (1.0 - d)) as u64).map(term).sum::<f64>()
}

/// `P(D_n < d)` as an element of the n-th power of Durbin's matrix; the notation is that of Marsaglia, Tsang and Wang.
fn durbin(n: u64, d: f64) -> f64 {
    let size = n as f64;
    let k = (size * d).ceil() as usize;
    let (m, h) = (2 * k - 1, k as f64 - size * d);
    let mut matrix = vec![0.0; m * m];
    for (row, cells) in matrix.chunks_mut(m).enumerate() {
        // Ones on, below and one above the diagonal, then the borders, then the factorials.
        cells[..(row + 2).min(m)].fill(1.0);
    }
    for i in 0..m {
        let power = |exponent: usize| h.powi(exponent as i32);
        matrix[i * m] -= power(i + 1);
        matrix[(m - 1) * m + i] -= power(m - i);
    }
    if h > 0.5 {
        matrix[(m - 1) * m] += (2.0 * h - 1.0).powi(m as i32);
    }
    for row in 0..m {
        let mut factorial = 1.0;
        for column in (0..=row).rev() {
            factorial *= (row - column + 1) as f64;
            matrix[row * m + column] /= factorial;
        }
    }
    let (element, exponent) = power(matrix, m, n, k - 1);
    // The element times n! / nⁿ.
    (element.ln() + f64::from(exponent) * SCALE.ln() + ln_gamma(size + 1.0) - size * size.ln()).exp()
}

/// What a matrix is divided by when it threatens to overflow.
const SCALE: f64 = 1e140;

/// The element `(at, at)` of `matrix`ⁿ, as a number and how many times it must be multiplied by [`SCALE`].
fn power(mut base: Vec<f64>, m: usize, mut n: u64, at: usize) -> (f64, i32) {
    let (mut row, mut row_exponent, mut base_exponent) = (vec![0.0; m], 0, 0);
    row[at] = 1.0;
    // One row of the result is enough: it is multiplied with base, base², base⁴, … where n has a bit.
    loop {
        if n & 1 == 1 {
            row = (0..m).map(|column| (0..m).map(|i| row[i] * base[i * m + column]).sum()).collect();
            row_exponent += base_exponent;
            scale_down(&mut row, at, &mut row_exponent);
        }
        n >>= 1;
        if n == 0 {
            return (row[at], row_exponent);
        }
        base = product(&base, m);
        base_exponent *= 2;
        scale_down(&mut base, at * m + at, &mut base_exponent);
    }
}

fn scale_down(numbers: &mut [f64], pivot: usize, exponent: &mut i32) {
    if numbers[pivot] > SCALE {
        numbers.iter_mut().for_each(|number| *number /= SCALE);
        *exponent += 1;
    }
}

fn product(a: &[f64], m: usize) -> Vec<f64> {
    let mut squared = vec![0.0; m * m];
    for (to, row) in squared.chunks_mut(m).zip(a.chunks(m)) {
        for (&factor, other) in row.iter().zip(a.chunks(m)) {
            to.iter_mut().zip(other).for_each(|(to, &other)| *to += factor * other);
        }
    }
    squared
}

/// `P(D_n < d)` by the series of Pelz and Good up to n^(-3/2), as equations (9) to (12) of Simard and L'Ecuyer give it.
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let (z2, pi2) = (z * z, PI * PI);
    let (z4, z6, z8) = (z2 * z2, z2.powi(3), z2.powi(4));
    let terms = (16.0 * z / PI).ceil() as u32;
    let mut sums = [0.0_f64; 4];
    for i in 1..=terms {
        // Over the odd numbers, that is over ±(i - ½).
        let m2 = f64::from(2 * i - 1).powi(2);
        let (m4, m6) = (m2 * m2, m2.powi(3));
        let decay = (-pi2 * m2 / (8.0 * z2)).exp();
        sums[0] += decay;
        sums[1] += decay * (-z2 + pi2 / 4.0 * m2);
        sums[2] += decay * (6.0 * z6 + 2.0 * z4 + pi2 / 4.0 * (2.0 * z4 - 5.0 * z2) * m2 + pi2.powi(2) / 16.0 * (1.0 - 2.0 * z2) * m4);
        sums[3] += decay
            * (-30.0 * z6 - 90.0 * z8
                + pi2 / 4.0 * (135.0 * z4 - 96.0 * z6) * m2
                + pi2.powi(2) / 16.0 * (212.0 * z4 - 60.0 * z2) * m4
                + pi2.powi(3) / 64.0 * (5.0 - 30.0 * z2) * m6);
    }
    let (mut second, mut third) = (0.0, 0.0);
    for i in 1..=terms {
        let k2 = f64::from(i).powi(2);
        let decay = (-pi2 * k2 / (2.0 * z2)).exp();
        second += k2 * decay;
        third += (3.0 * z2 - pi2 * k2) * k2 * decay;
    }
    let root = (2.0 * PI).sqrt();
    let orders = [
        root / z * sums[0],
        root / (6.0 * z4) * sums[1],
        root / (72.0 * z.powi(7)) * sums[2] - root * pi2 / (36.0 * z.powi(3)) * second,
        root / (6480.0 * z.powi(10)) * sums[3] + root * pi2 / (216.0 * z6) * third,
    ];
    orders[0] + orders[1] / n.sqrt() + orders[2] / n + orders[3] / n.powf(1.5)
}
