//! A feed in virtual time, and the page that shows it.

use std::collections::BTreeMap;

use serde_json::Value;
use steadystream::engine::{
    active_runs::feed::{ActiveRuns, Wish},
    config::Config,
    delta::Delta,
    environment::{Environment, Signal},
    http::Head,
    link::Conn,
    run::{Ask, Loss, Output, Urgency},
    time::{Instant, Millis},
    window::{CHUNK, Window},
};

pub const OK: Head<'static> =
    Head { status: 200, content_type: Some("text/event-stream"), retry_after: None, now_unix_ms: None };

/// A row as the page has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub session: String,
    pub run: String,
    pub status: &'static str,
    pub at: u64,
}

/// What the package's JavaScript makes of the deltas.
#[derive(Debug, Default)]
pub struct View {
    sessions: BTreeMap<u64, String>,
    pub rows: BTreeMap<u64, Shown>,
    pub state: Value,
    pub flaps: Vec<Value>,
    pub events: Vec<Value>,
    pub end: Option<Value>,
    /// How many rows the last flush spoke of.
    pub changed: usize,
    /// How many strings it brought.
    pub names: usize,
}

impl View {
    pub fn apply(&mut self, delta: &Value) {
        (self.changed, self.names) = (0, 0);
        if delta["reset"] == true {
            self.sessions.clear();
            self.rows.clear();
        }
        if let Some(rows) = delta["rows"].as_array() {
            let since = delta["since"].as_u64().unwrap();
            let mut names =
                delta["names"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
            for row in rows.chunks(3) {
                let [number, code, at] = [0, 1, 2].map(|at| row[at].as_u64().unwrap());
                self.changed += 1;
                if code & 7 == 5 {
                    assert!(self.rows.remove(&number).is_some(), "what is not shown cannot go");
                    continue;
                }
                if code & 16 != 0 {
                    self.sessions.insert(number, names.next().unwrap());
                    self.names += 1;
                }
                let run = if code & 8 == 0 {
                    self.rows[&number].run.clone()
                } else {
                    self.names += 1;
                    names.next().unwrap()
                };
                let status = ["queued", "streaming", "completed", "cancelled", "failed"][(code & 7) as usize];
                let session = self.sessions[&number].clone();
                self.rows.insert(number, Shown { session, run, status, at: since + at });
            }
            assert_eq!(names.next(), None, "every name is somebody's");
        }
        if let Some(state) = delta.get("state") {
            self.state = state.clone();
        }
        self.flaps.extend(delta.get("flap").cloned());
        self.events.extend(delta["events"].as_array().into_iter().flatten().cloned());
        self.end = delta.get("end").cloned().or(self.end.take());
    }

    /// Session, run and status of each row, by session; of one session there is one.
    pub fn list(&self) -> Vec<(&str, &str, &str)> {
        let mut all: Vec<_> = self.rows.values().map(|row| (&*row.session, &*row.run, row.status)).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0].0 != pair[1].0), "{all:?}");
        all
    }
}

pub struct Desk {
    pub feed: ActiveRuns,
    pub now: Instant,
    pub view: View,
    /// The open connection, or the one that is being made.
    pub conn: Option<Conn>,
    /// How many were asked for.
    pub connections: u32,
    /// The questions that wait for an answer, and their paths.
    pub asked: Vec<(Ask, String)>,
    pub looks: u32,
    /// How many flushes had something in them.
    pub told: u32,
    window: Box<Window>,
}

impl Desk {
    pub fn new(wish: Wish) -> Self {
        Self::with(wish, Config::default())
    }

    pub fn with(wish: Wish, config: Config) -> Self {
        let now = Instant::from_millis(1_000);
        Self::of(ActiveRuns::new(wish, config, Environment::default(), 7, now), now)
    }

    pub fn listening(grace: u64, config: Config) -> Self {
        let now = Instant::from_millis(1_000);
        Self::of(ActiveRuns::listening(Some(Millis(grace)), config, Environment::default(), 7, now), now)
    }

    fn of(feed: ActiveRuns, now: Instant) -> Self {
        let mut desk = Self {
            feed,
            now,
            view: View::default(),
            conn: None,
            connections: 0,
            asked: Vec::new(),
            looks: 0,
            told: 0,
            window: Box::default(),
        };
        desk.settle();
        desk
    }

    /// Somebody watches, and the server accepts.
    pub fn open() -> Self {
        Self::open_with(Wish::default())
    }

    pub fn open_with(wish: Wish) -> Self {
        let mut desk = Self::new(wish);
        desk.watch(true);
        desk.accept();
        desk
    }

