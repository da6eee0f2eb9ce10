//! A chat's envelopes from a number on: through its messages, to the end of the first stream that ends (A-SRV-1, A-SRV-2).

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::runs::{Entry, Heart, Protocol, Read, Run, Runs};
use crate::sse::{self, Frame};

/// Entries read from a log at once.
const BATCH: usize = 32;

/// See the module. `next` may be dropped at any await without losing a frame.
#[derive(Debug)]
pub struct ChatFeed {
    runs: Arc<Runs>,
    chat_id: String,
    /// The number of the last envelope that was read.
    seq: u64,
    /// Of messages that end before this one only what is stored is left.
    stored: u64,
    reading: Option<Reading>,
    news: watch::Receiver<u64>,
    ready: VecDeque<Frame>,
    over: bool,
    heart: Heart,
}

/// The message that is read.
#[derive(Debug)]
struct Reading {
    run: Arc<Run>,
    changes: watch::Receiver<u64>,
}

impl ChatFeed {
    /// The chat behind the envelope `seq`; with `pruned` as if messages that have ended had few envelopes left (A-SRV-6).
    pub(crate) fn new(runs: &Arc<Runs>, chat_id: &str, seq: u64, pruned: bool) -> Self {
        let ended = |run: &Arc<Run>| (!run.is_running()).then(|| run.last_seq());
        let stored = || runs.known(Protocol::Envelope, Some(chat_id)).iter().filter_map(ended).max();
        let mut feed = Self {
            news: runs.news(),
            heart: Heart::new(&runs.recipe(Some(chat_id))),
            runs: Arc::clone(runs),
            chat_id: chat_id.to_owned(),
            seq,
            stored: pruned.then(stored).flatten().unwrap_or(0),
            reading: None,
            ready: VecDeque::new(),
            over: false,
        };
        feed.look();
        feed
    }

    /// The message that the stream begins with, if there is one.
    pub(crate) fn run(&self) -> Option<&Arc<Run>> {
        self.reading.as_ref().map(|reading| &reading.run)
    }

    /// Finds the message with the next envelope.
    fn look(&mut self) {
        self.news.mark_unchanged();
        self.reading = None;
        while let Some(run) = self.runs.find_behind(Protocol::Envelope, &self.chat_id, self.seq) {
            if run.last_seq() <= self.stored {
                self.seq = self.seq.max(run.stored_behind());
            }
            if run.is_running() || self.seq < run.last_seq() {
                self.reading = Some(Reading { changes: run.changes(), run });
                return;
            }
        }
    }

    /// The next frame; `None` behind a terminal envelope, or when the chat is gone.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            let Some(Reading { run, changes }) = &mut self.reading else {
                tokio::select! {
                    biased;
                    changed = self.news.changed() => self.over = changed.is_err(),
                    () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
                }
                self.look();
                continue;
            };
            // Before the look, so that what comes during it wakes us.
            changes.mark_unchanged();
            match run.read(run.position_behind(self.seq), BATCH) {
                Read::Entries(entries, next) => {
                    self.seq = run.seq_before(next);
                    self.over = entries.iter().any(|entry| entry.terminal);
                    self.ready.extend(entries.iter().map(Entry::logged).map(Frame::Event));
                }
                Read::Gone if run.is_lost() => self.over = true,
                // It gave way to another, which is there already.
                Read::Gone => self.look(),
                Read::Later => tokio::select! {
                    _ = changes.changed() => {}
                    () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
                },
            }
        }
    }
}
