//! One resource's connection: when to connect, when to wait, when a connection counts as lost, when to give up.
//!
//! The link knows nothing of runs and requests: it numbers connections, and its owner opens and closes them. At any
//! moment it is connecting, open, waiting for a named deadline, parked until the page may connect again, or closed; the
//! owner can therefore never be left with neither a connection nor a deadline.
//!
//! The retry budget is spent by time without a connection while the page could have one and somebody could see it, and by
//! attempts; only progress (an event that was new) gives it back, never an open or an empty 200 (FIELD 1.1 H, 1.2).

use super::{
    backoff::Backoff,
    config::Config,
    environment::{Change, Environment, Signal},
    error::Code,
    http::LONGEST_HINT,
    liveness::{self, Liveness},
    rng::Rng,
    time::{Instant, Millis},
    timer::{Table, Timer},
};

/// A connection's number. A callback that carries another number than the current one speaks of the dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conn(pub u32);

/// How long to wait between two looks at the environment while parked, in case its signal was lost.
const PARKED_LOOK: Millis = Millis(30_000);

/// The least time from a loss to the attempt that somebody's look brings on: a page that is flicked through is no storm.
const CALM: Millis = Millis(1_000);

/// What comes this soon behind the word that the network has gone was on its way already.
const AFTERGLOW: Millis = Millis(1_000);

/// Whether what was heard last is no sign that a connection outlived the network, which went at `offline`.
pub(super) fn is_silent_since(offline: Instant, heard: Instant, now: Instant) -> bool {
    heard <= offline || (heard <= offline + AFTERGLOW && heard + AFTERGLOW <= now)
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started, or held by the owner while it asks the server something.
    Idle,
    /// Asked for, no response head yet.
    Connecting,
    /// Bytes may flow.
    Open {
        /// When the head came.
        since: Instant,
    },
    /// The next attempt comes at `until`.
    Waiting {
        /// The deadline.
        until: Instant,
    },
    /// The page is offline, frozen or hidden away: the attempt waits for that to end, and costs no budget.
    Parked,
    /// Over.
    Closed,
}

/// What the owner must do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Open a connection under this number.
    Connect(Conn),
    /// The connection is lost for this reason: close it, then decide (as after [`Link::handle_lost`]).
    Lost(Code),
    /// The page goes away: close the connection. The link is parked and the run goes on.
    Drop,
    /// Parked for long: ask the environment whether it is really offline.
    Look,
    /// An open connection has not said a word: find out whether there is one to say.
    Suspect,
}

/// What follows from a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after a wait.
    Retry,
    /// Two connections in a row opened and brought nothing new: worth asking the server before the next.
    Doubtful,
    /// The budget is spent.
    Exhausted,
}

/// The connection machine. See the module's description.
#[derive(Debug)]
pub struct Link {
    phase: Phase,
    conn: Conn,
    backoff: Backoff,
    liveness: Liveness,
    environment: Environment,
    timers: Table,
    give_up_after: Millis,
    max_attempts: u32,
    connect_timeout: Option<Millis>,
    first_byte: Millis,
    // It shares a socket, whose liveness is watched for all who do.
    is_shared: bool,
    // It is not its turn yet: the same as bad weather, for no budget is spent.
    is_kept_waiting: bool,
    // The retry budget: time without a connection, already counted, and since when it runs. It stands still while the page
    // is not seen.
    stranded: Millis,
    is_stranded: bool,
    counted_since: Option<Instant>,
    // The server asked for no attempt before this, and a page that flickers makes none before that.
    asked_until: Option<Instant>,
    calm_until: Option<Instant>,
    // The least that all wait who shared what was lost, until the next wait.
    common_floor: Option<Millis>,
    last_byte: Option<Instant>,
    offline_since: Option<Instant>,
    // The server's `retry:` of the stream, a floor for every later wait (P-7).
    hint: Option<Millis>,
    // Connections in a row that opened and brought nothing new.
    fruitless: u32,
    progressed: bool,
}

