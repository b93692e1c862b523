//! A pipeline that is fine: what the engine gets of it. And inputs that are anything but fine.

#![allow(missing_docs)]

mod support;

use std::time::Duration;

use proptest::prelude::*;
use recflow::pipeline::{
    EnvValue, Loaded, MAX_BYTES, ParamInput, Pipeline, RetryPolicy, RunInfo, Scope, TaskKind, TriggerRule, draw, export, load, load_file,
};
use serde_json::{Map, Value, json};

const DRIFT: &str = r#"
name: drift-retrain
description: Watch the stream of new ratings.
tags: [ratings, daily]
schedule: { cron: "0 3 * * *", timezone: Europe/Prague, catchup: latest }
max_active_runs: 1
x-notes: &paths { train_file: data/train.txt, train_output: "{{ params.dir }}/train" }
params:
  dir: { type: path, default: data/processed }
  rank: { type: integer, default: 64, minimum: 1 }
  mode: { type: enum, values: [fast, good], required: true }
  since: { type: date }
env: { TOKEN: , LEVEL: 3, WHERE: "{{ params.dir }}" }
defaults: { retries: 1, retry_delay: 30s, retry_backoff: { cap: 1h, jitter: true } }
tasks:
  etl: { stage: etl, with: *paths, timeout: 1h30m }
  check-rows:
    needs: etl
    branch:
      - { when: "tasks.etl.output.train.rows > 1000", to: train }
      - { to: [skip] }
  train:
    stage: train_als
    needs: [check-rows, etl]
    retries: 5
    retry_delay: 1s
    with: { ratings: "{{ tasks.etl.output.train.path }}", models: m, rank: "{{ params.rank }}", k: [1, "{{ params.rank }}"] }
  skip: { stage: noop, needs: check-rows, when: "tasks['check-rows'].output.taken == ['skip']", allow_failure: true }
  end:
    stage: shell
    needs: [train, skip]
    trigger_rule: none_failed_min_one_success
    with: { command: [echo, "{{ params.mode }}"] }
    env: { SEEN: "{{ env.LEVEL }}" }
"#;

fn loaded(text: &str) -> Loaded {
    load(text, "folder/file-name.yaml", &support::catalog())
}

fn drift() -> Pipeline {
    let loaded = loaded(DRIFT);
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
    loaded.pipeline.expect("no diagnostics, so a pipeline")
}

#[test]
fn the_checked_pipeline_says_what_was_written() {
    let pipeline = drift();
    assert_eq!((pipeline.name.as_str(), pipeline.max_active_runs, pipeline.tags.len()), ("drift-retrain", Some(1), 2));
    let ids: Vec<&str> = pipeline.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["etl", "check-rows", "train", "skip", "end"]);
    let train = &pipeline.tasks[2];
    assert_eq!(train.needs, [1, 0]);
    let expected = RetryPolicy {
        retries: 5,
        delay: Duration::from_secs(1),
        factor: RetryPolicy::FACTOR,
        cap: Some(Duration::from_secs(3600)),
        jitter: RetryPolicy::JITTER,
    };
    assert_eq!(train.retry, expected, "what the task does not say comes from `defaults`");
    assert_eq!(pipeline.tasks[0].timeout, Some(Duration::from_secs(5400)));
    assert_eq!(pipeline.tasks[4].trigger_rule, TriggerRule::NoneFailedMinOneSuccess);
    assert!(pipeline.tasks[3].allow_failure && !train.allow_failure);
    let TaskKind::Branch { sides } = &pipeline.tasks[1].kind else { panic!("a branch") };
    assert_eq!(sides.iter().map(|side| side.to.clone()).collect::<Vec<_>>(), [[2], [3]]);
    assert!(sides[0].when.is_some() && sides[1].when.is_none());
    assert!(matches!(pipeline.env[0], (ref name, EnvValue::Inherit) if name == "TOKEN"));
    assert_eq!(pipeline.graph().order(), Some(vec![0, 1, 2, 3, 4]));
}

