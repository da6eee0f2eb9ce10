//! The slots of a host that hold a feed of active runs instead of a run.

use alloc::string::String;

use super::{Delta, End, Host, Pace, Purpose, Reply, Urgency};
use crate::engine::{
    active_runs::feed::{ActiveRuns, Wish},
    http::{self, Head},
    link::Conn,
    protocol::Protocol,
    request::Request,
    run::{Loss, Output},
    time::{Instant, Millis},
    transport::Transport,
    window::Window,
};

pub(super) struct FeedSlot {
    slot: u32,
    feed: ActiveRuns,
    pace: Pace,
    dirty: Urgency,
    // What tabs know its stream by.
    pub share: Option<String>,
}

impl Host {
    /// Makes a feed that connects while it is watched; gives its slot, or 0 where the protocol has no such thing.
    pub fn begin_feed(&mut self, wish: Wish, now: Instant) -> u32 {
        if self.config.protocol != Protocol::Bichat {
            return 0;
        }
        let seed = self.rng.next_u64();
        let feed = ActiveRuns::new(wish, self.config.clone(), self.environment, seed, now);
        self.add_feed(feed)
    }

    /// Follows the rows of a feed, on a connection of its own (B-AR-1); gives its slot, or 0 as above.
    pub fn listen_to_feed(&mut self, grace: Option<Millis>, now: Instant) -> u32 {
        if self.config.protocol != Protocol::Bichat {
            return 0;
        }
        let seed = self.rng.next_u64();
        let feed = ActiveRuns::listening(grace, self.config.clone(), self.environment, seed, now);
        self.add_feed(feed)
    }

    /// The active runs of a feed as the bytes of one that begins now, so that another page can be told them.
    pub fn retell<T>(&self, slot: u32, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut out = Delta::new();
        if let Some(held) = self.feeds.iter().find(|held| held.is(slot)) {
            held.feed.retell(&mut out);
        }
        read(&out.into_head())
    }

    fn add_feed(&mut self, feed: ActiveRuns) -> u32 {
        // No run's, for ever.
        self.slots.push(None);
        let slot = self.slots.len() as u32;
        self.feeds.push(FeedSlot { slot, feed, pace: Pace::Unwatched, dirty: Urgency::None, share: None });
        self.drain_feed(slot);
        slot
    }

    // ---- what a host does for each of its slots ----

    pub(super) fn turn_feed(&mut self, slot: u32, feed: impl FnOnce(&mut ActiveRuns, &mut Window)) {
        let Self { feeds, window, .. } = self;
        if let Some(held) = feeds.iter_mut().find(|held| held.is(slot)) {
            feed(&mut held.feed, window);
            self.drain_feed(slot);
        }
    }

    pub(super) fn every_feed(&mut self, feed: impl Fn(&mut ActiveRuns)) {
        let mut at = 0;
        while let Some(held) = self.feeds.get_mut(at) {
            let slot = held.slot;
            feed(&mut held.feed);
            self.drain_feed(slot);
            at += 1;
        }
    }

    /// Somebody watches a feed, and how, or nobody does any more.
    pub fn attend(&mut self, slot: u32, pace: Pace, now: Instant) {
        if let Some(held) = self.feed(slot) {
            held.pace = pace;
            self.look_for_hurry();
        }
        self.turn_feed(slot, |feed, _| feed.handle_watched(pace != Pace::Unwatched, now));
    }

    /// Ends a feed.
    pub fn close_feed(&mut self, slot: u32) {
        self.turn_feed(slot, |feed, _| feed.close());
    }

    pub(super) fn drop_feed(&mut self, slot: u32) {
        self.feeds.retain(|held| !held.is(slot));
    }