    /// The same after its first batch, in which these ran.
    pub fn showing(wish: Wish, rows: &[(&str, &str, &str, u64)]) -> Self {
        let mut desk = Self::open_with(wish);
        desk.index(rows);
        desk
    }

    /// The index as the present connection tells it, through to the end of its batch.
    pub fn index(&mut self, rows: &[(&str, &str, &str, u64)]) {
        for &(session, run, status, at) in rows {
            self.row("snapshot", session, run, status, at);
        }
        self.after(if rows.is_empty() { 250 } else { 16 });
    }

    pub fn watch(&mut self, is_watched: bool) {
        self.feed.handle_watched(is_watched, self.now);
        self.settle();
    }

    pub fn accept(&mut self) {
        self.head(&OK);
    }

    pub fn head(&mut self, head: &Head<'_>) {
        let conn = self.conn.expect("a connection is being made");
        self.feed.handle_response(conn, head, self.now);
        self.settle();
    }

    pub fn refuse(&mut self, status: u16) {
        self.head(&Head { status, ..Head::default() });
    }

    pub fn cut(&mut self) {
        let conn = self.conn.take().expect("there is a connection");
        self.feed.handle_lost(conn, Loss::Failed, self.now);
        self.settle();
    }

    /// Lost, and made again as soon as it may be.
    pub fn reconnect(&mut self) {
        self.cut();
        while self.conn.is_none() {
            self.step();
        }
        self.accept();
    }

    pub fn say(&mut self, text: &str) {
        let conn = self.conn.expect("there is a connection");
        for piece in text.as_bytes().chunks(CHUNK) {
            self.window.chunk_mut()[..piece.len()].copy_from_slice(piece);
            self.feed.handle_chunk(conn, &mut self.window, piece.len(), self.now);
        }
        self.settle();
    }

    pub fn row(&mut self, kind: &str, session: &str, run: &str, status: &str, at: u64) {
        self.say(&row(kind, session, run, status, at));
    }

    pub fn signal(&mut self, signal: Signal) {
        self.feed.handle_signal(signal, self.now);
        self.settle();
    }

    /// The answer to the only question there is.
    pub fn answer(&mut self, status: u16, body: &str) {
        assert_eq!(self.asked.len(), 1, "one at a time");
        let (ask, _) = self.asked.remove(0);
        self.feed.handle_reply(ask, status, body.as_bytes(), self.now);
        self.settle();
    }

    /// Time passes, every deadline in its turn.
    pub fn after(&mut self, ms: u64) {
        let until = self.now + Millis(ms);
        while let Some(next) = self.feed.poll_timeout().filter(|&next| next <= until) {
            self.now = self.now.max(next);
            self.feed.handle_timeout(self.now);
            self.settle();
        }
        self.now = until;
        self.feed.handle_timeout(until);
        self.settle();
    }

    pub fn step(&mut self) {
        let next = self.feed.poll_timeout().expect("it waits for something");
        self.now = self.now.max(next);
        self.feed.handle_timeout(self.now);
        self.settle();
    }

    /// Carries out what is asked for, and shows what has changed.
    pub fn settle(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Connect { conn, request, .. } => {
                    assert_eq!(request.path, "/active-runs");
                    assert_eq!(self.conn, None, "never two");
                    self.conn = Some(conn);
                    self.connections += 1;
                }
                Output::Disconnect { conn } => self.conn = self.conn.filter(|&open| open != conn),
                Output::Ask { ask, request } => self.asked.push((ask, request.path)),
                Output::Forget { ask } => self.asked.retain(|(asked, _)| *asked != ask),
                Output::Look => self.looks += 1,
                other => panic!("a feed does not want {other:?}"),
            }
        }
        if self.feed.take_urgency() == Urgency::None {
            return;
        }
        let mut delta = Delta::new();
        self.feed.write_delta(1, &mut delta);
        let flush = delta.finish();
        if !flush.is_empty() {
            self.told += 1;
            let head = flush.split(|&byte| byte == b'\n').next().unwrap();
            let deltas: Value = serde_json::from_slice(head).expect("a flush is JSON");
            self.view.apply(&deltas[0]);
        }
    }

    pub fn list(&self) -> Vec<(&str, &str, &str)> {
        self.view.list()
    }

    pub fn is_ready(&self) -> bool {
        self.view.state["ready"] == true
    }

    pub fn connection(&self) -> &str {
        self.view.state["connection"]["state"].as_str().unwrap_or("closed")
    }
}

pub fn row(kind: &str, session: &str, run: &str, status: &str, at: u64) -> String {
    format!(
        "event: {kind}\ndata: {{\"sessionId\":\"{session}\",\"runId\":\"{run}\",\"status\":\"{status}\",\"updatedAt\":{at}}}\n\n"
    )
}
