//! A client's runs and questions behind one door: numbered tasks go out as orders, what becomes of them comes in.
//!
//! Whoever drives a host knows nothing of runs. It feeds one input, carries out the orders, arms a timer for
//! [`Host::take_timeout`], and flushes when [`Host::take_due`] says so. An order is one of
//!
//! ```jsonc
//! {"open":7,"via":"fetch","path":"/events?…","body":null,"cursor":"5-0"}   // report its head, chunks and end under 7
//! {"close":7}                                                              // abort it; nothing it tells counts any more
//! {"look":true}                                                            // report whether the page is online
//! ```
//!
//! `via` is `fetch` (a stream of server-sent events), `eventsource` (the browser's own, whose messages come as the text of an
//! event stream) or `reply` (one JSON reply, told as a stream). With a `body` it is a POST.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    config::Config,
    delta::Delta,
    environment::{Environment, Signal},
    http::{self, Head},
    inquiry::{Inquiries, Question, Ticket},
    link::Conn,
    request::{Method, Request},
    rng::Rng,
    run::{Ask, Loss, Output, Run, Urgency, Wish},
    time::Instant,
    window::Window,
};

/// The number of a task: an order to open something, and all that becomes of it. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task(pub u32);

/// How a task ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The body came to its end.
    Ended,
    /// The network failed, before or after the head.
    Failed,
    /// The browser's own source gave up for good: the server answered, and not with an event stream (W-1).
    Refused,
}

/// How soon a run's content goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Nobody looks: the text stays where it is.
    Unwatched,
    /// With the frame.
    Frame,
    /// As soon as it was fed.
    Sync,
}

/// What the driver should do now. Orders come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// There are orders.
    pub orders: bool,
    /// Flush with the next frame.
    pub frame: bool,
    /// Flush now.
    pub now: bool,
    /// Somebody wants every event as soon as it is there: gather nothing.
    pub hurried: bool,
}

/// The longest reply, in bytes: a status reply carries the text of its run.
const LONGEST_REPLY: usize = 16 << 20;

/// A client's runs, their connections and its questions.
pub struct Host {
    config: Config,
    environment: Environment,
    rng: Rng,
    // A slot's number is its place plus one, and is never used again.
    slots: Vec<Option<Box<Slot>>>,
    // By number, which only grows.
    tasks: Vec<Open>,
    last_task: u32,
    window: Window,
    inquiries: Inquiries,
    orders: Delta,
    delta: Delta,
    next: Option<Instant>,
    due: Due,
    is_hurried: bool,
}

struct Slot {
    run: Run,
    session: String,
    // A low-level subscription stops by its signal alone.
    is_stoppable: bool,
    pace: Pace,
    dirty: Urgency,
}

struct Open {
    task: Task,
    purpose: Purpose,
}

enum Purpose {
    /// A run's stream.
    Stream { slot: u32, conn: Conn, native: Option<Request> },
    /// The same, where only the status matters: why a native source was refused.
    Diagnosis { slot: u32, conn: Conn },
    /// A run's question.
    Ask { slot: u32, ask: Ask, reply: Reply },
    /// The client's own.
    Inquiry { ticket: Ticket, reply: Reply },
}

