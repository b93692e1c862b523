//! What a daemon says over HTTP: health and figures for machines, the API for programs, pages for people.
//!
//! ```text
//! listen (connections, limits) ─▶ auth::guard (who asks) ─▶ probe | api | assets
//! ```
//!
//! Everything stands behind the guard but what [`auth`] lists as open. Reading order: [`listen`], [`auth`], [`api`], [`problem`], [`probe`], [`assets`].

mod api;
mod assets;
pub mod auth;
mod headers;
mod listen;
mod metrics;
mod probe;
mod problem;
mod serving;
mod stall;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use api::{Api, Places, openapi};
pub use auth::Auth;
pub use metrics::Metrics;
pub use serving::Recommender;
pub use tls::Tls;

/// Threads that serve connections. What waits for the disk or computes is done on others ([`Api::work`]).
const THREADS: usize = 2;
/// How long requests at work may take once the daemon stops.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// A server that answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Binds `address` and answers on threads of its own.
    pub fn start(address: SocketAddr, tls: Option<Tls>, api: Arc<Api>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).thread_name("http").enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let router = runtime.block_on(router(api))?;
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(listen::serve(listener, tls.map(Tls::acceptor), router, stopping));
            runtime.shutdown_timeout(STOP_WITHIN);
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it answers; the port is the one that was found if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All that is served. What is merged here stands behind the guard.
async fn router(api: Arc<Api>) -> std::io::Result<Router> {
    let router = Router::new()
        .merge(probe::router())
        .merge(api::router(&api))
        .merge(serving::grpc::router(&api.recommender).await?)
        .merge(assets::router())
        .fallback(api::nothing)
        .layer(from_fn_with_state(api.clone(), auth::guard))
        .layer(map_response_with_state(api.clone(), headers::set))
        .with_state(api);
    Ok(router)
}
