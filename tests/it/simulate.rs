//! Simulations through the binary: what they decide and measure, that they touch nothing, and that whatever kills them they end the same.

use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Small models: these tests are about what happens, not about how good it is.
const SMALL: [&str; 4] = ["-p", "rank=4", "-p", "max_iter=2"];

/// A workspace after `etl-train-test`, with a stream of four months: as before, drifted, nothing, as before.
struct Prepared(Sandbox);

impl Prepared {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.recflow(&["stage", "generate", "output=data/combined", "stream_output=arriving", "ratings=20000"]).exits(0);
        sandbox.recflow(&[&["run", "etl-train-test"][..], &SMALL].concat()).exits(0);
        let mut stream = "DATE,CUST_ID,MOVIE_ID,RATING\n".to_owned();
        for (name, date) in [("nodrift", "2006-01-10"), ("drift", "2006-02-10"), ("nodrift", "2006-04-10")] {
            for row in sandbox.read(&format!("arriving/{name}.csv")).lines().skip(1) {
                let (_, rest) = row.split_once(',').expect("a date first");
                stream.push_str(&format!("{date},{rest}\n"));
            }
        }
        sandbox.write("data/processed/future.csv", &stream);
        Self(sandbox)
    }

    fn copy(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        let copied = Command::new("cp").arg("-a").arg(self.0.file(".")).arg(sandbox.path()).status().expect("cp starts");
        assert!(copied.success());
        sandbox
    }
}

/// `recflow simulate drift-retrain --every month` with more arguments.
fn monthly<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["simulate", "drift-retrain", "--every", "month"], &SMALL[..], more].concat()
}

/// What must be the same however often a simulation was interrupted: everything but ids and times of the real clock.
fn essence(result: &Value) -> Value {
    let mut policies = result["policies"].clone();
    for policy in policies.as_array_mut().expect("a list") {
        policy["totals"]["seconds"].take();
        for period in policy["periods"].as_array_mut().expect("a list") {
            for ours in ["run", "seconds"] {
                period[ours].take();
            }
        }
    }
    assert!(!policies[0]["periods"].as_array().expect("a list").is_empty());
    policies
}

fn column<'v>(policy: &'v Value, pointer: &str) -> Vec<&'v Value> {
    let periods = policy["periods"].as_array().expect("a list").iter();
    periods.map(|period| period.pointer(pointer).unwrap_or(&Value::Null)).collect()
}

/// Everything that a user has, with the times at which it was changed.
fn everything(sandbox: &Sandbox) -> String {
    let listed = Command::new("find").args(["data", "models", "-printf", "%p %T@ %s %l\n"]).current_dir(sandbox.path()).output();
    let text = String::from_utf8(listed.expect("find starts").stdout).expect("UTF-8");
    // Locks are taken, which changes nothing; the size of a folder is the file system's business.
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.contains("lock ")).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn three_policies_are_played_through_four_months_and_the_workspace_stays_as_it_was() {
    let prepared = Prepared::new();
    let sandbox = &prepared.0;
    let before = everything(sandbox);
    let ran = sandbox.recflow(&monthly(&["--policy", "drift,never,always", "--json"])).exits(0);
    let result = ran.json();
    assert_eq!(everything(sandbox), before, "datasets and models are the user's");
    let [drift, never, always] = [0, 1, 2].map(|policy| &result["policies"][policy]);

    assert_eq!(column(drift, "/period"), ["2006-01", "2006-02", "2006-03", "2006-04"]);
    assert_eq!(column(drift, "/ratings"), [500, 500, 0, 500]);
    let decisions = column(drift, "/decision");
    assert_eq!((decisions[0], decisions[2]), (&json!("keep"), &json!("no_ratings")));
    assert!(["promote", "retrain"].contains(&decisions[1].as_str().expect("a word")), "{decisions:?}");
    assert_eq!(column(never, "/decision"), ["keep", "keep", "no_ratings", "keep"]);
    assert_eq!((&always["totals"]["retrainings"], &never["totals"]["retrainings"]), (&json!(3), &json!(0)));

    // Without retraining is what it says: the same figures as those of the policy that never retrains.
    for policy in [drift, always] {
        assert_eq!(column(policy, "/prequential/start"), column(never, "/prequential/model"));
    }
    assert_eq!(column(never, "/prequential/start"), column(never, "/prequential/model"));
    assert_eq!(never["totals"]["rmse"], never["totals"]["start_rmse"]);

    // Models bear the simulated time, and serve from the next period on.
    for policy in [drift, always] {
        let (before, after) = (column(policy, "/model_before"), column(policy, "/model_after"));
        assert_eq!(before[1..], after[..3]);
        for (decision, (after, end)) in column(policy, "/decision").into_iter().zip(after.into_iter().zip(column(policy, "/end"))) {
            if decision == "promote" {
                let date = end.as_str().expect("a date").replace('-', "");
                assert_eq!(after, &json!(format!("version_{date}_000000")));
            }
        }
    }
    let known = |row: usize, part: &str| never["periods"][row]["prequential"]["model"][part]["scored"].as_u64().expect("a count");
    assert_eq!(known(0, "known_users") + known(0, "new_users"), 500);

    let folder = format!(".recflow/simulations/{}", result["id"].as_str().expect("an id"));
    let run = sandbox.json(&["--workspace", &format!("{folder}/drift"), "status", "latest", "--json"]);
    assert_eq!((&run["trigger"], &run["logical_date"]), (&json!("simulation"), &json!("2006-05-01T00:00:00Z")));
    let page = sandbox.read(&format!("{folder}/report.html"));
    assert!(page.contains("retrain above 1") && page.contains("without retraining"), "{}", page.len());

    let shown = sandbox.recflow(&["simulate", "--resume", "latest"]).exits(0);
    assert!(shown.err.contains("is over") && shown.out.contains("2006-03        0"), "{}", shown.all());
}

