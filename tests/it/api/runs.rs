//! Runs: lists and their filters, one in full, tasks, events, logs; what goes on.

use serde_json::json;

use super::{Asker, all, each};

const TWO: &str = "
name: two
tasks:
  a: { stage: shell, with: { script: 'echo one; echo two; echo \"{\\\"n\\\": 7}\" > $RECFLOW_OUTPUT' } }
  b: { needs: [a], stage: shell, retries: 1, retry_delay: 1ms, with: { script: 'echo no >&2; exit 3' } }
  c: { needs: [b], stage: noop }
";

fn asker() -> Asker {
    Asker::new(|sandbox| {
        sandbox.write("pipelines/two.yaml", TWO);
        sandbox.write("pipelines/fine.yaml", "tasks: { a: { stage: noop } }\n");
    })
}

#[test]
fn runs_are_filtered_and_paged_and_a_page_that_has_not_changed_is_not_sent_again() {
    let asker = asker();
    let fine: Vec<String> = (0..3).map(|_| asker.run("fine", &json!({}))).collect();
    let two = asker.run("two", &json!({}));
    let newest_first: Vec<String> = [two.clone()].into_iter().chain(fine.iter().rev().cloned()).collect();
    let paged: Vec<String> = all(&asker, "runs", 3).iter().map(|run| run["run"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(paged, newest_first);
    for (query, expected) in [
        ("pipeline=fine", &newest_first[1..]),
        ("status=failed", &newest_first[..1]),
        ("status=succeeded&trigger=manual", &newest_first[1..]),
        ("status=interrupted", &[]),
        ("status=running", &[]),
        ("trigger=schedule", &[]),
        ("since=1h", &newest_first[..]),
        ("until=2026-01-01", &[]),
        ("pipeline=fine%27%3B%20DROP%20TABLE%20run%3B--", &[]),
    ] {
        assert_eq!(each(&asker.read(&format!("runs?{query}")), "run"), expected, "{query}");
    }
    for query in ["status=done", "trigger=cron", "since=then", "limit=0", "limit=501", "colour=red"] {
        Asker::refused(asker.get(&format!("runs?{query}")), 400, "bad-request");
    }
    Asker::refused(asker.get("runs?cursor=00"), 422, "unknown-cursor");
    let cursor = asker.read("pipelines?limit=1")["next_cursor"].as_str().expect("more").to_owned();
    Asker::refused(asker.get(&format!("runs?cursor={cursor}")), 422, "unknown-cursor");

    let tag = asker.get("runs?status=failed").header("etag").expect("a tag").to_owned();
    let head = "GET /api/v1/runs?status=failed";
    let ask = |tag: &str| asker.site.ask(head, &[&format!("Authorization: Bearer {}", asker.token), &format!("If-None-Match: {tag}")], "");
    assert_eq!((ask(&tag).status, ask(&tag).body.as_str(), ask("\"other\"").status), (304, "", 200));
}

#[test]
fn a_run_shows_its_tasks_its_graph_and_what_may_be_done_with_it() {
    let asker = asker();
    let id = asker.run("two", &json!({}));
    let run = asker.read(&format!("runs/{id}"));
    assert_eq!(
        (&run["status"], &run["reason"], &run["resumable"], &run["cancellable"]),
        (&json!("failed"), &json!("task `b` failed"), &json!(true), &json!(false))
    );
    assert_eq!((&run["cause"], run["graph"]["nodes"].as_array().map(Vec::len)), (&json!({ "by": "ann" }), Some(3)));
    let tasks: Vec<_> = run["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|task| json!([task["task"], task["state"], task["attempts"], task["output"]]))
        .collect();
    assert_eq!(
        tasks,
        [json!(["a", "succeeded", 1, { "n": 7 }]), json!(["b", "failed", 2, null]), json!(["c", "upstream_failed", 0, null])]
    );
    // The command line tells the same of it.
    let told = asker.sandbox().json(&["status", &id, "--json"]);
    assert_eq!((&told["tasks"]["b"]["error"], &told["seconds"]), (&run["tasks"][1]["error"], &run["seconds"]));

    let task = asker.read(&format!("runs/{id}/tasks/b"));
    assert_eq!((&task["inputs"], &task["error"]), (&json!({ "script": "echo no >&2; exit 3" }), &run["tasks"][1]["error"]));
    let tries: Vec<_> = task["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|attempt| json!([attempt["attempt"], attempt["state"], attempt["exit"], attempt["error"]["causes"]]))
        .collect();
    assert_eq!(tries, [json!([1, "failed", "exit code 3", ["no"]]), json!([2, "failed", "exit code 3", ["no"]])]);

    let events = all(&asker, &format!("runs/{id}/events"), 2);
    let texts: Vec<&str> = events.iter().filter_map(|event| event["text"].as_str()).collect();
    assert_eq!((texts[0], texts[1]), ("the run begins", "`a` starts, attempt 1"));
    assert!(events.iter().enumerate().all(|(at, event)| event["seq"] == at + 1), "{events:?}");
    assert_eq!(asker.read(&format!("runs/{id}/events?after=2&limit=1"))["items"][0]["seq"], 3);

    Asker::refused(asker.get("runs/zzzzzzzzzzzz"), 404, "unknown-run");
    let said = Asker::refused(asker.get(&format!("runs/{id}/tasks/x")), 404, "unknown-task");
    assert!(said.contains("its tasks are a, b, c"), "{said}");
    for path in ["runs/latest", "runs/..", "runs/..%2f..", &format!("runs/{id}/tasks/..%2f..%2f..")] {
        assert_eq!(asker.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_log_is_read_in_parts_from_its_end_and_as_a_file() {
    let asker = asker();
    let id = asker.run("two", &json!({}));
    let path = format!("runs/{id}/tasks/a/attempts/1/log");
    let whole = asker.read(&path);
    let lines: Vec<serde_json::Value> =
        whole["text"].as_str().expect("text").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.iter().map(|line| line["line"].as_str().expect("text")).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((&whole["offset"], &whole["complete"], &whole["next_offset"]), (&json!(0), &json!(true), &whole["size"]));
    let first = asker.read(&format!("{path}?limit=100"));
    let next = first["next_offset"].as_u64().expect("a number");
    assert!(first["complete"] == json!(false) && first["text"].as_str().is_some_and(|text| text.ends_with("\"one\"}\n")), "{first}");
    let rest = asker.read(&format!("{path}?offset={next}"));
    assert_eq!(format!("{}{}", first["text"].as_str().unwrap(), rest["text"].as_str().unwrap()), whole["text"].as_str().unwrap());
    assert_eq!(asker.read(&format!("{path}?tail=100"))["text"], rest["text"]);
    assert_eq!(asker.read(&format!("{path}?offset=99999"))["text"], "");
    let file = asker.get(&format!("{path}?download=1")).is(200);
    assert_eq!(file.header("content-disposition"), Some(format!("attachment; filename=\"{id}-a-1.log\"").as_str()));
    assert!(
        file.header("content-type") == Some("text/plain; charset=utf-8")
            && file.body.lines().next().is_some_and(|line| line.ends_with("stdout one"))
    );
    let said = Asker::refused(asker.get(&format!("runs/{id}/tasks/b/attempts/3/log")), 404, "unknown-attempt");
    assert!(said.contains("it has 2 attempts"), "{said}");
    let said = Asker::refused(asker.get(&format!("runs/{id}/tasks/c/attempts/1/log")), 404, "unknown-attempt");
    assert!(said.contains("it never started"), "{said}");
    Asker::refused(asker.get(&format!("{path}?limit=0")), 400, "bad-request");
}

#[test]
fn what_goes_on_and_the_machinery_are_shown() {
    let asker = asker();
    let failed = asker.run("two", &json!({}));
    let overview = asker.read("overview");
    assert_eq!(
        (each(&json!({ "items": overview["failures"] }), "run"), &overview["running"], &overview["daemon"]["alive"]),
        (vec![failed], &json!([]), &json!(true))
    );
    asker.sandbox().write("recflow.yaml", "pools: { gpu: 2 }\nmax_parallel_tasks: 3\n");
    let system = asker.read("system");
    assert_eq!(system["pools"], json!([{ "pool": "gpu", "slots": 2, "used": 0, "waiting": 0 }]));
    assert_eq!((&system["max_parallel_tasks"], &system["store"]["runs"], &system["store"]["task_rows"]), (&json!(3), &json!(1), &json!(3)));
    assert_eq!((&system["growth"]["runs_last_day"], &system["daemon"]["pid"]), (&json!(1), &json!(asker.site.daemon.pid())));
    let checks = asker.read("system/doctor");
    assert!(each(&checks, "name").contains(&"store".to_owned()) && !each(&checks, "verdict").contains(&"error".to_owned()), "{checks}");
    let stages = asker.read("stages");
    let noop = stages["items"].as_array().expect("a list").iter().find(|stage| stage["name"] == "noop").expect("there is one");
    assert_eq!(asker.read("stages/noop"), *noop);
    let said = Asker::refused(asker.get("stages/nop"), 404, "unknown-stage");
    assert!(said.contains("did you mean `noop`?"), "{said}");
}
