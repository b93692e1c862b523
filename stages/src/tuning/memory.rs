//! How many trainings fit beside each other.
//!
//! What a training holds is known beforehand: factors, and what each thread works in. So nothing is measured while trials run, and
//! the plan of a rung is a pure function of the estimates and the limit.

use crate::als::AlsParams;
use crate::kernel::padded;
use crate::matrix::RatingMatrix;

/// Bytes that one training holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// While it waits between rungs: its factors.
    pub waiting: u64,
    /// While it runs: its factors, and what the threads that help work in.
    pub running: u64,
}

/// What the trainings of one rung may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many run beside each other, at least 1.
    pub parallel: usize,
    /// Which of them keep their factors for the next rung; the others begin again there.
    pub keep: Vec<bool>,
}

/// Ratings that `als` sums up in one piece; the sums of the pieces of a long row are all there at once.
const SEGMENT: u64 = 4096;
/// Bytes of gathered factors in a thread's workspace, and rows of them that there are at least.
const PANEL_BYTES: u64 = 512 << 10;
const PANEL: u64 = 128;
/// Rows that the implicit objective sums up in one piece, all pieces at once.
const BLOCK: u64 = 1024;

impl Footprint {
    /// An upper estimate for a training of `params` on `matrix`, and its evaluation, by so many threads.
    pub fn of(params: &AlsParams, matrix: &RatingMatrix, threads: usize) -> Self {
        let (stride, threads) = (padded(params.width()) as u64, threads as u64);
        let (users, items) = (matrix.users().len() as u64, matrix.items().len() as u64);
        let square = stride * stride * 4;
        let waiting = (users + items) * stride * 4;
        // Panel, the equations of a batch; twice the square again in f64 where f32 is not enough or signs are fixed.
        let scratch = threads * ((PANEL * stride * 4).max(PANEL_BYTES) + 8 * square);
        let long_rows = threads.min(users + items) * longest_row(matrix).div_ceil(SEGMENT) * square;
        let all_cells = if params.implicit { users.max(items).div_ceil(BLOCK) * square } else { 0 };
        // The item factors once more, in panels, to rank with.
        let ranking = items * stride * 4;
        Self { waiting, running: waiting + scratch + long_rows + all_cells + ranking }
    }
}

/// The most ratings of one user or item.
fn longest_row(matrix: &RatingMatrix) -> u64 {
    let of = |row_of: fn(&crate::matrix::Layer) -> &sprs::CsMatI<f32, u32, usize>| {
        let layers =
            matrix.layers().iter().map(|layer| row_of(layer).indptr().raw_storage().windows(2).map(|ends| ends[1] - ends[0]).max());
        layers.flatten().sum::<usize>()
    };
    of(|layer| &layer.by_user).max(of(|layer| &layer.by_item)) as u64
}

/// Bytes of a matrix: every rating by user and by item, and where rows begin.
pub fn matrix_bytes(matrix: &RatingMatrix) -> u64 {
    let rows = (matrix.users().len() + matrix.items().len()) as u64;
    matrix.nnz() as u64 * 16 + matrix.layers().len() as u64 * rows * 8
}

/// Plans a rung of trainings, best first, of which some are `held` from the rung before. `limit` is what factors and workspaces may take
/// together. Running beside each other comes first, keeping factors second; the best keep theirs first.
///
/// One runs in any case: who calls has left out what does not fit alone. Later rungs are a part of this one, so that what is kept leaves
/// them room for as many beside each other.
pub fn plan(trainings: &[Footprint], held: &[bool], limit: u64, parallel_max: usize) -> Plan {
    let waiting: u64 = trainings.iter().zip(held).filter(|(_, held)| **held).map(|(training, _)| training.waiting).sum();
    let mut largest: Vec<u64> = trainings.iter().map(|training| training.running).collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let mut free = limit.saturating_sub(waiting);
    let mut parallel = 0;
    for &running in largest.iter().take(parallel_max) {
        if running > free {
            break;
        }
        free -= running;
        parallel += 1;
    }
    let keep = trainings.iter().zip(held).map(|(training, &held)| {
        let fits = held || training.waiting <= free;
        if fits && !held {
            free -= training.waiting;
        }
        fits
    });
    Plan { keep: keep.collect(), parallel: parallel.max(1) }
}

