//! Words, exit codes, and where things are printed.

use crate::sandbox::Sandbox;

#[test]
fn exit_codes_are_as_documented() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    sandbox.write("bad.yaml", "tasks: { a: { stage: noop, needs: [b] } }");
    sandbox.write("fails.yaml", "tasks: { a: { stage: shell, with: { command: ['false'] } } }");
    for (arguments, code) in [
        (&["run", "p.yaml"][..], 0),
        (&["run", "fails.yaml"], 1),
        (&["run", "bad.yaml"], 2),
        (&["run", "missing.yaml"], 2),
        (&["run"], 2),
        (&["run", "p.yaml", "-p", "nope=1"], 2),
        (&["run", "p.yaml", "--jobs", "0"], 2),
        (&["no-such-verb"], 2),
        (&["status", "zzzz"], 2),
        (&["output", "latest", "nope"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
    ] {
        assert_eq!(sandbox.recflow(arguments).code, Some(code), "{arguments:?}");
    }
}

#[test]
fn a_workspace_without_runs_says_so() {
    let sandbox = Sandbox::new();
    let ran = sandbox.recflow(&["status"]).exits(0);
    assert!(ran.out.contains("nothing has run") && ran.out.contains("recflow run quickstart"), "{}", ran.all());
    assert_eq!(sandbox.recflow(&["runs", "--json"]).exits(0).out, "[]\n");
    assert!(!sandbox.file(".recflow").exists(), "looking creates nothing");
}

#[test]
fn a_run_is_named_by_a_unique_beginning_or_latest() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let first = sandbox.json(&["run", "p.yaml", "--json"]);
    let second = sandbox.json(&["run", "p.yaml", "--json"]);
    assert_eq!(sandbox.status()["run"], second["run"]);
    let id = first["run"].as_str().expect("an id");
    let length = (1..=id.len()).find(|length| !second["run"].as_str().expect("an id").starts_with(&id[..*length])).expect("ids differ");
    assert_eq!(sandbox.json(&["status", &id[..length], "--json"])["run"], first["run"]);
}

#[test]
fn dry_run_shows_the_plan_and_creates_nothing() {
    let sandbox =
        Sandbox::with("params: { n: { type: integer, default: 2 } }\ntasks:\n  b: { stage: noop, needs: [a] }\n  a: { stage: noop }\n");
    let ran = sandbox.recflow(&["run", "p.yaml", "--dry-run", "-p", "n=4"]).exits(0);
    assert!(ran.out.contains("n = 4") && ran.out.find("1  a").expect("a") < ran.out.find("2  b").expect("b"), "{}", ran.all());
    let plan = sandbox.recflow(&["run", "p.yaml", "--dry-run", "--json"]).exits(0).json();
    assert_eq!(plan["tasks"][1]["needs"][0], "a");
    assert!(!sandbox.file(".recflow").exists());
}

#[test]
fn data_goes_to_standard_output_and_talk_to_standard_error() {
    let sandbox = Sandbox::with("tasks: { a: { stage: noop } }");
    let ran = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(0);
    assert_eq!(ran.json()["status"], "succeeded");
    let ran = sandbox.recflow(&["run", "p.yaml", "--quiet"]).exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(0);
    assert!(ran.err.contains("a  running") && ran.out.contains("succeeded"), "{}", ran.all());
    assert!(!ran.all().contains('\u{1b}'), "no colour where there is no terminal");
    assert!(sandbox.recflow(&["status", "--color", "always"]).out.contains("\u{1b}[32msucceeded"));
}

#[test]
fn parameters_come_from_a_file_and_the_command_line_wins() {
    let sandbox = Sandbox::with(
        "params: { a: { type: integer, default: 1 }, b: { type: string, default: x }, c: { type: boolean, default: false } }\ntasks: { t: { stage: noop } }",
    );
    sandbox.write("values.yaml", "a: 2\nb: from file\n");
    let run = sandbox.recflow(&["run", "p.yaml", "--json", "--params", "values.yaml", "-p", "a=3"]).exits(0).json();
    assert_eq!(run["params"], serde_json::json!({ "a": 3, "b": "from file", "c": false }));
    sandbox.write("values.yaml", "a: two\nd: 1\n");
    let ran = sandbox.recflow(&["run", "p.yaml", "--params", "values.yaml"]).exits(2);
    assert!(ran.err.contains("`a`") && ran.err.contains("`d`"), "all problems at once: {}", ran.all());
}

