//! What really happened: counts per server and per session, and a journal of requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::{lock, unix_ms};
use crate::faults::Route;
use crate::net::Connections;

/// The journal keeps this many requests; older ones fall out.
const JOURNAL: usize = 20_000;

/// And of each socket this many frames.
const FRAMES: usize = 1_000;

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All of it was handed to the socket.
    Finished,
    /// A fault ended it.
    Cut,
    /// The client went away.
    Aborted,
}

/// One request, as the journal tells it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Number, from 1.
    pub n: u64,
    /// Unix ms.
    pub at: u64,
    /// Number of the connection it came on.
    pub connection: u64,
    /// `GET` or `POST`.
    pub method: String,
    /// Which route.
    pub path: Option<Route>,
    /// The session it named.
    pub session_id: Option<String>,
    /// The run it named or got.
    pub run_id: Option<String>,
    /// The request id it brought.
    pub request_id: Option<String>,
    /// The `Last-Event-ID` header.
    pub last_event_id: Option<String>,
    /// The cursor in the query of `envelope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_seq: Option<String>,
    /// The bearer token or the cookie's.
    pub token: Option<String>,
    /// The answer's status, once there is one.
    pub status: Option<u16>,
    /// How the response ended, once it has.
    pub outcome: Option<Outcome>,
    /// Events of a stream, heartbeats not counted.
    pub events: u64,
    /// Bytes of the body.
    pub bytes: u64,
    /// What a socket has besides.
    #[serde(flatten)]
    pub socket: Option<SocketRecord>,
}

/// What the journal tells of a WebSocket.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketRecord {
    /// The subprotocols that the client offered.
    pub protocols: Vec<String>,
    /// The types of the frames that the client sent, in order.
    pub frames: Vec<String>,
    /// The close frame that ended it, and whose it was.
    pub close: Option<CloseRecord>,
}

/// A close frame.
#[derive(Clone, Debug, Serialize)]
pub struct CloseRecord {
    /// `client` or `server`.
    pub by: &'static str,
    /// Its code.
    pub code: Option<u16>,
    /// Its reason.
    pub reason: String,
}

/// What a stream is to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// The events of a run, whatever the protocol.
    RunEvents,
    /// The rows of all active runs.
    ActiveRuns,
}

/// How a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By a frame of a socket.
    Websocket,
    /// By `POST`.
    Post,
}

/// How often a request id arrived over each transport.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Sends {
    websocket: u64,
    post: u64,
}

/// Sockets asked for and accepted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct WebSockets {
    total: u64,
    accepted: u64,
}