/// Three quarters of the memory that is free for this process: of the machine and, where there is a limit, of its control group.
/// `None` where the system does not tell.
pub fn available() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
    let number = |file: &str| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max").zip(number("/sys/fs/cgroup/memory.current")).map(|(max, now)| max.saturating_sub(now));
    machine.into_iter().chain(group).min().map(|bytes| bytes / 4 * 3)
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matrix::Duplicates;
    use crate::ratings::Ratings;

    fn footprints(count: usize) -> Vec<Footprint> {
        vec![Footprint { waiting: 10, running: 30 }; count]
    }

    #[test]
    fn as_many_run_as_fit_and_as_many_wait_as_fit_beside_them() {
        let plan = |limit, parallel_max| plan(&footprints(5), &[false; 5], limit, parallel_max);
        assert_eq!(plan(u64::MAX, 8), Plan { parallel: 5, keep: vec![true; 5] });
        assert_eq!(plan(u64::MAX, 2), Plan { parallel: 2, keep: vec![true; 5] });
        assert_eq!(plan(95, 8), Plan { parallel: 3, keep: vec![false; 5] });
        assert_eq!(plan(95, 2), Plan { parallel: 2, keep: vec![true, true, true, false, false] });
        assert_eq!(plan(0, 8), Plan { parallel: 1, keep: vec![false; 5] });
    }

    #[test]
    fn the_memory_of_the_machine_is_read_from_what_the_kernel_says() {
        assert_eq!(mem_available("MemTotal: 9 kB\nMemAvailable:   24105 kB\n"), Some(24105 * 1024));
        assert_eq!(mem_available("MemTotal: 9 kB\n"), None);
    }

    #[test]
    fn an_estimate_is_of_the_order_of_the_factors_and_the_workspaces() {
        let mut ratings = Ratings::default();
        (0..100_000).for_each(|row| ratings.push(row % 40, row / 40, 3.0, 0));
        let matrix = RatingMatrix::build(&ratings, Duplicates::Latest).unwrap();
        assert_eq!(longest_row(&matrix), 2500);
        let of = |implicit, rank, threads| Footprint::of(&AlsParams { implicit, rank, ..AlsParams::default() }, &matrix, threads);
        assert_eq!(of(false, 64, 1).waiting, 2540 * 64 * 4);
        assert!(of(false, 64, 1).running > of(false, 64, 1).waiting + 128 * 64 * 4 + 64 * 64 * 4);
        assert!(of(false, 64, 2).running > of(false, 64, 1).running && of(false, 65, 1).running > of(false, 64, 1).running);
        assert!(of(true, 64, 1).running > of(false, 64, 1).running);
        assert_eq!(matrix_bytes(&matrix), 100_000 * 16 + 2540 * 8);
    }

    proptest! {
        #[test]
        fn a_plan_respects_the_limit_and_later_rungs_lose_no_room(
            sizes in prop::collection::vec((1_u64..50, 0_u64..100), 1..12), limit in 150_u64..2000, parallel_max in 1_usize..6, best in 0.0..1.0_f64,
        ) {
            let all: Vec<Footprint> = sizes.iter().map(|&(waiting, more)| Footprint { waiting, running: waiting + more }).collect();
            let first = plan(&all, &vec![false; all.len()], limit, parallel_max);
            let most = |of: &[Footprint], plan: &Plan| {
                let mut running: Vec<u64> = of.iter().map(|one| one.running).collect();
                running.sort_unstable_by(|a, b| b.cmp(a));
                let kept = of.iter().zip(&plan.keep).filter(|(_, keep)| **keep).map(|(one, _)| one.waiting);
                running[..plan.parallel].iter().sum::<u64>() + kept.sum::<u64>()
            };
            prop_assert!(most(&all, &first) <= limit);
            // The next rung is some of them.
            let count = 1 + ((all.len() - 1) as f64 * best) as usize;
            let second = plan(&all[..count], &first.keep[..count], limit, parallel_max);
            prop_assert!(second.parallel >= first.parallel.min(count));
            prop_assert!(most(&all[..count], &second) <= limit);
        }
    }
}
