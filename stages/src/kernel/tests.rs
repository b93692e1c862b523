//! Every instruction set against plain loops in f64.

use proptest::prelude::*;

use super::*;

fn aligned(values: &[f32]) -> Aligned {
    let mut buffer = Aligned::zeroed(values.len());
    buffer.as_mut_slice()[..values.len()].copy_from_slice(values);
    buffer
}

/// `rows` rows of `rank` random floats, padded.
fn matrix(rows: usize, rank: usize, seed: u64) -> Aligned {
    use rand::{RngExt, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let stride = padded(rank);
    let mut values = vec![0.0; rows * stride];
    for row in values.chunks_mut(stride) {
        row[..rank].fill_with(|| random.random_range(-1.0..1.0));
    }
    aligned(&values)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// `b` and `A` of a well-conditioned system of `rank` unknowns, padded, and its `x`.
fn system(rank: usize, seed: u64) -> (Vec<f32>, Aligned) {
    let stride = padded(rank);
    let (rows, x) = (matrix(2 * rank + 3, rank, seed), matrix(1, rank, seed ^ 1));
    let mut a = vec![0.0_f32; stride * stride];
    for i in 0..stride {
        for j in 0..stride {
            let products: f64 = rows.as_slice().chunks(stride).map(|row| f64::from(row[i]) * f64::from(row[j])).sum();
            a[i * stride + j] = (products
                + if i != j {
                    0.0
                } else if i < rank {
                    3.0
                } else {
                    1.0
                }) as f32;
        }
    }
    let mut system: Vec<f32> = (0..stride).map(|i| dot(&a[i * stride..][..stride], x.as_slice()) as f32).collect();
    system.append(&mut a);
    (system, x)
}

#[test]
fn this_machine_is_tested_with_more_than_the_portable_kernel_if_it_can() {
    let names: Vec<&str> = Kernel::available().map(Kernel::name).collect();
    assert_eq!(names.last(), Some(&"portable"));
    assert_eq!(Kernel::detect().name(), names[0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gather_and_gram_equal_plain_sums(rank in 1_usize..100, rows in 1_usize..40, depth in 0_usize..70, weighted: bool, seed: u64) {
        let stride = padded(rank);
        let factors = matrix(rows, rank, seed);
        let columns: Vec<u32> = (0..depth).map(|p| (p * 7 % rows) as u32).collect();
        let targets: Vec<f32> = (0..depth).map(|p| (p % 5) as f32 + 0.5).collect();
        let scales: Vec<f32> = (0..depth).map(|p| if weighted { 0.5 + (p % 3) as f32 } else { 1.0 }).collect();
        for kernel in Kernel::available() {
            let mut panel = Aligned::zeroed(depth * stride);
            let (mut rhs, mut gram) = (Aligned::zeroed(stride), Aligned::zeroed(stride * stride));
            kernel.gather(factors.as_slice(), stride, &columns, weighted.then_some(&scales[..]), &targets, panel.as_mut_slice(), rhs.as_mut_slice());
            kernel.gram(panel.as_slice(), depth, stride, 0..stride, gram.as_mut_slice(), Ahead::default());
            for i in 0..stride {
                let column = |i: usize| -> Vec<f32> { columns.iter().map(|&c| factors.as_slice()[c as usize * stride + i]).collect() };
                let expected = dot(&column(i), &targets);
                prop_assert!((f64::from(rhs.as_slice()[i]) - expected).abs() < 1e-4, "{}: rhs {i}", kernel.name());
                for j in i..stride {
                    let expected: f64 = column(i).iter().zip(column(j)).zip(&scales).map(|((&a, b), &s)| f64::from(a * b * s * s)).sum();
                    prop_assert!((f64::from(gram.as_slice()[i * stride + j]) - expected).abs() < 1e-3, "{}: gram {i} {j}", kernel.name());
                }
            }
        }
    }

    #[test]
    fn products_with_a_panel_and_with_some_of_its_columns_equal_plain_sums(rank in 1_usize..130, depth in 0_usize..40, cut: (usize, usize), seed: u64) {
        let stride = padded(rank);
        let (panel, x, weights) = (matrix(depth, rank, seed), matrix(1, rank, seed ^ 1), matrix(1, depth.max(1), seed ^ 2));
        let cuts = [cut.0 % (stride / PAD), cut.1 % (stride / PAD)].map(|cut| cut * PAD);
        let columns = cuts[0].min(cuts[1])..cuts[0].max(cuts[1]) + PAD;
        let (width, weights) = (columns.len(), &weights.as_slice()[..depth]);
        let row = |p: usize| &panel.as_slice()[p * stride..][columns.clone()];
        for kernel in Kernel::available() {
            let (mut products, mut sums, mut gram) = (vec![0.5; depth], vec![0.5; width], vec![0.5; width * width]);
            kernel.multiply(panel.as_slice(), stride, columns.clone(), &x.as_slice()[columns.clone()], &mut products);
            kernel.multiply_transposed(panel.as_slice(), stride, columns.clone(), weights, &mut sums);
            kernel.gram(panel.as_slice(), depth, stride, columns.clone(), &mut gram, Ahead { factors: panel.as_slice(), stride, columns: &[0, 7, u32::MAX] });
            for (p, found) in products.into_iter().enumerate() {
                prop_assert!((f64::from(found) - 0.5 - dot(row(p), &x.as_slice()[columns.clone()])).abs() < 1e-4, "{}: row {p}", kernel.name());
            }
            let column = |c: usize| -> Vec<f32> { (0..depth).map(|p| row(p)[c]).collect() };
            for c in 0..width {
                prop_assert!((f64::from(sums[c]) - 0.5 - dot(&column(c), weights)).abs() < 1e-4, "{}: column {c}", kernel.name());
                for d in c..width {
                    let found = f64::from(gram[c * width + d]);
                    prop_assert!((found - 0.5 - dot(&column(c), &column(d))).abs() < 1e-4, "{}: columns {c} {d}", kernel.name());
                }
            }
        }
    }

    #[test]
    fn solving_gives_back_the_vectors_whatever_the_company(rank in 1_usize..100, count in 1_usize..7, seed: u64) {
        let stride = padded(rank);
        let size = system_floats(stride);
        let systems: Vec<(Vec<f32>, Aligned)> = (0..count as u64).map(|s| system(rank, seed ^ s << 8)).collect();
        let floats: Vec<f32> = systems.iter().flat_map(|(floats, _)| floats.clone()).collect();
        for kernel in Kernel::available() {
            let (mut all, mut work) = (aligned(&floats), Aligned::zeroed(2 * stride * SYSTEMS));
            let refused = kernel.solve(&mut all.as_mut_slice()[..count * size], work.as_mut_slice(), stride);
            for (s, (alone, x)) in systems.iter().enumerate() {
                prop_assert!(!refused.contains(s));
                let found = &all.as_slice()[s * size..][..stride];
                for (found, expected) in found.iter().zip(x.as_slice()) {
                    prop_assert!((found - expected).abs() < 1e-3, "{}: {found} for {expected}", kernel.name());
                }
                let mut alone = aligned(alone);
                kernel.solve(&mut alone.as_mut_slice()[..size], work.as_mut_slice(), stride);
                prop_assert_eq!(&alone.as_slice()[..stride], found, "{}", kernel.name());
            }
        }
    }

    #[test]
    fn scores_equal_plain_sums(rank in 1_usize..100, seed: u64) {
        let stride = padded(rank);
        let (users, items) = (matrix(SCORE_USERS, rank, seed), matrix(SCORE_ITEMS, rank, seed ^ 1));
        let transposed = |m: &Aligned, n: usize| -> Vec<f32> {
            (0..rank * n).map(|at| m.as_slice()[at % n * stride + at / n]).collect()
        };
        for kernel in Kernel::available() {
            let mut scores = vec![f32::NAN; SCORE_USERS * SCORE_ITEMS];
            kernel.scores(&transposed(&users, SCORE_USERS), &transposed(&items, SCORE_ITEMS), rank, &mut scores);
            for u in 0..SCORE_USERS {
                let user = &users.as_slice()[u * stride..][..stride];
                for i in 0..SCORE_ITEMS {
                    let expected = dot(user, &items.as_slice()[i * stride..][..stride]);
                    prop_assert!((f64::from(scores[u * SCORE_ITEMS + i]) - expected).abs() < 1e-4);
                }
            }
        }
    }
}

#[test]
fn an_ill_conditioned_system_is_refused_and_its_company_is_not() {
    let size = system_floats(PAD);
    for kernel in Kernel::available() {
        for (last, place) in [0.0, -1.0, 1e-5, f32::NAN, f32::INFINITY].into_iter().zip([0, 1, 3, 4, 5]) {
            let mut systems = vec![0.0; 6 * size];
            for system in systems.chunks_mut(size) {
                system[..PAD].fill(3.0);
                (0..PAD).for_each(|i| system[PAD + i * PAD + i] = 1.0);
            }
            systems[place * size + PAD + 5 * PAD + 5] = last;
            let refused = kernel.solve(&mut systems, &mut [0.0; 2 * PAD * SYSTEMS], PAD);
            for (s, system) in systems.chunks(size).enumerate() {
                assert_eq!(refused.contains(s), s == place, "{} {last}", kernel.name());
                assert!(s == place || system[..PAD] == [3.0; PAD], "{} {last}", kernel.name());
            }
        }
    }
}

#[test]
#[should_panic(expected = "out of range")]
fn a_column_outside_the_factors_is_a_bug_that_panics() {
    let factors = matrix(2, 16, 1);
    Kernel::detect().gather(factors.as_slice(), 16, &[2], None, &[1.0], &mut [0.0; 16], &mut [0.0; 16]);
}
