//! A client's runs, feeds and questions behind one door: numbered tasks go out as orders, what becomes of them comes in.
//!
//! Whoever drives a host knows nothing of runs. It feeds one input, carries out the orders, arms a timer for
//! [`Host::take_timeout`], and flushes when [`Host::take_due`] says so. An order is one of
//!
//! ```jsonc
//! {"open":7,"via":"fetch","path":"/events?…","body":null,"cursor":"5-0","slot":1} // report its head, chunks and end under 7
//! {"leave":"name","slot":1}                                              // that slot needs the stream of that name no more
//! {"close":7}                                                              // abort it; nothing it tells counts any more
//! {"to":7,"frame":"{…}"}                                                   // send a text frame over that socket
//! {"remember":{"websocket":600000}}                                        // these are blocked for so many ms
//! {"look":true}                                                            // report whether the page is online
//! ```
//!
//! A stream says whose it is (`slot`) and, where tabs may share it, its name among them (`share`). `via` is `fetch` (a stream of
//! server-sent events), `eventsource` and `websocket` (the browser's own, whose messages come as the text of an event stream),
//! `reply` (one reply, told as a stream). With a `body` it is a POST.
//!
//! Runs whose transport is a WebSocket share one [`Socket`]: the host opens it, hands each run's frames out and brings it its
//! own.

mod feeds;

use alloc::{boxed::Box, string::String, vec::Vec};

use self::feeds::FeedSlot;
use super::{
    config::Config,
    delta::Delta,
    environment::{Environment, Signal},
    event::RunEvent,
    http::{self, Head},
    inquiry::{Inquiries, Question, Ticket},
    ladder::Blocked,
    link::Conn,
    outbox::{self, Act, Outbox},
    protocol::ws_chat::requests,
    reader::{Incoming, Item, Reader},
    request::{Method, Request},
    rng::Rng,
    run::{Ask, Loss, Output, Run, Urgency, Wish},
    socket::{self, Rider, Socket},
    time::{Instant, Millis},
    transport::Transport,
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
    /// An event outgrew the bound before it came here.
    Overflown,
    /// Another tab has the stream, or will.
    Moved,
    /// The page has no connection to spare.
    Crowded,
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
    // Those of them that are no run's, in their order.
    feeds: Vec<FeedSlot>,
    // By number, which only grows.
    tasks: Vec<Open>,
    last_task: u32,
    socket: Socket,
    window: Window,
    inquiries: Inquiries,
    outbox: Outbox,
    orders: Delta,
    delta: Delta,
    next: Option<Instant>,
    // The deadline that was told and has not come.
    told: Option<Instant>,
    due: Due,
    is_hurried: bool,
    is_state_urgent: bool,
}

struct Slot {
    run: Run,
    session: String,
    // A low-level subscription stops by its signal alone.
    is_stoppable: bool,
    pace: Pace,
    dirty: Urgency,
    // Its stream's name among tabs, while this page is one of those that want it.
    share: Option<String>,
    // It has a message that the server may not have.
    is_in_line: bool,
}

struct Open {
    task: Task,
    purpose: Purpose,
}

enum Purpose {
    /// The socket that runs share.
    Socket,
    /// A run's stream.
    Stream { slot: u32, conn: Conn, native: Option<Request> },
    /// The same, where only the status matters: why a native source was refused.
    Diagnosis { slot: u32, conn: Conn },
    /// A run's question.
    Ask { slot: u32, ask: Ask, reply: Reply },
    /// The stream of a feed, over the browser's own source or not.
    Feed { slot: u32, conn: Conn, native: Option<Request> },
    /// Why that source was refused.
    FeedDiagnosis { slot: u32, conn: Conn },
    /// A feed's question.
    FeedAsk { slot: u32, ask: Ask, reply: Reply },
    /// The client's own.
    Inquiry { ticket: Ticket, reply: Reply },
}

#[derive(Default)]
struct Reply {
    status: u16,
    retry_after: Option<Millis>,
    body: Vec<u8>,
}

impl Host {
    /// A host that has nothing to do.
    pub fn new(config: Config, environment: Environment, seed: u64) -> Self {
        Self {
            environment,
            // A stream of its own: what is asked for changes no run's chances.
            inquiries: Inquiries::new(&config, !seed),
            rng: Rng::seeded(seed),
            slots: Vec::new(),
            feeds: Vec::new(),
            tasks: Vec::new(),
            last_task: 0,
            socket: Socket::new(config.protocol, config.max_event_bytes, config.backoff),
            window: Window::new(),
            outbox: Outbox::default(),
            orders: Delta::new(),
            delta: Delta::new(),
            next: None,
            told: None,
            due: Due::default(),
            is_hurried: false,
            is_state_urgent: false,
            config,
        }
    }

