//! The index as a stream: what it holds, then what becomes of it.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::content::Recipe;
use crate::runs::Heart;
use crate::sse::{self, Event, Frame};

use super::index::{Index, Said};

/// See the module. `next` may be dropped at any await without losing a frame.
#[derive(Debug)]
pub struct ActiveFeed {
    ready: VecDeque<Frame>,
    receiver: mpsc::UnboundedReceiver<Said>,
    /// The latest time told of each session; a delta that is not later is dropped, a run's end in that millisecond too
    /// (B-AR-9).
    told: HashMap<String, u64>,
    heart: Heart,
}

impl ActiveFeed {
    /// Subscribes, then reads the index.
    pub(crate) fn new(index: &Index, recipe: &Recipe) -> Self {
        let (rows, receiver) = index.subscribe();
        let mut ready = VecDeque::from([Frame::Comment("stream-open")]);
        ready.extend(rows.iter().map(|row| event("snapshot".to_owned(), row.data())));
        let told = rows.into_iter().map(|row| (row.session_id, row.updated_at)).collect();
        Self { ready, receiver, told, heart: Heart::new(recipe) }
    }

    /// The next frame; `None` when the index was reset.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(frame);
        }
        loop {
            tokio::select! {
                biased;
                said = self.receiver.recv() => match said? {
                    Said::Raw { event: name, data } => return Some(event(name, data)),
                    Said::Update(row, data) => {
                        let told = self.told.entry(row.session_id.clone()).or_default();
                        if row.updated_at > *told {
                            *told = row.updated_at;
                            return Some(event("update".to_owned(), data));
                        }
                    }
                },
                () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
            }
        }
    }
}

fn event(name: String, data: Bytes) -> Frame {
    Frame::Event(Event { id: None, name: name.into(), data, terminal: false })
}
