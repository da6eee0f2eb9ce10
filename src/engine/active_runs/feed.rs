//! The feed of all sessions' runs: a connection while somebody watches, its batches, and what is true between them.
//!
//! The index comes first, as rows of a snapshot with no mark behind the last; they are shown 16 ms after the first of them, and what
//! they do not have is over. Where more of them may be on its way, what they do not have is over when they are: a list that is longer
//! than a network's breath does not flicker. Without a row in time the index is empty. Updates count at once, and one before any row means that there were none.
//!
//! A feed never gives up while it is watched, and nobody watches for a second after the last one has left. For a listener it is a
//! stream of rows and nothing else: no map, no check, and the retry budget of a run.

use alloc::{collections::VecDeque, string::String};

use super::{
    board::{Board, Kind},
    checks::Checks,
    row::{self, Row},
    stencil::Stencils,
};
use crate::engine::{
    config::Config,
    delta::Delta,
    environment::{Environment, Signal},
    error::{Code, Failure},
    http::Head,
    json::{Members, Value},
    link::{Conn, Link, Phase},
    reader::{Item, Reader},
    rng::Rng,
    run::{Ask, Loss, Output, Urgency},
    time::{Instant, Millis},
    transport::Transport,
    window::Window,
};

/// How long the rows of a snapshot are gathered, from the first of a batch on (B-AR-3).
pub const BATCH: Millis = Millis(16);

/// An index of which more may be on its way is through when nothing has come of it for so long: one of so many rows, one whose
/// rows did not come at once, one that stands in the middle of an event.
const QUIET: Millis = Millis(250);
const MANY: u32 = 500;

/// How long the connection outlives the last one who watches.
pub const GRACE: Millis = Millis(1_000);

/// The longest text of a server's refusal that is handed on, in bytes.
const LONGEST_WORDS: usize = 1_000;

/// What a sidebar wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How long the end of a run is shown: not at all, by default (B-AR-5).
    pub retain: Millis,
    /// How long an open connection may be without a row before the index counts as empty: 250 ms (B-AR-6).
    pub empty_after: Millis,
    /// How long a run may be silent before the server is asked about it: 60 s (B-AR-9).
    pub verify_after: Millis,
}

impl Default for Wish {
    fn default() -> Self {
        Self { retain: Millis::ZERO, empty_after: Millis(250), verify_after: Millis(60_000) }
    }
}

/// The machine. See the module's description.
pub struct ActiveRuns {
    reader: Reader,
    stencils: Stencils,
    core: Core,
}

/// Everything but the reader, whose items borrow from it.
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) wish: Wish,
    pub(super) rng: Rng,
    pub(super) link: Link,
    pub(super) via: Transport,
    pub(super) board: Board,
    pub(super) checks: Checks,
    pub(super) listening: Option<Listening>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) urgency: Urgency,
    pub(super) last_ask: u32,
    pub(super) is_watched: bool,
    pub(super) is_closed: bool,
    // What the page shows beside the rows.
    pub(super) is_ready: bool,
    pub(super) is_supported: bool,
    pub(super) error: Option<Failure>,
    // Of the present outage, once.
    pub(super) flap: Option<Failure>,
    pub(super) is_told: bool,
    // Of the present connection.
    pub(super) head_seen: bool,
    pub(super) is_proven: bool,
    pub(super) must_sweep: bool,
    pub(super) reauthorized: bool,
    pub(super) retry_after: Option<Millis>,
    // It was open once: the endpoint is there, whatever a proxy says later.
    pub(super) has_opened: bool,
    pub(super) batch: Batch,
    pub(super) flush_at: Option<Instant>,
    pub(super) sweep_at: Option<Instant>,
    pub(super) empty_at: Option<Instant>,
    pub(super) leave_at: Option<Instant>,
    pub(super) has_reset: bool,
    pub(super) state_changed: bool,
}

/// What came of a connection's index.
#[derive(Default)]
pub(super) struct Batch {
    rows: u32,
    // Of the rows that wait to be shown.
    first: Option<Instant>,
    last: Option<Instant>,
}

