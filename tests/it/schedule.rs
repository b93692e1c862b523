//! `recflow schedule`: when pipelines will start.

use serde_json::json;

use crate::sandbox::Sandbox;

const PRAGUE: &str = "schedule: { cron: '30 2 * * *', timezone: Europe/Prague }\ntasks: { a: { stage: noop } }";

#[test]
fn firings_are_listed_in_the_zone_and_in_utc_with_what_the_clock_does_to_them() {
    let sandbox = Sandbox::with(PRAGUE);
    let firings = sandbox.json(&["schedule", "p.yaml", "--next", "3", "--from", "2027-03-27T02:30:00+01:00", "--json"]);
    let expected = json!([
        { "time": "2027-03-28T01:00:00Z", "local": "2027-03-28T03:00:00+02:00", "dst": "gap" },
        { "time": "2027-03-29T00:30:00Z", "local": "2027-03-29T02:30:00+02:00", "dst": null },
        { "time": "2027-03-30T00:30:00Z", "local": "2027-03-30T02:30:00+02:00", "dst": null },
    ]);
    assert_eq!(firings, expected);
    let shown = sandbox.recflow(&["schedule", "p.yaml", "--next", "2", "--from", "2027-10-30T12:00"]).exits(0).out;
    for words in ["30 2 * * *: at 02:30, every day, in Europe/Prague", "Sun 2027-10-31 02:30:00", "2027-10-31 00:30:00", "comes twice"] {
        assert!(shown.contains(words), "{words} in:\n{shown}");
    }
    assert!(!sandbox.file(".recflow").exists(), "looking creates nothing");
}

#[test]
fn a_time_without_offset_is_read_in_the_schedules_zone() {
    let sandbox = Sandbox::with(PRAGUE);
    let first = |from| sandbox.json(&["schedule", "p.yaml", "--next", "1", "--from", from, "--json"])[0]["time"].clone();
    assert_eq!(first("2026-01-10T02:29"), "2026-01-10T01:30:00Z");
    assert_eq!(first("2026-01-10T02:30"), "2026-01-11T01:30:00Z");
    assert_eq!(first("2026-01-10"), "2026-01-10T01:30:00Z");
    assert_eq!(first("2026-01-10T02:29:00Z"), "2026-01-11T01:30:00Z");
}

#[test]
fn several_schedules_are_merged_and_an_instant_counts_once() {
    let sandbox = Sandbox::with(
        "schedule: [{ cron: '0 6 * * *', timezone: Europe/Prague }, { every: 1h, end: 2026-01-10T07:00 }]\ntasks: { a: { stage: noop } }",
    );
    let firings = sandbox.json(&["schedule", "p.yaml", "--next", "5", "--from", "2026-01-10T03:30:00Z", "--json"]);
    let times: Vec<&str> = firings.as_array().expect("a list").iter().map(|firing| firing["time"].as_str().expect("text")).collect();
    assert_eq!(times[..3], ["2026-01-10T04:00:00Z", "2026-01-10T05:00:00Z", "2026-01-10T06:00:00Z"]);
    assert_eq!(times[3..], ["2026-01-10T07:00:00Z", "2026-01-11T05:00:00Z"], "one schedule has ended");
    let ended = "schedule: { every: 1h, end: 2020-01-01 }\ntasks: { a: { stage: noop } }";
    sandbox.write("ended.yaml", ended);
    assert!(sandbox.recflow(&["schedule", "ended.yaml"]).exits(0).out.contains("does not fire any more"));
}

#[test]
fn without_a_pipeline_all_of_the_workspace_are_shown_and_one_bad_file_hides_no_other() {
    let sandbox = Sandbox::new();
    sandbox.write("pipelines/a.yaml", PRAGUE);
    sandbox.write("pipelines/b.yaml", "schedule: { every: 1d }\ntasks: { a: { stage: noop } }");
    sandbox.write("pipelines/manual.yaml", "tasks: { a: { stage: noop } }");
    let firings = sandbox.json(&["schedule", "--next", "1", "--from", "2026-01-10T12:00:00Z", "--json"]);
    let expected = json!([
        { "pipeline": "a", "time": "2026-01-11T01:30:00Z", "local": "2026-01-11T02:30:00+01:00", "dst": null },
        { "pipeline": "b", "time": "2026-01-11T00:00:00Z", "local": "2026-01-11T00:00:00+00:00", "dst": null },
    ]);
    assert_eq!(firings, expected);
    sandbox.write("pipelines/bad.yaml", "schedule: { cron: '0 0 30 2 *' }\ntasks: { a: { stage: noop } }");
    let ran = sandbox.recflow(&["schedule"]).exits(2);
    assert!(ran.err.contains("never fires") && ran.out.contains("every 1d") && ran.out.contains("at 02:30"), "{}", ran.all());
}

#[test]
fn what_has_no_schedule_says_so_with_a_remedy() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    for (arguments, words) in [
        (&["schedule", "p.yaml"][..], &["`p` has no schedule", "cron:"][..]),
        (&["schedule", "nope"], &["no pipeline `nope`"]),
        (&["schedule"], &["cannot list the pipelines", "recflow init"]),
        (&["schedule", "drift-retrain", "--from", "tomorrow"], &["`--from tomorrow`", "2026-01-31T06:00"]),
        (&["schedule", "drift-retrain", "--next", "0"], &["0 is not in 1.."]),
    ] {
        let ran = sandbox.recflow(arguments).exits(2);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{arguments:?}: {}", ran.all());
    }
    sandbox.write("pipelines/p.yaml", "tasks: { a: { stage: noop } }");
    assert!(sandbox.recflow(&["schedule"]).exits(0).out.contains("no pipeline here has a schedule"));
}
