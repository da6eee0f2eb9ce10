//! The exact log as a stream.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::sse::{self, Frame};

use super::heart::Heart;
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
            heart: Heart::new(&run.recipe),
            run: Arc::clone(run),
        }
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
                    self.ready.extend(entries.iter().map(|entry| Frame::Event(entry.logged())));
                }
                Read::Gone => return None,
                Read::Later => tokio::select! {
                    _ = self.changes.changed() => {}
                    () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
                },
            }
        }
    }
}