/// For one who wants the rows themselves, as they come.
pub(super) struct Listening {
    pub events: Delta,
    pub grace: Option<Millis>,
    pub began: Instant,
    pub any_row: bool,
    /// It is over, for this reason.
    pub end: Option<Failure>,
}

impl ActiveRuns {
    /// A feed that nobody watches yet.
    pub fn new(wish: Wish, config: Config, environment: Environment, seed: u64, now: Instant) -> Self {
        // Nobody can ask a sidebar to try again.
        let config = Config { give_up_after: Millis(u64::MAX), max_attempts: u32::MAX, ..config };
        Self::make(wish, config, environment, seed, now)
    }

    /// The rows for a listener, from now on. A failure within `grace` and before any row is its last (B-AR-7).
    pub fn listening(grace: Option<Millis>, config: Config, environment: Environment, seed: u64, now: Instant) -> Self {
        let mut feed = Self::make(Wish::default(), config, environment, seed, now);
        let events = Delta::new();
        feed.core.listening = Some(Listening { events, grace, began: now, any_row: false, end: None });
        feed.handle_watched(true, now);
        feed
    }

    fn make(wish: Wish, config: Config, environment: Environment, seed: u64, now: Instant) -> Self {
        let mut rng = Rng::seeded(seed);
        let via = config.transports.iter().find(|&&via| matches!(via, Transport::Fetch | Transport::EventSource));
        Self {
            reader: Reader::bare(config.max_event_bytes),
            stencils: Stencils::default(),
            core: Core {
                link: Link::new(&config, environment, now),
                via: via.copied().unwrap_or(Transport::Fetch),
                board: Board::new(wish.retain, rng.next_u64()),
                checks: Checks::default(),
                rng,
                wish,
                config,
                listening: None,
                outputs: VecDeque::new(),
                urgency: Urgency::None,
                last_ask: 0,
                is_watched: false,
                is_closed: false,
                is_ready: false,
                is_supported: true,
                error: None,
                flap: None,
                is_told: false,
                head_seen: false,
                is_proven: false,
                must_sweep: false,
                reauthorized: false,
                retry_after: None,
                has_opened: false,
                batch: Batch::default(),
                flush_at: None,
                sweep_at: None,
                empty_at: None,
                leave_at: None,
                has_reset: false,
                state_changed: false,
            },
        }
    }

    // ---- commands ----

    /// Somebody watches, or nobody does any more: a connection is there for the former, and for a while after them.
    pub fn handle_watched(&mut self, is_watched: bool, now: Instant) {
        let core = &mut self.core;
        if core.is_closed || core::mem::replace(&mut core.is_watched, is_watched) == is_watched {
            return;
        }
        core.leave_at = None;
        if !is_watched {
            core.leave_at = Some(now + GRACE);
        } else if core.link.phase() == Phase::Idle {
            core.set_out(now);
        }
    }

    /// Ends it; what it knew stays.
    pub fn close(&mut self) {
        self.core.disconnect();
        self.core.link.close();
        self.core.is_closed = true;
        self.core.leave_at = None;
        self.core.touch();
    }

    // ---- inputs ----

    /// The response head of a connection came.
    pub fn handle_response(&mut self, conn: Conn, head: &Head<'_>, now: Instant) {
        if self.core.link.is_current(conn) {
            self.core.handle_response(head, now);
        }
    }

    /// The first `len` bytes of the window came.
    pub fn handle_chunk(&mut self, conn: Conn, window: &mut Window, len: usize, now: Instant) {
        let Self { reader, stencils, core } = self;
        if !core.link.is_current(conn) {
            return;
        }
        core.link.handle_bytes(now);
        let mut feed = reader.feed(window, len);
        loop {
            if let Some((kind, row)) = stencils.take(&mut feed) {
                core.take_row(kind, &row, now);
                continue;
            }
            let Some(item) = feed.next() else { break };
            if let Item::Event(incoming) = &item {
                stencils.learn(incoming);
            }
            core.take(&item, now);
            if !core.link.is_current(conn) {
                return;
            }
        }
        if core.listening.is_some() {
            return;
        }
        if core.wish.verify_after != Millis(u64::MAX) {
            core.checks.note(now + core.wish.verify_after);
        }
    }

