//! `recflow report RUN` and stage `report`, through the binary.

use serde_json::json;

use crate::sandbox::Sandbox;

#[path = "../../stages/src/report/well_formed.rs"]
mod well_formed;

/// The names of the elements of a page, which is well-formed, runs nothing and needs nobody.
fn checked(page: &str) -> Vec<String> {
    let names = well_formed::check(page).unwrap_or_else(|why| panic!("{why}\n{page}"));
    assert!(!names.contains(&"script".to_owned()), "there is a script");
    for outside in ["src=\"", "http://", "https://", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src &#39;none&#39;"), "no content security policy");
    assert!(!page.contains("NaN"), "a number is none");
    names
}

/// The sections of a page.
fn sections(page: &str) -> Vec<&str> {
    page.split("<section id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_drifted_stream_is_reported_from_the_decision_to_the_models() {
    let sandbox = Sandbox::with("");
    sandbox.recflow(&["run", "quickstart", "-p", "ratings=5000", "-p", "rank=4", "-p", "max_iter=4"]).exits(0);
    let stream = "data/quickstart/streaming";
    std::fs::copy(sandbox.file(&format!("{stream}/drift.csv")), sandbox.file(&format!("{stream}/current.csv"))).expect("copies");
    let arguments = ["run", "drift-retrain", "-p", "stream_dir=data/quickstart/streaming", "-p", "processed_dir=data/quickstart/parquet"];
    let more = ["-p", "rank=4", "-p", "max_iter=4", "--json"];
    let run = sandbox.recflow(&[&arguments[..], &more[..]].concat()).exits(0).json();

    let path = sandbox.recflow(&["report", "latest"]).exits(0).out;
    let id = run["run"].as_str().expect("an id");
    assert!(path.trim_end().ends_with(&format!(".recflow/reports/{id}.html")), "{path}");
    let page = std::fs::read_to_string(path.trim_end()).expect("the page is there");
    let names = checked(&page);
    assert_eq!(sections(&page), ["overview", "tasks", "drift", "evaluation", "training", "models", "params", "outputs"]);
    let drawings = names.iter().filter(|name| *name == "svg").count();
    // Graph, timeline, metrics, two histograms, two of errors, ranked lists, two by segment, two of the training; models if one was measured.
    assert!((11..=13).contains(&drawings), "{drawings} drawings");
    for words in
        ["Decision of check_retrain", "took merge_streaming", "Retrain: score ", "version_", "Shares of ratings", "merge_streaming"]
    {
        assert!(page.contains(words), "{words}");
    }
    let rmse = run["tasks"]["test"]["output"]["rmse"].as_f64().expect("a number");
    assert!(page.contains(&format!("{rmse:.4}")), "the RMSE {rmse} is on the page");
    let train = &run["tasks"]["train"]["output"];
    assert!(page.contains(train["version"].as_str().expect("a version")));

    let drift = run["tasks"]["detect_drift"]["output"].to_string();
    let evaluation = run["tasks"]["test"]["output"].to_string();
    let inputs = [
        "stage".to_owned(),
        "report".to_owned(),
        "output=reports/all.html".to_owned(),
        format!("drift={drift}"),
        format!("evaluation={evaluation}"),
        format!("training={train}"),
        "models=models/artifacts".to_owned(),
        "--json".to_owned(),
    ];
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let output = sandbox.recflow(&inputs).exits(0).json()["tasks"]["report"]["output"].clone();
    let page = sandbox.read("reports/all.html");
    assert_eq!(output, json!({ "path": "reports/all.html", "bytes": page.len() }));
    checked(&page);
    assert_eq!(sections(&page), ["drift", "evaluation", "training", "models"]);
}

#[test]
fn any_run_has_a_page_and_what_programs_say_is_text() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  say: { stage: shell, env: { TOKEN: "{{ secrets.TOKEN }}" }, with: { script: 'printf "{\"t\": \"%s\", \"list\": [{\"a\": 1}]}" "<script>alert(1)</script>$TOKEN" > "$RECFLOW_OUTPUT"' } }
  fail: { stage: shell, needs: [say], with: { script: 'echo "<b>bad</b>" >&2; exit 3' }, retries: 1, retry_delay: 0s }
  below: { stage: noop, needs: [fail] }
"#,
    );
    let ran = sandbox.command(&["run", "p.yaml"]).env("RECFLOW_SECRET_TOKEN", "hunter2-very-secret").output().expect("starts");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let page = sandbox.recflow(&["report", "latest", "--output", "-"]).exits(0).out;
    checked(&page);
    assert_eq!(sections(&page), ["overview", "tasks", "outputs"]);
    for words in
        ["p: failed", "fail failed", "&lt;script&gt;alert(1)&lt;/script&gt;***", "&lt;b&gt;bad&lt;/b&gt;", "upstream_failed", "list.0.a"]
    {
        assert!(page.contains(words), "{words} in\n{page}");
    }
    assert!(!page.contains("hunter2"), "a secret");
    assert!(!sandbox.file(".recflow/reports").exists(), "standard output writes no file");
}

#[test]
fn what_cannot_be_reported_or_written_is_told() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    assert!(sandbox.recflow(&["report", "latest"]).exits(2).err.contains("hint:"), "there is no store yet");
    sandbox.recflow(&["run", "p.yaml"]).exits(0);
    assert!(sandbox.recflow(&["report", "zzzz"]).exits(2).err.contains("zzzz"));
    let folder = sandbox.recflow(&["report", "latest", "-o", "."]).exits(2);
    assert!(folder.err.contains("is a folder") && folder.err.contains("hint: "), "{}", folder.err);
    sandbox.recflow(&["report", "latest", "-o", "deep/page.html"]).exits(0);
    checked(&sandbox.read("deep/page.html"));
    // A template that gives nothing to report is found before anything runs.
    sandbox.write("empty.yaml", "tasks: { r: { stage: report, with: { output: r.html } } }");
    assert!(sandbox.recflow(&["validate", "empty.yaml"]).exits(2).all().contains("there is nothing to report"));
}