impl Link {
    /// A link that has not started.
    pub fn new(config: &Config, environment: Environment, now: Instant) -> Self {
        Self {
            phase: Phase::Idle,
            conn: Conn(0),
            backoff: Backoff::new(config.backoff),
            liveness: Liveness::new(config.liveness, now),
            environment,
            timers: Table::default(),
            give_up_after: config.give_up_after,
            max_attempts: config.max_attempts,
            connect_timeout: Some(config.connect_timeout),
            first_byte: config.first_byte,
            is_shared: false,
            is_kept_waiting: false,
            stranded: Millis::ZERO,
            is_stranded: false,
            counted_since: None,
            asked_until: None,
            calm_until: None,
            common_floor: None,
            last_byte: None,
            offline_since: None,
            hint: None,
            fruitless: 0,
            progressed: false,
        }
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The number of the current connection.
    pub fn conn(&self) -> Conn {
        self.conn
    }

    /// Failed attempts since the last progress.
    pub fn attempt(&self) -> u32 {
        self.backoff.attempt()
    }

    /// From here on the waits grow from `base`.
    pub fn set_base(&mut self, base: Millis) {
        self.backoff.set_base(base);
    }

    /// The environment as last heard.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether a callback that carries `conn` speaks of a connection that lives.
    pub fn is_current(&self, conn: Conn) -> bool {
        conn == self.conn && matches!(self.phase, Phase::Connecting | Phase::Open { .. })
    }

    /// Sets how long the next attempts may take to their response head; `None` leaves it to the stall limit.
    pub fn set_connect_timeout(&mut self, limit: Option<Millis>) {
        self.connect_timeout = limit;
    }

    /// The present attempt, perhaps with others, is made over a socket: whoever opened that watches over its silence.
    pub fn set_shared(&mut self, is_shared: bool) {
        self.is_shared = is_shared;
    }

    /// Whether a socket's owner watches over its silence.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// What it shared is lost to many: the next wait is no shorter than theirs. Nobody asked for it, so what ends a wait ends it.
    pub fn set_common_floor(&mut self, floor: Option<Millis>) {
        self.common_floor = floor;
    }

    /// No attempt is made before it is this link's turn.
    pub fn keep_waiting(&mut self, is_kept_waiting: bool) {
        self.is_kept_waiting = is_kept_waiting;
    }

    fn may_connect(&self) -> bool {
        self.environment.may_connect() && !self.is_kept_waiting
    }

    /// Bounds the present attempt: no head within `limit` is a loss.
    pub fn limit_connect(&mut self, limit: Millis, now: Instant) {
        if self.phase == Phase::Connecting {
            self.timers.set(Timer::Connect, now + limit);
        }
    }

    /// The socket that the attempt shares is open and has its request: the first word may take as long as a silence may.
    pub fn handle_handed(&mut self, now: Instant) {
        self.timers.clear(Timer::Connect);
        self.liveness.handle_byte(now);
        self.timers.set(Timer::Silence, self.liveness.deadline());
    }

    /// Asks for a connection as soon as the page may have one, with no wait.
    pub fn connect(&mut self, now: Instant) -> Option<Due> {
        self.timers.clear_all();
        if !self.may_connect() {
            self.park(now);
            return None;
        }
        self.conn = Conn(self.conn.0.wrapping_add(1));
        self.phase = Phase::Connecting;
        self.progressed = false;
        self.common_floor = None;
        self.last_byte = None;
        self.liveness.restart(now);
        // Without a limit of its own an attempt is still bounded: no byte for as long as a stall is a stall.
        match self.connect_timeout {
            Some(limit) => self.timers.set(Timer::Connect, now + limit),
            None => self.timers.set(Timer::Silence, self.liveness.deadline()),
        }
        Some(Due::Connect(self.conn))
    }

    /// The response head came and was good.
    pub fn handle_opened(&mut self, now: Instant) {
        self.strand(false, now);
        self.phase = Phase::Open { since: now };
        self.timers.clear(Timer::Connect);
        if self.is_shared {
            return self.handle_word(now);
        }
        self.liveness.handle_byte(now);
        self.timers.set(Timer::Silence, self.liveness.deadline());
        self.watch_first_byte(now);
    }

    /// Something came for whoever shares the socket, and not just a sign of the socket's own life: from here the next word may
    /// take as long as a silence may, before it is asked for.
    pub fn handle_word(&mut self, now: Instant) {
        if self.is_shared && matches!(self.phase, Phase::Open { .. }) {
            self.liveness.handle_byte(now);
            self.timers.set(Timer::Silence, self.liveness.deadline());
        }
    }

    /// Waits (anew) for the first byte of the open connection.
    pub fn watch_first_byte(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Open { .. }) && self.last_byte.is_none() {
            self.timers.set(Timer::FirstByte, now + self.first_byte);
        }
    }

