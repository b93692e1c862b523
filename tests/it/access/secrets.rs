//! Secrets stay with whom they were told: not in logs, not in the store, not in the list of processes; and what was done is written down.

use serde_json::{Value, json};

use super::{PASSWORD, Site};

#[test]
fn no_secret_is_in_a_log_in_the_store_or_in_the_arguments_of_a_process() {
    let site = Site::new();
    let token = site.token("admin", "admin");
    let cookie = site.sign_in("viewer", PASSWORD).is(200).cookie();
    let session = cookie.split_once('=').expect("a value").1.to_owned();
    site.with_token(&token, "GET /api/v1/session", &Value::Null).is(200);
    site.with_token(&token, &format!("GET /api/v1/nothing/{token}"), &Value::Null).is(404);
    let made = site.with_token(&token, "POST /api/v1/tokens", &json!({ "name": "x", "role": "viewer" })).is(201).json();
    let made = made["secret"].as_str().expect("a secret").to_owned();
    site.sign_in("viewer", "wrong horse battery").is(401);
    site.with_token(&token, "PATCH /api/v1/users/viewer", &json!({ "password": "another long password" })).is(200);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", site.daemon.pid())).expect("ours");
    site.daemon.signal(libc::SIGTERM);
    let Site { sandbox, daemon, .. } = site;
    let said = daemon.wait().exits(0);
    // Stopped: the log of the store is folded into it.
    let store = std::fs::read(sandbox.file(".recflow/state.db")).expect("it is there");
    let log = sandbox.read("daemon.log");
    for secret in [&token, &session, &made, PASSWORD, "wrong horse battery", "another long password"] {
        // Without its prefix, too: half a secret is one.
        let bare = secret.split_once('_').map_or(secret, |(_, bare)| bare).as_bytes();
        let is_in = |place: &[u8]| place.windows(bare.len()).any(|window| window == bare);
        assert!(!is_in(&store), "the store holds {secret}");
        assert!(!is_in(log.as_bytes()) && !is_in(said.err.as_bytes()) && !is_in(said.out.as_bytes()), "a log holds {secret}");
        assert!(!is_in(&arguments));
    }
}

#[test]
fn every_change_and_every_sign_in_is_written_down_with_who_how_and_whence() {
    let site = Site::new();
    let token = site.token("admin", "admin");
    site.sign_in("viewer", PASSWORD).is(200);
    site.sign_in("viewer", "wrong").is(401);
    site.with_token(&token, "POST /api/v1/users", &json!({ "user": "ann", "role": "operator" })).is(201);
    site.with_token(&token, "POST /api/v1/users", &json!({ "user": "ann", "role": "operator" })).is(409);
    site.with_token(&token, "DELETE /api/v1/users/ann", &Value::Null).is(204);
    let answer = site.with_token(&token, "GET /api/v1/audit?limit=3", &Value::Null).is(200).json();
    let newest = &answer["items"][0];
    assert_eq!(
        (newest["user"].as_str(), newest["action"].as_str(), newest["object"].as_str()),
        (Some("admin"), Some("removeUser"), Some("ann"))
    );
    assert!(newest["via"].as_str().is_some_and(|via| via.starts_with("token ")) && newest["address"] == "127.0.0.1", "{newest}");
    let next = format!("GET /api/v1/audit?limit=2&cursor={}", answer["next_cursor"].as_str().expect("there is more"));
    let rest = site.with_token(&token, &next, &Value::Null).is(200).json();
    let did = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items
            .iter()
            .map(|entry| format!("{} {}", entry["action"].as_str().unwrap_or_default(), entry["outcome"].as_str().unwrap_or_default()))
            .collect()
    };
    assert_eq!(
        [did(&answer), did(&rest)].concat(),
        ["removeUser done", "addUser failed: 409", "addUser done", "signIn denied", "signIn done"]
    );
    let only = site.with_token(&token, "GET /api/v1/audit?user=viewer&action=signIn", &Value::Null).is(200).json();
    assert_eq!(did(&only), ["signIn denied", "signIn done"]);
}
