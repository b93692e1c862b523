//! The command line on a daemon elsewhere: it prints what it prints in the workspace.

use super::Site;
use crate::sandbox::{Ran, Sandbox};

const PIPELINE: &str = "params: { n: { type: integer, default: 1 } }\ntasks:\n  a: { stage: shell, env: { N: '{{ params.n }}' }, with: { script: 'echo said $N; test \"$N\" != 3' } }\n";

/// recflow in a folder with nothing but a token, with `--server`.
fn elsewhere(site: &Site, token: &str) -> impl Fn(&[&str]) -> Ran + use<> {
    let (folder, server) = (Sandbox::new(), format!("http://{}", site.address));
    folder.write("token", token);
    move |arguments| folder.recflow(&[arguments, &["--server", &server, "--token-file", "token"]].concat())
}

#[test]
fn verbs_do_the_same_on_a_server_as_in_its_workspace() {
    let site = Site::new();
    site.sandbox.write("pipelines/p.yaml", PIPELINE);
    let remote = elsewhere(&site, &site.token("operator", "operator"));
    site.sandbox.wait_until("the daemon has read it", || site.sandbox.read("daemon.log").contains("pipeline read"));
    let done = remote(&["trigger", "p", "-p", "n=7", "--wait"]).exits(0);
    assert!(done.out.contains("succeeded"), "{}", done.all());
    remote(&["trigger", "p", "-p", "n=3", "--wait"]).exits(1);
    let refused = remote(&["trigger", "p", "-p", "n=many"]).exits(2);
    assert!(refused.err.contains("`n`"), "{}", refused.all());

    let here = |arguments: &[&str]| site.sandbox.json(arguments);
    assert_eq!(remote(&["runs", "--json"]).exits(0).json(), here(&["runs", "--json"]));
    assert_eq!(
        remote(&["runs", "--status", "failed", "-n", "1", "--json"]).json(),
        here(&["runs", "--status", "failed", "-n", "1", "--json"])
    );
    assert_eq!(remote(&["status", "latest", "--json"]).exits(0).json(), here(&["status", "latest", "--json"]));
    let dashboard = remote(&["status", "--json"]).exits(0).json();
    assert_eq!(dashboard["pipelines"][0]["results"], here(&["status", "--json"])["pipelines"][0]["results"]);
    let id = here(&["runs", "--json"])[1]["run"].as_str().expect("an id").to_owned();
    assert_eq!(remote(&["logs", &id]).exits(0).out, site.sandbox.recflow(&["logs", &id]).exits(0).out);
    assert!(remote(&["logs", &id[..8], "a", "--json"]).exits(0).out.contains("said 7"));
    assert!(remote(&["runs"]).exits(0).out.contains(&id));
    assert_eq!(remote(&["models", "--json"]).exits(0).json(), serde_json::json!([]));

    assert!(remote(&["pause", "p"]).exits(0).out.contains("p is paused"));
    assert_eq!(here(&["status", "--json"])["pipelines"][0]["paused"], true);
    remote(&["unpause", "p"]).exits(0);
    assert!(remote(&["cancel", &id]).exits(1).err.contains("already"), "it is over");
    assert!(remote(&["resume", "latest"]).exits(0).out.contains("goes on"));
    assert!(remote(&["status", "zzzz"]).exits(2).err.contains("no run matches"));
    assert!(remote(&["backup", "x"]).exits(2).err.contains("not on a server"));
    assert!(site.audit().iter().any(|[user, action, ..]| user == "operator" && action == "startRun"));
}

#[test]
fn a_server_wants_a_token_that_is_no_argument_and_goes_nowhere_in_the_clear() {
    let site = Site::new();
    let refused = elsewhere(&site, &site.token("viewer", "viewer"))(&["trigger", "p"]).exits(1);
    assert!(refused.err.contains("operator"), "{}", refused.all());
    assert!(elsewhere(&site, "rf_wrong")(&["runs"]).exits(1).err.contains("nobody knows who asks"));
    let folder = Sandbox::new();
    assert!(folder.recflow(&["runs", "--server", "http://127.0.0.1:1"]).exits(2).err.contains("--token-file"));
    let clear = folder.command(&["runs", "--server", "http://10.0.0.1"]).env("RECFLOW_TOKEN", "rf_x").output().expect("it starts");
    assert!(String::from_utf8_lossy(&clear.stderr).contains("in the clear"));
    let nobody = folder.command(&["runs", "--server", "http://127.0.0.1:1"]).env("RECFLOW_TOKEN", "rf_x").output().expect("it starts");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("cannot reach"));
}
