//! Where a request claims to go, and which page sent it. A name that is not ours may have been made to point here (DNS rebinding); a page
//! that is not ours may not change anything (CSRF).

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use crate::server::problem::Problem;

/// The names that this server goes by.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Loopback names, and these.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect())
    }

    /// Whether there is any besides loopback names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this server goes by the name of an authority (`name` or `name:port`).
    fn know(&self, authority: &str) -> bool {
        let name = name_of(authority).to_ascii_lowercase();
        let is_loopback = name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        is_loopback || self.0.contains(&name)
    }

    /// Checks that a request is meant for this server; returns the authority that it names.
    pub(super) fn check(&self, parts: &Parts) -> Result<String, Problem> {
        let named: Vec<&str> = parts.headers.get_all(header::HOST).iter().filter_map(|value| value.to_str().ok()).collect();
        // HTTP/2 has it in the address of the request.
        let authority = match (parts.uri.authority(), named.as_slice()) {
            (Some(authority), [] | [_]) => authority.as_str(),
            (None, [host]) => host,
            _ => return Err(Problem::bad_request("the request names no host, or several")),
        };
        if self.know(authority) {
            return Ok(authority.to_ascii_lowercase());
        }
        let problem =
            Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", format!("this server is not called `{}`", name_of(authority)));
        Err(problem.with_hint("if it is, start the daemon with --allowed-host NAME"))
    }
}

/// An authority without its port.
fn name_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => authority,
    }
}

/// Checks that a change was not sent by a page of another origin. Programs that are no browser say nothing of pages, and pass.
pub(super) fn check_origin(headers: &HeaderMap, authority: &str) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return Err(foreign(site));
    }
    match text(header::ORIGIN) {
        Some(origin) if !is_same(origin, authority) => Err(foreign(origin)),
        _ => Ok(()),
    }
}

/// Whether an origin is that of this server. The scheme is not compared: behind a proxy that ends TLS it is another one.
fn is_same(origin: &str, authority: &str) -> bool {
    let Some((scheme, origin)) = origin.to_ascii_lowercase().split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.to_owned()))
    else {
        return false;
    };
    let default = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    origin.strip_suffix(default).unwrap_or(&origin) == authority.strip_suffix(default).unwrap_or(authority)
}

fn foreign(origin: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "foreign-origin", format!("a page of another origin (`{origin}`) may not change anything"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::post("/x"), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_loopback_and_the_names_that_were_given_are_ours() {
        let hosts = Hosts::new(["Recflow.Example.com".to_owned()]);
        for ours in
            ["localhost", "localhost:8080", "127.0.0.1:1", "127.8.9.1", "[::1]:8080", "recflow.example.com:443", "RECFLOW.example.com"]
        {
            assert!(hosts.check(&parts(&[("host", ours)])).is_ok(), "{ours}");
        }
        let foreign = [
            "evil.com",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "xlocalhost",
            "10.0.0.1",
            "evil.com:localhost",
            "",
            "localhost@evil.com",
            "recflow.example.com.",
            "::1:80",
        ];
        for foreign in foreign {
            let problem = hosts.check(&parts(&[("host", foreign)])).unwrap_err();
            assert_eq!(problem.status(), StatusCode::MISDIRECTED_REQUEST, "{foreign}");
        }
    }

    #[test]
    fn a_request_without_a_host_or_with_two_is_refused() {
        let hosts = Hosts::default();
        assert_eq!(hosts.check(&parts(&[])).unwrap_err().status(), StatusCode::BAD_REQUEST);
        let two = parts(&[("host", "localhost"), ("host", "localhost")]);
        assert_eq!(hosts.check(&two).unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_change_is_taken_from_our_own_pages_and_from_programs() {
        let check = |headers: &[(&str, &str)], authority| check_origin(&parts(headers).headers, authority).is_ok();
        assert!(check(&[], "localhost:8080"));
        assert!(check(&[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")], "localhost:8080"));
        assert!(check(&[("origin", "https://recflow.example.com")], "recflow.example.com:443"));
        for origin in [
            "null",
            "http://evil.com",
            "http://localhost:8081",
            "http://localhost",
            "file://localhost:8080",
            "http://localhost:8080.evil.com",
            "localhost:8080",
            "",
        ] {
            assert!(!check(&[("origin", origin)], "localhost:8080"), "{origin}");
        }
        for site in ["cross-site", "same-site", ""] {
            assert!(!check(&[("sec-fetch-site", site)], "localhost:8080"), "{site}");
        }
    }
}
