//! One streamed generation, from the send to its one outcome.
//!
//! A run is a [`Link`] with a purpose. It moves along up to three roads and always ends with what the exact one says, where that
//! can be had; in the `bichat` protocol:
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
//! Of `ws-chat` a run takes the first two: a send belongs to the transport that it was handed to (W4-4), and what follows comes
//! over any rung of the [`Ladder`], after the cursor of what is held.
//!
//! Of `chunks` the stream is the session's, and other messages share it: the run is the answer that begins behind the message that
//! was sent, and takes the rows that are its own.
//!
//! Here: what a run is, its inputs and outputs. Beside it: its connections (`connections`), what a stream's events do (`stream`),
//! the answer without a stream (`polling`), what is another message's (`others`), what a stream leaves out (`missing`), the rows of a stream that many runs share
//! (`rows`), what is asked and what the replies decide (`questions`), what is told of it (`write`) and kept of it (`stored`), and
//! what becomes of a stream that tabs share (`shared`).

mod connections;
mod missing;
mod others;
mod polling;
mod questions;
mod rows;
mod shared;
mod stored;
mod stream;
mod write;

use alloc::{collections::VecDeque, string::String, vec::Vec};

use questions::Doubt;

use super::{
    config::Config,
    cursor::{Position, Verdict as Judgement},
    delta::Delta,
    environment::{Environment, Signal},
    error::{Code, Failure},
    event::{RunEvent, Terminal},
    http::Head,
    ladder::{Blocked, Ladder},
    link::{Conn, Due, Link, Phase},
    protocol::{Protocol, StatusReply},
    reader::{Item, Reader},
    request::Request,
    rng::Rng,
    rows::Rows,
    status::{By, Status},
    time::{Instant, Millis},
    timer::{Table, Timer},
    trace::{Happening, Trace},
    transcript::Transcript,
    transport::Transport,
    watchdog::{Limits, Trip, Watchdog},
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
        /// Over `fetch`, or the browser's own `EventSource`.
        via: Transport,
        /// Its name among the tabs that want the same stream, if they may share it.
        share: Option<String>,
    },
    /// Take part in the client's socket; report under `conn`.
    Join {
        /// The number of the connection.
        conn: Conn,
        /// What to say as soon as the socket is open.
        frame: String,
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
    /// Let the client's other runs know which transports are blocked.
    Learned {
        /// Which.
        blocked: Blocked,
    },
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
    /// Another tab has it, or will: ask again at once, from what is held.
    Moved,
    /// The page has no connection to spare: wait until it has one.
    Crowded,
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
    /// The events come from a stream that somebody else opens.
    pub adopted: Option<Adopted>,
    /// What is held of it, as JSON: what [`Run::store`] gave, or `{"parts":[…]}` as an app has them, which `cursor` belongs to. Of
    /// a send: the message that the answer goes on with (U-R-1).
    pub held: Option<String>,
    /// It waits for its turn: nothing goes out before [`Run::go`].
    pub is_in_line: bool,
    /// Another page has left the message unsent, as far as that knew.
    pub was_left: bool,
    /// The message may have arrived before, by another page's doing: its fate is asked for before it is sent.
    pub may_have_arrived: bool,
}

