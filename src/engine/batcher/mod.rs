//! Chunks upstream: when a batch goes out, how often it is tried, and what gives way when nobody takes it (S-CB).
//!
//! One batch is in flight at a time, and what is in it stays the same through all its attempts, so that a server that keeps the
//! numbers writes each chunk once however often it comes (S-CB-11). Numbers are given when a batch is formed: chunks that were
//! made one, or that gave way, leave no hole in them.
//!
//! The bound holds for what waits and what is in flight together (S-CB-9). The page has the chunks, and here is only which kind
//! stands in which place: after a push that is one too many, [`Batcher::make_room`] names two deltas to be made one, and where there
//! are none, the one that goes. A control chunk never goes.

mod queue;

use queue::Queue;

use super::{
    backoff::{self, Backoff, Jitter},
    rng::Rng,
    time::{Instant, Millis},
    watchdog::{Limits, Trip, Watchdog},
};

/// How chunks are gathered and sent.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long the first chunk waits for others. Default 5 ms.
    pub linger: Millis,
    /// The most chunks of a batch. Default 50.
    pub max_batch: usize,
    /// The most chunks that wait or are in flight; more than a batch. Default 2,000.
    pub max_buffer: usize,
    /// How often a batch is tried again. Default 3.
    pub max_retries: u32,
    /// The ceiling of the first wait between attempts, which each attempt doubles. Default 50 ms.
    pub base_delay: Millis,
    /// Where below its ceiling a wait falls.
    pub jitter: Jitter,
    /// How long whoever pushes may be silent.
    pub limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            linger: Millis(5),
            max_batch: 50,
            max_buffer: 2_000,
            max_retries: 3,
            base_delay: Millis(50),
            jitter: Jitter::Full,
            limits: Limits::default(),
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send the batch: on its first attempt [`Batch::len`] chunks from the front of what waits, later the same ones.
    Send(Batch),
    /// Abort the attempt that is under way; nothing is to be reported of it.
    Cancel,
    /// It is over, with chunks that were not sent or without.
    Over,
    /// Whoever pushes has been silent for too long.
    Silent(Trip),
}

/// One batch, in one of its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number, from 0.
    pub number: u64,
    /// The number of its first chunk, from 0.
    pub first_seq: u64,
    /// How many chunks it has.
    pub len: usize,
    /// From 1.
    pub attempt: u32,
    // The first push in it.
    push: u64,
    reauthorized: bool,
    renewed: bool,
}

/// What the failure of an attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same may succeed later, and not before `after`.
    Retry {
        /// What the server asked for.
        after: Option<Millis>,
    },
    /// Fresh credentials may help, once.
    Reauthorize,
    /// What was missing is there again: all attempts from here on, once (S-RQ-5).
    Renewed,
    /// It will not pass, or was aborted (S-CB-6, S-CB-10).
    Refuse,
}

/// How room is made for a push too many. Places are those of the chunks that wait, from the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Enough,
    /// Make this delta and the next one one, if they can be, and report it by [`Batcher::handle_tried`].
    Merge(usize),
    /// Drop this delta.
    Drop(usize),
    /// The newest chunk is not taken: none but control chunks wait.
    Refuse,
}

/// Whether a push was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It waits now.
    Room,
    /// It waits now, and is one too many.
    Overfull,
    /// Nothing is taken any more.
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Idle,
    Sending(Batch),
    Waiting { batch: Batch, until: Instant },
    Over,
}

/// See the module's description.
#[derive(Debug)]
pub struct Batcher {
    policy: Policy,
    rng: Rng,
    backoff: Backoff,
    watchdog: Watchdog,
    queue: Queue,
    // Of these that wait the time to gather is over.
    due: usize,
    linger: Option<Instant>,
    phase: Phase,
    pushed: u64,
    batches: u64,
    sent: u64,
    failures: u32,
    // Nothing is taken any more, and what is not sent by then is given up.
    closing: Option<Instant>,
    // What is to be told, once.
    silent: Option<Trip>,
    cancels: bool,
    ends: bool,
}