    /// The connection is gone.
    pub fn handle_lost(&mut self, conn: Conn, loss: Loss, now: Instant) {
        if self.core.link.is_current(conn) {
            let code = match loss {
                Loss::Ended => Code::Disconnected,
                Loss::Failed if self.core.head_seen => Code::Disconnected,
                Loss::Failed => Code::ConnectFailed,
                Loss::Moved | Loss::Crowded => return self.core.handle_moved(loss, now),
            };
            self.core.lose(Failure::passing(code), None, now);
        }
    }

    /// Its stream can be had: there is room for it, or another tab has begun it.
    pub fn handle_room(&mut self, now: Instant) {
        let due = self.core.link.make_room(now);
        self.core.obey(due, now);
        self.core.touch();
    }

    /// An event outgrew the bound before it came here (P-11).
    pub fn handle_overflow(&mut self, conn: Conn, now: Instant) {
        if self.core.link.is_current(conn) {
            self.core.lose(Failure::passing(Code::EventTooLarge), None, now);
        }
    }

    /// The reply to a question came; `status` 0 means that none did.
    pub fn handle_reply(&mut self, ask: Ask, status: u16, body: &[u8], now: Instant) {
        self.core.handle_checked(ask, status, body, now);
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) {
        let before = self.core.link.phase();
        let due = self.core.link.handle_signal(signal, now);
        self.core.obey(due, now);
        if self.core.link.phase() != before {
            self.core.touch();
        }
    }

    /// Time passed. Harmless when late or early.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Self { reader, core, .. } = self;
        if core.leave_at.is_some_and(|at| at <= now) {
            core.leave();
        }
        while let Some(due) = core.link.handle_timeout(now) {
            core.obey(Some(due), now);
        }
        let is_mid_frame = reader.is_mid_frame();
        if core.flush_at.is_some_and(|at| at <= now) {
            core.flush_at = None;
            core.end_batch(is_mid_frame, now);
        }
        if core.sweep_at.is_some_and(|at| at <= now) {
            core.sweep(is_mid_frame, now);
        }
        if core.empty_at.is_some_and(|at| at <= now) {
            // A row that is half there is a row.
            core.empty_at = is_mid_frame.then(|| now + core.wish.empty_after);
            if !is_mid_frame {
                core.end_batch(false, now);
            }
        }
        core.board.handle_timeout(now);
        core.look_for_changes();
        core.handle_check_due(now);
    }

    // ---- outputs ----

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.core.outputs.pop_front();
        if matches!(output, Some(Output::Connect { .. })) {
            self.reader.restart();
        }
        output
    }

    /// When to call [`ActiveRuns::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let core = &self.core;
        let all = [
            core.link.poll_timeout(),
            core.flush_at,
            core.sweep_at,
            core.empty_at,
            core.leave_at,
            core.board.poll_timeout(),
            core.poll_check(),
        ];
        all.into_iter().flatten().min()
    }

    /// How soon to flush what changed; taken by the asking.
    pub fn take_urgency(&mut self) -> Urgency {
        core::mem::take(&mut self.core.urgency)
    }

    /// Writes what changed since the last time.
    pub fn write_delta(&mut self, slot: u32, out: &mut Delta) {
        self.core.write_delta(slot, out);
    }

    /// What a feed that begins now would say of what is known, as its bytes; empty while that is nothing to rely on.
    pub fn retell(&self, out: &mut Delta) {
        // In the middle of a batch it is not known what the rest does not have.
        if self.core.is_ready && !self.core.must_sweep {
            // Also where nothing runs it is something to rely on.
            out.literal(": told again\n\n");
            self.core.board.retell(out);
        }
    }

    /// Whether it has a connection, or waits for one that the page may have.
    pub fn is_connecting(&self) -> bool {
        !matches!(self.core.link.phase(), Phase::Idle | Phase::Closed) && !self.core.link.environment().frozen
    }
}

