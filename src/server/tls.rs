//! TLS 1.2 and 1.3 with a certificate from files. Read once: a renewed certificate wants a restart, which loses no run.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// A certificate and its key, ready to be shown.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads a certificate, with those that vouch for it behind it, and its private key, both as PEM.
    ///
    /// # Errors
    /// If a file cannot be read, holds no such thing, or the key is not that of the certificate.
    pub fn load(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let read = || -> Result<Vec<CertificateDer<'static>>, _> { CertificateDer::pem_file_iter(certificate)?.collect() };
        let chain = read().with_context(|| format!("cannot read the certificate in `{}`", certificate.display()))?;
        ensure!(!chain.is_empty(), "there is no certificate in `{}`", certificate.display());
        let secret = PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot read the private key in `{}`", key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().context("cannot set up TLS")?;
        let mut config = config
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .with_context(|| format!("`{}` is not the key of the certificate in `{}`", key.display(), certificate.display()))?;
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(self) -> TlsAcceptor {
        TlsAcceptor::from(self.0)
    }
}

/// Whether the client chose HTTP/2.
pub(super) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}