#[test]
fn a_pipeline_without_a_name_is_called_as_its_file() {
    let pipeline = loaded("tasks: { a: { stage: noop } }").pipeline.expect("fine");
    assert_eq!(pipeline.name, "file-name");
    assert_eq!(pipeline.tasks[0].retry, RetryPolicy::default());
}

#[test]
fn inputs_render_with_their_types() {
    let pipeline = drift();
    let params = pipeline.resolve_params(&[("mode".to_owned(), ParamInput::Text("good".to_owned()))]).expect("fits");
    let run = RunInfo { id: "r".into(), logical_date: "2026-01-01T00:00:00Z".into(), pipeline: "p".into(), trigger: "manual".into() };
    let mut scope = Scope::new(params, &run, &Default::default(), &Default::default());
    scope.set_output(&pipeline.tasks[0].id, json!({ "train": { "path": "p/x", "rows": 5000 } }));
    let render = |task: usize, scope: &Scope| match &pipeline.tasks[task].kind {
        TaskKind::Stage { with, .. } => with.render(scope).map(Value::Object),
        TaskKind::Branch { .. } => panic!("a stage"),
    };
    assert_eq!(render(0, &scope), Ok(json!({ "train_file": "data/train.txt", "train_output": "data/processed/train" })));
    assert_eq!(render(2, &scope), Ok(json!({ "ratings": "p/x", "models": "m", "rank": 64, "k": [1, 64] })));
    let TaskKind::Branch { sides } = &pipeline.tasks[1].kind else { panic!("a branch") };
    assert_eq!(sides[0].when.as_ref().expect("a condition").evaluate(&scope), Ok(true));
}

#[test]
fn parameters_are_read_by_their_type_and_all_problems_come_at_once() {
    let pipeline = drift();
    let given = |pairs: &[(&str, &str)]| -> Vec<(String, ParamInput)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), ParamInput::Text((*text).to_owned()))).collect()
    };
    let values = pipeline.resolve_params(&given(&[("rank", "8"), ("mode", "fast"), ("since", "2005-12-31"), ("rank", "9")]));
    assert_eq!(values.map(Value::Object), Ok(json!({ "dir": "data/processed", "rank": 9, "mode": "fast", "since": "2005-12-31" })));
    let problems = pipeline.resolve_params(&given(&[("rnk", "8"), ("rank", "0"), ("since", "20051231")])).expect_err("four problems");
    let shown: Vec<String> = problems.iter().map(|problem| format!("{problem} ({})", problem.hint.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        shown,
        [
            "unknown parameter `rnk` (did you mean `rank`?)",
            "parameter `rank`: expected at least 1, found 0 (-)",
            "parameter `mode` is required (give it with `-p mode=…`)",
            "parameter `since`: expected a date such as 2005-12-31, found the string \"20051231\" (-)",
        ]
    );
    let json = |value: Value| vec![("mode".to_owned(), ParamInput::Json(json!("fast"))), ("rank".to_owned(), ParamInput::Json(value))];
    assert_eq!(pipeline.resolve_params(&json(json!(7.0))).expect("whole")["rank"], json!(7));
    for wrong in [json!("7"), json!(7.5), json!(null), json!(true), json!(1e300)] {
        assert!(pipeline.resolve_params(&json(wrong.clone())).is_err(), "{wrong}");
    }
    for wrong in ["7.5", "x", "", "0x10", "1e400", "NaN"] {
        assert!(pipeline.resolve_params(&given(&[("mode", "fast"), ("rank", wrong)])).is_err(), "{wrong}");
    }
}

