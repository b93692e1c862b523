//! Who asks. One guard stands before everything that is served; behind it every request carries an [`Identity`].
//!
//! ```text
//! guard ─▶ origin (is it meant for us, is it our own page) ─▶ credentials (session cookie, bearer token) ─▶ Identity ─▶ roles, audit
//! ```
//!
//! - [`identity`]: roles, and who somebody is.
//! - [`mod@guard`], [`origin`], [`address`]: what stands before every request.
//! - [`credentials`]: what somebody shows, looked up and remembered for a second.
//! - [`sign_in`], [`throttle`], [`password`], [`secret`]: how a session begins.
//! - [`audit`]: who did what.

mod address;
pub(crate) mod audit;
mod credentials;
mod guard;
mod identity;
mod origin;
pub mod password;
pub mod secret;
pub mod sign_in;
mod throttle;

pub(crate) use address::Address;
pub(crate) use guard::guard;
pub(crate) use identity::{Identity, Via};
pub use identity::{Role, Scope, is_name};
pub use origin::Hosts;

use credentials::Remembered;
use throttle::Throttle;
use tokio::sync::Semaphore;

/// What is set about access, by the flags of the daemon.
#[derive(Debug, Default)]
pub struct Settings {
    /// Hash of the token that opens `/metrics` alone.
    pub metrics_token: Option<blake3::Hash>,
    /// The names that the server goes by.
    pub hosts: Hosts,
    /// Whether requests come through a proxy that says whose they are.
    pub behind_proxy: bool,
    /// Whether browsers come by TLS, to us or to that proxy: their cookies are then for TLS alone.
    pub is_secure: bool,
}

/// What tells who asks.
#[derive(Debug)]
pub struct Auth {
    settings: Settings,
    remembered: Remembered,
    throttle: Throttle,
    /// Room for passwords that are hashed: each takes 19 MiB and a core.
    hashing: Semaphore,
    /// Room for requests that wait for that.
    waiting: Semaphore,
}

impl Auth {
    /// Passwords that are hashed at once.
    const HASHING_MAX: usize = 2;

    /// Access as it is set; who there is, the store knows.
    pub fn new(settings: Settings) -> Self {
        let (hashing, waiting) = (Semaphore::new(Self::HASHING_MAX), Semaphore::new(Self::WAITING_MAX));
        Self { settings, remembered: Remembered::default(), throttle: Throttle::default(), hashing, waiting }
    }

    /// Forgets what was looked up: somebody was removed, or may do less now.
    pub(crate) fn forget(&self) {
        self.remembered.forget();
    }

    /// The name of the cookie that holds a session's secret. With the prefix, a browser takes it by TLS and from this host alone.
    pub(crate) fn cookie(&self) -> &'static str {
        if self.settings.is_secure { "__Host-recflow_session" } else { "recflow_session" }
    }

    /// Whether browsers come by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.settings.is_secure
    }
}
