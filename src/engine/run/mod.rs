//! One streamed generation, from the send to its one outcome.
//!
//! A run is a [`Link`] with a purpose. It moves along up to three roads of the `bichat` protocol and always ends with what
//! the exact one says, where that can be had:
//!
//! 1. **Sending**: POST /stream. Its response names the run and may drop events (B-SEND-11), so that nothing of it is
//!    kept once the run is known.
//! 2. **Following**: GET /stream/events, the exact log with ids. Lost connections go on after the cursor of what is held.
//! 3. **Live**: POST /stream/resume, a snapshot and what comes after it; only when the server has no log to offer. It may
//!    drop events, too: at its end the log is asked once more.
//!
//! It settles exactly once. The first terminal event wins (B-SEND-10); the end of a body without one is a lost
//! connection (B-PARSE-5), and so is silence. When the link doubts or gives up, one status request decides what is true
//! at the server. An unsettled run always has a connection, a question under way, or a deadline behind it:
//! [`Run::is_sustained`] says so and every test asserts it.
//!
//! Here: what a run is, its inputs and outputs, and its connections. Beside it: what a stream's events do (`stream`), what is
//! asked and what the replies decide (`questions`), what is told of it (`write`).

mod questions;
mod stream;
mod write;

use alloc::{collections::VecDeque, string::String};

use questions::Doubt;

use super::{
    config::Config,
    cursor::Position,
    delta::Delta,
    environment::{Environment, Signal},
    error::{Code, Failure},
    http::{self, Head},
    link::{Conn, Due, Link, Next, Phase},
    protocol::{
        Protocol,
        bichat::{StatusReply, requests},
    },
    reader::Reader,
    request::Request,
    rng::Rng,
    status::{By, Status},
    time::{Instant, Millis},
    timer::{Table, Timer},
    transcript::Transcript,
    window::Window,
};

/// A question's number: a reply that carries another one is late and means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask(pub u32);

/// What the run wants done. Drain them all after every input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a stream; report under `conn`.
    Connect {
        /// The number of the connection.
        conn: Conn,
        /// What to ask for.
        request: Request,
        /// Through the browser's own `EventSource`.
        native: bool,
    },
    /// Close this stream. It may be closed already.
    Disconnect {
        /// The number of the connection.
        conn: Conn,
    },
    /// Make one request and report its whole reply under `ask`.
    Ask {
        /// The number of the question.
        ask: Ask,
        /// What to ask for.
        request: Request,
    },
    /// The answer does not matter any more: abort the request.
    Forget {
        /// The number of the question.
        ask: Ask,
    },
    /// Ask the page whether it is online and report it as a [`Signal`].
    Look,
}

/// How soon what changed must reach the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing changed.
    #[default]
    None,
    /// The transcript grew.
    Content,
    /// The state changed too.
    State,
    /// At once: the run has settled.
    Now,
}

/// Why a connection was lost, as its transport saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The body came to its end.
    Ended,
    /// The network failed, before or after the head.
    Failed,
}

/// What a caller wants of a run.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The session the run belongs to.
    pub session: String,
    /// The run, where it is known.
    pub run: Option<String>,
    /// The request id of a send.
    pub request_id: Option<String>,
    /// The JSON text of the POST that starts the run.
    pub body: Option<String>,
    /// The cursor of what the caller already holds: events after it are asked for.
    pub cursor: Option<String>,
    /// Fail with [`Code::ConnectFailed`] when the first connection fails within this time and before any event (B-ES-7).
    pub grace: Option<Millis>,
    /// Keep raw events for a listener, see [`Run::listen`].
    pub listen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    Sending,
    Following,
    Live,
}

/// How a run ends.
struct Verdict {
    status: Status,
    by: By,
    error: Option<Failure>,
}

/// The run machine. See the module's description.
pub struct Run {
    reader: Reader,
    core: Core,
}

struct Core {
    config: Config,
    rng: Rng,
    link: Link,
    timers: Table,
    outputs: VecDeque<Output>,
    asks: u32,

    session: String,
    run: Option<String>,
    request_id: Option<String>,
    body: Option<String>,
    road: Road,
    status: Status,
    by: By,
    error: Option<Failure>,

    // The transcript being built, and an earlier one that stays on screen until the new one has caught up.
    exact: Transcript,
    shown: Option<Transcript>,
    position: Position,
    most_text: usize,

