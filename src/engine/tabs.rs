//! The tabs of an origin that share their streams: what a [`Host`] adds for them.
//!
//! Which tab holds a stream is not decided here: the browser's locks decide it. A stream that may be shared is ordered under a
//! name (`share`); one tab opens it, and the others are fed what it brings, each into a run of its own. So each has a transcript
//! and a cursor of its own, and goes on from there when the holder is gone:
//!
//! - whoever joins in later is handed what the holder holds of the run ([`Host::record`], [`Host::handle_record`]), and from
//!   there on the same bytes;
//! - a stream that changes hands is ordered anew at once, and nobody's budget pays ([`End::Moved`]);
//! - a stream for which the page has no connection to spare waits without one ([`End::Crowded`], [`Host::handle_room`]).
//!
//! [`End::Moved`]: super::host::End::Moved
//! [`End::Crowded`]: super::host::End::Crowded

use super::{
    delta::Delta,
    host::{Host, Task},
    time::Instant,
};

impl Host {
    /// A run as JSON for another tab; empty where that cannot go on from it.
    pub fn record<T>(&mut self, slot: u32, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut out = Delta::new();
        if let Some(run) = self.run_of(slot) {
            run.write_record(&mut out);
        }
        read(&out.into_head())
    }

    /// What another tab holds of a task's run, where the stream that they share goes on.
    pub fn handle_record(&mut self, task: Task, record: &str, now: Instant) {
        if let Some(slot) = self.slot_of(task) {
            self.command(slot, now, |run| run.handle_record(record));
        }
    }

    /// A run's stream can be had: there is room, or another tab has begun it.
    pub fn handle_room(&mut self, slot: u32, now: Instant) {
        self.command(slot, now, |run| run.handle_room(now));
        self.room_for_feed(slot, now);
    }
}
