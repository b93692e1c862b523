//! Signing in and out, what ends it, and who may give whom what.

use recflow_state::{SessionRow, TokenRow, UnixMs};
use serde_json::{Value, json};

use super::{PASSWORD, Site};
use crate::sandbox::Sandbox;

const JSON: &str = "Content-Type: application/json";

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the year 300000000")
}

/// The secret in a link, wherever it is printed.
fn secret_in(text: &str) -> String {
    let secret: String = text
        .split("/login#")
        .nth(1)
        .unwrap_or_else(|| panic!("no link in {text}"))
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    // `_` ends the prefix.
    let rest: String = text.split("/login#rfl_").nth(1).expect("a link").chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!((secret.as_str(), rest.len()), ("rfl", 64));
    format!("rfl_{rest}")
}

fn sign_in_by(site: &Site, secret: &str) -> super::Answer {
    site.ask("POST /api/v1/session", &[JSON], &json!({ "link_token": secret }).to_string())
}

#[test]
fn the_first_start_prints_a_link_that_signs_in_an_administrator_once() {
    let site = Site::around(Sandbox::new(), &[]);
    site.daemon.signal(libc::SIGTERM);
    let Site { sandbox, daemon, .. } = site;
    let first = secret_in(&daemon.wait().exits(0).err);
    std::fs::remove_file(sandbox.file("daemon.log")).expect("ours");
    // Nobody used it: the next start prints another, and the first is worth nothing.
    let (mut site, out) = (Site::around(sandbox, &[]), std::sync::mpsc::channel());
    let stderr = site.daemon.take_stderr();
    std::thread::spawn(move || {
        std::io::BufRead::lines(std::io::BufReader::new(stderr)).map_while(Result::ok).for_each(|line| drop(out.0.send(line)))
    });
    let second = secret_in(&out.1.iter().find(|line| line.contains("/login#")).expect("a link"));
    sign_in_by(&site, &first).is(401);
    let answer = sign_in_by(&site, &second).is(200);
    assert_eq!((answer.json()["user"].clone(), answer.json()["role"].clone()), (json!("admin"), json!("admin")));
    sign_in_by(&site, &second).is(401);
    // Who came by link has no old password to give.
    let (cookie, csrf) = (format!("Cookie: {}", answer.cookie()), answer.json()["csrf_token"].as_str().expect("a token").to_owned());
    let headers = [JSON, &cookie, &format!("X-CSRF-Token: {csrf}")];
    site.ask("POST /api/v1/session/password", &headers, &json!({ "new": "short" }).to_string()).is(422);
    site.ask("POST /api/v1/session/password", &headers, &json!({ "new": PASSWORD }).to_string()).is(204);
    site.sign_in("admin", PASSWORD).is(200);
    assert!(!site.sandbox.read("daemon.log").contains("rfl_"), "the log keeps no link");
}

#[test]
fn guessing_is_slowed_down_and_does_not_tell_who_there_is() {
    let site = Site::new();
    let wrong: Vec<_> = (0..5).map(|_| site.sign_in("admin", "wrong").is(401).json()).collect();
    assert_eq!(site.sign_in("nobody", "wrong").is(401).json(), wrong[0], "the same answer for who is not there");
    let refused = site.sign_in("admin", PASSWORD).is(429);
    assert!(
        refused.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok()).is_some_and(|seconds| seconds >= 1),
        "{refused:?}"
    );
    site.sign_in("viewer", PASSWORD).is(200);
    let failures =
        site.audit().into_iter().filter(|[user, action, _, outcome]| user == "admin" && action == "signIn" && outcome == "denied");
    assert_eq!(failures.count(), 5, "what was turned away does not fill the log");
}

