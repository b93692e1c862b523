//! Several processes on one store.

use crate::sandbox::Sandbox;

#[test]
fn runs_at_once_on_one_store_do_not_disturb_each_other() {
    let mut text = String::from("tasks:\n");
    for task in 0..30 {
        let needs = if task == 0 { String::new() } else { format!(", needs: [t{}]", task - 1) };
        text.push_str(&format!("  t{task}: {{ stage: shell, with: {{ command: ['true'] }}{needs} }}\n"));
    }
    let sandbox = Sandbox::with(&text);
    let runs: Vec<_> = (0..4).map(|_| sandbox.spawn(&["run", "p.yaml", "--json"])).collect();
    for _ in 0..20 {
        sandbox.recflow(&["runs", "--json"]).exits(0);
    }
    let mut ids: Vec<String> = runs
        .into_iter()
        .map(|run| {
            let run = run.wait().exits(0).json();
            assert_eq!(run["status"], "succeeded");
            run["run"].as_str().expect("an id").to_owned()
        })
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let list = sandbox.json(&["runs", "--json"]);
    assert_eq!(list.as_array().expect("a list").len(), 4);
}

#[test]
fn of_two_that_resume_at_once_one_wins() {
    let sandbox = Sandbox::with("tasks:\n  slow: { stage: shell, with: { script: 'echo x >> ran; [ -e mended ] && sleep 0.5' } }\n");
    sandbox.recflow(&["run", "p.yaml"]).exits(1);
    sandbox.write("mended", "");
    let both: Vec<_> = (0..2).map(|_| sandbox.spawn(&["resume", "latest", "-q"])).collect();
    let codes: Vec<_> = both.into_iter().map(|run| run.wait().code).collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert_eq!(sandbox.status()["tasks"]["slow"]["state"], "succeeded");
    assert_eq!(sandbox.read("ran"), "x\nx\n", "once before, once after: {codes:?}");
}