    doubt: Option<(Ask, Doubt)>,
    stopping: bool,
    // A second stop, behind a send that the first one may have overtaken.
    late_stop: Option<Ask>,
    reauthorized: bool,
    live_tried: bool,
    // How the run has ended by the live road, while the log is asked for what that may have dropped.
    verdict: Option<Verdict>,
    // Where the log was left when the live road told its first event. Until it is read that far again, this is the cursor
    // that is told.
    anchor: Option<Position>,
    // The run has ended at the server. Its log outlives it by minutes and is read to its end.
    over: bool,
    // The budget was given back once without progress.
    second_wind: bool,
    head_seen: bool,
    // The server took the send: it is not repeated before its fate is known.
    accepted: bool,
    events_here: bool,
    any_event: bool,
    began: Instant,
    grace: Option<Millis>,
    flap: Option<Failure>,
    counts: Counts,

    started_at: Option<u64>,
    updated_at: Option<u64>,
    listening: bool,
    events: Delta,
    dirty: Dirty,
    urgency: Urgency,
}

#[derive(Clone, Copy, Debug, Default)]
struct Dirty {
    state: bool,
    cursor: bool,
    end: bool,
}

/// What happened to a run besides its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that came again and were dropped.
    pub duplicates: u32,
    /// Frames that made no sense and were reported.
    pub malformed: u32,
    /// Connections lost.
    pub losses: u32,
}

impl Run {
    /// Starts a run by sending, or follows one that exists: `wish.body` or `wish.run` decides.
    pub fn new(wish: Wish, config: Config, environment: Environment, seed: u64, now: Instant) -> Self {
        let link = Link::new(&config, environment, now);
        let of_session = wish.body.is_none() && wish.run.is_none();
        let position = wish.cursor.as_ref().map_or_else(Position::new, |cursor| Position::after(cursor.as_bytes()));
        let mut run = Self {
            reader: Reader::new(Protocol::Bichat, config.max_event_bytes),
            core: Core {
                rng: Rng::seeded(seed),
                link,
                timers: Table::default(),
                outputs: VecDeque::new(),
                asks: 0,
                road: if wish.run.is_none() { Road::Sending } else { Road::Following },
                session: wish.session,
                run: wish.run,
                request_id: wish.request_id,
                body: wish.body,
                status: Status::Pending,
                by: By::Server,
                error: None,
                exact: Transcript::new(),
                shown: None,
                position,
                most_text: 0,
                doubt: None,
                stopping: false,
                late_stop: None,
                reauthorized: false,
                live_tried: false,
                verdict: None,
                anchor: None,
                over: false,
                second_wind: false,
                head_seen: false,
                // Neither a message nor a run: whatever runs in the session is meant, and only its status tells.
                accepted: of_session,
                events_here: false,
                any_event: false,
                began: now,
                grace: wish.grace,
                flap: None,
                counts: Counts::default(),
                started_at: None,
                updated_at: None,
                listening: wish.listen,
                events: Delta::new(),
                dirty: Dirty { state: true, cursor: false, end: false },
                urgency: Urgency::State,
                config,
            },
        };
        run.core.set_out(now);
        run
    }

    /// Shows the text of a status reply's snapshot until the log has caught up with it (B-RES-3).
    pub fn seed(&mut self, status: &[u8]) {
        self.core.seed(status);
    }

    // ---- inputs ----

    /// The head of a response came.
    pub fn handle_response(&mut self, conn: Conn, head: &Head<'_>, now: Instant) {
        if self.core.link.is_current(conn) {
            self.reader.restart();
            self.core.handle_response(head, now);
        }
    }

    /// The first `len` bytes of the window's chunk came on `conn`.
    pub fn handle_chunk(&mut self, conn: Conn, window: &mut Window, len: usize, now: Instant) {
        let Self { reader, core } = self;
        if !core.link.is_current(conn) {
            return;
        }
        core.link.handle_bytes(now);
        let mut feed = reader.feed(window, len);
        // By reference: an item that is moved is a call to copy it.
        while let Some(item) = &feed.next() {
            core.take(item, now);
            if !core.link.is_current(conn) {
                break;
            }
        }
    }

    /// The connection is gone.
    pub fn handle_lost(&mut self, conn: Conn, loss: Loss, now: Instant) {
        if self.core.link.is_current(conn) {
            let code = match loss {
                Loss::Ended => Code::Disconnected,
                Loss::Failed if self.core.head_seen => Code::Disconnected,
                Loss::Failed => Code::ConnectFailed,
            };
            self.core.lose(Failure::passing(code), None, now);
        }
    }

