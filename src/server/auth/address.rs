//! From where somebody asks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::server::listen::Peer;

/// Where a request comes from: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) IpAddr);

impl Address {
    /// The other end of the connection; behind a proxy the one that it names last in `X-Forwarded-For`. What stands before that anybody may
    /// have written.
    pub(super) fn of(peer: Option<&Peer>, headers: &HeaderMap, behind_proxy: bool) -> Self {
        let direct = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| behind_proxy);
        let named = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
        Self(named.map_or(direct, |ip| ip.to_canonical()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // The guard has told it.
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_may_say_who_is_behind_it_and_only_its_own_word_counts() {
        let peer = Peer("10.0.0.9:1234".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        headers.append("x-forwarded-for", "3.3.3.3, 4.4.4.4".parse().unwrap());
        let of = |behind| Address::of(Some(&peer), &headers, behind).0.to_string();
        assert_eq!(of(false), "10.0.0.9");
        assert_eq!(of(true), "4.4.4.4");
        headers.append("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(Address::of(Some(&peer), &headers, true).0.to_string(), "10.0.0.9");
    }
}
