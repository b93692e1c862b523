//! What the machine itself can do: `cargo bench -p recflow-stages --bench machine`. The roofs of the roofline table in `docs/benchmarks.md`.
//!
//! | figure | how |
//! |---|---|
//! | FMA peak | twelve independent chains of fused multiply-adds of whole vectors, nothing else; the widest vectors that the processor has |
//! | bandwidth | `sum += a[i]` over 512 MiB (read), and `a[i] = b[i] + s · c[i]` over 3 × 256 MiB (triad), on large pages |
//! | gather | rows of 256 bytes, drawn at random from tables of several sizes, added up: what training waits for |
//!
//! Each on one thread and on as many as there are; the best of five runs counts, since others can only make it slower.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

/// Rounds of the FMA loop, about a tenth of a second.
const ROUNDS: usize = 10_000_000;

/// Chains that do not wait for one another: latency times units is 8 to 10 on today's processors.
const CHAINS: usize = 12;

fn main() {
    let all = rayon::current_num_threads();
    for threads in [1, all] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let flop = best(|| {
                let started = Instant::now();
                let flop: f64 = (0..threads).into_par_iter().map(|_| fma()).sum();
                flop / started.elapsed().as_secs_f64()
            });
            println!("{threads} threads: FMA peak {:.0} GFLOP/s", flop / 1e9);
            let (read, triad) = bandwidth(threads);
            println!("{threads} threads: read {:.1} GB/s, triad {:.1} GB/s", read / 1e9, triad / 1e9);
            for rows in [10_000, 100_000, 480_000] {
                println!("{threads} threads: gather from {rows} rows of 256 bytes: {:.1} ns a row a thread", gather(threads, rows) * 1e9);
            }
        });
    }
}

/// The best of five runs of what counts upwards.
fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..5).map(|_| run()).fold(0.0, f64::max)
}

/// Runs the chains of one thread; how many operations that were.
fn fma() -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512.
            return unsafe { fma_avx512() };
        }
        if is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2 and FMA.
            return unsafe { fma_avx2() };
        }
    }
    let mut sums = [[1.0_f32; 4]; CHAINS];
    let (a, b) = (black_box([0.999_f32; 4]), black_box([1e-3_f32; 4]));
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            for lane in 0..4 {
                sum[lane] = sum[lane] * a[lane] + b[lane];
            }
        }
    }
    black_box(sums);
    (ROUNDS * CHAINS * 4 * 2) as f64
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn fma_avx512() -> f64 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_set1_ps};
    let mut sums = [_mm512_set1_ps(1.0); CHAINS];
    let (a, b) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(1e-3)));
    for _ in 0..ROUNDS {
        sums.iter_mut().for_each(|sum| *sum = _mm512_fmadd_ps(*sum, a, b));
    }
    black_box(sums);
    (ROUNDS * CHAINS * 16 * 2) as f64
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fma_avx2() -> f64 {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    let mut sums = [_mm256_set1_ps(1.0); CHAINS];
    let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(1e-3)));
    for _ in 0..ROUNDS {
        sums.iter_mut().for_each(|sum| *sum = _mm256_fmadd_ps(*sum, a, b));
    }
    black_box(sums);
    (ROUNDS * CHAINS * 8 * 2) as f64
}

/// Bytes a second that `threads` read, and that they move in a triad.
fn bandwidth(threads: usize) -> (f64, f64) {
    const FLOATS: usize = 64 << 20;
    let (mut a, b, c) = (large(FLOATS, 1.0), large(FLOATS, 2.0), large(FLOATS, 3.0));
    let part = FLOATS / threads;
    let read = best(|| {
        let started = Instant::now();
        let sum: f32 = b.par_chunks(part).zip(c.par_chunks(part)).map(|(b, c)| sum(b) + sum(c)).sum();
        black_box(sum);
        (2 * FLOATS * 4) as f64 / started.elapsed().as_secs_f64()
    });
    let triad = best(|| {
        let (started, scale) = (Instant::now(), black_box(3.0));
        a.par_chunks_mut(part).zip(b.par_chunks(part)).zip(c.par_chunks(part)).for_each(|((a, b), c)| {
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + scale * c);
        });
        black_box(&a);
        (3 * FLOATS * 4) as f64 / started.elapsed().as_secs_f64()
    });
    (read, triad)
}

/// In 64 lanes, so that the sum does not wait for itself.
fn sum(floats: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 64];
    for chunk in floats.chunks_exact(64) {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x);
    }
    sums.iter().sum()
}

/// Seconds that a thread takes for a row drawn at random from `rows` of 64 floats, all threads at once.
fn gather(threads: usize, rows: usize) -> f64 {
    const DRAWN: usize = 4_000_000;
    let table = large(rows * 64, 1.0);
    1.0 / best(|| {
        let started = Instant::now();
        (0..threads).into_par_iter().for_each(|thread| {
            let (mut at, mut sums) = (thread as u64 + 1, [0.0_f32; 64]);
            for _ in 0..DRAWN {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let row = (at >> 33) as usize % rows;
                sums.iter_mut().zip(&table[row * 64..][..64]).for_each(|(sum, x)| *sum += x);
            }
            black_box(sums);
        });
        DRAWN as f64 / started.elapsed().as_secs_f64()
    })
}

/// Floats on large pages, where the system grants them.
fn large(floats: usize, value: f32) -> Vec<f32> {
    let mut buffer = Vec::with_capacity(floats);
    #[cfg(target_os = "linux")]
    {
        let start = (buffer.as_ptr() as usize).next_multiple_of(4096);
        // SAFETY: whole pages inside an allocation that `buffer` owns; the advice changes nothing that can be read.
        unsafe { libc::madvise(start as *mut libc::c_void, (floats * 4).saturating_sub(4096), libc::MADV_HUGEPAGE) };
    }
    buffer.resize(floats, value);
    buffer
}
