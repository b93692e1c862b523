//! What templates give, what they refuse, and that no source can hurt the process.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::pipeline::model::TaskId;

fn scope() -> Scope {
    let Value::Object(params) = json!({
        "rank": 64, "reg": 0.1, "name": "als", "on": true, "nothing": null, "list": [1, 2, 3], "big": u64::MAX, "dir": "data/x",
    }) else {
        unreachable!("a map")
    };
    let text =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
    let run = RunInfo {
        id: "r1".to_owned(),
        logical_date: "2026-01-01T00:00:00Z".to_owned(),
        pipeline: "p".to_owned(),
        trigger: "manual".to_owned(),
    };
    let mut scope = Scope::new(params, &run, &text(&[("HOME", "/root")]), &text(&[("token", "s3cret")]));
    let task = |id: &str| TaskId::new(id).expect("an id");
    scope.set_output(&task("train"), json!({ "version": "v1", "loss": 0.5, "drift": false, "nested": { "rows": [10, 20] } }));
    scope.set_state(&task("train"), "succeeded");
    scope.set_output(&task("find-model"), json!({ "path": "m" }));
    scope.set_state(&task("skipped"), "skipped");
    scope
}

fn render(source: &str) -> Result<Value, String> {
    let template = Template::parse(source).map_err(|errors| format!("{}: {}", errors[0].code, errors[0].message))?;
    template.render(&scope()).map_err(|error| error.to_string())
}

fn evaluate(source: &str) -> Result<bool, String> {
    let expression = Expression::parse(source).map_err(|errors| errors[0].message.clone())?;
    expression.evaluate(&scope()).map_err(|error| error.to_string())
}

#[test]
fn a_lone_expression_keeps_its_type_and_text_around_it_makes_text() {
    let cases = [
        ("{{ params.rank }}", json!(64)),
        ("  {{ params.rank }}\n", json!(64)),
        ("{{ params.reg }}", json!(0.1)),
        ("{{ params.on }}", json!(true)),
        ("{{ params.nothing }}", json!(null)),
        ("{{ params.list }}", json!([1, 2, 3])),
        ("{{ params.big }}", json!(u64::MAX)),
        ("{{ tasks.train.output.nested }}", json!({ "rows": [10, 20] })),
        ("{{ {'a': params.rank, 'b': [none]} }}", json!({ "a": 64, "b": [null] })),
        ("{{ params.rank * 2 + 1 }}", json!(129)),
        ("{{ params.rank if params.on else 0 }}", json!(64)),
        ("rank {{ params.rank }}", json!("rank 64")),
        ("{{ params.dir }}/{{ run.id }}.csv", json!("data/x/r1.csv")),
        ("{{ params.reg }}{{ params.on }}{{ params.list }}", json!("0.1true[1,2,3]")),
        ("a  {{- ' b ' -}}  c", json!("a b c")),
        ("{{ '{{' }} {{ \"}}\" }}", json!("{{ }}")),
        ("no braces, { one }, }} and ${#x}", json!("no braces, { one }, }} and ${#x}")),
        ("", json!("")),
    ];
    for (source, value) in cases {
        assert_eq!(render(source), Ok(value), "{source}");
    }
}

#[test]
fn all_five_names_are_read() {
    assert_eq!(render("{{ tasks.train.output.version }} {{ tasks.train.state }}"), Ok(json!("v1 succeeded")));
    assert_eq!(render("{{ tasks['find-model'].output.path }}"), Ok(json!("m")));
    assert_eq!(render("{{ tasks.train.output.nested.rows[1] }}"), Ok(json!(20)));
    assert_eq!(render("{{ env.HOME }}, {{ secrets.token }}, {{ run.trigger }}"), Ok(json!("/root, s3cret, manual")));
    assert_eq!(render("{{ tasks.skipped.output.rows | default(0) }}"), Ok(json!(0)));
}

#[test]
fn what_is_undefined_is_an_error_wherever_it_stands() {
    for source in [
        "{{ params.nope }}",
        "x {{ params.nope }}",
        "{{ [params.nope] }}",
        "{{ {'a': params.nope} }}",
        "{{ params.nope.deeper }}",
        "{{ tasks.nobody.output }}",
        "{{ tasks.train.output.typo }}",
        "{{ tasks.train.outputs }}",
        "{{ nothing }}",
        "{{ [1, 2] | map(attribute='x') | list }}",
    ] {
        let error = render(source).expect_err(source);
        assert!(error.contains("not defined"), "{source}: {error}");
    }
    assert_eq!(render("{{ params.nope | default('x') }}"), Ok(json!("x")));
}

#[test]
fn an_error_names_the_input_and_the_expression() {
    let value = |text: &str| TemplateValue::Template(Template::parse(text).expect("parses"));
    let map = TemplateMap::new(vec![
        ("fine".to_owned(), value("{{ params.rank }}")),
        ("paths".to_owned(), TemplateValue::List(vec![TemplateValue::Literal(json!(1)), value("{{ tasks.train.output.typo }}")])),
    ]);
    let error = map.render(&scope()).expect_err("undefined");
    assert_eq!(
        error.to_string(),
        "cannot evaluate `tasks.train.output.typo` for `with.paths[1]`: `tasks.train.output.typo` is not defined"
    );
    assert_eq!(
        render("{{ 1 + params.rank.x.y }}"),
        Err("cannot evaluate `1 + params.rank.x.y`: `params.rank.x` is not defined".to_owned())
    );
    assert_eq!(
        render("{{ params.dir }}/{{ params.nothing }}"),
        Err("cannot evaluate `params.nothing`: it is null, which cannot be part of a text".to_owned())
    );
}