#[test]
fn killed_anywhere_and_given_the_same_command_it_ends_as_if_nothing_had_happened() {
    let prepared = Prepared::new();
    let arguments = monthly(&["--json"]);
    let begun = Instant::now();
    let expected = essence(&prepared.copy().recflow(&arguments).exits(0).json());
    let took = begun.elapsed();

    let ours = ["before_setup", "placed@2", "before_run@2", "after_run@2", "after_record@1", "after_record@4"];
    let ours = ours.map(|point| format!("simulation.{point}"));
    let engine = [3, 21, 52].map(|n| format!("engine.{}_commit@{n}", if n % 2 == 0 { "before" } else { "after" }));
    for point in ours.into_iter().chain(engine) {
        let sandbox = prepared.copy();
        let died = sandbox.command(&arguments).env("RECFLOW_FAILPOINT", &point).output().expect("starts");
        assert_eq!(died.status.code(), None, "{point} was not reached");
        let ran = sandbox.recflow(&arguments).exits(0);
        assert_eq!(essence(&ran.json()), expected, "{point}");
        let goes_on = ran.err.contains("resuming simulation") || ran.err.contains("is over");
        assert_eq!(goes_on, point != "simulation.before_setup", "{point}: {}", ran.err);
    }

    let mut resumed = 0;
    for round in 0..6 {
        let sandbox = prepared.copy();
        let mut run = sandbox.spawn(&arguments);
        std::thread::sleep(took.mul_f64((f64::from(round) + 0.5) / 6.0));
        run.signal(libc::SIGKILL);
        sandbox.wait_until("the process is dead", || run.is_over());
        let ran = sandbox.recflow(&arguments).exits(0);
        assert_eq!(essence(&ran.json()), expected, "round {round}");
        resumed += usize::from(ran.err.contains("resuming simulation"));
    }
    assert!(resumed > 0, "no kill hit a simulation");
}

#[test]
fn ctrl_c_leaves_it_resumable_and_says_how() {
    let prepared = Prepared::new();
    let sandbox = &prepared.0;
    let run = sandbox.spawn(&monthly(&["--policy", "never,drift,always", "--output", "played"]));
    sandbox.wait_until("a period is over", || sandbox.file("played/records/never/0001.json").exists());
    run.signal(libc::SIGINT);
    let ran = run.wait().exits(130);
    assert!(ran.err.contains("stopped; `recflow simulate --resume ./played` goes on"), "{}", ran.all());
    let resumed = sandbox.recflow(&["simulate", "--resume", "./played", "--json"]).exits(0);
    assert!(resumed.err.contains("resuming simulation played at period"), "{}", resumed.err);
    let fresh = sandbox.recflow(&monthly(&["--policy", "never,drift,always", "--json"])).exits(0);
    assert_eq!(essence(&resumed.json()), essence(&fresh.json()));
    // The folder is taken, by a simulation that is over.
    let again = sandbox.recflow(&monthly(&["--policy", "never,drift,always", "--output", "played"])).exits(1);
    assert!(again.err.contains("holds another simulation"), "{}", again.all());
}