/// A stream that somebody else opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// What its owner knows it by.
    pub key: String,
    /// Whether there will be another one after it, from the cursor on.
    pub may_reopen: bool,
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
    protocol: Protocol,
    rng: Rng,
    link: Link,
    ladder: Ladder,
    // Of the present attempt.
    via: Transport,
    any_attempt: bool,
    trace: Trace,
    tracing: bool,
    latency: Option<Millis>,
    timers: Table,
    watchdog: Watchdog,
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
    rows: Rows,
    // Our message has been seen on the stream that its answer comes on.
    is_asked: bool,
    // All that may be missing of a message that is over was asked for once more.
    has_reread: bool,
    // The present connection has made us ask whether our message lives.
    doubted_here: bool,
    // The session was made because the server did not know it.
    is_created: bool,
    most_text: usize,

    doubt: Option<(Ask, Doubt)>,
    // The questions that stand for a stream: a send by POST, the status of an answer that is polled, its log in one piece.
    posting: Option<Ask>,
    creating: Option<Ask>,
    polling: Option<Ask>,
    reading: Option<Ask>,
    // An open stream without a word is doubted.
    suspecting: Option<Ask>,
    // What is stored behind the cursor, a page at a time.
    paging: Option<Ask>,
    // Events were missing, and nothing new has come since.
    gap: Option<Gap>,
    // The number of the socket that has our frame, or had the last one.
    socket: u32,
    // How many events there were when the silence began.
    told_before: usize,
    // What a reply asked for, until the next wait or connection.
    retry_after: Option<Millis>,
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
    // How the server has said that the run ends, once its stream does.
    concluded: Option<Terminal>,
    adopted: Option<Adopted>,
    // How many events were told, where they have no ids, and how many of them come again from the start.
    told: usize,
    again: usize,
    // Between two marks: what was made of one wire event, and whether that was applied before.
    group: Option<Judgement>,
    // Events without an id since the cursor moved, and how many of them come again behind it.
    loose: usize,
    loose_again: usize,
    // The present connection has told of another message of the chat, and the cursor has passed that.
    passed_by: bool,
    // What the first stream without a log called the run: one that calls it otherwise tells another one.
    first_name: Option<String>,
    // Names of what runs in the session and is another message's, and whether anything does.
    others: Vec<String>,
    has_rival: bool,
    // The message that the answer goes on with, as JSON.
    base: Option<String>,
    // Something has changed since the run was last stored.
    is_unstored: bool,
    // The budget was given back once without progress.
    second_wind: bool,
    head_seen: bool,
    // The server took the send: it is not repeated before its fate is known.
    accepted: bool,
    // When, and over which connection, the message first went out and may have arrived.
    sent_at: Option<(Instant, Conn)>,
    // Of a message that another page has sent.
    is_inherited: bool,
    events_here: bool,
    any_event: bool,
    had_token: bool,
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

/// Where events were missing.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// The number of the event that showed it.
    before: u64,
    /// That of the socket that brought it.
    socket: u32,
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
    /// Events that came with others missing before them.
    pub gaps: u32,
}

