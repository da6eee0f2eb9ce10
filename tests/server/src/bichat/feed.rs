//! What flows to one client: the exact log, a lossy live stream, another node's polled state, or a few frames.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::active_runs::{ActiveFeed, INDEX_UNAVAILABLE};
use crate::chunks::SessionFeed;
use crate::clock::unix_ms;
use crate::config::OffsetUnit;
use crate::counters::StreamKind;
use crate::envelope::ChatFeed;
use crate::runs::{Entry, Heart, LogFeed, Run};
use crate::sse::{self, Event, EventId, Frame};

use super::{RUN_NOT_FOUND_PLAIN, payload};

/// A source of frames. `next` may be dropped at any await without losing a frame.
#[derive(Debug)]
pub enum Feed {
    /// `GET stream/events`.
    Log(LogFeed),
    /// A chat of `envelope`.
    Chat(ChatFeed),
    /// A session of `chunks`.
    Session(SessionFeed),
    /// `GET stream/active-runs`.
    Active(ActiveFeed),
    /// `POST stream`, `POST stream/resume`.
    Live(LiveFeed),
    /// `POST stream/resume` on a node that does not own the run.
    Remote(RemoteFeed),
    /// Frames known beforehand.
    Fixed(VecDeque<Frame>),
}

impl Feed {
    /// The log strictly after `cursor`, moved back by `rewind` events, then its tail, to the terminal event.
    pub fn log(run: &Arc<Run>, cursor: Option<EventId>, rewind: u64) -> Self {
        let position = run.position_after(cursor, rewind);
        Self::Log(LogFeed::new(run, position, [Frame::Comment("stream-open")].into()))
    }

    /// A run's live stream from its first event on, for the request that starts it.
    pub fn first_live(run: &Arc<Run>) -> Self {
        let (_, receiver) = run.watch(OffsetUnit::Utf16);
        let opening = [Frame::Comment("stream-open"), started(run)];
        Self::Live(LiveFeed::new(run, opening.into(), receiver, 0))
    }

    /// A living run for a request that is a duplicate: `stream_started`, then snapshot and tail (B-SEND-3).
    pub fn same_live(run: &Arc<Run>, unit: OffsetUnit, lost: u64) -> Self {
        let (snapshot, receiver) = run.watch(unit);
        let opening = [Frame::Comment("stream-open"), started(run), snapshot_frame(run, &snapshot)];
        Self::Live(LiveFeed::new(run, opening.into(), receiver, lost))
    }

    /// Snapshot, then live; `lost` events fall between the two (B-RES-4).
    pub fn resume(run: &Arc<Run>, unit: OffsetUnit, lost: u64) -> Self {
        let (snapshot, receiver) = run.watch(unit);
        Self::Live(LiveFeed::new(run, [snapshot_frame(run, &snapshot)].into(), receiver, lost))
    }

    /// A run that another node owns, polled every `every` (B-RES-3).
    pub fn remote(run: &Arc<Run>, unit: OffsetUnit, every: Duration) -> Self {
        let mut polls = interval_at(Instant::now() + every, every);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (text, ..) = run.poll(unit);
        let ready = [snapshot_frame(run, &run.snapshot(unit))].into();
        Self::Remote(RemoteFeed {
            run: Arc::clone(run),
            unit,
            polls,
            seen: text,
            ready,
            over: false,
            heart: Heart::new(&run.recipe),
        })
    }

    /// A resume of a run that is not there: 200 and plain text where events are expected (B-RES-2).
    pub fn plain_not_found() -> Self {
        Self::Fixed([Frame::Raw(RUN_NOT_FOUND_PLAIN.into())].into())
    }

    /// A refusal of the event log after the headers (B-ES-12).
    pub fn refusal(sentence: &str) -> Self {
        let data = payload::refusal(sentence, unix_ms());
        let event = Event { id: None, name: "error".into(), data, terminal: false };
        Self::Fixed([Frame::Comment("stream-open"), Frame::Event(event)].into())
    }

    /// The refusal of an index that cannot be read (B-AR-10).
    pub fn index_unavailable() -> Self {
        let data = payload::unavailable(INDEX_UNAVAILABLE);
        let event = Event { id: None, name: "error".into(), data, terminal: false };
        Self::Fixed([Frame::Comment("stream-open"), Frame::Event(event)].into())
    }

