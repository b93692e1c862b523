//! Nobody gets anything without credentials, and nobody more than their role. The calls are those that the binary itself lists.

use serde_json::{Value, json};

use super::Site;

/// A call of the API, as the binary's own document has it.
struct Call {
    id: String,
    /// Method and path, names filled in.
    head: String,
    /// The least role; `None` if it is open.
    role: Option<String>,
    is_change: bool,
}

fn calls(site: &Site) -> Vec<Call> {
    let document = site.sandbox.json(&["openapi"]);
    let paths = document["paths"].as_object().expect("paths");
    let mut calls = Vec::new();
    for (path, methods) in paths {
        for (method, call) in methods.as_object().expect("methods") {
            let path: Vec<&str> = path.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment }).collect();
            let role = call["x-recflow-role"].as_str().map(str::to_owned);
            assert!(role.is_some() || call["security"] == json!([]), "{call}");
            let head = format!("{} {}", method.to_ascii_uppercase(), path.join("/"));
            calls.push(Call { id: call["operationId"].as_str().expect("an id").to_owned(), head, role, is_change: method != "get" });
        }
    }
    assert!(calls.len() > 10, "the document lists the calls");
    calls
}

#[test]
fn every_call_denies_whoever_shows_nothing_something_wrong_or_a_token_for_the_figures() {
    let site = Site::new();
    let metrics = site.token("admin", "metrics");
    let calls = calls(&site);
    assert_eq!(calls.iter().filter(|call| call.role.is_none()).map(|call| call.id.as_str()).collect::<Vec<_>>(), ["signIn"]);
    for call in calls.iter().filter(|call| call.role.is_some()) {
        let wrong = format!("Authorization: Bearer rf_{}", "0".repeat(64));
        for shown in [
            "",
            &wrong,
            "Authorization: Basic YWRtaW46YWRtaW4=",
            "Authorization: Bearer",
            "Cookie: recflow_session=x",
            "X-Forwarded-User: admin",
        ] {
            let answer = site.ask(&call.head, &[shown], "");
            assert_eq!(answer.status, 401, "{} with `{shown}`: {answer:?}", call.head);
            assert_eq!(answer.json()["type"], "urn:recflow:problem:not-signed-in");
        }
        assert_eq!(site.with_token(&metrics, &call.head, &Value::Null).status, 403, "{}", call.head);
    }
}

#[test]
fn every_call_denies_a_role_below_its_own_and_writes_down_who_tried() {
    let site = Site::new();
    let ranks = ["viewer", "operator", "admin"];
    let tokens = ranks.map(|role| site.token(role, role));
    // A token of an administrator that was made for less.
    let capped = ["viewer", "operator"].map(|role| site.token("admin", role));
    for call in calls(&site) {
        let Some(role) = &call.role else { continue };
        let least = ranks.iter().position(|rank| rank == role).expect("a role");
        for (rank, token) in tokens.iter().enumerate().chain(capped.iter().enumerate()).filter(|(rank, _)| *rank < least) {
            let answer = site.with_token(token, &call.head, &Value::Null);
            assert_eq!(answer.status, 403, "{} as {}: {answer:?}", call.head, ranks[rank]);
            assert_eq!(answer.json()["type"], "urn:recflow:problem:not-allowed");
            if call.is_change {
                let [_, action, _, outcome] = site.audit().swap_remove(0);
                assert_eq!((action, outcome.as_str()), (call.id.clone(), "denied"));
            }
        }
        // A body that nothing can be made of, so that nothing is done by those who may.
        let answer = site.with_token(&tokens[least], &call.head, &json!([0]));
        assert!(![401, 403, 405, 500].contains(&answer.status), "{} as {role}: {answer:?}", call.head);
    }
}