#[test]
fn the_graph_is_exported_for_other_programs() {
    let pipeline = drift();
    insta::assert_snapshot!("graph_text", draw::draw(&pipeline));
    insta::assert_snapshot!("graph_mermaid", export::mermaid(&pipeline));
    insta::assert_snapshot!("graph_dot", export::dot(&pipeline));
    let json = export::json(&pipeline);
    assert_eq!(json["order"], json!(["etl", "check-rows", "train", "skip", "end"]));
    assert_eq!(json["edges"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_large_file_and_an_alias_bomb_are_refused() {
    let large = format!("tasks: {{ a: {{ stage: noop }} }}\n# {}", "x".repeat(10 << 20));
    let codes = |loaded: &Loaded| loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>();
    assert_eq!(codes(&loaded(&large)), ["too-large"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), large.as_bytes()).expect("written");
    assert_eq!(codes(&load_file(file.path(), &support::catalog()).expect("read")), ["too-large"]);
    std::fs::write(file.path(), b"name: \xff\n").expect("written");
    let not_text = load_file(file.path(), &support::catalog()).expect("read");
    assert_eq!(codes(&not_text), ["yaml-syntax"]);
    assert!(not_text.render(false).contains(":1:7"), "{}", not_text.render(false));

    let mut bomb = "tasks: {}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(codes(&loaded(&bomb)), ["yaml-alias"]);
}

#[test]
fn ten_thousand_tasks_load() {
    let mut chain = "tasks:\n  t0: { stage: noop }\n".to_owned();
    let mut fan = "tasks:\n  root: { stage: noop }\n".to_owned();
    for number in 1..10_000 {
        chain.push_str(&format!("  t{number}: {{ stage: noop, needs: [t{}], when: \"run.id != 'x'\" }}\n", number - 1));
        fan.push_str(&format!("  t{number}: {{ stage: noop, needs: [root] }}\n"));
    }
    let all: Vec<String> = (1..10_000).map(|number| format!("t{number}")).collect();
    fan.push_str(&format!("  end: {{ stage: noop, needs: [{}] }}\n", all.join(", ")));
    for (text, tasks) in [(chain, 10_000), (fan, 10_001)] {
        assert!(text.len() < MAX_BYTES);
        let pipeline = loaded(&text).pipeline.expect("fine");
        assert_eq!(pipeline.tasks.len(), tasks);
        assert_eq!(pipeline.graph().order().map(|order| order.len()), Some(tasks));
    }
}

#[test]
fn a_file_with_a_mistake_in_every_line_is_still_answered() {
    let mut text = "tasks:\n".to_owned();
    for number in 0..8_000 {
        text.push_str(&format!("  t{number}: {{ stage: nop{number}, needs: [x{number}], when: \"tasks.y{number}.output\" }}\n"));
    }
    let loaded = loaded(&text);
    assert!(loaded.diagnostics.len() <= 500);
    assert!(loaded.render(false).contains("… and 450 more in folder/file-name.yaml"));
}

/// Changes a good document at random: cut, repeated, replaced pieces.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "&a ",
        "*a",
        "!!str ",
        "|\n",
        ">\n",
        "#",
        "null",
        "5",
        "{{",
        "}}",
        "{% if %}",
        "<<: *paths",
        "---\n",
        "\r",
        "\u{feff}",
        "é",
        "\u{202e}",
        "%YAML 1.1\n",
        "? ",
        "tasks",
        "branch",
        "needs: train",
        "when: 1",
    ]);
    let edit = (0..DRIFT.len(), 0_usize..60, piece);
    prop::collection::vec(edit, 1..6).prop_map(|edits| {
        let mut text = DRIFT.to_owned();
        for (at, length, piece) in edits {
            let boundary = |at: usize, text: &str| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (boundary(at, &text), boundary(at + length, &text));
            text.replace_range(start.min(end)..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_document_panics_and_every_place_lies_in_it(text in prop_oneof![4 => mutated(), 1 => "\\PC{0,200}", 1 => "(?s).{0,200}"]) {
        let loaded = loaded(&text);
        prop_assert_eq!(loaded.pipeline.is_none(), loaded.diagnostics.iter().any(|diagnostic| diagnostic.is_error()));
        for diagnostic in &loaded.diagnostics {
            for label in std::iter::once(&diagnostic.label).chain(&diagnostic.related) {
                prop_assert!(loaded.source.text().get(label.span.start..label.span.end).is_some(), "{:?}", diagnostic);
            }
        }
        let rendered = loaded.render(false);
        prop_assert!(!rendered.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", rendered);
        let _ = loaded.render(true);
        let report: Map<String, Value> = serde_json::from_value(serde_json::to_value(loaded.report()).expect("JSON")).expect("a map");
        prop_assert_eq!(report["diagnostics"].as_array().map(Vec::len), Some(loaded.diagnostics.len()));
    }
}
