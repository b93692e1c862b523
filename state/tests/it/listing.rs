//! Filters, pages, and lists around rows that cannot be read.

use proptest::prelude::*;
use recflow_state::{NewRun, RunFilter, RunId, RunStatus, Store, Trigger, UnixMs};
use rusqlite::Connection;
use serde_json::json;

use crate::samples::{create, id, store};

/// A run as the filter sees it.
#[derive(Debug, Clone)]
struct Sample {
    pipeline: usize,
    status: usize,
    trigger: usize,
    created_at: i64,
}

const PIPELINES: [&str; 3] = ["a", "b", "c"];

fn fill(store: &Store, samples: &[Sample]) {
    for (n, sample) in (1..).zip(samples) {
        let add = |tx: &recflow_state::Tx<'_>| {
            let run = NewRun {
                id: id(n),
                pipeline: PIPELINES[sample.pipeline].to_owned(),
                version: tx.pipeline_version("p", "h", "t", None, UnixMs(0))?,
                trigger: Trigger::ALL[sample.trigger],
                logical_date: UnixMs(0),
                params: json!({}),
                owner: None,
                created_at: UnixMs(sample.created_at),
                workspace: String::new(),
                binary_version: String::new(),
                priority: 0,
                cause: None,
                backfill: None,
                replay_of: None,
            };
            tx.create_run(&run, &[])?;
            tx.update_run(&id(n), RunStatus::ALL[sample.status], None, None, None)
        };
        store.write(add).unwrap();
    }
}

/// The ids of all pages, each of `size` runs.
fn pages(store: &Store, filter: &RunFilter, size: u32) -> Vec<RunId> {
    let (mut filter, mut found) = (filter.clone(), Vec::new());
    loop {
        let page = store.read(|view| view.runs(size, &filter)).unwrap();
        found.extend(page.iter().map(|run| run.id.clone()));
        match page.last() {
            Some(last) => filter.before = Some(last.id.clone()),
            None => return found,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_pages_of_any_filter_are_the_runs_that_pass_it_each_once_newest_first(
        samples in prop::collection::vec((0..3usize, 0..5usize, 0..5usize, 0..8i64), 0..25),
        (pipeline, status, trigger) in (prop::option::of(0..3usize), prop::option::of(0..5usize), prop::option::of(0..5usize)),
        (since, until) in (prop::option::of(0..9i64), prop::option::of(0..9i64)),
        size in 1..7u32,
    ) {
        let samples: Vec<Sample> =
            samples.into_iter().map(|(pipeline, status, trigger, created_at)| Sample { pipeline, status, trigger, created_at }).collect();
        let (_folder, store) = store();
        fill(&store, &samples);
        let passes = |sample: &&Sample| {
            pipeline.is_none_or(|wanted| sample.pipeline == wanted)
                && status.is_none_or(|wanted| sample.status == wanted)
                && trigger.is_none_or(|wanted| sample.trigger == wanted)
                && since.is_none_or(|since| sample.created_at >= since)
                && until.is_none_or(|until| sample.created_at < until)
        };
        let mut expected: Vec<(i64, u64)> =
            (1..).zip(&samples).filter(|(_, sample)| passes(sample)).map(|(n, sample)| (sample.created_at, n)).collect();
        if since.is_none() && until.is_none() {
            expected.iter_mut().for_each(|(at, _)| *at = 0);
        }
        expected.sort_unstable();
        expected.reverse();
        let filter = RunFilter {
            pipeline: pipeline.map(|index| PIPELINES[index].to_owned()),
            status: status.map(|index| RunStatus::ALL[index]),
            trigger: trigger.map(|index| Trigger::ALL[index]),
            since: since.map(UnixMs),
            until: until.map(UnixMs),
            before: None,
        };
        prop_assert_eq!(pages(&store, &filter, size), expected.into_iter().map(|(_, n)| id(n)).collect::<Vec<_>>());
        let mut names: Vec<&str> = samples.iter().map(|sample| PIPELINES[sample.pipeline]).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(store.read(|view| view.pipelines_with_runs()).unwrap(), names);
    }
}

#[test]
fn a_row_that_cannot_be_read_is_left_out_of_a_list_and_named() {
    let (_folder, store) = store();
    for n in 1..=3 {
        store.write(|tx| create(tx, n, "p")).unwrap();
    }
    let path = store.path().to_owned();
    drop(store);
    let tamper = format!("UPDATE run SET status = 'exploded' WHERE id = '{}'; UPDATE run SET params = '{{' WHERE id = '{}'", id(2), id(3));
    Connection::open(&path).unwrap().execute_batch(&tamper).unwrap();

    let reader = Store::open_read_only(&path).unwrap();
    let (runs, damage) = reader.read_around_damage(|view| view.runs(9, &RunFilter::default())).unwrap();
    assert_eq!(runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>(), [id(1)]);
    let said: Vec<String> = damage.iter().map(ToString::to_string).collect();
    assert!(said[0].starts_with(&format!("id {}, pipeline p: column `params`: EOF while parsing", id(3))), "{said:?}");
    assert!(said[1].starts_with(&format!("id {}, pipeline p: column `status`: unknown run status `exploded`", id(2))), "{said:?}");

    // Who names a run must not get another one.
    for selector in ["latest", id(3).as_str()] {
        let error = reader.read_around_damage(|view| view.find_run(selector)).unwrap_err().to_string();
        assert!(error.contains(&format!("is damaged: id {}, pipeline p: column `params`", id(3))), "{error}");
    }
    let strict = reader.read(|view| view.runs(9, &RunFilter::default())).unwrap_err().to_string();
    assert!(strict.contains("is damaged: id") && strict.contains("column `params`"), "{strict}");
}