#[test]
fn no_spelling_of_an_open_path_opens_another() {
    let site = Site::new();
    for (path, status) in [("/healthz", 200), ("/login", 200), ("/assets/login.js", 200), ("/assets/login.css", 200)] {
        assert_eq!(site.ask(&format!("GET {path}"), &[], "").status, status, "{path}");
    }
    let tricks = [
        "/healthz/",
        "/healthz;x",
        "/healthz%2f",
        "//healthz",
        "/Healthz",
        "/HEALTHZ",
        "/healthz.json",
        "/healthz/..",
        "/healthz%00",
        "/./healthz",
        "/healthz/../api/v1/users",
        "/login/../api/v1/users",
        "/login;/api/v1/users",
        "/login/api/v1/users",
        "/login%2f..%2fapi%2fv1%2fusers",
        "/assets/login.js/../app.js",
        "/assets/login.js%2f..%2fapp.js",
        "/assets/app.js",
        "/assets/login.css.map",
        "/assets/",
        "/assets/../index.html",
        "/api/v1/session",
        "/api/v1/session/",
        "/api/v1/users",
        "/api/v1/users/",
        "/API/v1/users",
        "//api/v1/users",
        "/api//v1/users",
        "/api/v1/users;x=/login",
        "/api/v1/users?/login",
        "/api/v1/users%3f/healthz",
        "/api/v1/openapi.json",
        "/metrics",
        "/metrics/",
        "/",
        "/runs",
        "/nothing",
    ];
    for path in tricks {
        let answer = site.ask(&format!("GET {path}"), &[], "");
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
        let answer = site.ask(&format!("HEAD {path}"), &[], "");
        assert!(answer.status == 401 && answer.body.is_empty(), "{path}: {answer:?}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"] {
        assert_eq!(site.ask(&format!("{method} /healthz"), &[], "").status, 401, "{method}");
    }
    // The whole address in the first line, as proxies send it.
    assert_eq!(site.ask("GET http://localhost/api/v1/users", &[], "").status, 401);
    assert_eq!(site.ask("GET http://evil.com/login", &[], "").status, 421);
}

#[test]
fn figures_are_for_administrators_and_tokens_made_for_them() {
    let site = Site::new();
    for (user, role, status) in [
        ("admin", "admin", 200),
        ("admin", "metrics", 200),
        ("viewer", "metrics", 200),
        ("admin", "operator", 403),
        ("viewer", "viewer", 403),
    ] {
        let token = site.token(user, role);
        assert_eq!(site.with_token(&token, "GET /metrics", &Value::Null).status, status, "{role} of {user}");
    }
}

#[test]
fn what_is_not_there_is_told_only_to_those_who_may_look() {
    let site = Site::new();
    let token = site.token("viewer", "viewer");
    let answer = site.with_token(&token, "GET /api/v1/nothing", &Value::Null).is(404);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let answer = site.with_token(&token, "POST /api/v1/openapi.json", &Value::Null).is(405);
    assert_eq!((answer.header("allow"), answer.json()["type"].clone()), (Some("GET,HEAD"), json!("urn:recflow:problem:unknown-method")));
}

#[test]
fn bodies_are_json_whole_and_not_too_large() {
    let site = Site::new();
    let token = format!("Authorization: Bearer {}", site.token("admin", "admin"));
    let add = |media: &str, body: &str| site.ask("POST /api/v1/users", &[&token, media], body);
    let user = r#"{"user":"ann","role":"viewer"}"#;
    assert_eq!(add("Content-Type: application/x-www-form-urlencoded", "user=ann&role=viewer").status, 415);
    assert_eq!(add("Content-Type: text/plain", user).status, 415);
    assert_eq!(add("", user).status, 415);
    let json = "Content-Type: application/json; charset=utf-8";
    for bad in [
        "{",
        "[]",
        "",
        r#"{"user":"ann","role":"root"}"#,
        r#"{"user":"ann","user":"bob","role":"viewer"}"#,
        r#"{"user":"ann","role":"viewer","x":1}"#,
    ] {
        assert_eq!(add(json, bad).status, 400, "{bad}");
    }
    assert_eq!(add(json, &format!(r#"{{"user":"{}"}}"#, "a".repeat(3 << 20))).status, 413);
    assert_eq!(add(json, &"[".repeat(1 << 20)).status, 400, "depth has a bound");
    assert_eq!(add(json, user).status, 201);
    assert_eq!(add(json, user).status, 409);
    assert_eq!(site.ask("GET /api/v1/audit?limit=501", &[&token], "").status, 400);
    assert_eq!(site.ask("GET /api/v1/audit?color=red", &[&token], "").status, 400);
    assert_eq!(site.ask("GET /api/v1/audit?cursor=x", &[&token], "").status, 422);
    // What looks like SQL is a value.
    let answer = site.ask("GET /api/v1/audit?user=x%27%20OR%201%3D1--", &[&token], "").is(200);
    assert_eq!(answer.json()["items"], json!([]));
}

#[test]
fn a_client_that_has_the_answer_is_not_sent_it_again() {
    let site = Site::new();
    let token = format!("Authorization: Bearer {}", site.token("viewer", "viewer"));
    let first = site.ask("GET /api/v1/openapi.json", &[&token], "").is(200);
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = site.ask("GET /api/v1/openapi.json", &[&token, &format!("If-None-Match: \"x\", W/{tag}")], "").is(304);
    assert_eq!((again.body.as_str(), again.header("etag")), ("", Some(tag.as_str())));
    assert_eq!(site.ask("GET /api/v1/openapi.json", &[&token, "If-None-Match: \"x\""], "").status, 200);
    assert_eq!(site.ask("GET /api/v1/openapi.json", &[&format!("If-None-Match: {tag}")], "").status, 401, "a tag opens nothing");
}