impl Batcher {
    /// One that has nothing to send.
    pub fn new(policy: Policy, seed: u64, now: Instant) -> Self {
        let cap = Millis(u64::MAX);
        let policy_of_waits =
            backoff::Policy { base: policy.base_delay, cap, jitter: policy.jitter, stable_after: Millis(u64::MAX) };
        let mut watchdog = Watchdog::new(policy.limits);
        watchdog.arm(now);
        Self {
            policy,
            rng: Rng::seeded(seed),
            backoff: Backoff::new(policy_of_waits),
            watchdog,
            queue: Queue::default(),
            due: 0,
            linger: None,
            phase: Phase::Idle,
            pushed: 0,
            batches: 0,
            sent: 0,
            failures: 0,
            closing: None,
            silent: None,
            cancels: false,
            ends: false,
        }
    }

    // ---- inputs ----

    /// A chunk was put behind the others.
    pub fn push(&mut self, is_control: bool, now: Instant) -> Taken {
        if self.closing.is_some() || matches!(self.phase, Phase::Over) {
            return Taken::Never;
        }
        self.watchdog.handle_event(now);
        self.pushed += 1;
        self.queue.push(self.pushed, is_control);
        // The first one's time is not extended by those that follow (S-CB-1).
        self.linger = self.linger.or(Some(now + self.policy.linger));
        if self.is_overfull() { Taken::Overfull } else { Taken::Room }
    }

    /// What is to be done about a push too many; to be asked until there is room. Deltas are made one before any goes, and what
    /// must not go is not taken rather than lost.
    pub fn make_room(&mut self) -> Room {
        if !self.is_overfull() {
            Room::Enough
        } else if let Some(at) = self.queue.pair() {
            Room::Merge(at)
        } else if let Some(at) = self.queue.yield_delta() {
            Room::Drop(at)
        } else {
            self.queue.retract();
            Room::Refuse
        }
    }

    /// What became of the pair at this place.
    pub fn handle_tried(&mut self, at: usize, is_one: bool) {
        self.queue.handle_tried(at, is_one);
    }

    /// All that waits is to be sent, without gathering more. Nothing, if nothing waits (S-CB-3).
    pub fn flush(&mut self) {
        self.due = self.queue.len();
        self.linger = None;
    }

    /// The batch arrived.
    pub fn handle_sent(&mut self) {
        let Phase::Sending(batch) = self.phase else { return };
        self.sent = batch.first_seq + batch.len as u64;
        self.failures = 0;
        self.backoff.reset();
        self.phase = Phase::Idle;
        self.close_if_done();
    }

    /// An attempt failed.
    pub fn handle_failed(&mut self, verdict: Verdict, now: Instant) {
        let Phase::Sending(mut batch) = self.phase else { return };
        self.failures += 1;
        let wait = match verdict {
            Verdict::Renewed if !batch.renewed => {
                batch.renewed = true;
                batch.attempt = 0;
                self.failures = 0;
                self.backoff.reset();
                Some(Millis::ZERO)
            }
            _ if batch.attempt > self.policy.max_retries => None,
            Verdict::Retry { after } => Some(self.backoff.next_delay(&mut self.rng, after)),
            Verdict::Reauthorize if !batch.reauthorized => {
                batch.reauthorized = true;
                Some(Millis::ZERO)
            }
            Verdict::Reauthorize | Verdict::Renewed | Verdict::Refuse => None,
        };
        match wait {
            Some(wait) => self.phase = Phase::Waiting { batch, until: now + wait },
            None => self.end(),
        }
    }

