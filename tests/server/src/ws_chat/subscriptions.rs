//! The answers that one socket carries, each read from its log by a task of its own.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::app::App;
use crate::runs::{LogFeed, Run};
use crate::sse::{Event, Frame};

/// Events that wait for the socket; beyond them the reading of the logs does.
const WAITING: usize = 64;

/// What a task read: an event, or that its log is over.
#[derive(Debug)]
pub(super) struct Heard {
    number: u64,
    run_id: String,
    pub(super) event: Option<Event>,
}

/// See the module.
pub(super) struct Subscriptions {
    app: Arc<App>,
    open: BTreeMap<String, Subscription>,
    last: u64,
    sender: mpsc::Sender<Heard>,
}

struct Subscription {
    number: u64,
    app: Arc<App>,
    run: Arc<Run>,
    task: AbortHandle,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
        self.app.counters.handle_left(&self.run.session_id, &self.run.run_id);
    }
}

impl Subscriptions {
    /// None yet, and where they will be heard.
    pub(super) fn new(app: &Arc<App>) -> (Self, mpsc::Receiver<Heard>) {
        let (sender, heard) = mpsc::channel(WAITING);
        (Self { app: Arc::clone(app), open: BTreeMap::new(), last: 0, sender }, heard)
    }

    /// Reads `run` from `position` on, instead of from wherever it was read before.
    pub(super) fn follow(&mut self, run: &Arc<Run>, position: u64) {
        self.leave(&run.run_id);
        self.last += 1;
        let (number, sender, run_id) = (self.last, self.sender.clone(), run.run_id.clone());
        let mut feed = LogFeed::new(run, position, VecDeque::new());
        let task = tokio::spawn(async move {
            while let Some(frame) = feed.next().await {
                // A socket has pings; the comments of SSE are not for it.
                let Frame::Event(event) = frame else { continue };
                if sender.send(Heard { number, run_id: run_id.clone(), event: Some(event) }).await.is_err() {
                    return;
                }
            }
            // Fails only if the socket is gone.
            let _ = sender.send(Heard { number, run_id, event: None }).await;
        });
        self.app.counters.handle_followed(&run.session_id, &run.run_id);
        let subscription =
            Subscription { number, app: Arc::clone(&self.app), run: Arc::clone(run), task: task.abort_handle() };
        self.open.insert(run.run_id.clone(), subscription);
    }

    /// Nobody watches that answer any more.
    pub(super) fn leave(&mut self, run_id: &str) {
        self.open.remove(run_id);
    }

    /// The event, unless it was read for a subscription that is no more; forgets those that are over.
    pub(super) fn take(&mut self, heard: Heard) -> Option<Event> {
        if self.open.get(&heard.run_id)?.number != heard.number {
            return None;
        }
        if heard.event.is_none() {
            self.leave(&heard.run_id);
        }
        heard.event
    }
}
