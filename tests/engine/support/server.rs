//! A model of the bichat server (PROTOCOLS 1): what it keeps, what it answers, and when. No sockets, no clock.
//!
//! A request gives a [`Reply`]; a streamed body grows as time passes ([`Server::advance`]) and is read by whoever carries
//! it. The event log is exact; what a send's own response or a resume streams is not, just as at the real one.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use steadystream::engine::request::{Method, Request};
use steadystream::engine::rng::Rng;

use super::script::{Event, Part, Script, Transcript};
use super::wire::{Field, Wire};

/// What virtual time 0 is in unix ms.
pub const EPOCH: u64 = 1_712_345_678_000;

const HEARTBEAT: u64 = 15_000;
const REAPED_AFTER: u64 = 60_000;

/// Names one streamed body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(usize);

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Body,
}

/// What follows a head.
#[derive(Clone, Debug)]
pub enum Body {
    Whole(Vec<u8>),
    Stream(StreamId),
}

/// What a server or a proxy before it does to one event stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mischief {
    /// Starts this many events before the cursor.
    pub replay_seen: usize,
    /// Starts at the beginning, whatever the cursor says (B-ES-11).
    pub ignore_cursor: bool,
    /// Sends each n-th event twice.
    pub duplicate_each: usize,
    /// Sends a frame that makes no sense before each n-th event.
    pub malformed_each: usize,
    /// Sends the terminal event twice (B-SEND-10).
    pub two_terminals: bool,
    /// Ends the body where the terminal event should be.
    pub no_terminal: bool,
    /// After this many events only heartbeats come.
    pub mute_after: Option<usize>,
    /// After this many events the body ends.
    pub end_after: Option<usize>,
    /// No heartbeats come.
    pub no_heartbeats: bool,
    /// Sends `retry: n` first.
    pub retry: Option<u64>,
}

/// What happened at the server, for tests to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub sends: u32,
    pub follows: u32,
    pub resumes: u32,
    pub statuses: u32,
    pub stops: u32,
    pub runs: u32,
    pub deduped: u32,
    /// Runs begun by a message whose first run had ended, and with it the memory of its request id (B-SEND-4).
    pub repeated: u32,
}

/// How the server behaves towards everybody.
#[derive(Clone, Debug)]
pub struct Habits {
    pub wire: Wire,
    /// Whether it sends its heartbeat every 15 s.
    pub heartbeats: bool,
    /// Whether there is an event log to follow (B-ES-12).
    pub has_log: bool,
    /// How long a log lives after the terminal event.
    pub log_ttl: u64,
    /// How many of a hundred live events the lossy channel drops (B-SEND-11).
    pub lossy: u64,
    /// How many events are lost between a resume's snapshot and its subscription (B-RES-4).
    pub resume_gap: usize,
    /// Whether a resume is served by another node than the run's: stored state, once a second (B-RES-3).
    pub remote: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            wire: Wire::BICHAT,
            heartbeats: true,
            has_log: true,
            log_ttl: 300_000,
            lossy: 0,
            resume_gap: 0,
            remote: false,
        }
    }
}

/// The server.
#[derive(Debug)]
pub struct Server {
    pub habits: Habits,
    pub counters: Counters,
    rng: Rng,
    now: u64,
    script: Script,
    runs: Vec<Run>,
    streams: BTreeMap<StreamId, Stream>,
    opened: usize,
    requests: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Run {
    id: String,
    session: String,
    request: String,
    script: VecDeque<(u64, Event)>,
    log: Vec<(String, Event, u64)>,
    ended: Option<u64>,
    /// What is said lives in the log still.
    is_logged: bool,
    started: u64,
}

#[derive(Debug)]
struct Stream {
    kind: Kind,
    mischief: Mischief,
    out: Vec<u8>,
    /// Events sent so far.
    sent: usize,
    next_beat: u64,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The exact log of a run, from this entry on.
    Log { run: usize, next: usize },
    /// Whatever happens from now on, as far as it is not dropped.
    Live { run: usize, skip: usize },
    /// Stored state of a run, once a second: this many UTF-16 units are known.
    Remote { run: usize, known: usize, next: u64 },
    /// Nothing more.
    Over,
}

impl Server {
    /// A server whose runs say `script`.
    pub fn new(script: Script, habits: Habits, seed: u64) -> Self {
        Self {
            habits,
            counters: Counters::default(),
            rng: Rng::seeded(seed),
            now: 0,
            script,
            runs: Vec::new(),
            streams: BTreeMap::new(),
            opened: 0,
            requests: BTreeMap::new(),
        }
    }