    /// The user aborts: nothing is taken any more, and what waits has so long to arrive (S-CB-13). A wait between attempts is
    /// over at once (S-CB-12).
    pub fn abort(&mut self, flush: Millis, now: Instant) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        let until = now + flush;
        self.closing = Some(self.closing.map_or(until, |before| before.min(until)));
        self.watchdog.clear();
        self.flush();
        if let Phase::Waiting { batch, .. } = self.phase {
            self.phase = Phase::Waiting { batch, until: now };
        }
        self.close_if_done();
        self.handle_timeout(now);
    }

    /// No more is expected of whoever pushes (S-WD-4).
    pub fn calm(&mut self) {
        self.watchdog.clear();
    }

    /// Time passed. Harmless when late or early.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.silent = self.silent.or(self.watchdog.handle_timeout(now));
        if self.linger.is_some_and(|at| at <= now) {
            self.flush();
        }
        if self.closing.is_some_and(|at| at <= now) && !matches!(self.phase, Phase::Over) {
            self.cancels = matches!(self.phase, Phase::Sending(_));
            self.end();
        }
    }

    // ---- outputs ----

    /// The next thing to do.
    pub fn poll_output(&mut self, now: Instant) -> Option<Output> {
        if let Some(trip) = self.silent.take() {
            return Some(Output::Silent(trip));
        }
        if core::mem::take(&mut self.cancels) {
            return Some(Output::Cancel);
        }
        if core::mem::take(&mut self.ends) {
            return Some(Output::Over);
        }
        match self.phase {
            Phase::Idle => self.begin(),
            Phase::Waiting { batch, until } if until <= now => Some(self.attempt(batch)),
            _ => None,
        }
    }

    /// When to call [`Batcher::handle_timeout`] and poll again.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let until = match self.phase {
            Phase::Waiting { until, .. } => Some(until),
            Phase::Over => return None,
            _ => None,
        };
        [until, self.linger, self.closing, self.watchdog.poll_timeout()].into_iter().flatten().min()
    }

    /// Of so many pushes, from the first on, nothing is left to be sent.
    pub fn settled(&self) -> u64 {
        let first = match self.phase {
            Phase::Sending(batch) | Phase::Waiting { batch, .. } => Some(batch.push),
            _ => self.queue.first(),
        };
        first.map_or(self.pushed, |push| push - 1)
    }

    /// Pushes so far.
    pub const fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The number of the next chunk that is sent.
    pub const fn next_seq(&self) -> u64 {
        self.sent
    }

    /// Whether sending works, as far as is known (S-CB-8).
    pub const fn is_healthy(&self) -> bool {
        !matches!(self.phase, Phase::Over) && self.failures < self.policy.max_retries
    }

    // ---- inside ----

    fn is_overfull(&self) -> bool {
        self.queue.len() + self.in_flight() > self.policy.max_buffer
    }

    fn in_flight(&self) -> usize {
        match self.phase {
            Phase::Sending(batch) | Phase::Waiting { batch, .. } => batch.len,
            _ => 0,
        }
    }

    fn begin(&mut self) -> Option<Output> {
        if self.due == 0 && self.queue.len() < self.policy.max_batch {
            return None;
        }
        let push = self.queue.first()?;
        let len = self.queue.take(self.policy.max_batch);
        self.due = self.due.saturating_sub(len);
        if self.queue.len() == 0 {
            self.linger = None;
        }
        let number = self.batches;
        self.batches += 1;
        let batch = Batch { number, first_seq: self.sent, len, attempt: 0, push, reauthorized: false, renewed: false };
        Some(self.attempt(batch))
    }

    fn attempt(&mut self, mut batch: Batch) -> Output {
        batch.attempt = batch.attempt.saturating_add(1);
        self.phase = Phase::Sending(batch);
        Output::Send(batch)
    }

    fn close_if_done(&mut self) {
        if self.closing.is_some() && matches!(self.phase, Phase::Idle) && self.queue.len() == 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        self.queue.clear();
        self.linger = None;
        self.closing = None;
        self.watchdog.clear();
        self.ends = true;
    }
}

#[cfg(test)]
mod tests;
