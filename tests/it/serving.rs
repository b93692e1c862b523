//! Recommendations of a daemon, over HTTP: what the command line says, to those who may ask, from the model that is promoted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::sandbox::{Running, Sandbox};

const PIPELINE: &str = "
params:
  seed: { type: integer, default: 1 }
tasks:
  parse: { stage: import, with: { train_file: ratings.csv, train_output: data/train } }
  train: { needs: [parse], stage: train_als, with: { ratings: data/train, models: models/artifacts, rank: 6, max_iter: 3, seed: '{{ params.seed }}' } }
";

/// A daemon that serves a workspace with one model; people and items have names.
struct Server {
    sandbox: Sandbox,
    daemon: Running,
    address: SocketAddr,
    token: String,
}

impl Server {
    fn start() -> Self {
        let sandbox = Sandbox::with(PIPELINE);
        let rated = (0..30).flat_map(|user| (0..40).map(move |item| (user, item))).filter(|(user, item)| (user * 7 + item * 5) % 3 == 0);
        let rows = rated.map(|(user, item)| format!("u{user},item/{item},{}\n", 1 + (user * item + item) % 5));
        sandbox.write("ratings.csv", &("user,item,rating\n".to_owned() + &rows.collect::<String>()));
        sandbox.recflow(&["run", "p.yaml"]).exits(0);
        sandbox.recflow(&["models", "promote", "latest", "--reason", "the first"]).exits(0);
        sandbox.recflow(&["user", "add", "vi", "--role", "viewer"]).exits(0);
        let token = sandbox.recflow(&["token", "create", "shop", "--user", "vi"]).exits(0).out.trim().to_owned();
        let daemon = sandbox.spawn(&["daemon", "--log-file", "daemon.log", "--grace", "200ms", "--listen", "127.0.0.1:0"]);
        sandbox.wait_until("the daemon has started", || sandbox.read("daemon.log").contains("daemon started"));
        let log = sandbox.read("daemon.log");
        let address = log.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the log tells the address");
        Self { address: address.parse().expect("an address"), sandbox, daemon, token }
    }

    /// One request; its status and body.
    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, Value) {
        self.ask_at_length(method, path, token, body, body.len())
    }

    /// The same with a body that says to be so long.
    fn ask_at_length(&self, method: &str, path: &str, token: Option<&str>, body: &str, length: usize) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{token}");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        let status = text.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", &format!("/api/v1/models/current/{path}"), Some(&self.token), "")
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", &format!("/api/v1/models/current/{path}"), Some(&self.token), &body.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.daemon.signal(libc::SIGTERM);
    }
}

/// The items of a list and their scores.
fn places(answer: &Value) -> Vec<(String, f32)> {
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no list: {answer}"));
    items
        .iter()
        .map(|place| (place["item"].as_str().expect("a name").to_owned(), place["score"].as_f64().expect("a score") as f32))
        .collect()
}

#[test]
fn the_daemon_answers_what_the_command_line_does() {
    let server = Server::start();
    let cli = |arguments: &[&str]| server.sandbox.json(&[arguments, &["--json"]].concat());
    let (status, answer) = server.get("recommendations/u3?k=5");
    assert_eq!((status, &answer["user"], &answer["fallback"]), (200, &json!("u3"), &Value::Null));
    assert_eq!(places(&answer), places(&cli(&["recommend", "--user", "u3", "-k", "5"])));
    assert_eq!(
        places(&server.get("recommendations/u3?k=5&exclude_seen=true").1),
        places(&cli(&["recommend", "--user", "u3", "-k", "5", "--exclude-seen"]))
    );

    let ratings = json!({ "ratings": [{ "item": "item/3", "rating": 5 }, { "item": "item/8", "rating": 1.5 }, { "item": "?", "rating": 3 }], "k": 4 });
    let (status, answer) = server.post("fold-in", &ratings);
    assert_eq!((status, &answer["unknown_items"]), (200, &json!(["?"])));
    assert_eq!(places(&answer), places(&cli(&["recommend", "--fold-in", "item/3=5,item/8=1.5", "-k", "4"])));

    let pairs = json!({ "pairs": [{ "user": "u3", "item": "item/8" }, { "user": "u3", "item": "?" }, { "user": 77, "item": "item/8" }] });
    let (status, answer) = server.post("predict", &pairs);
    assert_eq!(status, 200);
    assert_eq!(answer["predictions"][0]["rating"], cli(&["predict", "--user", "u3", "--item", "item/8"])["prediction"]);
    assert_eq!(
        answer["predictions"][1],
        json!({ "user": "u3", "item": "?", "rating": null, "fallback": null, "knows_user": true, "knows_item": false })
    );
    assert_eq!((&answer["predictions"][2]["user"], &answer["predictions"][2]["knows_user"]), (&json!(77), &json!(false)));

    let (status, answer) = server.get("recommendations/somebody%2Felse?k=2");
    assert_eq!((status, &answer["user"], &answer["fallback"]), (200, &json!("somebody/else"), &json!("popular")));
    assert_eq!(places(&answer).len(), 2);
}