impl Run {
    /// Starts a run by sending, or follows one that exists: `wish.body` or `wish.run` decides.
    pub fn new(wish: Wish, config: Config, environment: Environment, seed: u64, now: Instant) -> Self {
        let link = Link::new(&config, environment, now);
        let protocol = config.protocol;
        let rungs = if config.transports.is_empty() { protocol.transports() } else { &*config.transports };
        let mut ladder = Ladder::new(rungs);
        ladder.set_blocked(config.blocked);
        let of_session = wish.body.is_none() && wish.run.is_none();
        let is_inherited = wish.may_have_arrived && wish.body.is_some();
        let mut run = Self {
            reader: Reader::new(protocol, config.max_event_bytes),
            core: Core {
                protocol,
                rng: Rng::seeded(seed),
                link,
                ladder,
                via: Transport::Fetch,
                any_attempt: false,
                trace: Trace::default(),
                tracing: false,
                latency: None,
                timers: Table::default(),
                watchdog: Watchdog::new(config.watchdog),
                outputs: VecDeque::new(),
                asks: 0,
                road: Road::Sending,
                session: wish.session,
                run: wish.run,
                request_id: wish.request_id,
                body: wish.body,
                status: Status::Pending,
                by: By::Server,
                error: None,
                exact: Transcript::new(),
                shown: None,
                position: beginning(protocol),
                rows: Rows::new(),
                is_asked: false,
                has_reread: false,
                doubted_here: false,
                is_created: false,
                most_text: 0,
                doubt: None,
                posting: None,
                creating: None,
                polling: None,
                reading: None,
                suspecting: None,
                paging: None,
                gap: None,
                socket: 0,
                told_before: 0,
                retry_after: None,
                stopping: false,
                late_stop: None,
                reauthorized: false,
                live_tried: false,
                verdict: None,
                anchor: None,
                over: false,
                concluded: None,
                adopted: wish.adopted,
                told: 0,
                again: 0,
                group: None,
                loose: 0,
                loose_again: 0,
                passed_by: false,
                first_name: None,
                others: Vec::new(),
                has_rival: false,
                base: None,
                is_unstored: true,
                second_wind: false,
                head_seen: false,
                // Neither a message nor a run: whatever runs in the session is meant, and only its status tells.
                accepted: of_session,
                sent_at: None,
                is_inherited: false,
                events_here: false,
                any_event: false,
                had_token: false,
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
        if let Some(cursor) = &wish.cursor {
            run.core.hold(cursor);
        }
        match wish.held {
            Some(held) if run.core.body.is_none() => {
                run.core.take_up(&held);
            }
            held => {
                run.core.base = held;
                run.core.exact = run.core.beginning_of_answer();
            }
        }
        run.core.inherit(is_inherited);
        run.core.watchdog.arm(now);
        run.core.link.keep_waiting(wish.is_in_line);
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

    /// The socket that it shares is open, and has what it had to say.
    pub fn handle_handed(&mut self, conn: Conn, socket: u32, now: Instant) {
        if self.core.link.is_current(conn) {
            self.core.handle_handed(socket, now);
        }
    }

    /// The socket that it shares is gone: closed with `code`, or failed with none. `floor`: no attempt before that.
    pub fn handle_closed(&mut self, conn: Conn, code: Option<u16>, floor: Option<Millis>, now: Instant) {
        if self.core.link.is_current(conn) {
            self.core.handle_closed(code, floor, now);
        }
    }

    /// A socket that others opened is there: whoever waits for one need not.
    pub fn handle_joinable(&mut self, now: Instant) {
        if self.core.ladder.current() == Transport::WebSocket {
            let due = self.core.link.hurry_calmly(now);
            self.core.obey(due, now);
        }
    }

    /// The shared socket's latency, as its last ping found it.
    pub fn handle_latency(&mut self, latency: Millis) {
        if self.core.via == Transport::WebSocket && self.core.latency != Some(latency) {
            self.core.latency = Some(latency);
            self.core.touch();
        }
    }

    /// What another run found out about the transports.
    pub fn handle_learned(&mut self, blocked: Blocked) {
        self.core.ladder.set_blocked(blocked);
    }

    /// One item of the shared socket came for this run.
    pub fn handle_item(&mut self, conn: Conn, item: &Item<'_>, now: Instant) {
        if self.core.link.is_current(conn) {
            self.core.link.handle_bytes(now);
            self.core.take(item, now);
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
            if loss == Loss::Ended && self.core.passes_by(now) {
                return;
            }
            let code = match loss {
                Loss::Ended => Code::Disconnected,
                Loss::Failed if self.core.head_seen => Code::Disconnected,
                Loss::Failed => Code::ConnectFailed,
                Loss::Moved | Loss::Crowded => return self.core.handle_moved(loss, now),
            };
            self.core.lose(Failure::passing(code), None, now);
        }
    }

    /// The reply to a question came; `status` 0 means that none did.
    pub fn handle_reply(&mut self, ask: Ask, status: u16, body: &[u8], window: &mut Window, now: Instant) {
        if self.core.takes_log(ask, status) {
            self.reader.restart();
            let Self { reader, core } = self;
            reader.feed_slice(window, body, |item| core.take_of_log(&item, now));
            core.end_log(now);
        } else {
            self.core.handle_reply(ask, status, body, now);
        }
    }

    /// The head of the reply that comes next asked for no attempt before this.
    pub fn handle_retry_after(&mut self, after: Option<Millis>) {
        self.core.retry_after = self.core.retry_after.max(after);
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) {
        let due = self.core.link.handle_signal(signal, now);
        if due == Some(Due::Drop) {
            self.core.disconnect();
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
                Timer::Stop => self.core.settle_stopped(now),
                Timer::Poll => self.core.handle_poll_due(now),
                Timer::Word => self.core.handle_word_due(now),
                _ => {}
            }
        }
        while let Some(due) = self.core.link.handle_timeout(now) {
            self.core.obey(Some(due), now);
        }
        self.core.watch(now);
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
        if core.settle_by_verdict(now) {
            return;
        }
        if self.is_unsent() {
            return self.withdraw(now);
        }
        let core = &mut self.core;
        core.drop_doubt();
        core.drop_poll();
        core.stopping = true;
        core.watchdog.clear();
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
    pub fn close(&mut self, now: Instant) {
        if !self.core.status.is_settled() {
            self.core.settle(Status::Interrupted, By::User, Some(Failure::passing(Code::Aborted)), now);
        }
    }

    /// Goes on with a run that was interrupted, or sends a failed one anew under `request_id`. False where there is
    /// nothing to retry: the run lives, was completed or was cancelled.
    pub fn retry(&mut self, request_id: &str, body: Option<&str>, now: Instant) -> bool {
        let core = &mut self.core;
        let anew = match core.status {
            // Another stream may be had; what failed has no message to be sent anew.
            Status::Interrupted if core.adopted.as_ref().is_some_and(|adopted| adopted.may_reopen) => false,
            _ if core.adopted.is_some() => return false,
            // Nothing is left to go on with.
            Status::Interrupted if !core.protocol.has_log() => core.over && core.body.is_some() && core.any_event,
            // A server that names no run cannot take one up again: it is sent anew.
            Status::Interrupted => core.protocol == Protocol::WsChat && core.run.is_none() && core.any_event,
            Status::Failed => core.any_event && core.body.is_some(),
            _ => return false,
        };
        if anew {
            core.run = None;
            core.exact = core.beginning_of_answer();
            core.exact.rewrite();
            core.shown = None;
            core.position = beginning(core.protocol);
            core.rows = Rows::new();
            core.is_asked = false;
            core.anchor = None;
            core.most_text = 0;
            core.first_name = None;
            core.told = 0;
            core.again = 0;
            core.loose = 0;
            core.request_id = Some(request_id.into());
            if let Some(body) = body {
                core.body = Some(body.into());
            }
        }
        if core.sent_at.is_some() || core.is_inherited {
            // Whoever repeats what may have arrived has been told so.
            core.sent_at = (!anew).then_some((now, core.link.conn()));
            core.is_inherited = false;
        }
        // Of what nobody has seen a word, it is not known that it arrived: its request id finds it, if it did (B-SEND-2).
        let is_in_doubt = core.over && !core.any_event;
        core.road = core.first_road(anew || is_in_doubt);
        core.status = Status::Pending;
        core.by = By::Server;
        core.error = None;
        core.flap = None;
        core.stopping = false;
        core.reauthorized = false;
        core.live_tried = false;
        core.verdict = None;
        core.over = false;
        core.has_reread = false;
        core.concluded = None;
        core.gap = None;
        core.second_wind = false;
        core.accepted = core.body.is_none();
        core.dirty = Dirty { state: true, ..Dirty::default() };
        core.link.renew();
        core.watchdog.arm(now);
        core.set_out(now);
        true
    }

    /// Writes the trace into deltas from now on, all of it first, or no longer.
    pub fn trace(&mut self, on: bool) {
        self.core.tracing = on;
        if on {
            self.core.trace.rewind();
            self.core.urgency = self.core.urgency.max(Urgency::State);
        }
    }

    /// From here on its maker may be silent for so long.
    pub fn limit(&mut self, limits: Limits, now: Instant) {
        if !self.core.status.is_settled() {
            self.core.watchdog = Watchdog::new(limits);
            self.core.watchdog.arm(now);
        }
    }

    /// Keeps raw events for a listener from now on, or no longer.
    pub fn listen(&mut self, on: bool) {
        self.core.listening = on;
        if !on {
            self.core.events = Delta::new();
        }
    }

    // ---- its place in its session's line ----

    /// It is its turn.
    pub fn go(&mut self, now: Instant) {
        self.core.link.keep_waiting(false);
        self.core.handle_room(now);
    }

    /// It is not its turn any more, and nothing of it has gone out: that waits for [`Run::go`].
    pub fn hold_back(&mut self) {
        self.core.link.keep_waiting(true);
    }

    /// It is a message that another page has left, under the name that this has there.
    pub fn take_over(&mut self, request_id: &str, body: &str, may_have_arrived: bool) {
        let core = &mut self.core;
        core.request_id = Some(request_id.into());
        core.body = Some(body.into());
        core.inherit(may_have_arrived);
        core.touch();
    }

    /// Whether it is a message of which nothing has gone out.
    pub fn is_unsent(&self) -> bool {
        let core = &self.core;
        let is_waiting = !matches!(core.link.phase(), Phase::Connecting | Phase::Open { .. });
        core.body.is_some() && core.sent_at.is_none() && !core.is_inherited && is_waiting && !core.status.is_settled()
    }

    /// Whether nobody need wait for it: it is no message, the server has it, or it never will.
    pub fn is_taken(&self) -> bool {
        self.core.is_taken() || self.core.status.is_settled()
    }

    /// The bytes of its message.
    pub fn body_bytes(&self) -> usize {
        self.core.body.as_ref().map_or(0, String::len)
    }

    /// Ends what the user wants no more, at once and without a word to the server.
    pub fn withdraw(&mut self, now: Instant) {
        if !self.core.status.is_settled() {
            self.core.settle(Status::Cancelled, By::User, None, now);
        }
    }

    /// There is no room for the message: it never goes out.
    pub fn turn_away(&mut self, now: Instant) {
        self.core.settle(Status::Failed, By::Limit, Some(Failure::passing(Code::OutboxFull)), now);
    }

    // ---- outputs ----

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// When to call [`Run::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let core = &self.core;
        [core.timers.next(), core.link.poll_timeout(), core.watchdog.poll_timeout()].into_iter().flatten().min()
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

    /// Whether a frame with this run's id, or this send's, is for it; both the contents of JSON strings, or empty.
    pub fn is_called(&self, run: &[u8], request: &[u8]) -> bool {
        let is = |name: &Option<String>, said: &[u8]| {
            !said.is_empty() && name.as_ref().is_some_and(|name| name.as_bytes() == said)
        };
        is(&self.core.run, run) || (is(&self.core.request_id, request) && (run.is_empty() || self.core.run.is_none()))
    }

    /// Whether the server has said how it ends.
    pub fn has_ended(&self) -> bool {
        self.core.status.is_settled() && self.core.by == By::Server
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
            || core.polling.is_some()
            || core.reading.is_some()
            || self.poll_timeout().is_some()
    }

    /// Writes what changed since the last call, as the run of `slot`.
    ///
    /// Without `content`, for a run that nobody watches, the transcript waits in its pages until the end.
    pub fn write_delta(&mut self, slot: u32, out: &mut Delta, content: bool) {
        self.core.write_delta(slot, out, content);
    }

    /// Writes the run as JSON, for [`Wish::held`] of another that goes on with it; nothing where nothing could, or nothing has
    /// changed since the last call.
    pub fn store(&mut self, out: &mut Delta) {
        self.core.store(out);
    }

    // ---- for the tabs that share its stream ----

    /// The same as it is now, whether or not it has changed.
    pub fn write_record(&self, out: &mut Delta) {
        self.core.write_record(out);
    }

    /// Goes on from what another tab holds of it.
    pub fn handle_record(&mut self, record: &str) {
        self.core.handle_record(record);
    }

    /// Its stream can be had: there is room for it, or another tab has begun it.
    pub fn handle_room(&mut self, now: Instant) {
        self.core.handle_room(now);
    }
}

impl Core {
    /// Whether a server can be asked about the run, and keeps what it has said.
    fn has_log(&self) -> bool {
        self.protocol.has_log() && self.adopted.is_none()
    }

    /// Where a run begins, or goes on: with its message while nobody has taken that, else with what became of it.
    fn first_road(&self, is_unsent: bool) -> Road {
        if self.adopted.is_some() {
            return Road::Following;
        }
        let is_sent = if self.protocol.has_log() { self.run.is_some() } else { self.body.is_none() || !is_unsent };
        if is_sent { Road::Following } else { Road::Sending }
    }

    /// Whether another page may have sent the message. Where its request id will find it, it is not sent before that has failed (W4-4).
    fn inherit(&mut self, may_have_arrived: bool) {
        self.is_inherited = may_have_arrived;
        self.accepted |= may_have_arrived && self.protocol.is_found_by_request();
        self.road = self.first_road(!may_have_arrived);
    }

    /// Whether the server has the message, if it is one.
    fn is_taken(&self) -> bool {
        self.body.is_none()
            || self.adopted.is_some()
            || self.run.is_some()
            || if self.has_log() {
                self.road != Road::Sending
            } else {
                self.accepted || matches!(self.link.phase(), Phase::Open { .. })
            }
    }

    fn seed(&mut self, status: &[u8]) {
        if let Some(StatusReply { snapshot: Some(snapshot), .. }) = self.protocol.read_status(status) {
            let mut seeded = Transcript::new();
            seeded.apply(&RunEvent::Snapshot(snapshot));
            self.shown = Some(seeded);
            self.touch();
        }
    }

    // ---- the end, and what is written of it ----

    fn settle(&mut self, status: Status, by: By, error: Option<Failure>, now: Instant) {
        self.drop_doubt();
        self.drop_poll();
        if let Some(ask) = self.late_stop.take() {
            self.push(Output::Forget { ask });
        }
        if matches!(self.link.phase(), Phase::Connecting | Phase::Open { .. }) {
            self.disconnect();
        }
        self.timers.clear_all();
        self.watchdog.clear();
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
        self.note(Happening::Settled { status }, now);
        self.touch();
        self.urgency = Urgency::Now;
    }

    /// An event of the run came. Whoever waits for a person is not silent.
    fn hear(&mut self, now: Instant) {
        if self.status == Status::Waiting || self.status.is_settled() || self.stopping {
            self.watchdog.clear();
        } else {
            self.watchdog.handle_event(now);
        }
    }

    /// The run's maker may have been silent for too long: that is a limit's end of it (S-WD-3), unless the silence was ours.
    fn watch(&mut self, now: Instant) {
        if self.watchdog.poll_timeout().is_some_and(|at| at <= now) && self.link.phase() == Phase::Parked {
            self.watchdog.pardon(now);
        }
        let code = match self.watchdog.handle_timeout(now) {
            None => return,
            Some(Trip::First) => Code::FirstEventTimeout,
            Some(Trip::Inactivity) => Code::InactivityTimeout,
        };
        if !self.settle_by_verdict(now) {
            self.settle(Status::Interrupted, By::Limit, Some(Failure::passing(code)), now);
        }
    }

    fn note(&mut self, what: Happening, now: Instant) {
        self.trace.note(what, self.via, now);
        self.urgency = if self.tracing { self.urgency.max(Urgency::State) } else { self.urgency };
    }

    fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// What is held goes as far as this cursor.
    fn hold(&mut self, cursor: &str) {
        if self.protocol == Protocol::Chunks {
            self.rows = Rows::behind(cursor, &mut self.position);
        } else {
            self.position.advance(cursor.as_bytes());
        }
    }

    fn touch_content(&mut self) {
        self.is_unstored = true;
        self.urgency = self.urgency.max(Urgency::Content);
    }

    fn touch(&mut self) {
        self.is_unstored = true;
        self.dirty.state = true;
        self.urgency = self.urgency.max(Urgency::State);
    }
}

/// Where a log begins.
fn beginning(protocol: Protocol) -> Position {
    match protocol {
        Protocol::Bichat | Protocol::UiMessage | Protocol::Chunks | Protocol::Custom => Position::new(),
        Protocol::WsChat => Position::before_first(),
        Protocol::Envelope => Position::new().contiguous(),
    }
}