    /// Starts a run that some other page sent; gives its id.
    pub fn start_run(&mut self, session: &str) -> String {
        let run = self.begin(session, "");
        self.runs[run].id.clone()
    }

    /// What the script amounts to: the transcript that a perfect connection shows.
    pub fn truth(&self) -> Transcript {
        Transcript::of(self.script.0.iter().map(|entry| &entry.event))
    }

    /// What the log of the last run amounts to so far; differs from [`Server::truth`] where the run was cut short.
    pub fn logged(&self) -> Transcript {
        Transcript::of(self.runs.iter().flat_map(|run| run.log.iter().map(|(_, event, _)| event)))
    }

    /// How many events the first run has said.
    pub fn logged_count(&self) -> usize {
        self.runs.first().map_or(0, |run| run.log.len())
    }

    /// The id of the first run's n-th event, if it was said.
    pub fn id_of(&self, n: usize) -> Option<String> {
        self.runs.first()?.log.get(n).map(|(id, ..)| id.clone())
    }

    /// What the first run's log amounts to without its first events.
    pub fn logged_after(&self, skip: usize) -> Transcript {
        let events = self.runs.iter().take(1).flat_map(|run| run.log.iter().skip(skip));
        Transcript::of(events.map(|(_, event, _)| event))
    }

    /// How many bytes the frame of the first run's n-th event takes in the log's stream.
    pub fn frame_length(&self, n: usize) -> usize {
        let (run, (id, event, at)) = (&self.runs[0], &self.runs[0].log[n]);
        self.habits.wire.frame(Some(id), event.name(), &event.payload(), &run.id, EPOCH + at).len()
    }

    /// Whether any run still speaks.
    pub fn is_active(&self) -> bool {
        self.runs.iter().any(|run| run.ended.is_none())
    }