#[test]
fn a_promotion_changes_who_answers_and_is_shown() {
    let server = Server::start();
    let (_, before) = server.get("serving");
    assert_eq!((&before["users"], &before["items"], &before["trouble"]), (&json!(30), &json!(40), &Value::Null), "{before}");
    server.sandbox.recflow(&["run", "p.yaml", "-p", "seed=2"]).exits(0);
    server.sandbox.recflow(&["models", "promote", "latest", "--reason", "the second"]).exits(0);
    server.sandbox.wait_until("the new model answers", || server.get("recommendations/u3").1["version"] != before["version"]);
    let (_, after) = server.get("serving");
    assert_ne!(after["version"], before["version"]);
    server.sandbox.wait_until("its swap is counted", || server.sandbox.read("daemon.log").contains("another model serves"));
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason_and_what_nobody_may_ask_is_not_answered() {
    let server = Server::start();
    let long = |count: usize| Value::Array((0..count).map(|item| json!({ "item": item, "rating": 1 })).collect());
    for (path, body, expected, word) in [
        (
            "fold-in",
            json!({ "ratings": [{ "item": "item/3", "rating": 5 }, { "item": "item/3", "rating": 4 }] }),
            422,
            "item/3 is rated twice",
        ),
        ("fold-in", json!({ "ratings": [{ "item": "item/3", "rating": 1e300 }] }), 422, "not a finite number"),
        ("fold-in", json!({ "ratings": [], "k": 0.0 }), 400, "`k` is 1 to 1000"),
        ("fold-in", json!({ "ratings": long(10_001) }), 400, "10001 ratings are more than 10000"),
        ("fold-in", json!({ "ratings": [{ "item": "item/3" }] }), 400, "missing field `rating`"),
        ("fold-in?folder=..", json!({ "ratings": [] }), 422, "no folder inside the workspace"),
        ("fold-in?folder=data", json!({ "ratings": [] }), 404, "no model version in `data`"),
        ("predict", json!({ "pairs": [] }), 400, "1 to 1000 pairs"),
    ] {
        let (status, problem) = server.post(path, &body);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(status == expected && detail.contains(word), "{path}: {status} {problem}");
    }
    assert_eq!(server.get("recommendations/u3?k=1001").0, 400);
    assert_eq!(server.get("recommendations/u3?many=1").0, 400);
    // Ten megabytes: told off after the first two, and not read any further.
    let some = " ".repeat((2 << 20) + 1);
    let (path, token) = ("/api/v1/models/current/fold-in", Some(server.token.as_str()));
    assert_eq!(server.ask_at_length("POST", path, token, &some, 10 << 20).0, 413);
    assert_eq!(server.post("fold-in", &json!({ "ratings": [] })).1["fallback"], "popular", "no ratings at all are no mistake");
    for path in ["/api/v1/models/current/recommendations/u3", "/api/v1/models/current/serving", "/recflow.v1.Recommender/RecommendForUser"]
    {
        assert_eq!(server.ask("GET", path, None, "").0, 401, "{path}");
    }
    assert_eq!(server.ask("POST", "/recflow.v1.Recommender/RecommendForUser", None, "").0, 401);
    // Questions are no changes: a line in the audit log for each would drown the rest.
    let store = recflow_state::Store::open_read_only(server.sandbox.file(".recflow/state.db")).expect("a store");
    let audited = store.read(|view| view.audit(&recflow_state::AuditFilter::default(), 100)).expect("readable");
    assert!(!audited.is_empty() && audited.iter().all(|row| row.action != "foldIn" && row.action != "predictRatings"), "{audited:?}");
}