    /// Bytes came, whatever they say.
    pub fn handle_bytes(&mut self, now: Instant) {
        self.last_byte = Some(now);
        if self.is_shared {
            return;
        }
        self.liveness.handle_byte(now);
        self.timers.clear(Timer::FirstByte);
        self.timers.set(Timer::Silence, self.liveness.deadline());
    }

    /// The server's sign of life came: a comment or a ping. Its cadence is learned.
    pub fn handle_beat(&mut self, now: Instant) {
        if self.is_shared {
            return;
        }
        self.liveness.handle_beat(now);
        self.timers.set(Timer::Silence, self.liveness.deadline());
    }

    /// An event that was new came: the budget is whole again.
    pub fn handle_progress(&mut self) {
        if !self.progressed {
            self.progressed = true;
            self.fruitless = 0;
            self.forgive();
            self.backoff.reset();
        }
    }

    /// The server said how long to wait before reconnecting (P-7): a floor for later waits, at most an hour.
    pub fn handle_hint(&mut self, wait: Millis) {
        self.hint = Some(wait.min(LONGEST_HINT));
    }

    /// The connection ended, failed or was refused in a way that may pass. The link is idle afterwards: the owner lets it
    /// [`Link::wait`], or asks the server first.
    pub fn handle_lost(&mut self, now: Instant) -> Next {
        if let Phase::Open { since } = self.phase {
            let lived = self.last_byte.map_or(Millis::ZERO, |last| last.since(since));
            if !self.progressed {
                self.backoff.handle_lived(lived);
                self.fruitless += 1;
            }
        }
        self.strand(true, now);
        self.hold();
        if self.is_spent() {
            Next::Exhausted
        } else if self.fruitless >= 2 {
            Next::Doubtful
        } else {
            Next::Retry
        }
    }

    /// Whether the retry budget is spent, as of the last loss.
    pub fn is_spent(&self) -> bool {
        self.stranded >= self.give_up_after || self.backoff.attempt() >= self.max_attempts
    }

    /// Waits for the next attempt by the backoff's rule. `floor` is what `Retry-After` asks for.
    pub fn wait(&mut self, floor: Option<Millis>, rng: &mut Rng, now: Instant) {
        let asked = floor.max(self.hint);
        let floor = asked.max(self.common_floor.take());
        // Who is let in and thrown out again is not at fault by chance: six connections in half a minute, never more (1.2).
        let least = if self.fruitless > 0 { floor.max(Some(self.backoff.half_ceiling())) } else { floor };
        let delay = self.backoff.next_delay(rng, least);
        self.asked_until = asked.map(|asked| now + asked);
        self.calm_until = Some(now + delay.min(CALM));
        if !self.may_connect() {
            self.park(now);
            return;
        }
        self.wait_until(now + delay);
    }

    fn wait_until(&mut self, until: Instant) {
        self.timers.clear_all();
        self.phase = Phase::Waiting { until };
        self.timers.set(Timer::Reconnect, until);
    }

    /// What the wait was for may be over, or somebody wants to know: the next attempt comes as soon as is decent.
    pub fn hurry_calmly(&mut self, now: Instant) -> Option<Due> {
        match self.phase {
            Phase::Waiting { .. } => self.hurry(self.asked_until.max(self.calm_until), now),
            _ => None,
        }
    }

    /// There is no room for the connection. Nobody is to blame: no budget is spent, and [`Link::make_room`] ends it.
    pub fn give_way(&mut self, now: Instant) {
        self.park(now);
    }

    /// There is room again, or another tab has what the wait is for.
    pub fn make_room(&mut self, now: Instant) -> Option<Due> {
        match self.phase {
            Phase::Parked if self.may_connect() => self.connect(now),
            _ => self.hurry_calmly(now),
        }
    }

