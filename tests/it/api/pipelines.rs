//! Pipelines: cards, details, grids, texts, schedules.

use serde_json::json;

use super::{Asker, all, each};

const GREET: &str = "
name: greet
description: Says hello to the ones you name
tags: [friendly, demo]
schedule: { cron: '30 2 * * *', timezone: Europe/Prague }
max_active_runs: 2
params:
  who: { type: string, default: you }
  times: { type: integer, default: 1, minimum: 1, maximum: 9 }
tasks:
  say: { stage: shell, with: { script: 'echo hello' } }
  check: { needs: [say], branch: [ { when: params.times > 1, to: again }, { to: done } ] }
  again: { needs: [check], stage: noop }
  done: { needs: [check], stage: noop }
";

fn asker() -> Asker {
    Asker::new(|sandbox| {
        sandbox.write("pipelines/greet.yaml", GREET);
        sandbox.write("pipelines/other.yaml", "tags: [demo]\ntasks: { a: { stage: noop } }\n");
        sandbox.write("pipelines/broken.yaml", "tasks:\n  a: { stage: nop }\n");
    })
}

#[test]
fn pipelines_are_listed_with_their_last_runs_and_found_by_words_and_tags() {
    let asker = asker();
    let good = asker.run("greet", &json!({}));
    let again = asker.run("greet", &json!({ "params": { "times": 2 } }));
    let list = asker.read("pipelines");
    assert_eq!(each(&list, "pipeline"), ["broken", "greet", "other"]);
    let [broken, greet] = [&list["items"][0], &list["items"][1]];
    assert!(broken["error"].as_str().expect("an error").contains("`nop`") && broken["last"].is_null(), "{broken}");
    assert_eq!(
        (&greet["file"], &greet["paused"], &greet["tags"]),
        (&json!("pipelines/greet.yaml"), &json!(false), &json!(["friendly", "demo"]))
    );
    assert_eq!(greet["schedule"], json!(["30 2 * * *: at 02:30, every day, in Europe/Prague"]));
    assert!(greet["next"].as_str().expect("a time").ends_with(":30:00Z"), "{greet}");
    let results: Vec<&str> = greet["results"].as_array().expect("a list").iter().filter_map(|run| run["run"].as_str()).collect();
    assert_eq!(results, [good.as_str(), again.as_str()], "the newest last");
    assert_eq!((&greet["last"]["run"], &greet["success_rate"], &greet["queued"]), (&json!(again), &json!(1.0), &json!(0)));
    assert!(greet["median_seconds"].as_f64().expect("a number") >= 0.0);
    for (query, names) in [
        ("search=HELLO", &["greet"][..]),
        ("search=demo", &["greet", "other"]),
        ("tag=demo", &["greet", "other"]),
        ("tag=demo&search=oth", &["other"]),
        ("tag=dem", &[]),
        ("search=%27%20OR%201%3D1%20--", &[]),
    ] {
        assert_eq!(each(&asker.read(&format!("pipelines?{query}")), "pipeline"), names, "{query}");
    }
    assert_eq!(all(&asker, "pipelines", 1).len(), 3);
}

#[test]
fn one_pipeline_shows_its_graph_its_parameters_and_what_is_wrong_with_its_file() {
    let asker = asker();
    asker.run("greet", &json!({}));
    let greet = asker.read("pipelines/greet");
    assert_eq!(greet["max_active_runs"], 2);
    assert_eq!(greet["params"]["properties"]["times"], json!({ "type": "integer", "minimum": 1, "maximum": 9, "default": 1 }));
    let nodes: Vec<_> =
        greet["graph"]["nodes"].as_array().expect("a list").iter().map(|node| json!([node["task"], node["kind"], node["needs"]])).collect();
    assert_eq!(nodes[..2], [json!(["say", "task", []]), json!(["check", "branch", ["say"]])]);
    let edges = greet["graph"]["edges"].as_array().expect("a list");
    assert!(edges.contains(&json!({ "from": "check", "to": "again", "label": "params.times > 1" })), "{edges:?}");
    assert!(edges.contains(&json!({ "from": "check", "to": "done", "label": "else" })));
    assert!(greet["version"]["id"].is_u64() && greet["diagnostics"] == json!([]), "{greet}");

    // The same words that `recflow validate --json` has.
    let told = asker.sandbox().recflow(&["validate", "--json", "pipelines/broken.yaml"]).exits(2).json();
    assert_eq!(asker.read("pipelines/broken")["diagnostics"], told[0]["diagnostics"]);
    let text = asker.sandbox().read("pipelines/broken.yaml");
    let checked = asker.post("validate", &json!({ "text": text, "file": "pipelines/broken.yaml" })).is(200).json();
    assert_eq!((&checked["ok"], &checked["diagnostics"], &checked["pipeline"]), (&json!(false), &told[0]["diagnostics"], &json!(null)));
    let checked = asker.post("validate", &json!({ "text": GREET })).is(200).json();
    assert_eq!(
        (&checked["ok"], &checked["pipeline"]["pipeline"], &checked["pipeline"]["graph"]),
        (&json!(true), &json!("greet"), &greet["graph"])
    );

    let said = Asker::refused(asker.get("pipelines/gret"), 404, "unknown-pipeline");
    assert!(said.contains("did you mean `greet`?"), "{said}");
    for name in ["..", "..%2f..%2fetc%2fpasswd", "greet.yaml", "%00", "greet%2f"] {
        assert_eq!(asker.get(&format!("pipelines/{name}")).status, 404, "{name}");
    }
}