    // ---- commands ----

    /// Starts or follows a run; gives its slot.
    ///
    /// A send takes its place in its session's line; if there is no room, it fails at once.
    pub fn begin(&mut self, mut wish: Wish, is_stoppable: bool, now: Instant) -> u32 {
        let session = wish.session.clone();
        let was_left = wish.was_left;
        wish.is_in_line = wish.body.is_some();
        let run = Run::new(wish, self.config.clone(), self.environment, self.rng.next_u64(), now);
        self.slots.push(Some(Box::new(Slot {
            run,
            session,
            is_stoppable,
            pace: Pace::Unwatched,
            dirty: Urgency::None,
            share: None,
            is_in_line: false,
        })));
        let slot = self.slots.len() as u32;
        self.line_up(slot, was_left, now);
        self.drain(slot, now);
        slot
    }

    /// Another page may have left unsent messages of a session: what is sent there waits for [`Host::stop_expecting`], or for
    /// [`outbox::PATIENCE`].
    pub fn expect(&mut self, session: &str, now: Instant) {
        self.outbox.expect(session, now);
        self.wake_by(self.outbox.poll_timeout());
    }

    /// Those that it had have begun.
    pub fn stop_expecting(&mut self, session: &str, now: Instant) {
        self.outbox.stop_expecting(session);
        self.advance_lines(now);
    }

    /// A message of which nothing has gone out, and which waits for such, is one that another page has left: it goes on under that
    /// one's request id and in its place. False where that is not so.
    pub fn take_over(&mut self, slot: u32, request_id: &str, body: &str, may_have_arrived: bool, now: Instant) -> bool {
        let Self { slots, outbox, .. } = self;
        let Some(Some(held)) = slots.get_mut(place_of(slot)) else { return false };
        if !held.run.is_unsent() || !outbox.take_over(&held.session, Act::Send(slot), body.len()) {
            return false;
        }
        held.run.take_over(request_id, body, may_have_arrived);
        self.advance_lines(now);
        self.drain(slot, now);
        true
    }

    /// Goes on with a run that was interrupted, or sends a failed one anew.
    pub fn retry(&mut self, slot: u32, request_id: &str, body: Option<&str>, now: Instant) {
        if let Some(held) = self.slot(slot) {
            held.run.hold_back();
            if held.run.retry(request_id, body, now) {
                self.line_up(slot, false, now);
            }
            self.drain(slot, now);
        }
    }

    /// Ends a message of which nothing has gone out. False for what the server has to be told of.
    pub fn withdraw(&mut self, slot: u32, now: Instant) -> bool {
        let is_unsent = self.slot(slot).is_some_and(|held| held.run.is_unsent());
        if is_unsent {
            self.turn(slot, now, |run, _| run.withdraw(now));
        }
        is_unsent
    }

    /// How many messages are unsent.
    pub fn unsent(&self) -> usize {
        self.outbox.messages()
    }

    /// Feeds a command to a run.
    pub fn command(&mut self, slot: u32, now: Instant, command: impl FnOnce(&mut Run)) {
        self.turn(slot, now, |run, _| command(run));
    }

    /// Sets how soon a run's content goes out.
    pub fn watch(&mut self, slot: u32, pace: Pace) {
        if let Some(held) = self.slot(slot) {
            held.pace = pace;
            self.want(slot);
            self.look_for_hurry();
        }
    }

    /// Whether somebody looks at a run.
    pub fn is_watched(&mut self, slot: u32) -> bool {
        self.slot(slot).is_some_and(|held| held.pace != Pace::Unwatched)
    }

    /// Bytes of memory that a run's transcript takes.
    pub fn held_bytes(&mut self, slot: u32) -> usize {
        self.slot(slot).map_or(0, |held| held.run.transcript().held_bytes())
    }

    /// A run as JSON, to be taken up by another page; empty if there is nothing new ([`Run::store`]).
    pub fn store<T>(&mut self, slot: u32, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut out = Delta::new();
        if let Some(held) = self.slot(slot) {
            held.run.store(&mut out);
        }
        read(&out.into_head())
    }

    /// Whether every change of a run's state, its connection's included, goes out at once.
    pub fn watch_states(&mut self, are_urgent: bool) {
        self.is_state_urgent = are_urgent;
    }

