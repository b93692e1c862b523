//! What pages of others could have a browser do that is signed in here: nothing.

use serde_json::{Value, json};

use super::{PASSWORD, Site};

const JSON: &str = "Content-Type: application/json";

/// A signed-in browser: its cookie and the token that our own pages send.
fn browser(site: &Site, user: &str) -> (String, String) {
    let answer = site.sign_in(user, PASSWORD).is(200);
    let csrf = answer.json()["csrf_token"].as_str().expect("a token").to_owned();
    (format!("Cookie: other=1; {}; last=2", answer.cookie()), format!("X-CSRF-Token: {csrf}"))
}

#[test]
fn a_change_by_a_session_wants_the_token_that_only_our_pages_know() {
    let site = Site::new();
    let (cookie, csrf) = browser(&site, "admin");
    let body = json!({ "user": "ann", "role": "viewer" }).to_string();
    let add = |headers: &[&str]| site.ask("POST /api/v1/users", &[&[cookie.as_str(), JSON], headers].concat(), &body);
    let (_, foreign) = browser(&site, "viewer");
    for headers in [&[][..], &["X-CSRF-Token: "], &["X-CSRF-Token: x"], &[&foreign]] {
        let answer = add(headers).is(403);
        assert_eq!(answer.json()["type"], "urn:recflow:problem:no-csrf-token");
    }
    assert_eq!(
        site.ask("GET /api/v1/users", &[&cookie], "").is(200).json()["items"].as_array().map(Vec::len),
        Some(3),
        "nothing was added"
    );
    add(&[&csrf]).is(201);
    assert_eq!(site.ask("DELETE /api/v1/session", &[&cookie], "").status, 403, "not even out");
}

#[test]
fn a_change_from_a_page_of_another_origin_is_refused_whoever_is_signed_in() {
    let site = Site::new();
    let (cookie, csrf) = browser(&site, "admin");
    let token = format!("Authorization: Bearer {}", site.token("admin", "admin"));
    let body = json!({ "user": "ann", "role": "viewer" }).to_string();
    let own = format!("Host: localhost:{}", site.address.port());
    let origins = [
        "Origin: http://evil.com",
        "Origin: null",
        "Origin: http://localhost.evil.com",
        "Origin: http://localhost:1",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ];
    for origin in origins {
        for shown in [&[cookie.as_str(), &csrf][..], &[&token]] {
            let answer = site.ask("POST /api/v1/users", &[&[own.as_str(), JSON, origin], shown].concat(), &body).is(403);
            assert_eq!(answer.json()["type"], "urn:recflow:problem:foreign-origin", "{origin}");
        }
        let login = json!({ "user": "admin", "password": PASSWORD }).to_string();
        let answer = site.ask("POST /api/v1/session", &[&own, JSON, origin], &login).is(403);
        assert_eq!(answer.header("set-cookie"), None, "a foreign page cannot sign somebody in as somebody else");
    }
    let same = format!("Origin: http://localhost:{}", site.address.port());
    site.ask("POST /api/v1/users", &[&own, JSON, &same, "Sec-Fetch-Site: same-origin", &cookie, &csrf], &body).is(201);
}

#[test]
fn a_name_that_was_made_to_point_here_is_not_answered() {
    let site = Site::with(&["--allowed-host", "recflow.example.com"]);
    let (cookie, _) = browser(&site, "admin");
    for host in ["evil.com", "localhost.evil.com", "127.0.0.1.nip.io", "0.0.0.0", "169.254.169.254", "recflow.example.com.evil.com", "[::]"]
    {
        for path in ["/api/v1/users", "/", "/login", "/metrics", "/assets/login.js"] {
            let answer = site.ask(&format!("GET {path}"), &[&format!("Host: {host}"), &cookie], "");
            assert_eq!(answer.status, 421, "{host} {path}");
        }
    }
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080", "recflow.example.com", "Recflow.Example.com:443"] {
        assert_eq!(site.ask("GET /api/v1/users", &[&format!("Host: {host}"), &cookie], "").status, 200, "{host}");
    }
    assert_eq!(site.ask("GET /healthz", &["Host: 10.0.0.7"], "").status, 200, "probes know this one by its address");
    assert_eq!(site.ask("GET /api/v1/users", &["Host: localhost", "Host: evil.com", &cookie], "").status, 400);
}

#[test]
fn no_answer_lets_another_origin_read_or_frame_it() {
    let site = Site::new();
    let (cookie, _) = browser(&site, "admin");
    for head in
        ["GET /", "GET /login", "GET /api/v1/session", "GET /api/v1/nothing", "GET /assets/app.js", "GET /healthz", "OPTIONS /api/v1/users"]
    {
        let answer = site.ask(head, &[&cookie, "Origin: http://evil.com", "Access-Control-Request-Method: POST"], "");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{answer:?}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    }
}

#[test]
fn the_cookie_is_for_our_own_pages_alone_and_no_script_reads_it() {
    let site = Site::new();
    let set = site.sign_in("viewer", PASSWORD).is(200).header("set-cookie").expect("a cookie").to_owned();
    for part in ["recflow_session=rfs_", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let (cookie, csrf) = browser(&site, "viewer");
    let twice = format!("{cookie}; recflow_session=rfs_0");
    assert_eq!(site.ask("GET /api/v1/session", &[&twice], "").status, 400, "one that was planted beside it");
    let out = site.ask("DELETE /api/v1/session", &[&cookie, &csrf], "").is(204);
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")), "{out:?}");
    assert_eq!(site.ask("GET /api/v1/session", &[&cookie], "").status, 401, "the secret is worth nothing now");
}

#[test]
fn who_is_not_signed_in_is_led_to_the_login_page_and_back() {
    let site = Site::new();
    let page = "Accept: text/html,application/xhtml+xml";
    for (path, place) in
        [("/", "/login"), ("/runs/abc?x=1&y=/", "/login?next=/runs/abc%3Fx%3D1%26y%3D/"), ("/nothing", "/login?next=/nothing")]
    {
        let answer = site.ask(&format!("GET {path}"), &[page], "").is(303);
        assert_eq!(answer.header("location"), Some(place));
    }
    assert_eq!(site.ask("GET /api/v1/runs", &[page], "").status, 401, "an API has no login page");
    let (cookie, _) = browser(&site, "viewer");
    for path in ["/", "/pipelines/x/grid", "/runs/0123456789ab/tasks/train", "/models", "/drift", "/system"] {
        let answer = site.ask(&format!("GET {path}"), &[page, &cookie], "").is(200);
        assert!(answer.header("content-type") == Some("text/html; charset=utf-8") && answer.body.contains("/assets/app.js"), "{answer:?}");
    }
    let script = site.ask("GET /assets/app.js", &[&cookie], "").is(200);
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    let tag = script.header("etag").expect("a tag").to_owned();
    site.ask("GET /assets/app.js", &[&cookie, &format!("If-None-Match: {tag}")], "").is(304);
    let token = site.token("viewer", "viewer");
    site.with_token(&token, "GET /nothing", &Value::Null).is(404);
}
