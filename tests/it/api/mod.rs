//! The resources of the HTTP API against the real binary: what each call answers, and how it refuses.
//!
//! [`Asker`] is an administrator's token for the daemon of a workspace; who may ask what is tried in `access`.

mod data;
mod follow;
mod pipelines;
mod runs;
mod writes;

use serde_json::Value;

use crate::access::{Answer, Site};
use crate::sandbox::Sandbox;

/// A daemon, and somebody who may ask it everything.
struct Asker {
    site: Site,
    token: String,
}

impl Asker {
    /// A daemon in a workspace that `prepare` has filled.
    fn new(prepare: impl FnOnce(&Sandbox)) -> Self {
        let sandbox = Sandbox::new();
        prepare(&sandbox);
        sandbox.recflow(&["user", "add", "ann", "--role", "admin"]).exits(0);
        let site = Site::around(sandbox, &[]);
        let token = site.token("ann", "admin");
        Self { site, token }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.site.sandbox
    }

    fn get(&self, path: &str) -> Answer {
        self.site.with_token(&self.token, &format!("GET /api/v1/{path}"), &Value::Null)
    }

    /// What a read answers, which must succeed.
    #[track_caller]
    fn read(&self, path: &str) -> Value {
        self.get(path).is(200).json()
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.site.with_token(&self.token, &format!("POST /api/v1/{path}"), body)
    }

    fn delete(&self, path: &str) -> Answer {
        self.site.with_token(&self.token, &format!("DELETE /api/v1/{path}"), &Value::Null)
    }

    /// Fails unless the answer is a problem of that kind; its text.
    #[track_caller]
    fn refused(answer: Answer, status: u16, kind: &str) -> String {
        let answer = answer.is(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["type"], format!("urn:recflow:problem:{kind}"), "{problem}");
        format!("{} {}", problem["detail"].as_str().unwrap_or_default(), problem["hint"].as_str().unwrap_or_default())
    }

    /// Starts a run of a pipeline and waits for its end; its id.
    #[track_caller]
    fn run(&self, pipeline: &str, body: &Value) -> String {
        let started = self.post(&format!("pipelines/{pipeline}/runs"), body).is(201);
        let run = started.json()["run"].as_str().expect("an id").to_owned();
        assert_eq!(started.header("location"), Some(format!("/api/v1/runs/{run}").as_str()));
        self.ended(&run);
        run
    }

    /// Waits for the end of a run; how it ended.
    #[track_caller]
    fn ended(&self, run: &str) -> String {
        let status = || self.read(&format!("runs/{run}"))["status"].as_str().expect("a status").to_owned();
        self.sandbox().wait_until("the run has ended", || !["queued", "running"].contains(&status().as_str()));
        status()
    }
}

/// A member of each item of a list.
fn each(page: &Value, member: &str) -> Vec<String> {
    let text = |item: &Value| item[member].as_str().map_or_else(|| item[member].to_string(), str::to_owned);
    page["items"].as_array().expect("a list").iter().map(text).collect()
}

/// Every item of a list, page by page.
fn all(asker: &Asker, path: &str, limit: u32) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let more = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = asker.read(&format!("{path}{sign}limit={limit}{more}"));
        let found = page["items"].as_array().expect("a list");
        assert!(found.len() <= limit as usize);
        items.extend(found.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return items,
        }
    }
}
