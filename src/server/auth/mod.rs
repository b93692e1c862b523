//! Who asks. One guard stands before everything that is served ([`guard`]); behind it every request carries an [`Identity`].

mod guard;
mod identity;

pub(crate) use guard::guard;
pub(crate) use identity::{Identity, Role, Via};

/// What tells who asks.
#[derive(Debug, Default)]
pub struct Auth {
    /// Hash of the token that opens `/metrics` alone.
    pub metrics_token: Option<blake3::Hash>,
}
