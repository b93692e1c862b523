//! Where the daemon listens, and what it wants for that: whoever lets others reach it says how they are told apart and kept from listening in.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use recflow_state::{LinkRow, Store, UnixMs};

use super::exit::Failure;
use crate::server::Tls;
use crate::server::auth::secret::{self, Secret};
use crate::server::auth::{Hosts, Role, Settings, sign_in};
use crate::workspace::Workspace;

/// Whom the first link signs in.
const FIRST_USER: &str = "admin";

/// Options about listening.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
pub(super) struct Listening {
    /// Where to serve the pages, the API, /healthz, /readyz and /metrics; `none` for nowhere.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "RECFLOW_LISTEN")]
    listen: String,
    /// Serve TLS with the certificate in this file (PEM, those that vouch for it behind it).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy before the daemon ends TLS and says in X-Forwarded-For whose a request is.
    #[arg(long, conflicts_with = "tls_cert")]
    behind_proxy: bool,
    /// A name by which others call the server, besides localhost; may be given again.
    #[arg(long = "allowed-host", value_name = "NAME", env = "RECFLOW_ALLOWED_HOSTS", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// File whose content is a token that opens /metrics alone.
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
}

/// Where to listen, and how.
#[derive(Debug)]
pub(super) struct Listen {
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Tls>,
    pub(super) settings: Settings,
}

impl Listening {
    /// Where to listen, if anywhere.
    pub(super) fn check(&self, workspace: &Workspace) -> Result<Option<Listen>, Failure> {
        let metrics_token = self.metrics_token()?;
        if self.listen == "none" {
            return Ok(None);
        }
        let address: SocketAddr = self.listen.replace("localhost:", "127.0.0.1:").parse().map_err(|_| {
            Failure::usage(format!("`--listen {}` is not an address", self.listen))
                .with_hint("write ADDRESS:PORT, such as 127.0.0.1:8080, or `none`")
        })?;
        if !address.ip().to_canonical().is_loopback() {
            self.check_exposed(address, workspace)?;
        }
        let tls = self.tls_cert.as_ref().zip(self.tls_key.as_ref()).map(|(certificate, key)| Tls::load(certificate, key)).transpose()?;
        let is_secure = tls.is_some() || self.behind_proxy;
        let hosts = Hosts::new(self.allowed_hosts.iter().cloned());
        Ok(Some(Listen { address, tls, settings: Settings { metrics_token, hosts, behind_proxy: self.behind_proxy, is_secure } }))
    }

    /// What is missing for a place that others can reach.
    fn check_exposed(&self, address: SocketAddr, workspace: &Workspace) -> Result<(), Failure> {
        let flags = workspace.flags();
        let mut missing = Vec::new();
        if !has_users(workspace) {
            missing.push(format!("add a user: `recflow user add NAME --role admin{flags}`"));
        }
        if self.tls_cert.is_none() && !self.behind_proxy {
            missing.push("give --tls-cert and --tls-key, or --behind-proxy if a proxy ends TLS".to_owned());
        }
        if Hosts::new(self.allowed_hosts.iter().cloned()).is_empty() {
            missing.push("say with --allowed-host NAME what others call this server".to_owned());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let failure = Failure::usage(format!("{address} can be reached from elsewhere, and is not ready for that"));
        Err(failure.with_hint(format!("{}; or listen on 127.0.0.1", missing.join("; "))))
    }

    fn metrics_token(&self) -> Result<Option<blake3::Hash>, Failure> {
        let Some(file) = &self.metrics_token_file else { return Ok(None) };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the token in `{}`", file.display()))?;
        let token = text.trim();
        if token.len() < 16 {
            let failure = Failure::usage(format!("the token in `{}` is shorter than 16 characters", file.display()));
            return Err(failure.with_hint("make one with `openssl rand -hex 32`"));
        }
        Ok(Some(blake3::hash(token.as_bytes())))
    }
}

/// Whether anybody may sign in. A store that is not there, or older than users, has none.
fn has_users(workspace: &Workspace) -> bool {
    let users = Store::open_read_only(workspace.store()).and_then(|reader| reader.read(|view| view.users()));
    users.is_ok_and(|users| !users.is_empty())
}

/// The secret of a link that signs in the first user, an administrator, if there is no user yet. An earlier such link ends.
pub(super) fn first_link(store: &Store, now: UnixMs) -> anyhow::Result<Option<Secret>> {
    let secret = Secret::new(secret::LINK)?;
    let link = LinkRow {
        hash: secret.hash(),
        user: FIRST_USER.to_owned(),
        role: Some(Role::Admin.to_string()),
        expires_at: UnixMs(now.0 + sign_in::LINK_MS),
    };
    let is_first = store.write(|tx| -> recflow_state::Result<bool> {
        let is_first = tx.users()?.is_empty();
        if is_first {
            tx.add_link(&link)?;
        }
        Ok(is_first)
    })?;
    Ok(is_first.then_some(secret))
}

/// Tells of the first link. Not through the log: it would stay there.
pub(super) fn tell_first_link(secret: &Secret, base: &str) {
    use std::io::Write as _;
    let link = format!("{base}/login#{}", secret.reveal());
    // If nobody reads standard error there is nobody to tell; `recflow user add` is another way in.
    let _ = writeln!(std::io::stderr(), "no user yet: this link signs you in as `{FIRST_USER}`, once, within an hour:\n  {link}");
}