#[derive(Default)]
struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Host {
    /// A host that has nothing to do.
    pub fn new(config: Config, environment: Environment, seed: u64) -> Self {
        Self {
            environment,
            rng: Rng::seeded(seed),
            slots: Vec::new(),
            tasks: Vec::new(),
            last_task: 0,
            window: Window::new(),
            inquiries: Inquiries::new(&config),
            orders: Delta::new(),
            delta: Delta::new(),
            next: None,
            due: Due::default(),
            is_hurried: false,
            config,
        }
    }

    // ---- commands ----

    /// Starts or follows a run; gives its slot.
    pub fn begin(&mut self, wish: Wish, is_stoppable: bool, now: Instant) -> u32 {
        let session = wish.session.clone();
        let run = Run::new(wish, self.config.clone(), self.environment, self.rng.next_u64(), now);
        self.slots.push(Some(Box::new(Slot {
            run,
            session,
            is_stoppable,
            pace: Pace::Unwatched,
            dirty: Urgency::None,
        })));
        let slot = self.slots.len() as u32;
        self.drain(slot);
        slot
    }

    /// Feeds a command to a run.
    pub fn command(&mut self, slot: u32, command: impl FnOnce(&mut Run)) {
        if let Some(held) = self.slot(slot) {
            command(&mut held.run);
            self.drain(slot);
        }
    }

    /// Sets how soon a run's content goes out.
    pub fn watch(&mut self, slot: u32, pace: Pace) {
        if let Some(held) = self.slot(slot) {
            held.pace = pace;
            self.want(slot);
            self.is_hurried = self.slots.iter().flatten().any(|held| held.pace == Pace::Sync);
        }
    }

    /// Asks the server about a session; the answer comes with a flush.
    pub fn inquire(&mut self, question: Question, session: &str, now: Instant) -> Ticket {
        let (ticket, request) = self.inquiries.ask(question, session, now);
        if question == Question::Stop {
            self.every_stoppable(session, |run| run.stop(now));
        }
        self.open(Purpose::Inquiry { ticket, reply: Reply::default() }, "reply", &request);
        self.wake_by(self.inquiries.poll_timeout());
        ticket
    }

    /// Forgets a run and whatever it holds.
    pub fn release(&mut self, slot: u32) {
        self.close_where(|purpose| purpose.slot() == Some(slot));
        if let Some(place) = self.slots.get_mut(place_of(slot)) {
            *place = None;
        }
    }

    /// Ends everything: runs as if closed, questions answered, every task closed.
    pub fn shutdown(&mut self, now: Instant) {
        self.every_slot(|run| run.close(now));
        self.inquiries.close();
        self.close_where(|_| true);
        self.next = None;
    }

    // ---- inputs ----

    /// The head of a task's response came.
    pub fn handle_head(&mut self, task: Task, head: &Head<'_>, now: Instant) {
        let Some(open) = self.task(task) else { return };
        match &mut open.purpose {
            Purpose::Stream { slot, conn, .. } => {
                let (slot, conn) = (*slot, *conn);
                self.turn(slot, |run, _| run.handle_response(conn, head, now));
            }
            Purpose::Diagnosis { slot, conn } => {
                let (slot, conn) = (*slot, *conn);
                // What was refused to the source is there now: let the next attempt have it.
                let is_there = (200..300).contains(&head.status) && http::is_event_stream(head.content_type);
                self.turn(slot, |run, _| {
                    if is_there {
                        run.handle_lost(conn, Loss::Failed, now);
                    } else {
                        run.handle_response(conn, head, now);
                    }
                });
            }
            Purpose::Ask { reply, .. } | Purpose::Inquiry { reply, .. } => reply.status = head.status,
        }
    }

    /// The first `len` bytes of the window came on a task.
    pub fn handle_chunk(&mut self, task: Task, len: usize, now: Instant) {
        let Self { tasks, window, .. } = self;
        let Ok(at) = tasks.binary_search_by_key(&task, |open| open.task) else { return };
        let Some(open) = tasks.get_mut(at) else { return };
        match &mut open.purpose {
            Purpose::Stream { slot, conn, .. } => {
                let (slot, conn) = (*slot, *conn);
                self.turn(slot, |run, window| run.handle_chunk(conn, window, len, now));
            }
            Purpose::Diagnosis { .. } => {}
            Purpose::Ask { reply, .. } | Purpose::Inquiry { reply, .. } => {
                let chunk = window.chunk_mut();
                if reply.body.len() + len <= LONGEST_REPLY {
                    reply.body.extend_from_slice(chunk.get(..len).unwrap_or(chunk));
                } else {
                    self.order_close(task);
                    self.handle_end(task, End::Failed, now);
                }
            }
        }
    }

    /// A task is over.
    pub fn handle_end(&mut self, task: Task, end: End, now: Instant) {
        let Ok(at) = self.tasks.binary_search_by_key(&task, |open| open.task) else { return };
        let loss = if end == End::Ended { Loss::Ended } else { Loss::Failed };
        match self.tasks.remove(at).purpose {
            Purpose::Stream { slot, conn, native: Some(request) } if end == End::Refused => {
                self.open(Purpose::Diagnosis { slot, conn }, "fetch", &request);
            }
            Purpose::Stream { slot, conn, .. } => self.turn(slot, |run, _| run.handle_lost(conn, loss, now)),
            Purpose::Diagnosis { slot, conn } => self.turn(slot, |run, _| run.handle_lost(conn, Loss::Failed, now)),
            Purpose::Ask { slot, ask, reply } => {
                let Reply { status, body } = reply.if_whole(end);
                self.turn(slot, |run, _| run.handle_reply(ask, status, &body, now));
            }
            Purpose::Inquiry { ticket, reply } => {
                let Reply { status, body } = reply.if_whole(end);
                if let Some((Question::Stop, session)) = self.inquiries.handle_reply(ticket, status, &body) {
                    self.every_stoppable(&session, |run| run.handle_stop_reply(status, now));
                }
            }
        }
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) {
        if self.environment.handle(signal).is_some() {
            self.every_slot(|run| run.handle_signal(signal, now));
        }
    }

    /// Time passed. Harmless when late or early.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.next = None;
        while let Some((ticket, question, session)) = self.inquiries.handle_timeout(now) {
            self.close_where(|purpose| matches!(purpose, Purpose::Inquiry { ticket: asked, .. } if *asked == ticket));
            if question == Question::Stop {
                self.every_stoppable(&session, |run| run.handle_stop_reply(0, now));
            }
        }
        self.every_slot(|run| run.handle_timeout(now));
        self.wake_by(self.inquiries.poll_timeout());
    }

    // ---- outputs ----

    /// Where a chunk belongs.
    pub fn window(&mut self) -> &mut Window {
        &mut self.window
    }

    /// What to do now; orders and a frame are asked for once.
    pub fn take_due(&mut self) -> Due {
        let due = core::mem::take(&mut self.due);
        Due { now: due.now || self.inquiries.has_answers(), hurried: self.is_hurried, ..due }
    }

    /// When to call [`Host::handle_timeout`] at the latest, by the inputs since the last call; an earlier deadline that was
    /// told before still holds.
    pub fn take_timeout(&mut self) -> Option<Instant> {
        self.next.take()
    }

    /// The orders since the last call, as a JSON array; empty when there are none.
    pub fn take_orders<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        take(&mut self.orders, read)
    }

    /// Everything that changed since the last flush (see [`Delta`]); empty when nothing did.
    pub fn flush<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        let Self { slots, delta, inquiries, .. } = self;
        for (place, slot) in slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let urgency = core::mem::take(&mut slot.dirty);
            if urgency == Urgency::Content && slot.pace == Pace::Unwatched {
                slot.dirty = urgency;
            } else if urgency != Urgency::None {
                slot.run.write_delta(place as u32 + 1, delta, slot.pace != Pace::Unwatched);
            }
        }
        inquiries.write_answers(delta);
        self.due = Due { orders: self.due.orders, ..Due::default() };
        take(&mut self.delta, read)
    }

    /// Everything of one run that has not gone out, its content too.
    pub fn read<T>(&mut self, slot: u32, read: impl FnOnce(&[u8]) -> T) -> T {
        let Self { slots, delta, .. } = self;
        if let Some(Some(held)) = slots.get_mut(place_of(slot)) {
            held.dirty = Urgency::None;
            held.run.write_delta(slot, delta, true);
        }
        take(&mut self.delta, read)
    }

    // ---- the turn ----

    /// Feeds a run, then hears what it wants.
    #[inline(always)]
    fn turn(&mut self, slot: u32, feed: impl FnOnce(&mut Run, &mut Window)) {
        let Self { slots, window, .. } = self;
        if let Some(Some(held)) = slots.get_mut(place_of(slot)) {
            feed(&mut held.run, window);
            self.drain(slot);
        }
    }

    fn drain(&mut self, slot: u32) {
        loop {
            let Some(held) = self.slot(slot) else { return };
            let Some(output) = held.run.poll_output() else { break };
            self.act(slot, output);
        }
        let Some(held) = self.slot(slot) else { return };
        held.dirty = held.dirty.max(held.run.take_urgency());
        let deadline = held.run.poll_timeout();
        self.wake_by(deadline);
        self.want(slot);
    }

    fn act(&mut self, slot: u32, output: Output) {
        match output {
            Output::Connect { conn, request, native } => {
                // What the slot had is over, whether or not the run said so.
                self.close_where(|purpose| purpose.is_stream_of(slot));
                let via = if native { "eventsource" } else { "fetch" };
                let native = native.then(|| request.clone());
                self.open(Purpose::Stream { slot, conn, native }, via, &request);
            }
            Output::Disconnect { conn } => {
                self.close_where(|purpose| purpose.is_stream_of(slot) && purpose.conn() == Some(conn))
            }
            Output::Ask { ask, request } => {
                self.open(Purpose::Ask { slot, ask, reply: Reply::default() }, "reply", &request);
            }
            Output::Forget { ask } => self.close_where(
                |purpose| matches!(purpose, Purpose::Ask { slot: of, ask: asked, .. } if *of == slot && *asked == ask),
            ),
            Output::Look => {
                self.begin_order("{\"look\":true}");
            }
        }
    }

    fn open(&mut self, purpose: Purpose, via: &str, request: &Request) {
        self.last_task = self.last_task.wrapping_add(1);
        let task = Task(self.last_task);
        self.tasks.push(Open { task, purpose });
        self.begin_order("{\"open\":");
        let out = &mut self.orders;
        out.number(u64::from(task.0));
        out.key("via");
        out.string(via.as_bytes());
        out.key("path");
        out.string(request.path.as_bytes());
        out.key("body");
        out.string_or_null((request.method == Method::Post).then_some(request.body.as_bytes()));
        out.key("cursor");
        out.string_or_null(request.last_event_id.as_deref().map(str::as_bytes));
        out.literal("}");
    }

    fn close_where(&mut self, is_meant: impl Fn(&Purpose) -> bool) {
        while let Some(at) = self.tasks.iter().position(|open| is_meant(&open.purpose)) {
            let Open { task, .. } = self.tasks.remove(at);
            self.order_close(task);
        }
    }

    fn order_close(&mut self, task: Task) {
        self.begin_order("{\"close\":");
        self.orders.number(u64::from(task.0));
        self.orders.literal("}");
    }

    fn begin_order(&mut self, opening: &str) {
        self.due.orders = true;
        self.orders.element(opening);
    }

    // ---- small helpers ----

    fn slot(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(place_of(number))?.as_deref_mut()
    }

    fn task(&mut self, task: Task) -> Option<&mut Open> {
        let at = self.tasks.binary_search_by_key(&task, |open| open.task).ok()?;
        self.tasks.get_mut(at)
    }

    fn every_slot(&mut self, feed: impl Fn(&mut Run)) {
        for slot in 1..=self.slots.len() as u32 {
            self.turn(slot, |run, _| feed(run));
        }
    }

    fn every_stoppable(&mut self, session: &str, feed: impl Fn(&mut Run)) {
        for slot in 1..=self.slots.len() as u32 {
            if self.slot(slot).is_some_and(|held| held.is_stoppable && held.session == session) {
                self.turn(slot, |run, _| feed(run));
            }
        }
    }

    fn wake_by(&mut self, deadline: Option<Instant>) {
        self.next = [self.next, deadline].into_iter().flatten().min();
    }

    /// Says so when something of this slot wants a flush.
    fn want(&mut self, slot: u32) {
        let Some(held) = self.slot(slot) else { return };
        let (dirty, pace) = (held.dirty, held.pace);
        self.due.now |= dirty == Urgency::Now || (pace == Pace::Sync && dirty != Urgency::None);
        self.due.frame |= match dirty {
            Urgency::None => false,
            Urgency::Content => pace != Pace::Unwatched,
            Urgency::State | Urgency::Now => true,
        };
    }
}

impl Purpose {
    fn slot(&self) -> Option<u32> {
        match self {
            Self::Stream { slot, .. } | Self::Diagnosis { slot, .. } | Self::Ask { slot, .. } => Some(*slot),
            Self::Inquiry { .. } => None,
        }
    }

    fn conn(&self) -> Option<Conn> {
        match self {
            Self::Stream { conn, .. } | Self::Diagnosis { conn, .. } => Some(*conn),
            Self::Ask { .. } | Self::Inquiry { .. } => None,
        }
    }

    fn is_stream_of(&self, slot: u32) -> bool {
        self.conn().is_some() && self.slot() == Some(slot)
    }
}

impl Reply {
    /// Half a reply is none.
    fn if_whole(self, end: End) -> Self {
        if end == End::Ended { self } else { Self::default() }
    }
}

fn place_of(slot: u32) -> usize {
    (slot as usize).wrapping_sub(1)
}

fn take<T>(delta: &mut Delta, read: impl FnOnce(&[u8]) -> T) -> T {
    let read = read(delta.finish());
    delta.clear();
    read
}