/// The counts and the journal.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    all: Tally,
    sessions: BTreeMap<String, Tally>,
    journal: VecDeque<Record>,
    last: u64,
    /// The last request before the counts began.
    before: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tally {
    requests: BTreeMap<Route, u64>,
    statuses: BTreeMap<u16, u64>,
    runs_started: u64,
    deduped: u64,
    stops: u64,
    finished: u64,
    cut: u64,
    aborted: u64,
    open_streams: Gauge,
    open_sockets: Gauge,
    open_run_events: Gauge,
    open_active_runs: Gauge,
    web_sockets: WebSockets,
    sends: BTreeMap<String, Sends>,
    /// Streams by run, and those who follow it over a socket.
    runs: BTreeMap<String, Gauge>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Gauge {
    now: u64,
    peak: u64,
    total: u64,
}

impl Gauge {
    fn rise(&mut self) {
        self.now += 1;
        self.total += 1;
        self.peak = self.peak.max(self.now);
    }

    fn fall(&mut self) {
        self.now = self.now.saturating_sub(1);
    }
}

impl Tally {
    fn kind(&mut self, kind: StreamKind) -> &mut Gauge {
        match kind {
            StreamKind::RunEvents => &mut self.open_run_events,
            StreamKind::ActiveRuns => &mut self.open_active_runs,
        }
    }
}

impl Table {
    /// Changes the count of all and that of the session.
    fn count(&mut self, session_id: Option<&str>, change: impl Fn(&mut Tally)) {
        change(&mut self.all);
        if let Some(id) = session_id {
            change(self.sessions.entry(id.to_owned()).or_default());
        }
    }

    fn record(&mut self, n: u64) -> Option<&mut Record> {
        let first = self.journal.front()?.n;
        self.journal.get_mut(usize::try_from(n.checked_sub(first)?).ok()?)
    }
}

impl Counters {
    /// A request arrived; the number it got.
    pub fn handle_request(&self, record: Record) -> u64 {
        let mut table = lock(&self.0);
        let route = record.path.unwrap_or(Route::Other);
        table.count(record.session_id.as_deref(), |tally| {
            *tally.requests.entry(route).or_default() += 1;
            tally.web_sockets.total += u64::from(route == Route::Ws);
        });
        table.last += 1;
        let n = table.last;
        table.journal.push_back(Record { n, at: unix_ms(), ..record });
        if table.journal.len() > JOURNAL {
            table.journal.pop_front();
        }
        n
    }

    /// Its answer has this status.
    pub fn handle_answered(&self, n: u64, status: u16) {
        let mut table = lock(&self.0);
        let session_id = table.record(n).and_then(|record| {
            record.status = Some(status);
            record.session_id.clone()
        });
        table.count(session_id.as_deref(), |tally| *tally.statuses.entry(status).or_default() += 1);
    }

    /// Its stream began, of this run if of any.
    pub fn handle_stream_opened(
        &self,
        n: u64,
        kind: Option<StreamKind>,
        session_id: Option<&str>,
        run_id: Option<&str>,
    ) {
        let mut table = lock(&self.0);
        if let Some(record) = table.record(n) {
            record.run_id = run_id.map(str::to_owned).or(record.run_id.take());
        }
        table.count(session_id, |tally| {
            tally.open_streams.rise();
            if let Some(kind) = kind {
                tally.kind(kind).rise();
            }
            if let Some(id) = run_id {
                tally.runs.entry(id.to_owned()).or_default().rise();
            }
        });
    }

    /// Its stream is over.
    pub fn handle_stream_closed(
        &self,
        n: u64,
        kind: Option<StreamKind>,
        session_id: Option<&str>,
        run_id: Option<&str>,
    ) {
        let mut table = lock(&self.0);
        if n <= table.before {
            return;
        }
        table.count(session_id, |tally| {
            tally.open_streams.fall();
            if let Some(kind) = kind {
                tally.kind(kind).fall();
            }
            if let Some(gauge) = run_id.and_then(|id| tally.runs.get_mut(id)) {
                gauge.fall();
            }
        });
    }

    /// A socket is open.
    pub fn handle_socket_opened(&self) {
        lock(&self.0).count(None, |tally| {
            tally.open_sockets.rise();
            tally.web_sockets.accepted += 1;
        });
    }

    /// It is over, by this close frame if by any.
    pub fn handle_socket_closed(&self, n: u64, close: Option<CloseRecord>) {
        let mut table = lock(&self.0);
        if n <= table.before {
            return;
        }
        if let Some(socket) = table.record(n).and_then(|record| record.socket.as_mut()) {
            socket.close = close;
        }
        table.count(None, |tally| tally.open_sockets.fall());
    }

    /// The client of a socket sent a frame of this type.
    pub fn handle_frame(&self, n: u64, kind: &str) {
        let mut table = lock(&self.0);
        let socket = table.record(n).and_then(|record| record.socket.as_mut());
        if let Some(socket) = socket.filter(|socket| socket.frames.len() < FRAMES) {
            socket.frames.push(kind.to_owned());
        }
    }

    /// The client of a socket said who it is.
    pub fn handle_token(&self, n: u64, token: &str) {
        if let Some(record) = lock(&self.0).record(n) {
            record.token = Some(token.to_owned());
        }
    }

    /// Somebody follows a run over a socket.
    pub fn handle_followed(&self, session_id: &str, run_id: &str) {
        lock(&self.0).count(Some(session_id), |tally| tally.runs.entry(run_id.to_owned()).or_default().rise());
    }

    /// And no longer.
    pub fn handle_left(&self, session_id: &str, run_id: &str) {
        lock(&self.0).count(Some(session_id), |tally| {
            if let Some(gauge) = tally.runs.get_mut(run_id) {
                gauge.fall();
            }
        });
    }

    /// A message arrived.
    pub fn handle_send(&self, session_id: &str, request_id: &str, transport: Transport) {
        lock(&self.0).count(Some(session_id), |tally| {
            let sends = tally.sends.entry(request_id.to_owned()).or_default();
            match transport {
                Transport::Websocket => sends.websocket += 1,
                Transport::Post => sends.post += 1,
            }
        });
    }

    /// Its body is over.
    pub fn handle_ended(&self, n: u64, outcome: Outcome, bytes: u64, events: u64) {
        let mut table = lock(&self.0);
        if n <= table.before {
            return;
        }
        let session_id = table.record(n).and_then(|record| {
            record.outcome = Some(outcome);
            record.bytes = bytes;
            record.events = events;
            record.session_id.clone()
        });
        table.count(session_id.as_deref(), |tally| match outcome {
            Outcome::Finished => tally.finished += 1,
            Outcome::Cut => tally.cut += 1,
            Outcome::Aborted => tally.aborted += 1,
        });
    }

    /// A run started.
    pub fn handle_run_started(&self, session_id: &str) {
        lock(&self.0).count(Some(session_id), |tally| tally.runs_started += 1);
    }

    /// A request got the run that its id belongs to.
    pub fn handle_deduped(&self, session_id: &str) {
        lock(&self.0).count(Some(session_id), |tally| tally.deduped += 1);
    }

    /// A stop was asked for.
    pub fn handle_stop(&self, session_id: &str) {
        lock(&self.0).count(Some(session_id), |tally| tally.stops += 1);
    }

    /// What `GET /control/counters` answers; connections are the server's, whatever the session.
    pub fn report(&self, session_id: Option<&str>, connections: Connections) -> Value {
        let table = lock(&self.0);
        let tally = match session_id {
            Some(id) => table.sessions.get(id).cloned().unwrap_or_default(),
            None => table.all.clone(),
        };
        drop(table);
        let count = |route| tally.requests.get(&route).copied().unwrap_or_default();
        let mut report = serde_json::to_value(&tally).unwrap_or_default();
        report["connections"] = json!(connections);
        // Zeros too, so that a test can compare without asking whether a key is there.
        report["requests"] = Route::ALL
            .into_iter()
            .filter_map(|route| Some((serde_json::to_value(route).ok()?.as_str()?.to_owned(), count(route).into())))
            .collect::<serde_json::Map<String, Value>>()
            .into();
        report
    }

    /// What `GET /control/requests` answers.
    pub fn journal(&self, session_id: Option<&str>) -> Vec<Record> {
        let table = lock(&self.0);
        let wanted =
            table.journal.iter().filter(|record| session_id.is_none() || record.session_id.as_deref() == session_id);
        wanted.cloned().collect()
    }

    /// Starts counts and journal afresh. Streams that are open then are counted no more.
    pub fn reset(&self) {
        let mut table = lock(&self.0);
        let last = table.last;
        *table = Table { last, before: last, ..Table::default() };
    }
}
