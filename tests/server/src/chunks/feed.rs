//! A session's rows from an offset on, through all its messages, and what the stream says of itself between them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

use crate::runs::{Entry, Heart, Protocol, Read, Run, Runs};
use crate::sse::{self, Event, Frame};

use super::DATA;
use super::request::offset_behind;

/// So many rows go out together, in turn.
const TOGETHER: [usize; 5] = [1, 3, 2, 8, 5];

/// See the module. It ends with its client only. `next` may be dropped at any await without losing a frame.
#[derive(Debug)]
pub struct SessionFeed {
    runs: Arc<Runs>,
    session_id: String,
    /// Rows that were read.
    rows: u64,
    reading: Option<Reading>,
    news: watch::Receiver<u64>,
    ready: VecDeque<Frame>,
    /// Whether the client knows that there is no more for now.
    told: bool,
    turn: usize,
    over: bool,
    heart: Heart,
}

/// The message that is read.
#[derive(Debug)]
struct Reading {
    run: Arc<Run>,
    changes: watch::Receiver<u64>,
}

impl SessionFeed {
    /// The session behind so many rows.
    pub(crate) fn new(runs: &Arc<Runs>, session_id: &str, rows: u64) -> Self {
        let mut feed = Self {
            news: runs.news(),
            heart: Heart::new(&runs.recipe(Some(session_id))),
            runs: Arc::clone(runs),
            session_id: session_id.to_owned(),
            rows,
            reading: None,
            ready: VecDeque::new(),
            told: false,
            turn: 0,
            over: false,
        };
        feed.look();
        feed
    }

    /// The message that the stream begins with, if there is one.
    pub(crate) fn run(&self) -> Option<&Arc<Run>> {
        self.reading.as_ref().map(|reading| &reading.run)
    }

    /// Finds the message with the next row.
    fn look(&mut self) {
        self.news.mark_unchanged();
        let run = self.runs.find_behind(Protocol::Chunks, &self.session_id, self.rows);
        self.reading = run.map(|run| Reading { changes: run.changes(), run });
    }

    /// The next frame; `None` when the session is gone.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            let together = TOGETHER[self.turn % TOGETHER.len()];
            let Some(Reading { run, changes }) = &mut self.reading else {
                if self.tell() {
                    continue;
                }
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
            match run.read(run.position_behind(self.rows), together) {
                Read::Entries(mut entries, next) => {
                    let read = entries.len();
                    // The end of a message comes alone, so that a fault that wants it finds it.
                    if let Some(at) = entries.iter().position(|entry| entry.terminal) {
                        entries.truncate(at.max(1));
                    }
                    self.rows = run.seq_before(next) - (read - entries.len()) as u64;
                    self.turn += 1;
                    self.told = false;
                    self.ready.push_back(data(&entries));
                    let has_more = self.rows < run.last_seq();
                    self.ready.push_back(self.control(!has_more));
                    self.told = !has_more;
                }
                Read::Gone if run.is_lost() => self.over = true,
                Read::Gone => self.look(),
                Read::Later => {
                    if self.tell() {
                        continue;
                    }
                    let Some(Reading { changes, .. }) = &mut self.reading else { continue };
                    tokio::select! {
                        _ = changes.changed() => {}
                        () = self.heart.beat() => return Some(Frame::Beat(sse::Beat::Comment)),
                    }
                }
            }
        }
    }

    /// Says that there is no more for now, if that is news.
    fn tell(&mut self) -> bool {
        if std::mem::replace(&mut self.told, true) {
            return false;
        }
        self.ready.push_back(self.control(true));
        true
    }

    fn control(&self, is_up_to_date: bool) -> Frame {
        let mut control =
            json!({ "streamNextOffset": offset_behind(self.rows), "streamCursor": self.turn.to_string() });
        if is_up_to_date {
            control["upToDate"] = true.into();
        }
        Frame::Aside(event("control", control.to_string(), false))
    }
}

fn data(entries: &[Entry]) -> Frame {
    let rows: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(&entry.data)).collect();
    let terminal = entries.iter().any(|entry| entry.terminal);
    // In one line or in several, as servers like it.
    let text = if rows.len().is_multiple_of(2) {
        format!("[\n{}\n]", rows.join(",\n"))
    } else {
        format!("[{}]", rows.join(","))
    };
    Frame::Event(event(DATA, text, terminal))
}

fn event(name: &'static str, data: String, terminal: bool) -> Event {
    Event { id: None, name: name.into(), data: Bytes::from(data), terminal }
}
