//! What a daemon says over HTTP: whether it lives, whether it can work, and its figures.
//!
//! `/healthz` and `/readyz` are open, since those who ask have no credentials; `/metrics` wants a token. Nothing else is there yet.

mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use recflow_stages::clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

pub use metrics::Metrics;

use crate::scheduler::daemon::Pulse;

/// How long ago the scheduler may have looked for the daemon to be ready: it looks twice a second.
const READY_WITHIN: Duration = Duration::from_secs(5);
/// So many clients at once: each holds a descriptor, and runs need those too.
const CLIENTS_MAX: usize = 64;
/// How long a client may take to ask.
const ASK_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection may last.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What the answers are made of.
#[derive(Debug)]
pub struct Facts {
    /// When the scheduler looked last.
    pub pulse: Pulse,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The figures.
    pub metrics: Metrics,
    /// Hash of the token that `/metrics` wants; without one it is closed to all.
    pub token: Option<blake3::Hash>,
}

/// A server that answers until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Binds `address` and answers on a thread of its own.
    pub fn start(address: SocketAddr, facts: Facts) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router(Arc::new(facts));
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers; the port is the one that was found if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers one request a connection, to so many clients at once; the others wait at the door. Who does not ask in time is sent away.
async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    while let Ok(place) = places.clone().acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors, say: nothing that trying again at once would mend.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(ASK_WITHIN).keep_alive(false);
            // How a connection ends is the client's business.
            let _ = tokio::time::timeout(ANSWER_WITHIN, http.serve_connection(TokioIo::new(stream), service)).await;
            drop(place);
        });
    }
}

fn router(facts: Arc<Facts>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing here\n") })
        .with_state(facts)
}

async fn ready(State(facts): State<Arc<Facts>>) -> (StatusCode, String) {
    let last = facts.pulse.last().0;
    let ago = facts.clock.now().as_millisecond().saturating_sub(last);
    match last {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "the scheduler has not looked yet\n".to_owned()),
        _ if ago > READY_WITHIN.as_millis() as i64 => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the scheduler has not been able to work for {:.1} s\n", ago as f64 / 1e3))
        }
        _ => (StatusCode::OK, "ready\n".to_owned()),
    }
}

async fn figures(State(facts): State<Arc<Facts>>, headers: HeaderMap) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    match (&facts.token, given) {
        (None, _) => (StatusCode::FORBIDDEN, plain, "closed: start the daemon with --metrics-token-file\n".to_owned()),
        // Hashes compare in constant time.
        (Some(token), Some(given)) if blake3::hash(given.trim().as_bytes()) == *token => {
            let form = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
            (StatusCode::OK, form, facts.metrics.text())
        }
        _ => (StatusCode::UNAUTHORIZED, plain, "give the token: `Authorization: Bearer …`\n".to_owned()),
    }
}
