//! What happened to a run's connection: a bounded ring, for inspectors and bug reports.
//!
//! It costs one entry where something happens, nothing where events merely flow, and is read out when somebody asks, and once
//! with the run's end.

use alloc::collections::VecDeque;

use super::{
    delta::Delta,
    error::{Code, Failure},
    status::Status,
    time::{Instant, Millis},
    transport::Transport,
};

/// How many entries are kept.
pub const KEPT: usize = 128;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A connection was asked for.
    Attempt {
        /// Failures before it, since the last progress.
        attempt: u32,
    },
    /// Its response head came and was good.
    Opened,
    /// The first text of the run came, so long after it was asked for.
    FirstToken {
        /// Since the run began.
        after: Millis,
    },
    /// The connection was lost, or refused.
    Lost {
        /// Why.
        code: Code,
        /// The HTTP status, or the close code of a socket.
        status: Option<u16>,
    },
    /// The next attempt comes after this.
    Waiting {
        /// The wait.
        delay: Millis,
    },
    /// The page is offline, frozen or left: no attempt until that ends.
    Parked,
    /// Another transport is tried, or taken up again: the entry's own.
    Switched,
    /// Events that came again were dropped, so many in a row.
    Duplicates {
        /// How many.
        count: u32,
    },
    /// Events are missing before the one that came: they are asked for again.
    Gap,
    /// An event made no sense.
    Malformed,
    /// The server is asked how the run stands.
    Asked,
    /// The run has settled.
    Settled {
        /// How.
        status: Status,
    },
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    transport: Transport,
    what: Happening,
}

/// The last [`KEPT`] happenings.
#[derive(Debug, Default)]
pub struct Trace {
    ring: VecDeque<Entry>,
    /// How many were ever noted.
    count: u32,
    /// How many of them have been written out.
    written: u32,
}

impl Trace {
    /// Notes what happened.
    pub fn note(&mut self, what: Happening, transport: Transport, now: Instant) {
        if let (Happening::Duplicates { .. }, Some(Entry { what: Happening::Duplicates { count }, .. })) =
            (what, self.ring.back_mut())
        {
            *count = count.saturating_add(1);
            // Told anew with its new count.
            self.written = self.written.min(self.count.wrapping_sub(1));
            return;
        }
        if self.ring.len() >= KEPT {
            self.ring.pop_front();
        }
        self.ring.push_back(Entry { at: now, transport, what });
        self.count = self.count.wrapping_add(1);
    }

    /// Notes the loss of a connection.
    pub fn note_loss(&mut self, failure: &Failure, transport: Transport, now: Instant) {
        let status = failure.status.or(failure.close_code);
        self.note(Happening::Lost { code: failure.code, status }, transport, now);
    }

    /// Whether there is something that was not written out.
    pub fn has_news(&self) -> bool {
        self.written != self.count
    }

    /// Takes all as unwritten: a new reader wants the whole ring.
    pub fn rewind(&mut self) {
        self.written = self.count.wrapping_sub(self.ring.len() as u32);
    }

    /// Writes what is new as a JSON array of entries `{"n", "at", "what", "transport", …}`; `n` counts them from 1, and an
    /// entry that comes again under its number replaces the earlier one.
    pub fn write(&mut self, out: &mut Delta) {
        let fresh = (self.count.wrapping_sub(self.written) as usize).min(self.ring.len());
        let first = self.ring.len() - fresh;
        let mut number = self.count.wrapping_sub(fresh as u32);
        out.literal("[");
        for (place, entry) in self.ring.iter().skip(first).enumerate() {
            number = number.wrapping_add(1);
            out.literal(if place == 0 { "{\"n\":" } else { ",{\"n\":" });
            out.number(u64::from(number));
            entry.write(out);
            out.literal("}");
        }
        out.literal("]");
        self.written = self.count;
    }
}

impl Entry {
    fn write(&self, out: &mut Delta) {
        out.key("at");
        out.number(self.at.as_millis());
        out.key("transport");
        out.string(self.transport.as_str().as_bytes());
        let (what, number) = match self.what {
            Happening::Attempt { attempt } => ("attempt", Some(("attempt", u64::from(attempt)))),
            Happening::Opened => ("opened", None),
            Happening::FirstToken { after } => ("first-token", Some(("ms", after.0))),
            Happening::Lost { code, status } => {
                out.key("code");
                out.string(code.as_str().as_bytes());
                ("lost", status.map(|status| ("status", u64::from(status))))
            }
            Happening::Waiting { delay } => ("waiting", Some(("ms", delay.0))),
            Happening::Parked => ("parked", None),
            Happening::Switched => ("switched", None),
            Happening::Duplicates { count } => ("duplicates", Some(("count", u64::from(count)))),
            Happening::Gap => ("gap", None),
            Happening::Malformed => ("malformed", None),
            Happening::Asked => ("asked", None),
            Happening::Settled { status } => {
                out.key("outcome");
                out.string(status.as_str().as_bytes());
                ("settled", None)
            }
        };
        out.key("what");
        out.string(what.as_bytes());
        if let Some((name, number)) = number {
            out.key(name);
            out.number(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(trace: &mut Trace) -> Vec<serde_json::Value> {
        let mut delta = Delta::new();
        delta.literal("[");
        trace.write(&mut delta);
        let head = delta.finish().split(|&byte| byte == b'\n').next().unwrap().to_vec();
        let all: serde_json::Value = serde_json::from_slice(&head).unwrap();
        all[0].as_array().unwrap().clone()
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn what_is_new_is_written_once_and_a_new_reader_gets_all() {
        let mut trace = Trace::default();
        trace.note(Happening::Attempt { attempt: 0 }, Transport::Fetch, at(1));
        trace.note(Happening::Lost { code: Code::HttpStatus, status: Some(503) }, Transport::Fetch, at(2));
        assert!(trace.has_news());
        let first = written(&mut trace);
        assert_eq!(
            first[0],
            serde_json::json!({ "n": 1, "at": 1, "transport": "fetch", "what": "attempt", "attempt": 0 })
        );
        assert_eq!((&first[1]["code"], &first[1]["status"]), (&"http-status".into(), &503.into()));
        assert!(!trace.has_news());
        trace.note(Happening::Opened, Transport::WebSocket, at(3));
        assert_eq!(written(&mut trace)[0]["n"], 3);
        trace.rewind();
        assert_eq!(written(&mut trace).len(), 3);
    }

    #[test]
    fn the_ring_is_bounded_and_goes_on_counting() {
        let mut trace = Trace::default();
        for millis in 0..1_000 {
            trace.note(Happening::Asked, Transport::Rest, at(millis));
        }
        let all = written(&mut trace);
        assert_eq!((all.len(), &all[0]["n"], &all[KEPT - 1]["n"]), (KEPT, &873.into(), &1_000.into()));
    }

    #[test]
    fn duplicates_in_a_row_are_one_entry() {
        let mut trace = Trace::default();
        for _ in 0..5 {
            trace.note(Happening::Duplicates { count: 1 }, Transport::Fetch, at(1));
        }
        assert_eq!(written(&mut trace)[0]["count"], 5);
        trace.note(Happening::Duplicates { count: 1 }, Transport::Fetch, at(1));
        let again = written(&mut trace);
        assert_eq!((again.len(), &again[0]["n"], &again[0]["count"]), (1, &1.into(), &6.into()));
    }
}