    pub(super) fn end_feed(&mut self, slot: u32, conn: Conn, native: Option<Request>, end: End, now: Instant) {
        match (end, native) {
            (End::Refused, Some(request)) => {
                self.open(Purpose::FeedDiagnosis { slot, conn }, "fetch", &request);
            }
            (End::Overflown, _) => self.turn_feed(slot, |feed, _| feed.handle_overflow(conn, now)),
            (End::Moved, _) => self.turn_feed(slot, |feed, _| feed.handle_lost(conn, Loss::Moved, now)),
            (End::Crowded, _) => self.turn_feed(slot, |feed, _| feed.handle_lost(conn, Loss::Crowded, now)),
            (End::Ended, _) => self.turn_feed(slot, |feed, _| feed.handle_lost(conn, Loss::Ended, now)),
            (End::Failed | End::Refused, _) => {
                self.turn_feed(slot, |feed, _| feed.handle_lost(conn, Loss::Failed, now));
            }
        }
    }

    pub(super) fn diagnose_feed(&mut self, slot: u32, conn: Conn, head: &Head<'_>, now: Instant) {
        // What was refused to the source is there now: let the next attempt have it.
        let is_there = (200..300).contains(&head.status) && http::is_event_stream(head.content_type);
        self.turn_feed(slot, |feed, _| {
            if is_there {
                feed.handle_lost(conn, Loss::Failed, now);
            } else {
                feed.handle_response(conn, head, now);
            }
        });
    }

    pub(in crate::engine) fn room_for_feed(&mut self, slot: u32, now: Instant) {
        self.turn_feed(slot, |feed, _| feed.handle_room(now));
    }

    pub(super) fn has_hurried_feed(&self) -> bool {
        self.feeds.iter().any(|held| held.pace == Pace::Sync)
    }

    fn feed(&mut self, slot: u32) -> Option<&mut FeedSlot> {
        self.feeds.iter_mut().find(|held| held.is(slot))
    }

    fn drain_feed(&mut self, slot: u32) {
        while let Some(output) = self.feed(slot).and_then(|held| held.feed.poll_output()) {
            self.act_for_feed(slot, output);
        }
        let Some(held) = self.feed(slot) else { return };
        if !held.feed.is_connecting() && held.share.is_some() {
            // Nobody here wants it any more: other tabs may have it.
            self.share_as(slot, None);
        }
        let Some(held) = self.feed(slot) else { return };
        held.dirty = held.dirty.max(held.feed.take_urgency());
        let (dirty, pace, deadline) = (held.dirty, held.pace, held.feed.poll_timeout());
        self.wake_by(deadline);
        self.want_so(dirty, pace);
    }

    fn act_for_feed(&mut self, slot: u32, output: Output) {
        match output {
            Output::Connect { conn, request, via, share } => {
                self.close_where(|purpose| purpose.is_stream_of(slot));
                self.share_as(slot, share);
                let native = (via == Transport::EventSource).then(|| request.clone());
                self.open(Purpose::Feed { slot, conn, native }, via.as_str(), &request);
            }
            Output::Disconnect { conn } => {
                self.close_where(|purpose| purpose.is_stream_of(slot) && purpose.conn() == Some(conn));
            }
            Output::Ask { ask, request } => {
                self.open(Purpose::FeedAsk { slot, ask, reply: Reply::default() }, "reply", &request);
            }
            Output::Forget { ask } => self.close_where(
                |purpose| matches!(purpose, Purpose::FeedAsk { slot: of, ask: asked, .. } if *of == slot && *asked == ask),
            ),
            Output::Look => self.begin_order("{\"look\":true}"),
            // A feed has neither a socket nor a ladder.
            Output::Join { .. } | Output::Learned { .. } => {}
        }
    }
}

impl FeedSlot {
    pub fn is(&self, slot: u32) -> bool {
        self.slot == slot
    }

    /// What a flush takes of it: rows that nobody looks at stay.
    pub fn write(&mut self, delta: &mut Delta) {
        if self.dirty == Urgency::None || (self.dirty == Urgency::Content && self.pace == Pace::Unwatched) {
            return;
        }
        self.write_all(delta);
    }

    pub fn write_all(&mut self, delta: &mut Delta) {
        self.dirty = Urgency::None;
        self.feed.write_delta(self.slot, delta);
    }
}
