//! What the daemon wants before others can reach it, and how it speaks then.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

use super::{Answer, PASSWORD, Site};
use crate::sandbox::{Sandbox, skipped};

/// A certificate for `localhost` and its key, in `cert.pem` and `key.pem`; false if there is no openssl to make one.
fn make_certificate(sandbox: &Sandbox) -> bool {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
                     -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem";
    let made = Command::new("openssl").args(arguments.split_whitespace()).current_dir(sandbox.path()).output();
    match made {
        Ok(made) => {
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            true
        }
        Err(error) => {
            assert!(std::env::var_os("RECFLOW_REQUIRE_SHARED").is_none(), "openssl is wanted: {error}");
            skipped("no openssl to make a certificate with");
            false
        }
    }
}

#[test]
fn it_listens_for_others_only_with_a_user_tls_and_its_name() {
    let sandbox = Sandbox::new();
    let refuse = |more: &[&str], missing: &[&str], there: &[&str]| {
        let refused = sandbox.recflow(&[&["daemon", "--listen", "0.0.0.0:0"], more].concat()).exits(2);
        assert!(refused.err.contains("can be reached from elsewhere"), "{}", refused.all());
        for word in missing {
            assert!(refused.err.contains(word), "{word} in {}", refused.all());
        }
        for word in there {
            assert!(!refused.err.contains(word), "{word} in {}", refused.all());
        }
    };
    let name = ["--allowed-host", "recflow.example.com"];
    refuse(&[], &["recflow user add", "--tls-cert", "--allowed-host"], &[]);
    refuse(&["--behind-proxy"], &["recflow user add", "--allowed-host"], &["--tls-cert"]);
    sandbox.write("password", PASSWORD);
    sandbox.recflow(&["user", "add", "ann", "--role", "admin", "--password-file", "password"]).exits(0);
    refuse(&name, &["--tls-cert"], &["recflow user add"]);
    refuse(&["--behind-proxy"], &["--allowed-host"], &["recflow user add", "--tls-cert"]);
    sandbox.recflow(&["daemon", "--listen", "[::]:0"]).exits(2);
    let missing = sandbox.recflow(&["daemon", "--tls-cert", "cert.pem"]).exits(2);
    assert!(missing.err.contains("--tls-key"), "{}", missing.all());
    sandbox.write("cert.pem", "nonsense");
    sandbox.write("key.pem", "nonsense");
    let bad = sandbox.recflow(&["daemon", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]).exits(1);
    assert!(bad.err.contains("certificate in `cert.pem`"), "{}", bad.all());
}

#[test]
fn behind_a_proxy_cookies_are_for_tls_and_the_proxys_word_on_addresses_counts() {
    let site = Site::with(&["--listen", "0.0.0.0:0", "--behind-proxy", "--allowed-host", "recflow.example.com"]);
    let body = serde_json::json!({ "user": "admin", "password": PASSWORD }).to_string();
    let headers = [
        "Host: recflow.example.com",
        "Origin: https://recflow.example.com",
        "Content-Type: application/json",
        "X-Forwarded-For: 6.6.6.6, 203.0.113.7",
    ];
    let answer = site.ask("POST /api/v1/session", &headers, &body).is(200);
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("__Host-recflow_session=rfs_") && set.contains("; Secure") && !set.contains("Domain"), "{set}");
    assert!(answer.header("strict-transport-security").is_some());
    let audit = site.store().read(|view| view.audit(&recflow_state::AuditFilter::default(), 1)).expect("readable");
    assert_eq!(audit[0].address, "203.0.113.7");
    let plain = format!("Cookie: recflow_session={}", answer.cookie().split_once('=').expect("a value").1);
    assert_eq!(
        site.ask("GET /api/v1/session", &["Host: recflow.example.com", &plain], "").status,
        401,
        "a cookie without the prefix may have been planted"
    );
    let direct = Site::new();
    direct.ask("POST /api/v1/session", &["Content-Type: application/json", "X-Forwarded-For: 6.6.6.6"], &body).is(200);
    let audit = direct.store().read(|view| view.audit(&recflow_state::AuditFilter::default(), 1)).expect("readable");
    assert_eq!(audit[0].address, "127.0.0.1", "without a proxy it is nobody's word");
}

#[test]
fn tls_is_spoken_with_the_certificate_from_the_files_and_nothing_else_is() {
    let sandbox = Sandbox::new();
    if !make_certificate(&sandbox) {
        return;
    }
    let site = Site::around(sandbox, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for protocol in [None, Some("http/1.1")] {
        let answer = over_tls(&site, protocol, request);
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"), "{answer:?}");
        assert!(answer.header("strict-transport-security").is_some(), "{answer:?}");
    }
    assert_eq!(site.ask("GET /healthz", &[], "").status, 0, "in the clear there is no answer");
    // Two renewals later: the key of another certificate is refused before anything listens.
    let other = Sandbox::new();
    assert!(make_certificate(&other));
    let key = other.file("key.pem").display().to_string();
    let refused = site.sandbox.recflow(&["daemon", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", &key]).exits(1);
    assert!(refused.err.contains("is not the key of the certificate"), "{}", refused.all());
}

/// One request over TLS, by a client that trusts this certificate and no other.
fn over_tls(site: &Site, protocol: Option<&str>, request: &str) -> Answer {
    let certificate = CertificateDer::from_pem_file(site.sandbox.file("cert.pem")).expect("ours");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("sound");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("known");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocol.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("set up");
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(site.address).expect("it listens"));
    stream.write_all(request.as_bytes()).expect("it reads");
    Answer::read(stream)
}