#[test]
fn a_grid_has_a_column_for_each_run_and_a_row_for_each_task_that_any_of_them_has() {
    let asker = asker();
    asker.run("greet", &json!({ "params": { "times": 2 } }));
    asker.sandbox().write("pipelines/greet.yaml", &GREET.replace("say", "speak"));
    let newest = asker.run("greet", &json!({}));
    let grid = asker.read("pipelines/greet/grid");
    assert_eq!(grid["tasks"], json!(["speak", "check", "again", "done", "say"]));
    assert_eq!(grid["runs"][0]["run"], json!(newest));
    assert_eq!(grid["runs"][0]["states"], json!(["succeeded", "succeeded", "skipped", "succeeded", null]));
    assert_eq!(grid["runs"][1]["states"], json!([null, "succeeded", "succeeded", "skipped", "succeeded"]));
    assert_eq!(asker.read("pipelines/greet/grid?limit=1")["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(asker.read("pipelines/other/grid"), json!({ "tasks": [], "runs": [] }));
    Asker::refused(asker.get("pipelines/nothing/grid"), 404, "unknown-pipeline");
    Asker::refused(asker.get("pipelines/greet/grid?limit=501"), 400, "bad-request");
}

#[test]
fn texts_are_shown_as_they_are_and_as_they_were() {
    let asker = asker();
    asker.run("greet", &json!({}));
    let edited = GREET.replace("hello", "good morning");
    asker.sandbox().write("pipelines/greet.yaml", &edited);
    asker.run("greet", &json!({}));
    let source = asker.read("pipelines/greet/source");
    assert_eq!((&source["file"], &source["text"], &source["diagnostics"]), (&json!("pipelines/greet.yaml"), &json!(edited), &json!([])));
    let versions = all(&asker, "pipelines/greet/versions", 1);
    assert_eq!(versions.len(), 2);
    assert!(versions[0]["id"].as_i64() > versions[1]["id"].as_i64(), "the newest first");
    assert_eq!(versions[0]["file"], "pipelines/greet.yaml");
    let first = asker.read(&format!("pipelines/greet/versions/{}", versions[1]["id"]));
    assert_eq!((&first["text"], &first["hash"]), (&json!(GREET), &versions[1]["hash"]));
    Asker::refused(asker.get("pipelines/greet/versions/999"), 404, "unknown-version");
    Asker::refused(asker.get(&format!("pipelines/other/versions/{}", versions[1]["id"])), 404, "unknown-version");
    Asker::refused(asker.get("pipelines/nothing/source"), 404, "unknown-pipeline");
    assert_eq!(asker.get("pipelines/greet/versions/x").status, 404);
}

#[test]
fn what_is_due_and_what_was_is_told_in_pages() {
    let asker = asker();
    let firings = asker.read("pipelines/greet/firings?from=2027-03-26&next=4");
    let shown: Vec<_> = firings["items"].as_array().expect("a list").iter().map(|firing| json!([firing["time"], firing["dst"]])).collect();
    assert_eq!(
        shown,
        [
            json!(["2027-03-26T01:30:00Z", null]),
            json!(["2027-03-27T01:30:00Z", null]),
            json!(["2027-03-28T01:00:00Z", "gap"]),
            json!(["2027-03-29T00:30:00Z", null]),
        ]
    );
    assert_eq!(asker.read("pipelines/other/firings"), json!({ "items": [], "next_cursor": null }));
    Asker::refused(asker.get("pipelines/greet/firings?from=yesterday"), 400, "bad-request");
    let runs: Vec<String> = (0..3).map(|_| asker.run("other", &json!({}))).collect();
    let slots = all(&asker, "pipelines/other/slots", 2);
    let became: Vec<_> = slots.iter().map(|slot| json!([slot["run"], slot["became"], slot["trigger"]])).collect();
    let expected: Vec<_> = runs.iter().rev().map(|run| json!([run, "succeeded", "manual"])).collect();
    assert_eq!(became, expected);
    assert_eq!(asker.read("pipelines/other/slots?to=1h")["items"], json!([]), "all is newer than that");
    Asker::refused(asker.get("pipelines/nothing/slots"), 404, "unknown-pipeline");
}
