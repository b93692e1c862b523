use std::fs;

use recflow_state::{NewRun, RunFilter, RunId, RunStatus, Trigger};
use serde_json::json;

use super::*;

const DAY: i64 = 86_400_000;
const NOW: UnixMs = UnixMs(1_000 * DAY);

/// A workspace with runs, and files of theirs.
struct Place {
    _folder: tempfile::TempDir,
    workspace: Workspace,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path(), None).unwrap();
        let store = Store::open(workspace.store()).unwrap();
        Self { _folder: folder, workspace, store }
    }

    /// Run `n` of `pipeline`, over since `days` days if that is given, with a log of `log` bytes, a report and rejects.
    fn run(&self, n: u64, pipeline: &str, days: Option<i64>, log: usize) -> RunId {
        let id = RunId::from_random(n);
        let add = |tx: &recflow_state::Tx<'_>| {
            let run = NewRun {
                id: id.clone(),
                pipeline: pipeline.to_owned(),
                version: tx.pipeline_version(pipeline, "h", "t", None, NOW)?,
                trigger: Trigger::Manual,
                logical_date: NOW,
                params: json!({}),
                owner: None,
                created_at: NOW,
                workspace: String::new(),
                binary_version: String::new(),
                priority: 0,
                cause: None,
                backfill: None,
                replay_of: None,
            };
            tx.create_run(&run, &[])?;
            match days {
                Some(days) => tx.update_run(&id, RunStatus::Failed, Some(NOW), Some(UnixMs(NOW.0 - days * DAY)), None),
                None => tx.update_run(&id, RunStatus::Running, Some(NOW), None, None),
            }
        };
        self.store.write(add).unwrap();
        self.write(&format!("logs/{id}/a/1.jsonl"), log);
        self.write(&format!("reports/{id}.html"), 10);
        self.write(&format!("rejects/{id}_a_0.train.tsv"), 10);
        id
    }

    fn write(&self, name: &str, bytes: usize) {
        let path = self.workspace.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x".repeat(bytes)).unwrap();
    }

    fn sweep(&self, policy: &Retention) -> Swept {
        sweep(&self.store, &self.workspace, policy, NOW).unwrap()
    }

    fn runs(&self) -> Vec<RunId> {
        let runs = self.store.read(|view| view.runs(99, &RunFilter::default())).unwrap();
        runs.into_iter().map(|run| run.id).collect()
    }

    /// Which of logs, report and rejects a run has.
    fn files(&self, run: &RunId) -> [bool; 3] {
        let names = [format!("logs/{run}"), format!("reports/{run}.html"), format!("rejects/{run}_a_0.train.tsv")];
        names.map(|name| self.workspace.home().join(name).exists())
    }
}

#[test]
fn runs_go_by_age_and_by_number_with_their_files_and_never_one_that_is_not_over() {
    let place = Place::new();
    let old = place.run(1, "p", Some(91), 5);
    let surplus = place.run(2, "p", Some(3), 5);
    let [kept, kept_too] = [place.run(3, "p", Some(2), 5), place.run(4, "p", Some(1), 5)];
    let other = place.run(5, "q", Some(80), 5);
    let under_way = place.run(6, "p", None, 5);
    let swept = place.sweep(&Retention { runs: 2, ..Retention::default() });
    assert_eq!((swept.runs, swept.files, swept.bytes, swept.problems.len()), (2, 7, 55, 0), "and the log of the old one of q");
    assert_eq!(place.runs(), [under_way.clone(), other.clone(), kept_too.clone(), kept.clone()]);
    for gone in [old, surplus] {
        assert_eq!(place.files(&gone), [false; 3]);
    }
    for run in [kept, kept_too, under_way] {
        assert_eq!(place.files(&run), [true; 3]);
    }
    assert_eq!(place.files(&other), [false, true, true], "logs go after 30 days");
    assert!(place.sweep(&Retention { runs: 2, ..Retention::default() }).is_nothing());
}

#[test]
fn the_oldest_logs_go_until_the_rest_fits_and_those_under_way_stay() {
    let place = Place::new();
    let [oldest, older, newest] = [place.run(1, "p", Some(3), 100), place.run(2, "p", Some(2), 100), place.run(3, "p", Some(1), 100)];
    let under_way = place.run(4, "p", None, 100);
    let swept = place.sweep(&Retention { max_size: 250, ..Retention::default() });
    assert_eq!((swept.runs, swept.files, swept.bytes), (0, 2, 200));
    let has_logs = |run: &RunId| place.files(run)[0];
    assert_eq!([&oldest, &older, &newest, &under_way].map(has_logs), [false, false, true, true]);
    place.sweep(&Retention { max_size: 0, ..Retention::default() });
    assert_eq!([&newest, &under_way].map(has_logs), [false, true]);
}

#[test]
fn files_of_no_run_go_after_an_hour_and_other_files_stay() {
    let place = Place::new();
    let orphan = RunId::from_random(9);
    place.write(&format!("logs/{orphan}/a/1.jsonl"), 5);
    place.write("logs/notes/mine.txt", 5);
    place.write("reports/mine.html", 5);
    // The files are as old as the test: NOW lies before it, and an hour from then after.
    let at = |now: i64| sweep(&place.store, &place.workspace, &Retention::default(), UnixMs(now)).unwrap().files;
    assert_eq!(at(NOW.0), 0);
    assert_eq!(at(i64::MAX / 2), 1);
    assert!(!place.files(&orphan)[0] && place.workspace.home().join("logs/notes/mine.txt").exists());
    assert!(place.workspace.home().join("reports/mine.html").exists());
}

#[test]
fn a_run_that_was_resumed_after_the_plan_keeps_everything() {
    let place = Place::new();
    let [run, other] = [place.run(1, "p", Some(100), 5), place.run(2, "p", Some(40), 5)];
    let plan = place.store.read(|view| plan(view, &place.workspace, &Retention::default(), NOW)).unwrap();
    assert_eq!((plan.runs.as_slice(), plan.files.len()), (std::slice::from_ref(&run), 4));
    for id in [&run, &other] {
        place.store.write(|tx| tx.update_run(id, RunStatus::Running, Some(NOW), None, None)).unwrap();
    }
    let swept = carry_out(&plan, &place.store).unwrap();
    assert!(swept.is_nothing(), "{swept:?}");
    assert_eq!([place.files(&run), place.files(&other)], [[true; 3]; 2]);
}