impl Core {
    fn take(&mut self, item: &Item<'_>, now: Instant) {
        match item {
            Item::Event(incoming) => match incoming.name {
                // B-AR-10: the server's own word, and no transport's (W-3).
                b"error" => {
                    let code = if self.is_proven { Code::Disconnected } else { Code::ConnectFailed };
                    let failure = Failure { detail: words(incoming.data), ..Failure::passing(code) };
                    self.lose(failure, None, now);
                }
                b"ping" => self.link.handle_beat(now),
                name => {
                    if let (Some(kind), Some(row)) = (Kind::named(name), row::read(incoming.data)) {
                        self.take_row(kind, &row, now);
                    }
                }
            },
            Item::Comment => self.link.handle_beat(now),
            Item::Retry(after) => self.link.handle_hint(*after),
            Item::Overflow => self.lose(Failure::passing(Code::EventTooLarge), None, now),
            Item::Id(_) | Item::Done | Item::Malformed(_) | Item::Row(_) | Item::Mark(_) => {}
        }
    }

    fn take_row(&mut self, kind: Kind, row: &Row<'_>, now: Instant) {
        self.link.handle_progress();
        self.prove();
        if let Some(listening) = &mut self.listening {
            listening.any_row = true;
            listening.write_row(kind, row);
            self.urgency = self.urgency.max(Urgency::State);
            return;
        }
        self.board.take(kind, row, now);
        if kind == Kind::Snapshot {
            self.empty_at = None;
            self.flush_at.get_or_insert(now + BATCH);
            self.sweep_at = self.sweep_at.map(|_| now + QUIET);
            self.batch.first.get_or_insert(now);
            self.batch.last = Some(now);
            self.batch.rows += 1;
            return;
        }
        // The index is told before any news: with none of it on the way it is empty, or all there.
        if !self.board.has_staged() && self.flush_at.is_none() {
            self.get_ready();
        }
        self.look_for_changes();
    }

    /// The rows are shown, and what is missing in the index is over, unless more of it is on its way.
    fn end_batch(&mut self, is_mid_frame: bool, now: Instant) {
        self.board.flush_staged();
        self.prove();
        self.get_ready();
        let is_spread = self.batch.first != self.batch.last || self.sweep_at.is_some();
        let is_coming = is_mid_frame || is_spread || self.batch.rows >= MANY;
        self.batch.first = None;
        if !is_coming {
            self.sweep(false, now);
        } else if self.must_sweep {
            self.sweep_at = Some(self.batch.last.unwrap_or(now) + QUIET);
        }
        self.look_for_changes();
    }

    fn sweep(&mut self, is_mid_frame: bool, now: Instant) {
        self.sweep_at = is_mid_frame.then(|| now + QUIET);
        if !is_mid_frame && core::mem::take(&mut self.must_sweep) {
            self.board.sweep();
        }
        self.look_for_changes();
    }

    fn get_ready(&mut self) {
        if !core::mem::replace(&mut self.is_ready, true) {
            self.touch();
        }
    }

    pub(super) fn look_for_changes(&mut self) {
        if self.board.has_changes() {
            self.urgency = self.urgency.max(Urgency::Content);
        }
    }

    pub(super) fn touch(&mut self) {
        self.state_changed = true;
        self.urgency = self.urgency.max(Urgency::State);
    }
}

/// What a server says went wrong: its `error`, or all of it. What a reader hands out is UTF-8.
pub(super) fn words(data: &[u8]) -> Option<String> {
    let mut found = None;
    if let Ok(mut members) = Members::open(data) {
        while let Ok(Some((key, value))) = members.next() {
            if let (true, Value::String(text)) = (key.equals(b"error"), value) {
                found = Some(text.decoded());
            }
        }
    }
    let mut text = found.unwrap_or_else(|| core::str::from_utf8(data).unwrap_or_default().into());
    if text.len() > LONGEST_WORDS {
        let end = (0..=LONGEST_WORDS).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
    Some(text)
}