    /// What the counters take it for; a stream that is no run's and no index's is nothing.
    pub(crate) fn kind(&self) -> Option<StreamKind> {
        match self {
            Self::Log(_) | Self::Chat(_) | Self::Session(_) | Self::Live(_) | Self::Remote(_) => {
                Some(StreamKind::RunEvents)
            }
            Self::Active(_) => Some(StreamKind::ActiveRuns),
            Self::Fixed(_) => None,
        }
    }

    /// The headers' comment and nothing else.
    pub fn silent_close() -> Self {
        Self::Fixed([Frame::Comment("stream-open")].into())
    }

    /// The next frame; `None` when the stream is over.
    pub async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Log(feed) => feed.next().await,
            Self::Chat(feed) => feed.next().await,
            Self::Session(feed) => feed.next().await,
            Self::Active(feed) => feed.next().await,
            Self::Live(feed) => feed.next().await,
            Self::Remote(feed) => feed.next().await,
            Self::Fixed(frames) => frames.pop_front(),
        }
    }

    /// What this stream sends as a sign of life.
    pub fn beat(&self) -> Frame {
        Frame::Beat(match self {
            Self::Log(_) | Self::Chat(_) | Self::Session(_) | Self::Active(_) | Self::Fixed(_) => sse::Beat::Comment,
            Self::Live(_) | Self::Remote(_) => sse::Beat::Event(unix_ms()),
        })
    }
}

fn started(run: &Run) -> Frame {
    let data = payload::started(&run.run_id, unix_ms());
    Frame::Event(Event { id: None, name: "stream_started".into(), data, terminal: false })
}

fn snapshot_frame(run: &Run, snapshot: &Value) -> Frame {
    let data = payload::snapshot(snapshot, &run.run_id, unix_ms(), run.recipe.json);
    Frame::Event(Event { id: None, name: "snapshot".into(), data, terminal: false })
}

/// See [`Feed::first_live`] and [`Feed::resume`].
#[derive(Debug)]
pub struct LiveFeed {
    ready: VecDeque<Frame>,
    receiver: mpsc::Receiver<Entry>,
    /// Events still to be lost.
    lost: u64,
    heart: Heart,
}

impl LiveFeed {
    fn new(run: &Run, ready: VecDeque<Frame>, receiver: mpsc::Receiver<Entry>, lost: u64) -> Self {
        Self { ready, receiver, lost, heart: Heart::new(&run.recipe) }
    }

    async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(frame);
        }
        loop {
            tokio::select! {
                biased;
                entry = self.receiver.recv() => {
                    let entry = entry?;
                    if self.lost > 0 && !entry.terminal {
                        self.lost -= 1;
                        continue;
                    }
                    return Some(Frame::Event(entry.live()));
                }
                () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Event(unix_ms()))),
            }
        }
    }
}

/// See [`Feed::remote`].
#[derive(Debug)]
pub struct RemoteFeed {
    run: Arc<Run>,
    unit: OffsetUnit,
    polls: Interval,
    seen: String,
    ready: VecDeque<Frame>,
    over: bool,
    heart: Heart,
}

impl RemoteFeed {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            tokio::select! {
                biased;
                _ = self.polls.tick() => self.look(),
                () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Event(unix_ms()))),
            }
        }
    }

    fn look(&mut self) {
        let (text, snapshot, terminal) = self.run.poll(self.unit);
        // The stored state has tool calls that a text delta cannot tell; a whole snapshot stands in for them at the end.
        match text.strip_prefix(self.seen.as_str()) {
            Some("") => {}
            Some(more) if terminal.is_none() => {
                let data = payload::content(more, &self.run.run_id, unix_ms(), self.run.recipe.json);
                self.ready.push_back(Frame::Event(Event { id: None, name: "content".into(), data, terminal: false }));
            }
            _ => self.ready.push_back(snapshot_frame(&self.run, &snapshot)),
        }
        self.seen = text;
        self.over = terminal.is_some() || !self.run.is_running();
        self.ready.extend(terminal.map(|entry| Frame::Event(entry.live())));
    }
}