#[test]
fn sessions_and_tokens_end() {
    let site = Site::new();
    let now = now_ms();
    let hour = 3_600_000;
    let session = |name: &str, used_at: i64, expires_at: i64| SessionRow {
        hash: blake3::hash(name.as_bytes()).to_hex().to_string(),
        user: "viewer".to_owned(),
        by_link: false,
        created_at: UnixMs(used_at),
        used_at: UnixMs(used_at),
        expires_at: UnixMs(expires_at),
    };
    let token = |name: &str, expires_at: i64| TokenRow {
        id: name.to_owned(),
        hash: blake3::hash(name.as_bytes()).to_hex().to_string(),
        user: "viewer".to_owned(),
        name: name.to_owned(),
        scope: "viewer".to_owned(),
        created_at: UnixMs(now - hour),
        expires_at: Some(UnixMs(expires_at)),
        last_used_at: None,
    };
    let keep = site.store().write(|tx| -> recflow_state::Result<()> {
        tx.add_session(&session("alive", now - 11 * hour, now + hour))?;
        tx.add_session(&session("idle", now - 13 * hour, now + hour))?;
        tx.add_session(&session("old", now, now - 1))?;
        tx.add_token(&token("fresh", now + hour))?;
        tx.add_token(&token("ended", now - 1))
    });
    keep.expect("kept");
    for (name, status) in [("alive", 200), ("idle", 401), ("old", 401), ("none", 401)] {
        assert_eq!(site.ask("GET /api/v1/session", &[&format!("Cookie: recflow_session={name}")], "").status, status, "{name}");
    }
    for (name, status) in [("fresh", 200), ("ended", 401)] {
        assert_eq!(site.with_token(name, "GET /api/v1/session", &Value::Null).status, status, "{name}");
    }
    let rows = site.store().read(|view| view.tokens(None)).expect("readable");
    assert!(rows.iter().any(|row| row.id == "fresh" && row.last_used_at.is_some_and(|at| at.0 >= now)), "its use is on record");
    let used = site.store().read(|view| view.session(&blake3::hash(b"alive").to_hex())).expect("readable").expect("it lives");
    assert!(used.used_at.0 >= now, "and it is no longer idle");
}

#[test]
fn who_loses_a_role_a_password_or_the_account_loses_what_they_had() {
    let site = Site::new();
    let admin = site.token("admin", "admin");
    let cookie = format!("Cookie: {}", site.sign_in("operator", PASSWORD).is(200).cookie());
    let token = site.token("operator", "operator");
    site.with_token(&admin, "PATCH /api/v1/users/operator", &json!({ "role": "viewer" })).is(200);
    assert_eq!(site.ask("GET /api/v1/session", &[&cookie], "").status, 401, "signed out");
    assert_eq!(
        site.with_token(&token, "GET /api/v1/session", &Value::Null).json()["role"],
        "viewer",
        "a token is never more than its user"
    );
    site.with_token(&admin, "DELETE /api/v1/users/operator", &Value::Null).is(204);
    assert_eq!(site.with_token(&token, "GET /api/v1/session", &Value::Null).status, 401);
    site.sign_in("operator", PASSWORD).is(401);
    // The command line does the same, beside a daemon that remembers for a second.
    let token = site.token("viewer", "viewer");
    site.with_token(&token, "GET /api/v1/session", &Value::Null).is(200);
    site.sandbox.recflow(&["user", "remove", "viewer"]).exits(0);
    site.sandbox.wait_until("it is out", || site.with_token(&token, "GET /api/v1/session", &Value::Null).status == 401);
}

#[test]
fn there_is_always_somebody_who_can_give_access() {
    let site = Site::new();
    let admin = site.token("admin", "admin");
    let answer = site.with_token(&admin, "DELETE /api/v1/users/admin", &Value::Null).is(409);
    assert_eq!(answer.json()["type"], "urn:recflow:problem:last-admin");
    site.with_token(&admin, "PATCH /api/v1/users/admin", &json!({ "role": "viewer" })).is(409);
    site.with_token(&admin, "PATCH /api/v1/users/viewer", &json!({ "role": "admin" })).is(200);
    site.with_token(&admin, "DELETE /api/v1/users/admin", &Value::Null).is(204);
}

