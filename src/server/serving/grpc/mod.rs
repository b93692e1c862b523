//! The recommender over gRPC, on the same port, behind the same guard: `proto/recflow/v1/recommender.proto`, health and reflection.
//!
//! The Rust of the messages and the service is committed ([`generated`]), so that a build needs neither `protoc` nor what stands in for it;
//! `proto/codegen` writes it, and a proof compares.

mod service;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tonic::Status;
use tonic::server::NamedService;

use self::generated::recommender_server::RecommenderServer;
use self::service::Service;
use super::Recommender;
use crate::server::Api;
use crate::server::auth::{Identity, Role};

/// What `proto/codegen` wrote.
#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all, reason = "generated")]
mod generated {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/generated/recflow.v1.rs"));
}

/// What reflection answers from.
const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/generated/recflow.v1.bin"));
/// The largest message that is read, as of the HTTP API.
const MESSAGE_BYTES_MAX: usize = 2 << 20;
/// How long a call may take, its message included.
const CALL_WITHIN: Duration = Duration::from_secs(30);

/// The services.
///
/// # Errors
/// The committed descriptors are none.
pub(in crate::server) async fn router(recommender: &Recommender) -> std::io::Result<Router<Arc<Api>>> {
    let server = RecommenderServer::new(Service(recommender.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<RecommenderServer<Service>>().await;
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    // The older one is what most tools ask for.
    let v1 = described().build_v1().map_err(std::io::Error::other)?;
    let v1alpha = described().build_v1alpha().map_err(std::io::Error::other)?;
    let within = Router::new().route_service(&calls_of(&server), server).layer(from_fn(in_time));
    let router =
        within.route_service(&calls_of(&health), health).route_service(&calls_of(&v1), v1).route_service(&calls_of(&v1alpha), v1alpha);
    Ok(router.layer(from_fn(viewers)))
}

/// The paths of a service's calls.
fn calls_of<S: NamedService>(_: &S) -> String {
    format!("/{}/{{call}}", S::NAME)
}

/// Lets through whoever may look.
async fn viewers(request: Request, next: Next) -> Response {
    match request.extensions().get::<Identity>() {
        Some(identity) if identity.may(Role::Viewer) => next.run(request).await,
        Some(identity) => {
            let message = format!(
                "recommendations are for the role `viewer` and those above it; you are `{}`, {}",
                identity.name,
                identity.standing()
            );
            Status::permission_denied(message).into_http::<axum::body::Body>().into_response()
        }
        // The guard lets nobody through without: this is the second lock.
        None => Status::unauthenticated("nobody knows who asks").into_http::<axum::body::Body>().into_response(),
    }
}

/// Ends a call that takes too long, such as one whose message does not arrive.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(CALL_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Status::deadline_exceeded("the call took too long").into_http::<axum::body::Body>().into_response(),
    }
}