#[test]
fn init_writes_the_shipped_pipelines_and_keeps_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox.write("w/pipelines/quickstart.yaml", "mine");
    sandbox.recflow(&["init", "w"]).exits(0);
    sandbox.recflow(&["init", "--workspace", "v"]).exits(0);
    assert!(sandbox.file("v/pipelines/quickstart.yaml").exists() && !sandbox.file("pipelines").exists());
    assert_eq!(sandbox.read("w/pipelines/quickstart.yaml"), "mine");
    // The pipelines name the schema by this path in their first line.
    assert_eq!(sandbox.read("w/pipelines/recflow.schema.json"), sandbox.recflow(&["schema"]).exits(0).out);
    assert!(sandbox.read("w/pipelines/etl-train-test.yaml").starts_with("# yaml-language-server: $schema=./recflow.schema.json\n"));
    let ran = sandbox.recflow(&["validate", "w/pipelines/etl-train-test.yaml"]).exits(0);
    assert!(!ran.all().contains("warning"), "{}", ran.all());
}

#[test]
fn a_stage_by_itself_is_a_run_of_one_task() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .recflow(&["stage", "shell", r#"command=["sh", "-c", "printf '%s' \"$1\" > got", "sh", "{{ not a template }}"]"#, "--json"])
        .exits(0)
        .json();
    assert_eq!((run["pipeline"].as_str(), run["tasks"]["shell"]["state"].as_str()), (Some("stage-shell"), Some("succeeded")));
    assert_eq!(sandbox.read("got"), "{{ not a template }}");
    let ran = sandbox.recflow(&["stage", "shel"]).exits(2);
    assert!(ran.err.contains("unknown stage `shel`"), "{}", ran.all());
    let ran = sandbox.recflow(&["stage", "shell", "comand=x"]).exits(2);
    assert!(ran.err.contains("comand"), "{}", ran.all());
}

#[test]
fn a_mistake_on_the_command_line_comes_with_a_remedy() {
    let sandbox = Sandbox::with("name: mine\nparams: { rank: { type: integer, description: how long } }\ntasks: { a: { stage: noop } }");
    sandbox.recflow(&["run", "p.yaml", "-q"]).exits(0);
    for (arguments, words) in [
        (&["run", "p.yaml", "-p", "rnak=3"][..], &["unknown parameter `rnak`", "did you mean `rank`?"][..]),
        (&["run", "p.yaml", "-p", "rank=x", "-p", "q=1"], &["`q`", "known parameters: rank", "`rank`", "how long"]),
        (&["run", "quickstar"], &["did you mean `quickstart`?"]),
        (&["logs", "latest", "a", "--attempt", "9"], &["no attempt 9", "it has one attempt"]),
        (&["runs", "-n", "0"], &["0 is not in 1.."]),
    ] {
        let ran = sandbox.recflow(arguments).exits(2);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{arguments:?}: {}", ran.all());
    }
    let ran = sandbox.recflow(&["runs", "--pipeline", "mien"]).exits(0);
    assert!(ran.out.contains("`mien`") && !ran.out.contains("nothing has run"), "{}", ran.all());
}

#[test]
fn validate_and_graph_find_pipelines_by_the_names_that_run_takes() {
    let sandbox = Sandbox::new();
    assert!(sandbox.recflow(&["validate", "quickstart"]).exits(0).out.ends_with("quickstart.yaml: ok, 6 tasks\n"));
    assert!(sandbox.recflow(&["graph", "etl-train-test"]).exits(0).out.contains("train_als"));
}

#[test]
fn what_to_do_next_names_the_workspace_that_was_named() {
    let sandbox = Sandbox::with("tasks: { a: { stage: shell, with: { command: [\"false\"] } } }");
    let ran = sandbox.recflow(&["run", "p.yaml", "--workspace", "a b"]).exits(1);
    let next = ran.out.lines().find_map(|line| line.strip_prefix("next: ")).unwrap_or_else(|| panic!("{}", ran.all()));
    assert!(next.starts_with("recflow resume ") && next.ends_with(" --workspace 'a b'"), "{next}");
    assert!(ran.out.contains("(a b/.recflow/logs/"), "{}", ran.all());
    assert!(sandbox.recflow(&["run", "p.yaml"]).exits(1).out.contains("(.recflow/logs/"));
}