    /// The reply to a question came; `status` 0 means that none did.
    pub fn handle_reply(&mut self, ask: Ask, status: u16, body: &[u8], now: Instant) {
        self.core.handle_reply(ask, status, body, now);
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) {
        let conn = self.core.link.conn();
        let due = self.core.link.handle_signal(signal, now);
        if due == Some(Due::Drop) {
            self.core.push(Output::Disconnect { conn });
        }
        self.core.obey(due, now);
        self.core.touch();
        if signal == Signal::Visible {
            // The timers of a hidden page are late: what is overdue is due now.
            self.handle_timeout(now);
        }
    }

    /// Time passed. Harmless when late or early.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((timer, _)) = self.core.timers.expire(now) {
            match timer {
                Timer::Status => {
                    if let Some((ask, _)) = self.core.doubt {
                        self.core.push(Output::Forget { ask });
                        self.core.handle_reply(ask, 0, b"", now);
                    }
                }
                // The server had its time to confirm, and then to send its own terminal event.
                Timer::Stop => self.core.settle_stopped(),
                _ => {}
            }
        }
        while let Some(due) = self.core.link.handle_timeout(now) {
            self.core.obey(Some(due), now);
        }
    }

    /// The user cancels: the caller sends the stop request and reports its reply with [`Run::handle_stop_reply`].
    ///
    /// From here on nothing reconnects. The run settles as cancelled by the user: with its own terminal event, or
    /// shortly after the server's confirmation, or when the stop's time is up.
    pub fn stop(&mut self, now: Instant) {
        let core = &mut self.core;
        if core.status.is_settled() || core.stopping {
            return;
        }
        if core.settle_by_verdict() {
            return;
        }
        core.drop_doubt();
        core.stopping = true;
        core.timers.set(Timer::Stop, now + core.config.stop_timeout);
        if !matches!(core.link.phase(), Phase::Connecting | Phase::Open { .. }) {
            core.link.hold();
        }
        core.touch();
    }

    /// The stop's reply came; `status` 0 means that none did.
    pub fn handle_stop_reply(&mut self, status: u16, now: Instant) {
        self.core.handle_stop_reply(status, now);
    }

    /// Stops watching. The run goes on at the server.
    pub fn close(&mut self, _now: Instant) {
        if !self.core.status.is_settled() {
            self.core.settle(Status::Interrupted, By::User, Some(Failure::passing(Code::Aborted)));
        }
    }

    /// Goes on with a run that was interrupted, or sends a failed one anew under `request_id`. False where there is
    /// nothing to retry: the run lives, was completed or was cancelled.
    pub fn retry(&mut self, request_id: &str, body: Option<&str>, now: Instant) -> bool {
        let core = &mut self.core;
        let anew = match core.status {
            Status::Interrupted => false,
            Status::Failed => core.any_event && core.body.is_some(),
            _ => return false,
        };
        if anew {
            core.run = None;
            core.exact = Transcript::new();
            core.exact.rewrite();
            core.shown = None;
            core.position = Position::new();
            core.anchor = None;
            core.most_text = 0;
            core.request_id = Some(request_id.into());
            if let Some(body) = body {
                core.body = Some(body.into());
            }
        }
        core.road = if core.run.is_none() { Road::Sending } else { Road::Following };
        core.status = Status::Pending;
        core.by = By::Server;
        core.error = None;
        core.flap = None;
        core.stopping = false;
        core.reauthorized = false;
        core.live_tried = false;
        core.verdict = None;
        core.over = false;
        core.second_wind = false;
        core.accepted = core.body.is_none();
        core.dirty = Dirty { state: true, ..Dirty::default() };
        core.link.renew();
        core.set_out(now);
        true
    }

    /// Keeps raw events for a listener from now on, or no longer.
    pub fn listen(&mut self, on: bool) {
        self.core.listening = on;
        if !on {
            self.core.events = Delta::new();
        }
    }

    // ---- outputs ----

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// When to call [`Run::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.core.timers.next(), self.core.link.poll_timeout()].into_iter().flatten().min()
    }

    /// How soon to flush what changed; taken by the asking.
    pub fn take_urgency(&mut self) -> Urgency {
        core::mem::take(&mut self.core.urgency)
    }

    /// Where the run stands.
    pub fn status(&self) -> Status {
        self.core.status
    }

    /// Who brought the end about.
    pub fn by(&self) -> By {
        self.core.by
    }

    /// What went wrong, if anything did.
    pub fn error(&self) -> Option<&Failure> {
        self.core.error.as_ref()
    }

    /// The run's id, once it is known.
    pub fn run_id(&self) -> Option<&str> {
        self.core.run.as_deref()
    }

    /// What the user sees: the exact transcript, or the one that it has not caught up with.
    pub fn transcript(&self) -> &Transcript {
        self.core.shown.as_ref().unwrap_or(&self.core.exact)
    }

    /// What happened besides content.
    pub fn counts(&self) -> Counts {
        self.core.counts
    }

    /// The connection machine, for inspection.
    pub fn link(&self) -> &Link {
        &self.core.link
    }

    /// Whether something will happen by itself: the run has settled, or a connection, a question or a deadline is
    /// behind it. Never false after the outputs were drained.
    pub fn is_sustained(&self) -> bool {
        let core = &self.core;
        core.status.is_settled()
            || matches!(core.link.phase(), Phase::Connecting | Phase::Open { .. })
            || core.doubt.is_some()
            || self.poll_timeout().is_some()
    }

    /// Writes what changed since the last call, as the run of `slot`.
    ///
    /// Without `content`, for a run that nobody watches, the transcript waits in its pages until the end.
    pub fn write_delta(&mut self, slot: u32, out: &mut Delta, content: bool) {
        self.core.write_delta(slot, out, content);
    }
}

