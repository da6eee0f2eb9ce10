//! The exact event log of one run: what `GET stream/events` reads.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::sse::{Event, EventId, Id};

/// One logged event.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: EventId,
    pub(crate) name: &'static str,
    pub(crate) data: Bytes,
    pub(crate) terminal: bool,
    /// Its number, where that is its id on the wire.
    pub(crate) seq: Option<u64>,
}

/// An event that is to be logged.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) data: Bytes,
    pub(super) terminal: bool,
    pub(super) seq: Option<u64>,
}

impl Entry {
    /// As the log's stream sends it: with its id.
    pub(crate) fn logged(&self) -> Event {
        Event { id: Some(self.seq.map_or(Id::Stamp(self.id), Id::Seq)), ..self.live() }
    }

    /// As a live stream sends it: without.
    pub(crate) fn live(&self) -> Event {
        Event { id: None, name: self.name.into(), data: self.data.clone(), terminal: self.terminal }
    }
}

/// Entries by position; positions count from 0 and outlive the entries that fall out at the front.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    first: u64,
    last_id: EventId,
}

impl Log {
    /// Appends with the next id: the time, and a count within it; ids grow even if the clock goes back.
    pub(super) fn append(&mut self, now: u64, draft: Draft, max_len: usize) -> Entry {
        let id = if now > self.last_id.ms {
            EventId { ms: now, seq: 0 }
        } else {
            EventId { ms: self.last_id.ms, seq: self.last_id.seq + 1 }
        };
        self.last_id = id;
        let Draft { name, data, terminal, seq } = draft;
        let entry = Entry { id, name, data, terminal, seq };
        self.entries.push_back(entry.clone());
        while max_len > 0 && self.entries.len() > max_len {
            self.entries.pop_front();
            self.first += 1;
        }
        entry
    }

    /// The position strictly after `cursor` (B-ES-13), moved back by `rewind` events.
    pub(crate) fn position_after(&self, cursor: Option<EventId>, rewind: u64) -> u64 {
        let held = cursor.map_or(0, |cursor| self.entries.partition_point(|entry| entry.id <= cursor));
        (self.first + held as u64).saturating_sub(rewind)
    }

    /// Up to `most` entries from `position` on, and the position after them.
    pub(crate) fn read(&self, position: u64, most: usize) -> (Vec<Entry>, u64) {
        let start = position.max(self.first);
        let skip = usize::try_from(start - self.first).unwrap_or(usize::MAX);
        let entries: Vec<_> = self.entries.iter().skip(skip).take(most).cloned().collect();
        let next = start + entries.len() as u64;
        (entries, next)
    }

    /// Events appended so far.
    pub(crate) fn len(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The newest id.
    pub(crate) fn last_id(&self) -> Option<EventId> {
        (self.len() > 0).then_some(self.last_id)
    }

    /// Drops all entries; the positions stay counted.
    pub(crate) fn clear(&mut self) {
        self.first = self.len();
        self.entries = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(times: &[u64], max_len: usize) -> Log {
        let mut log = Log::default();
        for &now in times {
            let draft = Draft { name: "content", data: Bytes::from_static(b"{}"), terminal: false, seq: None };
            log.append(now, draft, max_len);
        }
        log
    }

    fn ids(log: &Log, position: u64) -> Vec<String> {
        log.read(position, 100).0.iter().map(|entry| entry.id.to_string()).collect()
    }

    #[test]
    fn ids_grow_within_a_millisecond_and_when_the_clock_goes_back() {
        assert_eq!(ids(&log(&[5, 5, 9, 7, 10], 0), 0), ["5-0", "5-1", "9-0", "9-1", "10-0"]);
    }

    #[test]
    fn a_replay_begins_strictly_after_the_cursor() {
        let log = log(&[5, 5, 9, 10], 0);
        let after = |cursor| ids(&log, log.position_after(EventId::parse(cursor), 0));
        assert_eq!(after("5-0"), ["5-1", "9-0", "10-0"]);
        // A cursor between two ids, one before all, one after all, and one that is no id of ours.
        assert_eq!(after("6-3"), ["9-0", "10-0"]);
        assert_eq!(after("1-0").len(), 4);
        assert_eq!(after("11-0").len(), 0);
        assert_eq!(after("junk").len(), 4);
        assert_eq!(ids(&log, log.position_after(EventId::parse("9-0"), 2)), ["5-1", "9-0", "10-0"]);
    }

    #[test]
    fn a_bounded_log_loses_its_oldest_events_and_readers_go_on_with_what_is_left() {
        let log = log(&[1, 2, 3, 4, 5], 2);
        assert_eq!(ids(&log, 0), ["4-0", "5-0"]);
        assert_eq!(log.len(), 5);
        assert_eq!(log.read(4, 10).1, 5);
    }
}
