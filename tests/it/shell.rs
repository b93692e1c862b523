//! Stage `shell`: what a program gets, and what it may give back.

use serde_json::json;

use crate::sandbox::Sandbox;

#[test]
fn a_parameter_never_becomes_part_of_a_script() {
    let sandbox = Sandbox::with(
        "params: { who_is: { type: string, default: you } }\ntasks:\n  hello: { stage: shell, with: { script: 'printf \"%s\" \"$RECFLOW_PARAM_WHO_IS\" > got.txt' } }\n",
    );
    let evil = "$(touch pwned); `touch pwned`; \"'; touch pwned; {{ 7 * 7 }}";
    sandbox.recflow(&["run", "p.yaml", "-p", &format!("who_is={evil}")]).exits(0);
    assert_eq!(sandbox.read("got.txt"), evil);
    assert!(!sandbox.file("pwned").exists());
}

#[test]
fn a_parameter_without_a_value_has_no_variable() {
    let sandbox = Sandbox::with(
        "params: { since: { type: date } }\ntasks:\n  a: { stage: shell, with: { script: 'printf \"%s\" \"${RECFLOW_PARAM_SINCE-unset}\" > got.txt' } }\n",
    );
    sandbox.recflow(&["run", "p.yaml"]).exits(0);
    assert_eq!(sandbox.read("got.txt"), "unset");
    sandbox.recflow(&["run", "p.yaml", "-p", "since=2005-12-31"]).exits(0);
    assert_eq!(sandbox.read("got.txt"), "2005-12-31");
}

#[test]
fn a_template_in_a_script_is_refused_before_anything_runs() {
    let sandbox = Sandbox::with(
        "params: { x: { type: string, default: y } }\ntasks:\n  a: { stage: shell, with: { script: 'echo {{ params.x }}' } }\n",
    );
    let ran = sandbox.recflow(&["run", "p.yaml"]).exits(2);
    assert!(ran.err.contains("p.yaml:3:"), "{}", ran.all());
    assert!(!sandbox.file(".recflow").exists(), "nothing was created");
}

#[test]
fn the_environment_holds_what_the_pipeline_and_the_task_say() {
    let sandbox = Sandbox::with(
        r#"
name: envs
env: { STAGE: "{{ params.stage }}", PASSED: , FIXED: one }
params: { stage: { type: string, default: test } }
tasks:
  show:
    stage: shell
    env: { FIXED: two }
    with: { script: 'echo "$STAGE $PASSED $FIXED $RECFLOW_TASK_ID $RECFLOW_ATTEMPT $RECFLOW_PIPELINE ${RECFLOW_SECRET_X:-none}" > got.txt', env: { EXTRA: 3 } }
"#,
    );
    let output =
        sandbox.command(&["run", "p.yaml", "-q"]).env("PASSED", "through").env("RECFLOW_SECRET_X", "hidden").output().expect("starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(sandbox.read("got.txt"), "test through two show 1 envs none\n");
}

#[test]
fn an_output_beyond_the_limit_or_without_form_is_an_error_that_says_what_to_do() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  large: { stage: shell, with: { script: 'head -c 1100000 /dev/zero | tr "\0" x > "$RECFLOW_OUTPUT"' } }
  large_inside: { stage: shell, with: { script: '{ printf "\""; head -c 1048570 /dev/zero | tr "\0" "\\n" | sed "s/^/\\\\n/" | tr -d "\n" | head -c 1048000; printf "\""; } > "$RECFLOW_OUTPUT"' } }
  odd: { stage: shell, with: { script: 'echo "no form" > "$RECFLOW_OUTPUT"' } }
  fine: { stage: shell, with: { script: 'printf "a=1\nb=two words\n" >> "$RECFLOW_OUTPUT"' } }
"#,
    );
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    let error = |task: &str| run["tasks"][task]["error"].as_str().expect("an error").to_owned();
    assert_eq!(error("large"), "the output has 1100000 bytes, more than the 1048576 allowed");
    assert_eq!(error("odd"), "line 1 of the output is neither JSON nor `key=value`: \"no form\"");
    assert_eq!(run["tasks"]["fine"]["output"], json!({ "a": 1, "b": "two words" }));
    assert_eq!(run["tasks"]["large_inside"]["state"], "succeeded", "just below the limit");
}

#[test]
fn a_program_killed_by_a_signal_is_reported_as_that() {
    let sandbox = Sandbox::with("tasks:\n  shot: { stage: shell, with: { script: 'kill -SEGV $$' } }\n");
    let run = sandbox.recflow(&["run", "p.yaml", "--json"]).exits(1).json();
    assert_eq!(run["tasks"]["shot"]["error"], "the program ended with signal 11 (segmentation fault)");
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let sandbox = Sandbox::with(
        "tasks:\n  flood: { stage: shell, with: { script: 'head -c 40000000 /dev/zero | tr \"\\0\" \"x\" | fold -w 1000' } }\n",
    );
    sandbox.recflow(&["run", "p.yaml"]).exits(0);
    let logs = sandbox.recflow(&["logs", "latest"]).exits(0).out;
    assert!(logs.len() < 12 << 20, "{}", logs.len());
    assert!(logs.lines().last().expect("lines").contains("log cut here: it has reached 10 MiB"));
}