impl Core {
    fn seed(&mut self, status: &[u8]) {
        if let Some(snapshot) = StatusReply::read(status).and_then(|reply| reply.snapshot_event()) {
            let mut seeded = Transcript::new();
            seeded.apply(&snapshot);
            self.shown = Some(seeded);
            self.touch();
        }
    }

    /// Connects by the present road.
    fn set_out(&mut self, now: Instant) {
        self.link.set_connect_timeout(match self.road {
            Road::Sending => self.config.send_timeout,
            Road::Following | Road::Live => Some(self.config.connect_timeout),
        });
        let due = self.link.connect(now);
        self.obey(due, now);
        self.touch();
    }

    fn obey(&mut self, due: Option<Due>, now: Instant) {
        match due {
            Some(Due::Connect(conn)) => {
                self.head_seen = false;
                self.events_here = false;
                if self.road == Road::Sending && self.accepted {
                    return self.ask_status(Doubt::Accepted, now);
                }
                let request = self.request();
                let native = self.is_native();
                self.push(Output::Connect { conn, request, native });
                self.touch();
            }
            Some(Due::Lost(code)) => self.lose(Failure::passing(code), None, now),
            Some(Due::Look) => self.push(Output::Look),
            Some(Due::Drop) | None => {}
        }
    }

    fn request(&mut self) -> Request {
        let run = self.run.as_deref().unwrap_or("");
        match self.road {
            Road::Sending => requests::send(self.body.as_deref().unwrap_or("{}")),
            Road::Following => {
                if self.position.is_none() {
                    self.start_over();
                }
                let cursor = core::str::from_utf8(self.position.as_bytes()).ok().filter(|cursor| !cursor.is_empty());
                requests::events(&self.session, self.run.as_deref().unwrap_or(""), cursor)
            }
            Road::Live => requests::resume(&self.session, run),
        }
    }

    fn is_native(&self) -> bool {
        self.config.native && self.road == Road::Following
    }

    /// What comes next is the whole run from its beginning: build it anew, and keep the old text on screen meanwhile.
    fn start_over(&mut self) {
        if self.exact.is_empty() {
            return;
        }
        let old = core::mem::replace(&mut self.exact, Transcript::new());
        if self.shown.as_ref().is_none_or(|shown| shown.text_utf16_len() <= old.text_utf16_len()) {
            self.shown = Some(old);
        }
    }

    fn handle_response(&mut self, head: &Head<'_>, now: Instant) {
        self.head_seen = true;
        let refused = |code: Code| Failure::lasting(code).with_status(head.status);
        match http::judge(head) {
            http::Verdict::Accept => {
                self.link.handle_opened(now);
                self.accepted |= self.road == Road::Sending;
                if self.road == Road::Sending && self.stopping && self.late_stop.is_none() {
                    // The server took the message after all, perhaps behind the stop, on another connection.
                    self.late_stop = Some(self.ask(requests::stop(&self.session)));
                    self.timers.set(Timer::Stop, now + self.config.stop_timeout);
                }
                self.touch();
            }
            http::Verdict::Retry { after } => {
                self.lose(Failure::passing(Code::HttpStatus).with_status(head.status), after, now);
            }
            http::Verdict::Reauthorize if !self.reauthorized => {
                self.reauthorized = true;
                self.disconnect();
                let due = self.link.connect(now);
                self.obey(due, now);
            }
            http::Verdict::Reauthorize => self.refuse(refused(Code::Unauthorized), now),
            http::Verdict::NoContent | http::Verdict::Refuse(_) => self.refuse(refused(Code::HttpStatus), now),
            http::Verdict::WrongType => self.refuse(refused(Code::ContentType), now),
        }
    }

