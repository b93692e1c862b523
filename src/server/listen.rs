//! Connections: how many, how long they may take to ask, which protocol they speak, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::stall::Stall;
use super::tls;

/// How long a client may take to ask, or to ask again.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may stop reading in the middle of an answer.
const TAKE_WITHIN: Duration = Duration::from_secs(30);
/// How long answers under way may take once the daemon stops.
const END_WITHIN: Duration = Duration::from_secs(2);
/// How often a client of HTTP/2 is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Requests at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 128;
/// Descriptors that are kept for runs: logs, pipes, the store, datasets.
const DESCRIPTORS_FOR_RUNS: u64 = 256;
/// So many clients at once at most.
const CLIENTS_MAX: u64 = 1024;
/// What every connection of HTTP/2 begins with. No method of HTTP/1 begins with `PRI`.
const PREFACE: &[u8] = b"PRI";

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) std::net::SocketAddr);

/// Answers until told to stop; then answers under way get a moment.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(clients_max()));
    let connections = watch::Sender::new(());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let (tls, router, stopping, alive) = (tls.clone(), router.clone(), stopping.clone(), connections.subscribe());
        tokio::spawn(async move {
            converse(stream, peer, tls, router, stopping).await;
            drop((place, alive));
        });
    }
    drop(listener);
    // Closed once the last connection has gone.
    let _ = tokio::time::timeout(END_WITHIN, connections.closed()).await;
}

/// The next connection, once there is a place for it. The others wait at the door.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, Peer(peer), place)),
        // Out of descriptors, say: nothing that trying again at once would mend.
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// How many clients there may be, so that runs keep the descriptors that they need.
fn clients_max() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place to write to.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let descriptors = if asked == 0 { limit.rlim_cur } else { DESCRIPTORS_FOR_RUNS };
    usize::try_from(descriptors.saturating_sub(DESCRIPTORS_FOR_RUNS).clamp(16, CLIENTS_MAX)).unwrap_or(16)
}

async fn converse(stream: TcpStream, peer: Peer, tls: Option<TlsAcceptor>, router: Router, stopping: watch::Receiver<bool>) {
    // Answers are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    if let Some(tls) = tls {
        // Whoever does not speak TLS, or not in time, is sent away without a word.
        if let Ok(Ok(stream)) = tokio::time::timeout(ASK_WITHIN, tls.accept(stream)).await {
            let is_http2 = tls::is_http2(&stream);
            speak(stream, is_http2, peer, router, stopping).await;
        }
        return;
    }
    let mut first = [0; PREFACE.len()];
    if let Ok(Ok(1..)) = tokio::time::timeout(ASK_WITHIN, stream.peek(&mut first)).await {
        speak(stream, first == PREFACE, peer, router, stopping).await;
    }
}

/// Answers what is asked on a connection until it ends. How it ends is the client's business.
async fn speak<S>(stream: S, is_http2: bool, peer: Peer, router: Router, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        answer(router.clone(), request)
    });
    let stopped = async move {
        // An error means that whoever could say so is gone.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    tokio::pin!(stopped);
    if is_http2 {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(ASK_WITHIN).max_concurrent_streams(STREAMS_MAX);
        let connection = http.serve_connection(TokioIo::new(Stall::new(stream, TAKE_WITHIN)), service);
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stopped => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(ASK_WITHIN);
        let connection = http.serve_connection(TokioIo::new(Stall::new(stream, TAKE_WITHIN)), service);
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stopped => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<axum::response::Response, std::convert::Infallible> {
    use hyper::service::Service as _;
    let request: Request = request.map(axum::body::Body::new);
    hyper_util::service::TowerToHyperService::new(router).call(request).await
}