#[test]
fn what_cannot_be_simulated_is_refused_before_anything_happens() {
    let prepared = Prepared::new();
    let sandbox = &prepared.0;
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let ran = sandbox.recflow(arguments).exits(code);
        assert!(ran.err.contains(why) && ran.err.contains("hint: "), "{}", ran.all());
    };
    refused(&["simulate", "etl-train-test", "--every", "month"], 2, "has no task of stage `process_stream`");
    refused(&monthly(&["-p", "stream_dir=/srv/stream"]), 2, "parameter `stream_dir` leads out of the workspace");
    refused(&monthly(&["-p", "models_dir=../models"]), 2, "parameter `models_dir` leads out of the workspace");
    refused(&monthly(&["--stream", "nowhere.csv"]), 1, "nowhere.csv");
    refused(&monthly(&["--from", "2007-01-01"]), 1, "none of the 1500 ratings");
    refused(&monthly(&["--from", "January"]), 1, "`--from January` is no date");
    refused(&["simulate", "--resume", "nothing"], 2, "there is no simulation `nothing`");
    refused(&monthly(&["--output", "data"]), 1, "`data` is not empty");
    let simulations = std::fs::read_dir(sandbox.file(".recflow/simulations"))
        .map_or(0, |entries| entries.flatten().filter(|entry| entry.path().join("simulation.json").exists()).count());
    assert_eq!(simulations, 0);
    std::fs::remove_dir_all(sandbox.file("models")).expect("ours");
    refused(&monthly(&[]), 1, "there is no model version in `models/artifacts`");
}

#[test]
fn a_run_that_fails_stops_the_simulation_which_goes_on_once_the_cause_is_mended() {
    let prepared = Prepared::new();
    let sandbox = &prepared.0;
    let pipeline = recflow::shipped::find("drift-retrain").expect("it ships").text;
    let failing = pipeline.replace(
        "  skip_retrain:\n    stage: noop\n",
        "  skip_retrain:\n    stage: shell\n    retries: 0\n    with: { command: [test, -e, ../../../../mended] }\n",
    );
    assert_ne!(failing, pipeline);
    sandbox.write("p.yaml", &failing);
    let arguments = [&["simulate", "p.yaml", "--every", "month", "--policy", "never", "--json"], &SMALL[..]].concat();
    let failed = sandbox.recflow(&arguments).exits(1);
    assert!(failed.err.contains("the run of period 2006-01 failed: `skip_retrain`: "), "{}", failed.all());
    assert!(failed.err.contains("recflow logs") && failed.err.contains("goes on once the cause is mended"), "{}", failed.all());
    sandbox.write("mended", "");
    let result = sandbox.recflow(&arguments).exits(0).json();
    assert_eq!(column(&result["policies"][0], "/decision"), ["keep", "keep", "no_ratings", "keep"]);
}

#[test]
fn half_stars_are_played_as_they_are() {
    let sandbox = Sandbox::new();
    let rating = |user: u32, movie: u32| f64::from((user * movie) % 9 + 1) / 2.0;
    let text = |rows: &dyn Fn(u32, u32) -> bool| {
        let movie = |movie: u32| {
            let rows = (1..=60).filter(|user| rows(*user, movie)).map(|user| format!("{user},{},2005-01-01\n", rating(user, movie)));
            format!("{movie}:\n{}", rows.collect::<String>())
        };
        (1..=40).map(movie).collect::<String>()
    };
    sandbox.write("data/combined/train.txt", &text(&|user, movie| (user + movie) % 3 == 0));
    sandbox.write("data/combined/test.txt", &text(&|user, movie| (user + movie) % 6 == 1));
    sandbox.write("data/combined/future.txt", &text(&|user, movie| (user + movie) % 6 == 2).replace("2005-01-01", "2005-08-15"));
    sandbox.recflow(&[&["run", "etl-train-test"][..], &SMALL].concat()).exits(0);
    let arguments = [&["simulate", "drift-retrain", "--every", "quarter", "--policy", "always", "--json"], &SMALL[..]].concat();
    let result = sandbox.recflow(&arguments).exits(0).json();
    let periods = &result["policies"][0]["periods"];
    assert_eq!((&periods[0]["period"], &periods[0]["ratings"]), (&json!("2005-Q3"), &json!(400)));
    assert!(["promote", "retrain"].contains(&periods[0]["decision"].as_str().expect("a word")), "{periods}");
}