#[test]
fn tokens_are_ones_own_and_no_more_than_one_is() {
    let site = Site::new();
    let (viewer, operator, admin) = (site.token("viewer", "viewer"), site.token("operator", "operator"), site.token("admin", "admin"));
    let make = |token: &str, role: &str| site.with_token(token, "POST /api/v1/tokens", &json!({ "name": "ci", "role": role }));
    for role in ["operator", "admin"] {
        assert_eq!(make(&viewer, role).status, 403, "{role}");
    }
    let made = make(&viewer, "viewer").is(201).json();
    let secret = made["secret"].as_str().expect("told once").to_owned();
    assert!(secret.starts_with("rf_") && secret.len() == 67, "{secret}");
    assert!(made["expires_at"].is_string(), "it does not outlive the token that made it, which ends in 90 days: {made}");
    assert_eq!(site.with_token(&secret, "GET /api/v1/session", &Value::Null).json()["user"], "viewer");
    let count = |token: &str| site.with_token(token, "GET /api/v1/tokens", &Value::Null).is(200).json()["items"].as_array().map(Vec::len);
    assert_eq!((count(&viewer), count(&operator), count(&admin)), (Some(2), Some(1), Some(4)));
    let listed = site.with_token(&admin, "GET /api/v1/tokens", &Value::Null);
    assert!(!listed.body.contains("secret") && !listed.body.contains("hash"), "{listed:?}");
    let revoke = format!("DELETE /api/v1/tokens/{}", made["id"].as_str().expect("an id"));
    assert_eq!(site.with_token(&operator, &revoke, &Value::Null).status, 404, "somebody else's is as unknown as none");
    site.with_token(&viewer, &revoke, &Value::Null).is(204);
    site.with_token(&secret, "GET /api/v1/session", &Value::Null).is(401);
}

#[test]
fn the_command_line_manages_people_and_says_what_is_wrong() {
    let sandbox = Sandbox::new();
    let refused = sandbox.recflow(&["token", "create", "ci"]).exits(2);
    assert!(refused.err.contains("there is no user yet") && refused.err.contains("recflow user add"), "{}", refused.all());
    let added = sandbox.recflow(&["user", "add", "ann", "--role", "admin"]).exits(0);
    assert!(added.out.contains("added ann, admin") && added.out.contains("http://127.0.0.1:8080/login#rfl_"), "{}", added.all());
    assert!(sandbox.recflow(&["user", "add", "ann"]).exits(2).err.contains("already"));
    assert!(sandbox.recflow(&["user", "add", "Ann"]).exits(2).err.contains("cannot be a name"));
    sandbox.recflow(&["user", "add", "bob", "--role", "root"]).exits(2);
    sandbox.write("weak", "short\n");
    assert!(sandbox.recflow(&["user", "passwd", "ann", "--password-file", "weak"]).exits(2).err.contains("shorter than 10"));
    assert!(sandbox.recflow(&["user", "passwd", "ann"]).exits(2).err.contains("not a terminal"));
    sandbox.write("good", "correct horse battery\n");
    sandbox.recflow(&["user", "passwd", "ann", "--password-file", "good"]).exits(0);
    sandbox.recflow(&["user", "set-role", "ann", "operator"]).exits(0);
    let users = sandbox.json(&["user", "list", "--json"]);
    assert_eq!(
        (users[0]["user"].as_str(), users[0]["role"].as_str(), users[0]["has_password"].as_bool()),
        (Some("ann"), Some("operator"), Some(true))
    );
    assert!(sandbox.recflow(&["user", "link", "bob"]).exits(2).err.contains("there is no user `bob`"));
    let link = sandbox.recflow(&["user", "link", "ann", "--url", "https://recflow.example.com/"]).exits(0);
    assert!(link.out.contains("https://recflow.example.com/login#rfl_"), "{}", link.all());
    let token = sandbox.recflow(&["token", "create", "ci", "--days", "0"]).exits(0);
    assert!(token.out.trim().starts_with("rf_") && token.err.contains("never ends") && !token.err.contains("rf_"), "{}", token.all());
    let tokens = sandbox.json(&["token", "list", "--json"]);
    let id = tokens[0]["id"].as_str().expect("an id");
    sandbox.recflow(&["token", "revoke", id]).exits(0);
    assert!(sandbox.recflow(&["token", "revoke", id]).exits(2).err.contains("there is no token"));
    sandbox.recflow(&["user", "remove", "ann"]).exits(0);
    let store = recflow_state::Store::open_read_only(sandbox.file(".recflow/state.db")).expect("it is there");
    let audit = store.read(|view| view.audit(&recflow_state::AuditFilter::default(), 99)).expect("readable");
    let did: Vec<&str> = audit.iter().rev().map(|row| row.action.as_str()).collect();
    assert_eq!(did, ["addUser", "setPassword", "setRole", "linkUser", "createToken", "revokeToken", "removeUser"]);
    assert!(audit.iter().all(|row| row.via == "cli"));
}