    /// Asks the server about a session; the answer comes with a flush.
    ///
    /// Stops, resets and deletes wait for their turn in the session's line (S-LOCK-1). `None` where the protocol has no such
    /// question.
    pub fn inquire(&mut self, question: Question, session: &str, now: Instant) -> Option<Ticket> {
        let ticket = self.inquiries.ask(question, session, now)?;
        if question == Question::Stop {
            self.every_stoppable(session, now, |run| run.stop(now));
        }
        if let Some(act) = act_of(question, ticket) {
            if let Some(slot) = self.outbox.gone(session)
                && let Some(held) = self.slot(slot)
                && held.run.is_unsent()
            {
                held.run.hold_back();
                self.outbox.hold_back(slot);
            }
            self.outbox.join(session, act, 0);
            self.advance_lines(now);
        }
        self.drain_inquiries();
        Some(ticket)
    }

    /// Nobody waits for an answer any more.
    pub fn forget(&mut self, ticket: Ticket) {
        self.inquiries.forget(ticket);
        self.close_where(|purpose| matches!(purpose, Purpose::Inquiry { ticket: asked, .. } if *asked == ticket));
    }

    fn drain_inquiries(&mut self) {
        while let Some((ticket, request)) = self.inquiries.poll_request() {
            self.open(Purpose::Inquiry { ticket, reply: Reply::default() }, "reply", &request);
        }
        self.wake_by(self.inquiries.poll_timeout());
    }

    /// Forgets a run and whatever it holds.
    pub fn release(&mut self, slot: u32, now: Instant) {
        self.close_where(|purpose| purpose.slot() == Some(slot));
        self.leave(slot, None, now);
        self.share_as(slot, None);
        self.leave_line(slot, now);
        self.drop_feed(slot);
        if let Some(place) = self.slots.get_mut(place_of(slot)) {
            *place = None;
        }
        self.look_for_hurry();
    }

    /// Ends everything: runs as if closed, questions answered, every task closed.
    pub fn shutdown(&mut self, now: Instant) {
        self.every_slot(now, |run| run.close(now));
        self.every_feed(|feed| feed.close());
        self.inquiries.close();
        self.close_where(|_| true);
        self.socket.handle_dropped();
        self.outbox = Outbox::default();
        self.next = None;
    }

    // ---- inputs ----

