//! Budgets, aliases and keys.

use super::*;
use crate::pipeline::diagnostic::Findings;
use crate::pipeline::source::Source;

fn tree(text: &str) -> Result<serde_json::Value, Vec<&'static str>> {
    let mut findings = Findings::default();
    let node = parse(&Source::new("t.yaml", text), &mut findings);
    let codes: Vec<_> = findings.into_sorted().iter().map(|diagnostic| diagnostic.code).collect();
    if codes.is_empty() { Ok(node.map_or(serde_json::Value::Null, |node| node.to_json())) } else { Err(codes) }
}

#[test]
fn aliases_repeat_values_within_a_budget() {
    assert_eq!(tree("a: &x [1, 2]\nb: *x\n"), Ok(serde_json::json!({ "a": [1, 2], "b": [1, 2] })));
    assert_eq!(tree("a: &x [*x]\n"), Err(vec!["yaml-alias"]));
    assert_eq!(tree("a: *x\nb: *y\n"), Err(vec!["yaml-alias", "yaml-alias"]));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(tree(&bomb), Err(vec!["yaml-alias"]));
    let many = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(100), "*a, ".repeat(300));
    assert_eq!(tree(&many), Err(vec!["yaml-alias"]));
}

#[test]
fn an_alias_does_not_get_around_the_depth_limit() {
    let nested = |levels: usize, inner: &str| format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(tree(&nested(32, "1")).is_ok());
    assert_eq!(tree(&nested(33, "1")), Err(vec!["yaml-depth"]));
    assert_eq!(tree(&nested(20_000, "")), Err(vec!["yaml-depth"]));
    let through_alias = format!("- &x {}\n- {}\n", nested(20, "1"), nested(20, "*x"));
    assert_eq!(tree(&through_alias), Err(vec!["yaml-depth"]));
}

#[test]
fn every_duplicate_is_reported_and_keys_are_text() {
    assert_eq!(tree("a: 1\nb: {c: 1, c: 2}\na: 2\n"), Err(vec!["yaml-duplicate-key", "yaml-duplicate-key"]));
    assert_eq!(tree("1: a\ntrue: b\n"), Ok(serde_json::json!({ "1": "a", "true": "b" })));
    assert_eq!(tree("? [a]\n: 1\n"), Err(vec!["yaml-key"]));
    assert_eq!(tree("a: &x {b: 1}\nc:\n  <<: *x\n"), Err(vec!["yaml-merge-key"]));
    assert_eq!(tree("a: {{ params.x }}\n"), Err(vec!["unquoted-template"]));
}

#[test]
fn tags_other_than_text_are_refused() {
    assert_eq!(tree("a: !!str 5\nb: ! 5\n"), Ok(serde_json::json!({ "a": "5", "b": "5" })));
    assert_eq!(tree("a: !!int 5\nb: !ruby/object {}\n"), Err(vec!["yaml-tag", "yaml-tag"]));
}
