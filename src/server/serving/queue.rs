//! Requests that want a scan of the items, answered by one thread: it takes all that wait, and scans once for all of them.
//!
//! Nobody waits for company. A request that comes alone is scanned for alone; those that come meanwhile are the next batch. So a batch grows with the
//! load, and the time that a request waits stays below that of two scans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use recflow_stages::serving::{List, Refusal, Request, ServedModel};
use tokio::sync::oneshot;

use crate::server::problem::Problem;

/// So many requests may wait. More than one thread scans for in a second would be answered too late to be of use.
const WAITING_MAX: usize = 1024;
/// So many share a scan: eight blocks of eight users, which each panel of items is read once for.
const BATCH_MAX: usize = 64;

/// One request, and whom to tell.
struct Job {
    model: Arc<ServedModel>,
    request: Request,
    reply: oneshot::Sender<Result<List, Refusal>>,
}

/// The way to the thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: SyncSender<Job>,
}

impl Queue {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("recommender".to_owned()).spawn(move || serve(&inbox))?;
        Ok(Self { jobs })
    }

    /// The list that `model` has for a request.
    pub(super) async fn ask(&self, model: Arc<ServedModel>, request: Request) -> Result<Result<List, Refusal>, Problem> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { model, request, reply }).map_err(|error| match error {
            TrySendError::Full(_) => {
                Problem::unavailable(format!("{WAITING_MAX} requests for recommendations wait already")).with_hint("ask again in a moment")
            }
            TrySendError::Disconnected(_) => Problem::internal("the recommender's thread is gone"),
        })?;
        answer.await.map_err(|_| Problem::internal("a request for recommendations panicked"))
    }
}

fn serve(inbox: &Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while let Ok(job) = inbox.recv() {
        batch.push(job);
        batch.extend(inbox.try_iter().take(BATCH_MAX - 1));
        // Whoever has gone away wants no answer.
        batch.retain(|job| !job.reply.is_closed());
        answer(&mut batch);
    }
}

/// Answers and empties a batch. After a promotion two models may be asked in one.
fn answer(batch: &mut Vec<Job>) {
    while let Some(first) = batch.first() {
        let model = first.model.clone();
        let (jobs, rest): (Vec<Job>, Vec<Job>) = batch.drain(..).partition(|job| Arc::ptr_eq(&job.model, &model));
        *batch = rest;
        let (requests, replies): (Vec<Request>, Vec<_>) = jobs.into_iter().map(|job| (job.request, job.reply)).unzip();
        // A panic is a bug; it must not end the service. A model is not changed by being asked, so none is left half-done.
        let Ok(answers) = catch_unwind(AssertUnwindSafe(|| model.answer(&requests))) else { continue };
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Whoever went away meanwhile is not told.
            let _ = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use recflow_stages::names::Id;
    use recflow_stages::serving::Whom;

    use super::*;
    use crate::server::serving::tests::World;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_comes_when_too_many_wait_is_told_at_once() {
        let (world, _) = World::with_models(1);
        let model = world.serving().await.model;
        let request = Request { whom: Whom::User { user: Id::from(1), exclude_seen: false }, k: 3 };
        let (jobs, inbox) = sync_channel(1);
        let queue = Queue { jobs };
        let (reply, waiting) = oneshot::channel();
        assert!(queue.jobs.try_send(Job { model: model.clone(), request: request.clone(), reply }).is_ok(), "there is room for one");
        assert_eq!(queue.ask(model, request).await.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        let thread = std::thread::spawn(move || serve(&inbox));
        assert_eq!(waiting.await.unwrap().unwrap().items.len(), 3, "who waited is answered");
        drop(queue);
        thread.join().unwrap();
    }
}
