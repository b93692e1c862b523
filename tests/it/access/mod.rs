//! Who may ask the daemon, and how those who may not try it: each line of what attackers did to peers, against the real binary.
//!
//! [`Site`] is a workspace with a daemon that listens, three users and their tokens.

mod browser;
mod denied;
mod exposed;
mod people;
mod secrets;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use recflow_state::Store;
use serde_json::{Value, json};

use crate::sandbox::{Running, Sandbox};

const PASSWORD: &str = "correct horse battery";

/// A workspace with a daemon that listens.
pub(crate) struct Site {
    pub(crate) sandbox: Sandbox,
    pub(crate) daemon: Running,
    pub(crate) address: SocketAddr,
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split(':').next().is_some_and(|given| given.eq_ignore_ascii_case(name));
        self.head.lines().skip(1).find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Fails unless the status is `status`.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The cookie that it sets: `name=value`.
    #[track_caller]
    fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie in {self:?}"));
        set.split(';').next().expect("a cookie").to_owned()
    }
}

impl Site {
    /// With users `admin`, `operator` and `viewer`, of these roles, each with the same password.
    fn new() -> Self {
        Self::with(&[])
    }

    /// The same, the daemon started with more arguments.
    fn with(more: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("password", PASSWORD);
        for role in ["admin", "operator", "viewer"] {
            sandbox.recflow(&["user", "add", role, "--role", role, "--password-file", "password"]).exits(0);
        }
        Self::around(sandbox, more)
    }

    /// A daemon in a workspace as it is.
    pub(crate) fn around(sandbox: Sandbox, more: &[&str]) -> Self {
        let listen = if more.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] };
        let daemon = sandbox.spawn(&[&["daemon", "--log-file", "daemon.log", "--grace", "200ms"], listen, more].concat());
        sandbox.wait_until("the daemon has started", || sandbox.read("daemon.log").contains("daemon started"));
        let log = sandbox.read("daemon.log");
        let address = log.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the log tells the address");
        let mut address: SocketAddr = address.parse().expect("an address");
        address.set_ip([127, 0, 0, 1].into());
        Self { sandbox, daemon, address }
    }

    /// One request, as plain as it gets. `head` is the first line but for the version; a host is added if none is named.
    pub(crate) fn ask(&self, head: &str, headers: &[&str], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let mut text = format!("{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:")) {
            text.push_str("Host: localhost\r\n");
        }
        for line in headers.iter().filter(|line| !line.is_empty()) {
            text.push_str(line);
            text.push_str("\r\n");
        }
        // It may have answered and closed before all was written.
        let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes());
        Answer::read(stream)
    }

    /// A request with a token.
    pub(crate) fn with_token(&self, token: &str, head: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(head, &[&format!("Authorization: Bearer {token}"), "Content-Type: application/json"], &body)
    }

    /// A new token of a user, with a role.
    pub(crate) fn token(&self, user: &str, role: &str) -> String {
        let made = self.sandbox.recflow(&["token", "create", "test", "--user", user, "--role", role]).exits(0);
        made.out.trim().to_owned()
    }

    fn sign_in(&self, user: &str, password: &str) -> Answer {
        self.ask("POST /api/v1/session", &["Content-Type: application/json"], &json!({ "user": user, "password": password }).to_string())
    }

    fn store(&self) -> Store {
        Store::open(self.sandbox.file(".recflow/state.db")).expect("it is there")
    }

    /// What the audit log holds, newest first: who, what, on what, and how it went.
    fn audit(&self) -> Vec<[String; 4]> {
        let rows = self.store().read(|view| view.audit(&recflow_state::AuditFilter::default(), 500)).expect("readable");
        rows.into_iter().map(|row| [row.user, row.action, row.object, row.outcome]).collect()
    }
}

impl Answer {
    fn read(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        // A server that closes at once may reset the connection behind its answer.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }
}
