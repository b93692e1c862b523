//! The bytes of a stream: events are written into a small channel, the connection reads them from there.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Events that wait for a connection. Beyond them, whoever makes them waits.
const WAITING_MAX: usize = 8;
/// How often a silent stream shows that it is there, so that nothing between takes it for dead.
const SIGN_EVERY: Duration = Duration::from_secs(15);
/// How long a connection lasts: then the viewer connects again, and shows again who they are.
const LASTS: Duration = Duration::from_secs(600);

/// Writes events to one viewer.
#[derive(Debug)]
pub(super) struct Sender {
    outbox: mpsc::Sender<Bytes>,
    until: Instant,
}

/// The viewer has gone, or the stream has lasted long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over;

/// A stream: where to write events, and the answer that carries them.
pub(super) fn stream() -> (Sender, Response) {
    let (outbox, inbox) = mpsc::channel(WAITING_MAX);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that collects answers would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let response = (headers, Body::new(Events(inbox))).into_response();
    (Sender { outbox, until: Instant::now() + LASTS }, response)
}

impl Sender {
    /// Sends one event. `data` may have several lines.
    pub(super) async fn event(&self, name: Option<&str>, id: u64, data: &str) -> Result<(), Over> {
        self.text(event(name, id, data)).await
    }

    async fn text(&self, text: String) -> Result<(), Over> {
        match timeout_at(self.until, self.outbox.send(Bytes::from(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }

    /// Waits for `something`, and shows signs of life meanwhile.
    pub(super) async fn wait<T>(&self, something: impl Future<Output = T>) -> Result<T, Over> {
        let mut something = std::pin::pin!(something);
        loop {
            tokio::select! {
                found = &mut something => return Ok(found),
                () = self.outbox.closed() => return Err(Over),
                () = tokio::time::sleep_until(self.until) => return Err(Over),
                () = tokio::time::sleep(SIGN_EVERY) => self.text(": \n\n".to_owned()).await?,
            }
        }
    }
}

/// An event as the stream has it.
fn event(name: Option<&str>, id: u64, data: &str) -> String {
    let mut text = format!("id: {id}\n");
    if let Some(name) = name {
        text.push_str(&format!("event: {name}\n"));
    }
    // A carriage return would end the line, too, and begin a field of its own.
    for line in data.split(['\n', '\r']) {
        text.push_str(&format!("data: {line}\n"));
    }
    text.push('\n');
    text
}

/// The body of the answer.
struct Events(mpsc::Receiver<Bytes>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_field_of_its_own() {
        assert_eq!(event(Some("run"), 7, "a\nid: 9\r\revent: x"), "id: 7\nevent: run\ndata: a\ndata: id: 9\ndata: \ndata: event: x\n\n");
        assert_eq!(event(None, 0, ""), "id: 0\ndata: \n\n");
    }
}