    /// Answers a request that arrived at `now`.
    pub fn handle(&mut self, request: &Request, mischief: Mischief, now: u64) -> Reply {
        self.advance(now);
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.into(), decode(value)))
            .collect();
        let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        match (request.method, path) {
            (Method::Post, "") => self.send(&text("sessionId"), &text("requestId"), mischief),
            (Method::Post, "/resume") => self.resume(&text("sessionId"), &text("runId"), mischief),
            (Method::Post, "/stop") => self.stop(&text("sessionId")),
            (Method::Get, "/status") => self.status(query.get("sessionId").map_or("", String::as_str)),
            (Method::Get, "/events") => {
                let id = |key: &str| query.get(key).map_or("", String::as_str);
                self.follow(id("sessionId"), id("runId"), request.last_event_id.as_deref(), mischief)
            }
            _ => plain(404, "{}"),
        }
    }

    /// Lets everything happen that is due by `now`.
    pub fn advance(&mut self, now: u64) {
        while let Some(next) = self.next_wake().filter(|&next| next <= now) {
            self.now = self.now.max(next);
            for run in 0..self.runs.len() {
                self.speak(run);
            }
            let mut streams = std::mem::take(&mut self.streams);
            streams.values_mut().for_each(|stream| self.serve(stream));
            self.streams = streams;
        }
        self.now = self.now.max(now);
    }

    /// When something happens next without a request.
    pub fn next_wake(&self) -> Option<u64> {
        let words = self.runs.iter().filter_map(|run| run.script.front().map(|&(at, _)| at));
        let ends =
            self.runs.iter().filter_map(|run| run.ended.filter(|_| run.is_logged).map(|at| at + self.habits.log_ttl));
        let beats = self.streams.values().filter(|stream| !stream.ended).flat_map(|stream| {
            let poll = match stream.kind {
                Kind::Remote { next, .. } => Some(next),
                _ => None,
            };
            [Some(stream.next_beat), poll]
        });
        words.chain(ends).chain(beats.flatten()).min()
    }

    /// Takes what a stream has written. The flag says that its body has ended.
    pub fn read(&mut self, stream: StreamId) -> (Vec<u8>, bool) {
        match self.streams.get_mut(&stream) {
            Some(stream) => (std::mem::take(&mut stream.out), stream.ended),
            None => (Vec::new(), true),
        }
    }

    /// The client of a stream is gone.
    pub fn forget(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    /// The process starts anew: every connection is gone. Where its workers died with it, what ran is ended by the
    /// reaper; without its log, nothing is known of any run.
    pub fn restart(&mut self, keeps_log: bool, keeps_workers: bool) {
        self.streams.clear();
        if !keeps_log {
            self.runs.clear();
            self.requests.clear();
        }
        if !keeps_workers {
            for run in self.runs.iter_mut().filter(|run| run.ended.is_none()) {
                run.script =
                    [(self.now + REAPED_AFTER, Event::Error("generation failed: worker stopped heartbeating"))].into();
            }
        }
    }

    fn begin(&mut self, session: &str, request: &str) -> usize {
        self.counters.runs += 1;
        let mut at = self.now;
        let script = self.script.0.iter().map(|entry| {
            at += entry.after;
            (at, entry.event.clone())
        });
        self.runs.push(Run {
            id: format!("9b2e4c1a-0000-4000-8000-{:012x}", self.counters.runs),
            session: session.into(),
            request: request.into(),
            script: script.collect(),
            log: Vec::new(),
            ended: None,
            is_logged: true,
            started: self.now,
        });
        self.runs.len() - 1
    }

    // ---- requests ----

    fn send(&mut self, session: &str, request: &str, mischief: Mischief) -> Reply {
        self.counters.sends += 1;
        if session.is_empty() || !is_uuid(request) {
            return plain(400, r#"{"error":"invalid request"}"#);
        }
        let known = self.requests.get(request).copied();
        self.counters.deduped += u32::from(known.is_some());
        let is_repeated = known.is_none() && self.runs.iter().any(|run| run.request == request);
        self.counters.repeated += u32::from(is_repeated);
        let run = known.unwrap_or_else(|| self.begin(session, request));
        self.requests.insert(request.into(), run);
        let mut stream = self.open(Kind::Live { run, skip: 0 }, mischief);
        stream.out.extend(self.frame("stream_started", &[], run));
        if known.is_some() {
            // B-SEND-3: the state so far, then the tail.
            stream.out.extend(self.snapshot_frame(run));
        }
        self.stream(stream)
    }

    fn follow(&mut self, session: &str, run: &str, cursor: Option<&str>, mischief: Mischief) -> Reply {
        self.counters.follows += 1;
        if session.is_empty() || run.is_empty() {
            return plain(400, r#"{"error":"sessionId and runId are required"}"#);
        }
        let found = self.runs.iter().position(|known| known.id == run && known.is_logged);
        let mut stream = self.open(Kind::Over, mischief);
        match found {
            // B-ES-12: refusals come after the head, as an error event without an id.
            _ if !self.habits.has_log => {
                let error = vec![("error", Field::Json(json!("run event log unavailable")))];
                stream.out.extend(self.frame_of("error", &error, ""));
            }
            None => {
                let error = vec![("error", Field::Json(json!("run not found or already finished")))];
                stream.out.extend(self.frame_of("error", &error, ""));
            }
            // A session that is not the run's: a silent close.
            Some(run) if self.runs[run].session != session => {}
            Some(run) => {
                let log = &self.runs[run].log;
                // B-ES-13: strictly after the cursor. Ids compare as pairs.
                let after = cursor.map_or(0, |cursor| log.partition_point(|(id, ..)| pair(id) <= pair(cursor)));
                let next = if mischief.ignore_cursor { 0 } else { after.saturating_sub(mischief.replay_seen) };
                stream.kind = Kind::Log { run, next };
                stream.ended = false;
                self.serve(&mut stream);
            }
        }
        self.stream(stream)
    }

    fn resume(&mut self, session: &str, run: &str, mischief: Mischief) -> Reply {
        self.counters.resumes += 1;
        let live =
            self.runs.iter().position(|known| known.id == run && known.session == session && known.ended.is_none());
        let Some(run) = live else {
            // B-RES-2: the SSE head is out already, so that the refusal is plain text in a stream.
            return Reply { body: Body::Whole(b"Run not found or already finished\n".to_vec()), ..plain(200, "") }
                .with_type("text/event-stream");
        };
        let kind = match self.habits.remote {
            true => Kind::Remote { run, known: self.text_of(run).len(), next: self.now + 1_000 },
            false => Kind::Live { run, skip: self.habits.resume_gap },
        };
        let mut stream = self.open(kind, mischief);
        stream.out.extend(self.snapshot_frame(run));
        self.stream(stream)
    }

    fn status(&mut self, session: &str) -> Reply {
        self.counters.statuses += 1;
        let Some(run) = self.runs.iter().rposition(|run| run.session == session && run.ended.is_none()) else {
            return plain(200, r#"{"active":false}"#);
        };
        let reply = self.habits.wire.object(&[
            ("active", Field::Json(json!(true))),
            ("runId", Field::Json(json!(self.runs[run].id))),
            ("snapshot", self.snapshot(run)),
            ("startedAt", Field::Json(json!(EPOCH + self.runs[run].started))),
        ]);
        plain(200, &reply)
    }

    /// Always 200, even when nothing runs. The cancel reaches the log as an error (B-EVT-1).
    fn stop(&mut self, session: &str) -> Reply {
        self.counters.stops += 1;
        for run in 0..self.runs.len() {
            if self.runs[run].session == session && self.runs[run].ended.is_none() {
                self.runs[run].script =
                    [(self.now, Event::Error("An error occurred while processing your request"))].into();
            }
        }
        plain(200, "{}")
    }

    // ---- what happens by itself ----

    /// Says what is due, to the log and to those who listen live.
    fn speak(&mut self, run: usize) {
        while self.runs[run].script.front().is_some_and(|&(at, _)| at <= self.now) {
            let Some((at, event)) = self.runs[run].script.pop_front() else { return };
            let seq = self.runs[run].log.iter().rev().take_while(|&&(_, _, said)| said == at).count();
            self.runs[run].log.push((format!("{}-{seq}", EPOCH + at), event.clone(), at));
            let frame = self.frame(event.name(), &event.payload(), run);
            let mut streams = std::mem::take(&mut self.streams);
            for stream in streams.values_mut() {
                if let Kind::Live { run: heard, skip } = &mut stream.kind
                    && *heard == run
                {
                    // A full channel drops without a word, the terminal event too.
                    let is_dropped = *skip > 0 || self.rng.up_to(99) < self.habits.lossy;
                    *skip = skip.saturating_sub(1);
                    if !is_dropped {
                        self.write(stream, &frame, event.is_terminal());
                    }
                    stream.ended |= is_dropped && event.is_terminal();
                }
            }
            self.streams = streams;
            if event.is_terminal() {
                // B-SEND-4: the dedupe key goes with the run.
                self.runs[run].ended = Some(self.now);
                let request = self.runs[run].request.clone();
                self.requests.remove(&request);
            }
        }
        if self.runs[run].ended.is_some_and(|ended| ended + self.habits.log_ttl <= self.now) {
            self.runs[run].is_logged = false;
        }
    }

    /// Brings one stream up to the present.
    fn serve(&mut self, stream: &mut Stream) {
        if stream.ended {
            return;
        }
        match stream.kind {
            Kind::Log { run, mut next } => {
                while let Some((id, event, _)) = self.runs[run].log.get(next).cloned()
                    && !stream.ended
                {
                    next += 1;
                    let run_id = self.runs[run].id.clone();
                    let unix_ms = EPOCH + self.now;
                    let frame = self.habits.wire.frame(Some(&id), event.name(), &event.payload(), &run_id, unix_ms);
                    self.write(stream, &frame, event.is_terminal());
                }
                stream.kind = Kind::Log { run, next };
                // B-ES-13: the tail of a log that expired ends without a terminal event.
                stream.ended |= !self.runs[run].is_logged;
            }
            Kind::Remote { run, known, next } if next <= self.now => {
                let text = self.text_of(run);
                let ended = self.runs[run].ended.is_some();
                if text.len() > known {
                    let piece = text[known..].to_vec();
                    let frame = self.frame("content", &[("content", Field::Text(piece))], run);
                    self.write(stream, &frame, false);
                }
                if let (true, Some((_, event, _))) = (ended, self.runs[run].log.last().cloned()) {
                    let frame = self.frame(event.name(), &event.payload(), run);
                    self.write(stream, &frame, true);
                }
                stream.kind = Kind::Remote { run, known: text.len(), next: next + 1_000 };
            }
            Kind::Live { .. } | Kind::Remote { .. } | Kind::Over => {}
        }
        if stream.next_beat <= self.now && !stream.ended {
            stream.next_beat += HEARTBEAT;
            if self.habits.heartbeats && !stream.mischief.no_heartbeats {
                match stream.kind {
                    Kind::Log { .. } => stream.out.extend(self.habits.wire.comment("ping")),
                    _ => stream.out.extend(self.frame_of("ping", &vec![], "")),
                }
            }
        }
    }

    /// Writes one event's frame, or what mischief makes of it. A terminal event ends the body.
    fn write(&self, stream: &mut Stream, frame: &[u8], is_terminal: bool) {
        const NONSENSE: [&str; 7] =
            ["{", "null", "\"text\"", "[1]", "{\"type\":7}", "{\"content\":5,\"type\":\"content\"}", "\u{FEFF}}"];
        let mischief = stream.mischief;
        if mischief.mute_after.is_some_and(|most| stream.sent >= most) {
            return;
        }
        stream.ended |= is_terminal;
        if is_terminal && mischief.no_terminal {
            return;
        }
        stream.sent += 1;
        let is_nth = |n: usize| n > 0 && stream.sent.is_multiple_of(n);
        if is_nth(mischief.malformed_each) {
            let data = NONSENSE[stream.sent % NONSENSE.len()];
            stream.out.extend(self.habits.wire.raw_frame(None, "content", data));
        }
        stream.out.extend_from_slice(frame);
        if is_nth(mischief.duplicate_each) || (is_terminal && mischief.two_terminals) {
            stream.out.extend_from_slice(frame);
        }
        stream.ended |= mischief.end_after.is_some_and(|most| stream.sent >= most);
    }

    // ---- pieces ----

    fn open(&self, kind: Kind, mischief: Mischief) -> Stream {
        let mut out = self.habits.wire.comment("stream-open");
        if let Some(retry) = mischief.retry {
            out.extend(format!("retry: {retry}{0}{0}", self.habits.wire.newline).bytes());
        }
        let ended = matches!(kind, Kind::Over);
        Stream { kind, mischief, out, sent: 0, next_beat: self.now + HEARTBEAT, ended }
    }

    fn stream(&mut self, stream: Stream) -> Reply {
        self.opened += 1;
        let id = StreamId(self.opened);
        self.streams.insert(id, stream);
        Reply { status: 200, content_type: "text/event-stream", body: Body::Stream(id) }
    }

    fn frame(&self, name: &str, payload: &[(&'static str, Field)], run: usize) -> Vec<u8> {
        self.frame_of(name, &payload.to_vec(), &self.runs[run].id)
    }

    fn frame_of(&self, name: &str, payload: &super::wire::Payload, run: &str) -> Vec<u8> {
        self.habits.wire.frame(None, name, payload, run, EPOCH + self.now)
    }

    fn snapshot_frame(&self, run: usize) -> Vec<u8> {
        self.frame("snapshot", &[("snapshot", self.snapshot(run))], run)
    }

    fn text_of(&self, run: usize) -> Vec<u16> {
        let texts = self.runs[run].log.iter().filter_map(|(_, event, _)| match event {
            Event::Text(piece) => Some(piece.as_slice()),
            _ => None,
        });
        texts.flatten().copied().collect()
    }

    /// The stored state: text, tool calls and block ends. It knows nothing of reasoning.
    fn snapshot(&self, run: usize) -> Field {
        let (mut length, mut offsets, mut calls) = (0, Vec::new(), Vec::new());
        for (_, event, _) in &self.runs[run].log {
            match event {
                Event::Text(piece) => length += piece.len(),
                Event::BlockEnd(_) => offsets.push(length),
                _ => {}
            }
        }
        for part in Transcript::of(self.runs[run].log.iter().map(|(_, event, _)| event)).parts {
            if let Part::Tool { call, name, arguments, result, error, .. } = part {
                calls.push(
                    json!({ "id": call, "name": name, "arguments": arguments, "result": result, "error": error }),
                );
            }
        }
        // Text is stored as UTF-8, which knows no halves of pairs.
        let content = String::from_utf16_lossy(&self.text_of(run));
        let content = content.strip_suffix('\u{FFFD}').unwrap_or(&content).encode_utf16().collect();
        let metadata = json!({ "tool_calls": calls, "text_block_offsets": offsets });
        Field::Object(vec![("partialContent", Field::Text(content)), ("partialMetadata", Field::Json(metadata))])
    }
}

impl Reply {
    fn with_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }
}

fn plain(status: u16, body: &str) -> Reply {
    Reply { status, content_type: "application/json", body: Body::Whole(body.into()) }
}

fn pair(id: &str) -> Option<(u64, u64)> {
    let (millis, seq) = id.split_once('-')?;
    Some((millis.parse().ok()?, seq.parse().ok()?))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(high) << 4 | digit(low));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
