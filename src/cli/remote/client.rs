//! The connection to a daemon: JSON in and out; what it refuses, as people read it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::super::exit::Failure;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// Where systems keep the certificates that they trust.
const BUNDLES: &[&str] = &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A daemon, and how to act on it.
#[derive(Debug)]
pub(in crate::cli) struct Remote {
    agent: Agent,
    base: String,
    token: String,
}

impl Remote {
    /// The daemon at an address such as `https://recflow.example.com`. The token comes from a file, or else from RECFLOW_TOKEN: never from an
    /// argument, which other users of the machine see.
    pub(in crate::cli) fn new(base: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let base = base.trim_end_matches('/').to_owned();
        let is_secure = check(&base)?;
        let token = match token_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read the token in `{}`", file.display()))?,
            None => std::env::var("RECFLOW_TOKEN").unwrap_or_default(),
        };
        let token = token.trim().to_owned();
        if token.is_empty() {
            let failure = Failure::usage("a server wants a token");
            return Err(failure.with_hint("give --token-file FILE or RECFLOW_TOKEN; `recflow token create` makes one"));
        }
        // A redirect could lead the token elsewhere.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWER_WITHIN))
            .user_agent(concat!("recflow/", env!("CARGO_PKG_VERSION")));
        let config = if is_secure { config.tls_config(tls()?) } else { config };
        Ok(Self { agent: config.build().into(), base, token })
    }

    /// The address.
    pub(in crate::cli) fn base(&self) -> &str {
        &self.base
    }

    /// What a path below `/api/v1` tells.
    pub(super) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let request = self.agent.get(self.address(path)).header("authorization", self.bearer());
        let request = query.iter().fold(request, |request, (name, value)| request.query(*name, value));
        self.read(request.call())
    }

    /// Changes something.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.agent.post(self.address(path)).header("authorization", self.bearer());
        self.read(request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Up to `limit` items of a list, over as many pages as that takes.
    pub(super) fn list(&self, path: &str, query: &[(&str, String)], limit: usize) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        while items.len() < limit {
            let mut query = query.to_vec();
            query.push(("limit", (limit - items.len()).min(500).to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query)?;
            let Value::Array(found) = page["items"].take() else { return Err(self.strange("a list without items")) };
            items.extend(found);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(items)
    }

    /// The failure for an answer that this recflow does not understand.
    pub(super) fn strange(&self, what: &str) -> Failure {
        let failure = Failure::failed(format!("{} answered with {what}", self.base));
        failure.with_hint("it may not be a recflow daemon, or one of another version than this recflow")
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn read(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
        let unreachable = |error: ureq::Error| {
            let failure = Failure::failed(format!("cannot reach {}: {error}", self.base));
            failure.with_hint("is the daemon there? SSL_CERT_FILE names the certificates to trust, where those of the system do not do")
        };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
        if status == 204 {
            return Ok(Value::Null);
        }
        let value: Value = serde_json::from_str(&text).map_err(|_| self.strange(&format!("status {status} and no JSON")))?;
        if (200..300).contains(&status) { Ok(value) } else { Err(refusal(status, &value)) }
    }
}

/// A problem, as people read it.
fn refusal(status: u16, problem: &Value) -> Failure {
    let mut text = problem["detail"].as_str().map_or_else(|| format!("the server answered {status}"), str::to_owned);
    for diagnostic in problem["diagnostics"].as_array().into_iter().flatten() {
        let word = |name: &str| diagnostic[name].as_str().unwrap_or_default();
        let place = format!("{}:{}:{}", word("file"), diagnostic["line"], diagnostic["column"]);
        text.push_str(&format!("\n  {place}: {}", word("message")));
    }
    let failure = if matches!(status, 400 | 404 | 422) { Failure::usage(text) } else { Failure::failed(text) };
    match problem["hint"].as_str() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// Checks an address; says whether it is one of TLS. In the clear the token goes to this machine alone.
fn check(base: &str) -> Result<bool, Failure> {
    let wrong = || Failure::usage(format!("`--server {base}` is not an address")).with_hint("write https://NAME[:PORT]");
    let address: Uri = base.parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(host)) = (address.scheme_str(), address.host()) else { return Err(wrong()) };
    if !matches!(address.path(), "" | "/") || address.query().is_some() {
        return Err(wrong());
    }
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    match scheme {
        "https" => Ok(true),
        "http" if host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()) => Ok(false),
        "http" => {
            let failure = Failure::usage(format!("the token would go to {host} in the clear"));
            Err(failure.with_hint(format!("write https://{host}, or open a tunnel and name its end on this machine")))
        }
        _ => Err(wrong()),
    }
}

/// TLS that trusts the certificates in SSL_CERT_FILE, or else those of the system.
fn tls() -> Result<TlsConfig, Failure> {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
    let file = named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(|file| file.is_file()));
    let Some(file) = file else {
        return Err(Failure::failed("this system has no certificates to trust").with_hint("name a file of them in SSL_CERT_FILE"));
    };
    let text = std::fs::read(&file).with_context(|| format!("cannot read the certificates in `{}`", file.display()))?;
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    let trusted: Vec<Certificate<'static>> = parse_pem(&text).filter_map(certificate).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCerts::Specific(Arc::new(trusted));
    Ok(TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_stays_on_this_machine() {
        for (base, is_secure) in [
            ("https://recflow.example.com", true),
            ("http://127.0.0.1:8080", false),
            ("http://localhost:1", false),
            ("http://[::1]:1", false),
        ] {
            assert_eq!(check(base).ok(), Some(is_secure), "{base}");
        }
        for base in [
            "http://recflow.example.com",
            "http://10.0.0.1:8080",
            "http://localhost.evil.com",
            "ftp://localhost",
            "localhost:8080",
            "https://a/b",
            "",
        ] {
            assert!(check(base).is_err(), "{base}");
        }
    }
}
