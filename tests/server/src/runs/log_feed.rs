//! The exact log as a stream.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::sse::{self, Frame};

use super::heart::Heart;
use super::log::Entry;
use super::run::{Read, Run};

/// Entries read from the log at once.
const BATCH: usize = 32;

/// The log from a position on, then its tail. `next` may be dropped at any await without losing a frame.
#[derive(Debug)]
pub struct LogFeed {
    run: Arc<Run>,
    changes: watch::Receiver<u64>,
    position: u64,
    ready: VecDeque<Frame>,
    over: bool,
    /// The frame behind the end of a run that is known to have ended.
    closing: Option<Frame>,
    ids: bool,
    heart: Heart,
}

impl LogFeed {
    /// What `run` said from `position` on, behind these frames.
    pub(crate) fn new(run: &Arc<Run>, position: u64, opening: VecDeque<Frame>) -> Self {
        Self {
            changes: run.changes(),
            position,
            ready: opening,
            over: false,
            closing: None,
            ids: true,
            heart: Heart::new(&run.recipe),
            run: Arc::clone(run),
        }
    }

    /// The same with this frame behind the terminal event.
    pub(crate) fn closed_by(self, frame: Frame) -> Self {
        Self { closing: Some(frame), ..self }
    }

    /// The same without the ids of the events.
    pub(crate) fn without_ids(self) -> Self {
        Self { ids: false, ..self }
    }

    /// The next frame; `None` behind the terminal event, or when the log is gone.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            // Before the look, so that what comes during it wakes us.
            self.changes.mark_unchanged();
            match self.run.read(self.position, BATCH) {
                Read::Entries(entries, next) => {
                    self.position = next;
                    self.over = entries.iter().any(|entry| entry.terminal);
                    let event = |entry: &Entry| if self.ids { entry.logged() } else { entry.live() };
                    self.ready.extend(entries.iter().map(|entry| Frame::Event(event(entry))));
                    if self.over {
                        self.ready.extend(self.closing.take());
                    }
                }
                Read::Gone => {
                    self.over = true;
                    // Nothing is missing where the reader had it all.
                    self.ready.extend(self.closing.take().filter(|_| !self.run.is_lost()));
                }
                Read::Later => tokio::select! {
                    _ = self.changes.changed() => {}
                    () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
                },
            }
        }
    }
}