    /// The head of a task's response came.
    pub fn handle_head(&mut self, task: Task, head: &Head<'_>, now: Instant) {
        let Some(open) = self.task(task) else { return };
        match &mut open.purpose {
            Purpose::Stream { slot, conn, .. } => {
                let (slot, conn) = (*slot, *conn);
                self.tell_of_others(slot, false);
                self.turn(slot, now, |run, _| run.handle_response(conn, head, now));
            }
            Purpose::Socket => {
                self.socket.handle_opened(now);
                self.hand_out(now);
                self.every_slot(now, |run| run.handle_joinable(now));
                self.wake_by(self.socket.poll_timeout());
            }
            Purpose::Diagnosis { slot, conn } => {
                let (slot, conn) = (*slot, *conn);
                // What was refused to the source is there now: let the next attempt have it.
                let is_there = (200..300).contains(&head.status) && http::is_event_stream(head.content_type);
                self.turn(slot, now, |run, _| {
                    if is_there {
                        run.handle_lost(conn, Loss::Failed, now);
                    } else {
                        run.handle_response(conn, head, now);
                    }
                });
            }
            Purpose::Feed { slot, conn, .. } => {
                let (slot, conn) = (*slot, *conn);
                self.turn_feed(slot, |feed, _| feed.handle_response(conn, head, now));
            }
            Purpose::FeedDiagnosis { slot, conn } => {
                let (slot, conn) = (*slot, *conn);
                self.diagnose_feed(slot, conn, head, now);
            }
            Purpose::Ask { reply, .. } | Purpose::FeedAsk { reply, .. } | Purpose::Inquiry { reply, .. } => {
                reply.status = head.status;
                reply.retry_after = http::retry_after(head);
            }
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
                self.turn(slot, now, |run, window| run.handle_chunk(conn, window, len, now));
            }
            Purpose::Socket => self.take_frames(len, now),
            Purpose::Feed { slot, conn, .. } => {
                let (slot, conn) = (*slot, *conn);
                self.turn_feed(slot, |feed, window| feed.handle_chunk(conn, window, len, now));
            }
            Purpose::Diagnosis { .. } | Purpose::FeedDiagnosis { .. } => {}
            Purpose::Ask { reply, .. } | Purpose::FeedAsk { reply, .. } | Purpose::Inquiry { reply, .. } => {
                let whole = window.chunk_mut();
                let chunk = whole.get(..len).unwrap_or(whole);
                if reply.body.len() + chunk.len() <= LONGEST_REPLY {
                    reply.body.extend_from_slice(chunk);
                } else {
                    self.order_close(task);
                    self.handle_end(task, End::Failed, None, now);
                }
            }
        }
    }

    /// A task is over; a socket's with this close code.
    pub fn handle_end(&mut self, task: Task, end: End, close_code: Option<u16>, now: Instant) {
        let Ok(at) = self.tasks.binary_search_by_key(&task, |open| open.task) else { return };
        let loss = match end {
            End::Ended => Loss::Ended,
            End::Moved => Loss::Moved,
            End::Crowded => Loss::Crowded,
            End::Failed | End::Refused | End::Overflown => Loss::Failed,
        };
        match self.tasks.remove(at).purpose {
            Purpose::Socket => self.lose_socket(close_code, now),
            Purpose::Stream { slot, conn, native: Some(request) } if end == End::Refused => {
                self.open(Purpose::Diagnosis { slot, conn }, "fetch", &request);
            }
            Purpose::Stream { slot, conn, .. } if end == End::Overflown => {
                self.turn(slot, now, |run, _| run.handle_item(conn, &Item::Overflow, now));
            }
            Purpose::Stream { slot, conn, .. } => self.turn(slot, now, |run, _| run.handle_lost(conn, loss, now)),
            Purpose::Diagnosis { slot, conn } => {
                self.turn(slot, now, |run, _| run.handle_lost(conn, Loss::Failed, now));
            }
            Purpose::Ask { slot, ask, reply } => {
                let Reply { status, retry_after, body } = reply.if_whole(end);
                self.tell_of_others(slot, false);
                self.turn(slot, now, |run, window| {
                    run.handle_retry_after(retry_after);
                    run.handle_reply(ask, status, &body, window, now);
                });
            }
            Purpose::Feed { slot, conn, native } => self.end_feed(slot, conn, native, end, now),
            Purpose::FeedDiagnosis { slot, conn } => {
                self.turn_feed(slot, |feed, _| feed.handle_lost(conn, Loss::Failed, now));
            }
            Purpose::FeedAsk { slot, ask, reply } => {
                let Reply { status, body, .. } = reply.if_whole(end);
                self.turn_feed(slot, |feed, _| feed.handle_reply(ask, status, &body, now));
            }
            Purpose::Inquiry { ticket, reply } => {
                let Reply { status, retry_after, body } = reply.if_whole(end);
                let answered = self.inquiries.handle_reply(ticket, status, retry_after, &body, now);
                if let Some((question, session)) = answered {
                    self.end_inquiry(ticket, question, &session, status, now);
                }
                self.drain_inquiries();
            }
        }
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) {
        if self.environment.handle(signal).is_none() {
            return;
        }
        if matches!(signal, Signal::Online | Signal::Visible | Signal::Thawed | Signal::PageShown) {
            self.socket.handle_hurry();
        }
        self.every_slot(now, |run| run.handle_signal(signal, now));
        self.every_feed(|feed| feed.handle_signal(signal, now));
        self.inquiries.handle_connectable(self.environment.may_connect(), now);
        self.drain_inquiries();
        if signal == Signal::Offline {
            self.socket.handle_offline(now);
        }
        if self.environment.frozen {
            // An open socket keeps a page out of the back/forward cache, and so does a lock; other tabs go on.
            self.close_socket();
            for slot in 1..=self.slots.len() as u32 {
                self.share_as(slot, None);
            }
        } else if signal == Signal::Online && self.socket.is_forlorn(now) {
            self.close_where(|purpose| matches!(purpose, Purpose::Socket));
            self.lose_socket(None, now);
        } else if matches!(signal, Signal::Online | Signal::Visible | Signal::Thawed) && self.socket.suspect(now) {
            self.send_frame(requests::PING);
            self.wake_by(self.socket.poll_timeout());
        }
    }

    /// Which transports were found blocked, as remembered from another page of this origin.
    pub fn handle_learned(&mut self, blocked: Blocked, now: Instant) {
        self.config.blocked = blocked;
        self.every_slot(now, |run| run.handle_learned(blocked));
    }

    /// Time passed. Harmless when late or early.
    pub fn handle_timeout(&mut self, now: Instant) {
        (self.next, self.told) = (None, None);
        while let Some((ticket, question, session)) = self.inquiries.handle_timeout(now) {
            self.close_where(|purpose| matches!(purpose, Purpose::Inquiry { ticket: asked, .. } if *asked == ticket));
            self.end_inquiry(ticket, question, &session, 0, now);
        }
        while let Some(due) = self.socket.handle_timeout(now) {
            match due {
                socket::Due::Ping => self.send_frame(requests::PING),
                socket::Due::Stalled => {
                    self.close_where(|purpose| matches!(purpose, Purpose::Socket));
                    self.lose_socket(None, now);
                }
                socket::Due::Idle => self.close_socket(),
                socket::Due::Open => self.open_socket(now),
            }
        }
        self.every_slot(now, |run| run.handle_timeout(now));
        self.every_feed(|feed| feed.handle_timeout(now));
        self.outbox.handle_timeout(now);
        self.advance_lines(now);
        self.wake_by(self.socket.poll_timeout());
        self.wake_by(self.outbox.poll_timeout());
    }

    // ---- outputs ----

    /// Where a chunk belongs.
    pub fn window(&mut self) -> &mut Window {
        &mut self.window
    }

    /// What to do now.
    pub fn due(&self) -> Due {
        Due { now: self.due.now || self.inquiries.has_answers(), hurried: self.is_hurried, ..self.due }
    }

    /// The same; orders and a frame are asked for once.
    pub fn take_due(&mut self) -> Due {
        let due = self.due();
        self.due = Due::default();
        due
    }

    /// Whether [`Host::take_timeout`] has something to tell.
    pub fn has_timeout(&self) -> bool {
        self.next.is_some()
    }

    /// When to call [`Host::handle_timeout`] at the latest, if that is earlier than what was told before, which still holds.
    pub fn take_timeout(&mut self) -> Option<Instant> {
        let next = self.next.take();
        self.told = next.or(self.told);
        next
    }

    /// The orders since the last call, as a JSON array; empty when there are none.
    pub fn take_orders<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        take(&mut self.orders, read)
    }

    /// Everything that changed since the last flush (see [`Delta`]); empty when nothing did.
    pub fn flush<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        let Self { slots, feeds, delta, inquiries, .. } = self;
        for (place, slot) in slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let urgency = core::mem::take(&mut slot.dirty);
            if urgency == Urgency::Content && slot.pace == Pace::Unwatched {
                slot.dirty = urgency;
            } else if urgency != Urgency::None {
                slot.run.write_delta(place as u32 + 1, delta, slot.pace != Pace::Unwatched);
            }
        }
        for feed in feeds {
            feed.write(delta);
        }
        inquiries.write_answers(delta);
        self.due = Due { orders: self.due.orders, ..Due::default() };
        take(&mut self.delta, read)
    }

    /// Everything of one run that has not gone out, its content too.
    pub fn read<T>(&mut self, slot: u32, read: impl FnOnce(&[u8]) -> T) -> T {
        let Self { slots, feeds, delta, .. } = self;
        if let Some(Some(held)) = slots.get_mut(place_of(slot)) {
            held.dirty = Urgency::None;
            held.run.write_delta(slot, delta, true);
        }
        if let Some(feed) = feeds.iter_mut().find(|feed| feed.is(slot)) {
            feed.write_all(delta);
        }
        take(&mut self.delta, read)
    }

    // ---- the turn ----

    /// Feeds a run, then hears what it wants.
    #[inline(always)]
    fn turn(&mut self, slot: u32, now: Instant, feed: impl FnOnce(&mut Run, &mut Window)) {
        let Self { slots, window, .. } = self;
        if let Some(Some(held)) = slots.get_mut(place_of(slot)) {
            feed(&mut held.run, window);
            self.drain(slot, now);
        }
    }

    fn drain(&mut self, slot: u32, now: Instant) {
        loop {
            let Some(held) = self.slot(slot) else { return };
            let Some(output) = held.run.poll_output() else { break };
            self.act(slot, output, now);
        }
        let Some(held) = self.slot(slot) else { return };
        if held.is_in_line && held.run.is_taken() {
            self.leave_line(slot, now);
        }
        let Some(held) = self.slot(slot) else { return };
        held.dirty = held.dirty.max(held.run.take_urgency());
        let deadline = held.run.poll_timeout();
        if held.share.is_some() && held.run.status().is_settled() {
            self.share_as(slot, None);
        }
        self.wake_by(deadline);
        self.want(slot);
    }

    fn act(&mut self, slot: u32, output: Output, now: Instant) {
        match output {
            Output::Connect { conn, request, via, share } => {
                // What the slot had is over, whether or not the run said so.
                self.close_where(|purpose| purpose.is_stream_of(slot));
                let native = (via == Transport::EventSource).then(|| request.clone());
                self.share_as(slot, share);
                self.open(Purpose::Stream { slot, conn, native }, via.as_str(), &request);
            }
            Output::Join { conn, frame } => {
                self.socket.join(Rider { slot, conn, frame });
                if self.socket.is_open() {
                    self.hand_out(now);
                } else if self.socket.is_wanted(now) {
                    self.open_socket(now);
                }
                self.wake_by(self.socket.poll_timeout());
            }
            Output::Disconnect { conn } => {
                self.close_where(|purpose| purpose.is_stream_of(slot) && purpose.conn() == Some(conn));
                self.leave(slot, Some(conn), now);
            }
            Output::Learned { blocked } => {
                self.handle_learned(blocked, now);
                self.order_remembering(now);
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
        let stream_of = match &purpose {
            Purpose::Stream { slot, .. } | Purpose::Feed { slot, .. } => Some(*slot),
            _ => None,
        };
        let share = stream_of.and_then(|slot| self.share_of(slot)?.clone());
        self.tasks.push(Open { task, purpose });
        self.begin_order("{\"open\":");
        let out = &mut self.orders;
        out.number(u64::from(task.0));
        out.key("via");
        out.string(via.as_bytes());
        out.key("path");
        out.string(request.path.as_bytes());
        out.key("body");
        let has_body = matches!(request.method, Method::Post | Method::Form);
        out.string_or_null(has_body.then_some(request.body.as_bytes()));
        match request.method {
            Method::Get | Method::Post => {}
            Method::Page => {
                out.key("how");
                out.literal("\"page\"");
            }
            Method::Form => {
                out.key("how");
                out.literal("\"form\"");
            }
            Method::Delete => {
                out.key("how");
                out.literal("\"delete\"");
            }
            Method::Put => {
                out.key("how");
                out.literal("\"put\"");
            }
        }
        out.key("cursor");
        out.string_or_null(request.last_event_id.as_deref().map(str::as_bytes));
        if let Some(slot) = stream_of {
            out.key("slot");
            out.number(u64::from(slot));
            if let Some(share) = share {
                out.key("share");
                out.string(share.as_bytes());
            }
        }
        out.literal("}");
    }

    // ---- the lines of sessions ----

    /// A message takes its place behind what its session has to do; one that was left by another page, before what was sent since.
    fn line_up(&mut self, slot: u32, was_left: bool, now: Instant) {
        let Self { slots, outbox, config, .. } = self;
        let Some(Some(held)) = slots.get_mut(place_of(slot)) else { return };
        let bytes = held.run.body_bytes();
        if held.run.is_taken() {
            held.run.go(now);
        } else if outbox.has_room(bytes, config.outbox) {
            held.is_in_line = true;
            let join = if was_left { Outbox::join_before } else { Outbox::join };
            join(outbox, &held.session, Act::Send(slot), bytes);
            self.advance_lines(now);
        } else {
            held.run.turn_away(now);
        }
    }

    fn leave_line(&mut self, slot: u32, now: Instant) {
        if let Some(held) = self.slot(slot) {
            held.is_in_line = false;
        }
        self.outbox.leave(Act::Send(slot));
        self.advance_lines(now);
    }

    fn advance_lines(&mut self, now: Instant) {
        while let Some(output) = self.outbox.poll_output() {
            match output {
                outbox::Output::Go(Act::Send(slot)) => {
                    self.tell_of_others(slot, true);
                    self.turn(slot, now, |run, _| run.go(now));
                }
                outbox::Output::Go(Act::Stop(ticket) | Act::Clear(ticket)) => self.inquiries.go(ticket),
                outbox::Output::Go(Act::Expect(_)) => {}
                outbox::Output::End(slot) => {
                    if let Some(held) = self.slot(slot) {
                        held.is_in_line = false;
                    }
                    self.turn(slot, now, |run, _| run.withdraw(now));
                }
            }
        }
        self.drain_inquiries();
    }

    /// What runs in a session may be asked for by the session alone: a message hears what else there was before it. `is_new`: it has
    /// not gone out, so that nothing can be its run.
    #[inline(never)]
    fn tell_of_others(&mut self, slot: u32, is_new: bool) {
        let Some((before, [Some(held), ..])) = self.slots.split_at_mut_checked(place_of(slot)) else { return };
        if !held.run.is_nameless() {
            return;
        }
        held.run.forget_rivals();
        for other in before.iter().flatten() {
            if other.session == held.session {
                held.run.hear_of(&other.run, is_new);
            }
        }
    }

    /// A question has its answer; `status` 0 where there was none.
    fn end_inquiry(&mut self, ticket: Ticket, question: Question, session: &str, status: u16, now: Instant) {
        let Some(act) = act_of(question, ticket) else { return };
        match question {
            Question::Stop => self.every_stoppable(session, now, |run| run.handle_stop_reply(status, now)),
            Question::Clear(_) if (200..=299).contains(&status) => {
                self.outbox.leave_cleared(act);
                // What has come of the session is no more. Who lines up behind this is of its next life.
                for slot in 1..=self.slots.len() as u32 {
                    let is_of = |held: &mut Slot| held.is_stoppable && !held.is_in_line && held.session == session;
                    if self.slot(slot).is_some_and(is_of) {
                        self.turn(slot, now, |run, _| run.withdraw(now));
                    }
                }
            }
            Question::Clear(_) | Question::Status | Question::Page => {}
        }
        self.outbox.leave(act);
        self.advance_lines(now);
    }

    // ---- what tabs share ----

    /// The slot's stream has this name from now on, or none.
    fn share_as(&mut self, slot: u32, share: Option<String>) {
        let Some(held) = self.share_of(slot) else { return };
        let left = core::mem::replace(held, share);
        let stays = left == *held;
        if let Some(left) = left.filter(|_| !stays) {
            self.begin_order("{\"leave\":");
            self.orders.string(left.as_bytes());
            self.orders.key("slot");
            self.orders.number(u64::from(slot));
            self.orders.literal("}");
        }
    }

    fn share_of(&mut self, slot: u32) -> Option<&mut Option<String>> {
        let Self { slots, feeds, .. } = self;
        match slots.get_mut(place_of(slot))?.as_deref_mut() {
            Some(held) => Some(&mut held.share),
            None => feeds.iter_mut().find(|feed| feed.is(slot)).map(|feed| &mut feed.share),
        }
    }

    pub(super) fn run_of(&mut self, slot: u32) -> Option<&mut Run> {
        self.slot(slot).map(|held| &mut held.run)
    }

    pub(super) fn slot_of(&mut self, task: Task) -> Option<u32> {
        self.task(task).and_then(|open| open.purpose.slot())
    }

    // ---- the shared socket ----

    fn open_socket(&mut self, now: Instant) {
        self.socket.handle_opening(now);
        self.open(Purpose::Socket, Transport::WebSocket.as_str(), &Request::get(requests::SOCKET.into()));
    }

    /// Says what its riders have to say, and tells them.
    fn hand_out(&mut self, now: Instant) {
        while let Some((slot, conn, frame)) = self.socket.take_frame() {
            self.send_frame(&frame);
            let socket = self.socket.number();
            self.turn(slot, now, |run, _| run.handle_handed(conn, socket, now));
        }
    }

    /// Brings each rider its frames.
    fn take_frames(&mut self, len: usize, now: Instant) {
        self.socket.handle_frame(now);
        let mut latency = None;
        let mut fed: Vec<u32> = Vec::new();
        let mut has_overflown = false;
        let Self { socket, slots, window, .. } = self;
        // The reader borrows the window while it is read; riders are looked up beside it.
        let mut reader = core::mem::replace(&mut socket.reader, Reader::idle());
        let mut feed = reader.feed(window, len);
        while let Some(item) = &feed.next() {
            let whose = match item {
                Item::Event(incoming) if incoming.run.is_empty() && incoming.request.is_empty() => socket.oldest(),
                Item::Event(incoming) => socket.find(|rider| {
                    slots
                        .get(place_of(rider.slot))
                        .and_then(Option::as_deref)
                        .is_some_and(|held| held.run.is_called(incoming.run, incoming.request))
                }),
                Item::Malformed(_) | Item::Overflow => socket.oldest(),
                // No socket has rows.
                Item::Comment | Item::Retry(_) | Item::Id(_) | Item::Done | Item::Row(_) | Item::Mark(_) => None,
            };
            has_overflown |= matches!(item, Item::Overflow);
            if let Item::Event(Incoming { event: RunEvent::Heartbeat, .. }) = item {
                latency = socket.handle_pong(now).or(latency);
                continue;
            }
            let Some((slot, conn)) = whose else { continue };
            if let Some(Some(held)) = slots.get_mut(place_of(slot)) {
                held.run.handle_item(conn, item, now);
                if held.run.link().attempt() == 0 {
                    socket.handle_progress();
                }
                if !fed.contains(&slot) {
                    fed.push(slot);
                }
            }
        }
        self.socket.reader = reader;
        for slot in fed {
            self.drain(slot, now);
        }
        if has_overflown {
            self.close_where(|purpose| matches!(purpose, Purpose::Socket));
            self.lose_socket(None, now);
        }
        if let Some(latency) = latency {
            self.every_slot(now, |run| run.handle_latency(latency));
        }
        self.socket.note_idle(now);
        self.wake_by(self.socket.poll_timeout());
    }

    fn lose_socket(&mut self, close_code: Option<u16>, now: Instant) {
        let (riders, floor) = self.socket.handle_closed(&mut self.rng, now);
        if close_code == Some(4401) {
            // Asked once more, with a fresh token, each run sees to it that it stays at that.
            self.socket.handle_hurry();
        }
        for Rider { slot, conn, .. } in riders {
            self.turn(slot, now, |run, _| run.handle_closed(conn, close_code, floor, now));
        }
    }

    fn leave(&mut self, slot: u32, conn: Option<Conn>, now: Instant) {
        if !self.socket.leave(slot, conn) {
            return;
        }
        if self.socket.is_open()
            && let Some(Some(held)) = self.slots.get(place_of(slot))
            && let Some(run) = held.run.run_id().filter(|_| !held.run.has_ended())
        {
            let frame = requests::leave_frame(run);
            self.send_frame(&frame);
        }
        if self.socket.is_in_vain() {
            self.close_socket();
        }
        self.socket.note_idle(now);
        self.wake_by(self.socket.poll_timeout());
    }

    fn close_socket(&mut self) {
        self.close_where(|purpose| matches!(purpose, Purpose::Socket));
        self.socket.handle_dropped();
    }

    fn send_frame(&mut self, frame: &str) {
        let Some(task) = self.tasks.iter().find(|open| matches!(open.purpose, Purpose::Socket)).map(|open| open.task)
        else {
            return;
        };
        self.begin_order("{\"to\":");
        self.orders.number(u64::from(task.0));
        self.orders.key("frame");
        self.orders.string(frame.as_bytes());
        self.orders.literal("}");
    }

    /// Lets the page remember what was found out: how long each transport is left out, in ms from now.
    fn order_remembering(&mut self, now: Instant) {
        self.begin_order("{\"remember\":{");
        let mut is_first = true;
        for transport in Transport::ALL {
            let Some(until) = self.config.blocked.get(transport as usize).copied().flatten() else { continue };
            self.orders.literal(if is_first { "\"" } else { ",\"" });
            is_first = false;
            self.orders.literal(transport.as_str());
            self.orders.literal("\":");
            self.orders.number(until.since(now).0);
        }
        self.orders.literal("}}");
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

    fn every_slot(&mut self, now: Instant, feed: impl Fn(&mut Run)) {
        for slot in 1..=self.slots.len() as u32 {
            self.turn(slot, now, |run, _| feed(run));
        }
    }

    fn every_stoppable(&mut self, session: &str, now: Instant, feed: impl Fn(&mut Run)) {
        for slot in 1..=self.slots.len() as u32 {
            if self.slot(slot).is_some_and(|held| held.is_stoppable && held.session == session) {
                self.turn(slot, now, |run, _| feed(run));
            }
        }
    }

    fn wake_by(&mut self, deadline: Option<Instant>) {
        // A busy stream's silence ends later with every chunk: nothing that anybody must hear of.
        let earliest = self.next.or(self.told);
        if deadline.is_some_and(|deadline| earliest.is_none_or(|earliest| deadline < earliest)) {
            self.next = deadline;
        }
    }

    fn look_for_hurry(&mut self) {
        self.is_hurried = self.slots.iter().flatten().any(|held| held.pace == Pace::Sync) || self.has_hurried_feed();
    }

    /// Says so when something of this slot wants a flush.
    fn want(&mut self, slot: u32) {
        let Some(held) = self.slot(slot) else { return };
        let (dirty, pace) = (held.dirty, held.pace);
        self.want_so(dirty, pace);
    }

    fn want_so(&mut self, dirty: Urgency, pace: Pace) {
        let is_urgent = match dirty {
            Urgency::None => false,
            Urgency::Content => pace == Pace::Sync,
            Urgency::State => pace == Pace::Sync || self.is_state_urgent,
            Urgency::Now => true,
        };
        self.due.now |= is_urgent;
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
            Self::Stream { slot, .. }
            | Self::Diagnosis { slot, .. }
            | Self::Ask { slot, .. }
            | Self::Feed { slot, .. }
            | Self::FeedDiagnosis { slot, .. }
            | Self::FeedAsk { slot, .. } => Some(*slot),
            Self::Inquiry { .. } | Self::Socket => None,
        }
    }

    fn conn(&self) -> Option<Conn> {
        match self {
            Self::Stream { conn, .. }
            | Self::Diagnosis { conn, .. }
            | Self::Feed { conn, .. }
            | Self::FeedDiagnosis { conn, .. } => Some(*conn),
            Self::Ask { .. } | Self::FeedAsk { .. } | Self::Inquiry { .. } | Self::Socket => None,
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

/// What of it waits for its turn.
fn act_of(question: Question, ticket: Ticket) -> Option<Act> {
    match question {
        Question::Status | Question::Page => None,
        Question::Stop => Some(Act::Stop(ticket)),
        Question::Clear(_) => Some(Act::Clear(ticket)),
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