    /// The road was refused for a reason that will not pass.
    fn refuse(&mut self, failure: Failure, now: Instant) {
        if self.is_decided_by_loss(&failure, now) || self.settle_by_verdict() {
            return;
        }
        let about_us = matches!(failure.status, Some(400 | 401 | 403));
        match self.road {
            // The server never took the message.
            Road::Sending => self.settle(Status::Failed, By::Server, Some(failure)),
            _ if about_us => self.settle(Status::Interrupted, By::Server, Some(failure)),
            _ => self.ask_status(Doubt::Refused(failure), now),
        }
    }

    /// The connection is lost in a way that may pass.
    fn lose(&mut self, failure: Failure, floor: Option<Millis>, now: Instant) {
        self.counts.losses += 1;
        if self.is_decided_by_loss(&failure, now) {
            return;
        }
        match self.link.handle_lost(now) {
            Next::Exhausted | Next::Doubtful if self.settle_by_verdict() => return,
            Next::Exhausted if self.road == Road::Sending && !self.accepted => self.give_up(failure),
            Next::Exhausted => self.ask_status(Doubt::Spent, now),
            // A send that arrived is not repeated unseen: its run may have ended, and with it the memory of its request
            // id (B-SEND-4).
            _ if self.road == Road::Sending && self.accepted => self.ask_status(Doubt::Accepted, now),
            Next::Doubtful if self.road != Road::Sending && !self.over => self.ask_status(Doubt::Fruitless, now),
            _ => self.link.wait(floor, &mut self.rng, now),
        }
        self.touch();
    }

    /// What every loss does first. Whether nothing is left to decide.
    fn is_decided_by_loss(&mut self, failure: &Failure, now: Instant) -> bool {
        self.disconnect();
        if self.stopping {
            // After a stop nothing reconnects: its confirmation, or the end of its time, settles the run.
            self.link.hold();
            return true;
        }
        let is_settled = self.fails_in_grace(failure, now);
        if !is_settled {
            self.note_flap(failure);
        }
        is_settled
    }

    fn give_up(&mut self, cause: Failure) {
        let code = if cause.code == Code::Stalled { Code::Stalled } else { Code::GaveUp };
        let failure = Failure { code, retryable: true, attempts: Some(self.link.attempt()), ..cause };
        self.settle(Status::Interrupted, By::Limit, Some(failure));
    }

    fn fails_in_grace(&mut self, failure: &Failure, now: Instant) -> bool {
        let Some(grace) = self.grace else { return false };
        if self.any_event || now.since(self.began) >= grace {
            return false;
        }
        self.note_flap(failure);
        self.settle(Status::Failed, By::Limit, Some(Failure { code: Code::ConnectFailed, ..failure.clone() }));
        true
    }

    fn note_flap(&mut self, failure: &Failure) {
        self.flap = Some(failure.clone());
        self.report_flap(failure);
        self.touch();
    }

    fn disconnect(&mut self) {
        let conn = self.link.conn();
        self.push(Output::Disconnect { conn });
    }

    // ---- the end, and what is written of it ----

    fn settle(&mut self, status: Status, by: By, error: Option<Failure>) {
        self.drop_doubt();
        if let Some(ask) = self.late_stop.take() {
            self.push(Output::Forget { ask });
        }
        if matches!(self.link.phase(), Phase::Connecting | Phase::Open { .. }) {
            self.disconnect();
        }
        self.timers.clear_all();
        self.link.close();
        // An interrupted run may go on: its last part stays open.
        if status != Status::Interrupted {
            self.exact.close();
            if let Some(shown) = &mut self.shown {
                shown.close();
            }
        }
        self.status = status;
        self.by = by;
        self.error = error;
        self.dirty.end = true;
        self.touch();
        self.urgency = Urgency::Now;
    }

    fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn touch_content(&mut self) {
        self.urgency = self.urgency.max(Urgency::Content);
    }

    fn touch(&mut self) {
        self.dirty.state = true;
        self.urgency = self.urgency.max(Urgency::State);
    }
}