#[test]
fn a_condition_is_true_or_false_and_never_anything_else() {
    assert_eq!(evaluate("params.on and params.rank > 10"), Ok(true));
    assert_eq!(evaluate("tasks.train.output.drift"), Ok(false));
    assert_eq!(evaluate("params.nothing is none"), Ok(true));
    assert_eq!(evaluate("params.nope is defined"), Ok(false));
    for source in ["params.rank", "params.name", "'false'", "none", "[]", "params.nothing"] {
        let error = evaluate(source).expect_err(source);
        assert!(error.contains("expected true or false, got"), "{source}: {error}");
    }
    assert!(evaluate("params.nope").expect_err("undefined").contains("not defined"));
}

#[test]
fn numbers_that_json_cannot_hold_are_errors_and_not_null() {
    for source in ["{{ 1e308 * 10 }}", "{{ -(1e308 * 10) }}", "{{ 2 ** 100 }}"] {
        assert!(render(source).expect_err(source).contains("not a number that JSON can hold"), "{source}");
    }
}

#[test]
fn work_and_size_are_bounded() {
    let too_much = [
        "{{ range(100000) | list | length }}",
        "{{ 'x' * 100000000 }}",
        "{{ ('x' * 100000) * 10000 }}",
        "{{ ['x' * 90000] * 12 }}",
        "{{ 'x' * 90000 }}{{ 'x' * 900000 }}{{ 'x' * 90000 }}",
        "{{ '%0999999999d' | format(1) }}",
        "{{ 'x' | indent(999999999, true) }}",
        "{{ ([0] * 100000) * 100000 }}",
    ];
    for source in too_much {
        assert!(render(source).is_err(), "{source}");
    }
    let long = format!("{{{{ '{}' }}}}", "x".repeat(3_000));
    assert_eq!(render(&long), Err("template-too-long: an expression may have 2048 bytes and 512 tokens at most".to_owned()));
    let many = "{{ params.dir }}".repeat(2_000);
    assert_eq!(render(&many), Err("template-too-long: a template may have 16384 bytes at most".to_owned()));
    let plain = "x".repeat(100_000);
    assert_eq!(render(&plain), Ok(json!(plain)), "text without expressions may be long");
}

/// The stack of a thread of tokio is 2 MiB; a quarter of it must do for any source, in a debug build too.
#[test]
fn no_source_overflows_the_stack() {
    let repeat = |part: &str, times: usize| part.repeat(times);
    let sources = [
        format!("{}1", repeat("1+", 1_000)),
        format!("{}1", repeat("1+", 250)),
        format!("{}true", repeat("not ", 500)),
        format!("{}1", repeat("-", 2_000)),
        format!("{}1", repeat("-", 500)),
        format!("{}1", repeat("2**", 250)),
        format!("{}1{}", repeat("(", 250), repeat(")", 250)),
        format!("{}1{}", repeat("[", 250), repeat("]", 250)),
        format!("{}1{}", repeat("{1:", 120), repeat("}", 120)),
        format!("1{}", repeat(" if 1 else 1", 120)),
        format!("params{}", repeat(".a", 255)),
        format!("params{}", repeat("[0]", 160)),
        format!("1{}", repeat("|int", 255)),
        format!("true{}", repeat(" and true", 255)),
        format!("1{}", repeat(" is defined", 200)),
        format!("1{}", repeat(" < 1", 255)),
        format!("'a'{}", repeat(" ~ 'a'", 255)),
    ];
    let run = move || {
        for source in sources {
            if let Ok(expression) = Expression::parse(&source) {
                let _ = expression.value(&scope());
                let _ = expression.references();
            }
        }
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).expect("a thread").join().expect("no overflow");
}

#[test]
fn secrets_are_not_in_the_debug_form_of_a_scope() {
    assert!(!format!("{:?}", scope()).contains("s3cret"));
}

/// Sources that are near the language, so that more than the first token is reached.
fn source() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "params",
        ".rank",
        ".list",
        "tasks",
        "['find-model']",
        ".output",
        "{{",
        "}}",
        " ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "1",
        "0.5",
        "'a'",
        "\"",
        "|",
        "int",
        "join",
        "map",
        "+",
        "-",
        "*",
        "**",
        "//",
        "%",
        "<",
        "==",
        "and",
        "not ",
        "is",
        "in",
        "if",
        "else",
        "none",
        ",",
        ":",
        "~",
        "range",
        "\\",
        "é",
        "{%",
        "{#",
        "\n",
    ]);
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_source_gives_a_value_or_an_error(source in prop_oneof![source(), "\\PC{0,40}"]) {
        let _ = render(&source);
        let _ = render(&format!("{{{{ {source} }}}}"));
        let _ = evaluate(&source);
        if let Err(errors) = Template::parse(&source) {
            prop_assert!(errors.iter().all(|error| source.get(error.range.clone()).is_some()), "{errors:?}");
        }
    }

    #[test]
    fn text_without_double_braces_is_itself(text in "[^{]{0,60}") {
        prop_assert_eq!(render(&text), Ok(json!(text)));
    }
}