    /// The next attempt comes at once, or at `earliest`.
    fn hurry(&mut self, earliest: Option<Instant>, now: Instant) -> Option<Due> {
        match earliest {
            Some(until) if now < until => {
                self.wait_until(until);
                None
            }
            _ => self.connect(now),
        }
    }

    /// Stops everything without ending the link: the owner asks the server something first.
    pub fn hold(&mut self) {
        self.timers.clear_all();
        self.phase = Phase::Idle;
    }

    /// Gives the whole budget back, because the owner goes on by another road or its user asked for it.
    pub fn renew(&mut self) {
        self.backoff.reset();
        self.forgive();
        self.fruitless = 0;
    }

    /// Ends the link.
    pub fn close(&mut self) {
        self.timers.clear_all();
        self.phase = Phase::Closed;
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) -> Option<Due> {
        let change = self.environment.handle(signal)?;
        let may_connect = self.may_connect();
        match change {
            Change::Offline => self.offline_since = Some(now),
            Change::Visible | Change::Hidden => self.strand(self.is_stranded, now),
            _ => {}
        }
        match (change, self.phase) {
            // A connection that said nothing since the network went has most likely gone with it.
            (Change::Online, Phase::Open { since }) if may_connect && !self.is_shared => {
                let heard = self.last_byte.unwrap_or(since);
                let is_gone = self.offline_since.is_some_and(|offline| is_silent_since(offline, heard, now));
                is_gone.then_some(Due::Lost(Code::Disconnected))
            }
            // What the wait was for may be over.
            (Change::Online | Change::Thawed, Phase::Parked | Phase::Waiting { .. }) if may_connect => {
                self.hurry(self.asked_until, now)
            }
            (Change::Visible, Phase::Waiting { .. }) => self.hurry_calmly(now),
            (Change::Frozen, Phase::Connecting | Phase::Open { .. }) => {
                self.park(now);
                Some(Due::Drop)
            }
            (Change::Frozen | Change::Offline, Phase::Waiting { .. }) => {
                self.park(now);
                None
            }
            _ => None,
        }
    }

    /// Time passed. Call it again until it gives `None`; late and spurious calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        while let Some((timer, _)) = self.timers.expire(now) {
            match timer {
                Timer::Reconnect => return self.connect(now),
                Timer::Connect => return Some(Due::Lost(Code::ConnectTimeout)),
                Timer::Silence => match self.liveness.handle_timeout(now) {
                    liveness::Verdict::Alive => self.timers.set(Timer::Silence, self.liveness.deadline()),
                    liveness::Verdict::LookAgain { until } => self.timers.set(Timer::Silence, until),
                    // Its socket lives; whether it still speaks for us is another question.
                    liveness::Verdict::Stalled if self.is_shared && matches!(self.phase, Phase::Open { .. }) => {
                        return Some(Due::Suspect);
                    }
                    liveness::Verdict::Stalled => return Some(Due::Lost(Code::Stalled)),
                },
                Timer::Parked => {
                    self.timers.set(Timer::Parked, now + PARKED_LOOK);
                    if !self.is_kept_waiting {
                        return Some(Due::Look);
                    }
                }
                Timer::FirstByte => return Some(Due::Suspect),
                Timer::Status | Timer::Stop | Timer::Poll | Timer::Word => {}
            }
        }
        None
    }

    /// When to call [`Link::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn park(&mut self, now: Instant) {
        self.strand(false, now);
        self.timers.clear_all();
        self.phase = Phase::Parked;
        self.timers.set(Timer::Parked, now + PARKED_LOOK);
    }

    /// Counts the time so far, and from now on or no longer.
    fn strand(&mut self, is_stranded: bool, now: Instant) {
        if let Some(since) = self.counted_since {
            self.stranded = self.stranded + now.since(since);
        }
        self.is_stranded = is_stranded;
        self.counted_since = (is_stranded && self.environment.visible).then_some(now);
    }

    fn forgive(&mut self) {
        self.stranded = Millis::ZERO;
        (self.is_stranded, self.counted_since) = (false, None);
    }
}
