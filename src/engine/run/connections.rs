//! A run's connections: which road and which transport the next one takes, what a head, a loss or a refusal means.

use alloc::string::String;

use super::{Ask, Core, Doubt, Output, Road, Urgency};
use crate::engine::{
    error::{Code, Failure},
    event::Fault,
    http::{self, Head},
    json::Members,
    link::{Due, Next, Phase},
    protocol::{Protocol, bichat, ws_chat},
    request::Request,
    status::{By, Status},
    time::{Instant, Millis},
    timer::Timer,
    trace::Happening,
    transport::Transport,
};

/// How long a socket may take to open while another transport is left to try.
const SOCKET_PATIENCE: Millis = Millis(5_000);

/// How long after it first went out a message is repeated without a question: few runs are over by then, and a request id lives
/// as long as its run (B-SEND-4).
const LATE: Millis = Millis(30_000);

/// How long a server that says "try again later" (1013) is left alone at the least.
const LATER: Millis = Millis(5_000);

impl Core {
    /// Connects by the present road.
    pub(super) fn set_out(&mut self, now: Instant) {
        self.link.set_connect_timeout(match self.road {
            Road::Sending => self.config.send_timeout,
            Road::Following | Road::Live => Some(self.config.connect_timeout),
        });
        let due = self.link.connect(now);
        self.obey(due, now);
        self.touch();
    }

    pub(super) fn obey(&mut self, due: Option<Due>, now: Instant) {
        match due {
            Some(Due::Connect(_)) => {
                self.head_seen = false;
                self.events_here = false;
                self.passed_by = false;
                self.group = None;
                self.doubted_here = false;
                self.drop_poll();
                if self.road == Road::Sending && self.accepted {
                    return self.ask_status(Doubt::Accepted, now);
                }
                if self.is_repeated_late(now) {
                    return self.ask_status(Doubt::Sent, now);
                }
                self.attempt(now);
            }
            Some(Due::Lost(code)) => self.lose(Failure::passing(code), None, now),
            Some(Due::Look) => self.push(Output::Look),
            Some(Due::Suspect) => self.suspect(now),
            Some(Due::Drop) | None => {}
        }
    }

    /// Whether the message may have arrived so long ago that its run may have ended, and its request id with it.
    fn is_repeated_late(&self, now: Instant) -> bool {
        let is_late = self.sent_at.is_some_and(|(at, _)| now.since(at) >= LATE);
        self.road == Road::Sending && self.protocol == Protocol::Bichat && (self.is_inherited || is_late)
    }

    /// Makes the attempt that the link has numbered.
    fn attempt(&mut self, now: Instant) {
        if self.road == Road::Sending && self.sent_at.is_none() {
            self.sent_at = Some((now, self.link.conn()));
            // Whoever keeps the message must know before the page can go away.
            self.urgency = Urgency::Now;
        }
        let conn = self.link.conn();
        let before = self.via;
        self.via = self.transport(now);
        self.latency = None;
        self.link.set_shared(self.via == Transport::WebSocket);
        if before != self.via && self.any_attempt {
            self.note(Happening::Switched, now);
        }
        self.any_attempt = true;
        self.note(Happening::Attempt { attempt: self.link.attempt() }, now);
        self.touch();
        match (self.via, self.road) {
            (Transport::WebSocket, road) => {
                if self.ladder.has_next() {
                    self.link.limit_connect(SOCKET_PATIENCE, now);
                }
                let frame = match road {
                    Road::Sending => ws_chat::requests::send_frame(self.body.as_deref().unwrap_or("{}")),
                    Road::Following | Road::Live => {
                        self.begin_log();
                        ws_chat::requests::resume_frame(&self.session, self.run.as_deref().unwrap_or(""), self.cursor())
                    }
                };
                self.push(Output::Join { conn, frame });
            }
            (Transport::Rest, Road::Following) => self.poll(now),
            (Transport::Adopted, _) => {
                self.begin_log();
                let path = self.adopted.as_ref().map(|adopted| adopted.key.clone()).unwrap_or_default();
                let request = Request { last_event_id: self.cursor().map(Into::into), ..Request::get(path) };
                self.push(Output::Connect { conn, request, via: Transport::Adopted, share: None });
            }
            (_, Road::Sending) if self.protocol.posts() => {
                let request = self.protocol.send(&self.session, self.body.as_deref().unwrap_or("{}"));
                let ask = self.ask(request);
                self.posting = Some(ask);
                // Out of our hands from here on (W4-4).
                self.accepted = !self.protocol.repeats();
            }
            (via, _) => {
                let request = self.request();
                self.push(Output::Connect { conn, request, via, share: self.shared_name() });
            }
        }
    }

    /// What carries the next attempt: `bichat` sends, and resumes live, by POST alone.
    fn transport(&mut self, now: Instant) -> Transport {
        match (self.protocol, self.road) {
            _ if self.adopted.is_some() => Transport::Adopted,
            (Protocol::Bichat, Road::Sending | Road::Live) => Transport::Fetch,
            _ => self.ladder.choose(now),
        }
    }

    fn request(&mut self) -> Request {
        match self.road {
            Road::Sending => self.protocol.send(&self.session, self.body.as_deref().unwrap_or("{}")),
            Road::Following => {
                self.begin_log();
                let run = self.run.as_deref().unwrap_or("");
                self.protocol.events(&self.session, run, self.cursor(), &self.rows.echo)
            }
            Road::Live => bichat::requests::resume(&self.session, self.run.as_deref().unwrap_or("")),
        }
    }

    /// The log is asked for after this.
    pub(super) fn cursor(&self) -> Option<&str> {
        core::str::from_utf8(self.position.as_bytes()).ok().filter(|cursor| !cursor.is_empty())
    }

    /// Without a cursor, what comes next is the whole run from its beginning.
    pub(super) fn begin_log(&mut self) {
        if self.protocol == Protocol::Chunks {
            // Rows that are held are known by their numbers; of an answer that has no name yet, each may be the first.
            if self.is_unanswered() {
                self.rows.go_back(&mut self.position);
            }
        } else if self.position.is_none() {
            self.again = self.told;
            self.start_over();
        }
        self.loose_again = if self.position.is_none() { 0 } else { self.loose };
    }

    /// Builds the transcript anew, and keeps the old text on screen meanwhile.
    pub(super) fn start_over(&mut self) {
        if self.exact.is_empty() {
            return;
        }
        let begun = self.beginning_of_answer();
        let old = core::mem::replace(&mut self.exact, begun);
        if self.shown.as_ref().is_none_or(|shown| shown.text_utf16_len() <= old.text_utf16_len()) {
            self.shown = Some(old);
        }
    }

    pub(super) fn handle_response(&mut self, head: &Head<'_>, now: Instant) {
        self.head_seen = true;
        let refused = |code: Code| Failure::lasting(code).with_status(head.status);
        match http::judge(head) {
            http::Verdict::Accept => {
                self.open(now);
                self.accepted |= self.road == Road::Sending;
                self.stop_what_arrived_late(now);
            }
            http::Verdict::Retry { after } => {
                if is_refusal(head.status) && self.sent_at.is_some_and(|(_, conn)| conn == self.link.conn()) {
                    self.sent_at = None;
                }
                self.lose(Failure::passing(Code::HttpStatus).with_status(head.status), after, now);
            }
            http::Verdict::Reauthorize if !self.reauthorized => {
                self.reauthorized = true;
                self.disconnect();
                self.trace.note_loss(&refused(Code::Unauthorized), self.via, now);
                let due = self.link.connect(now);
                self.obey(due, now);
            }
            http::Verdict::Reauthorize => self.refuse(refused(Code::Unauthorized), now),
            http::Verdict::NoContent | http::Verdict::Refuse(_) => self.refuse(refused(Code::HttpStatus), now),
            http::Verdict::WrongType => self.refuse(refused(Code::ContentType), now),
        }
    }

    /// Bytes may flow.
    pub(super) fn open(&mut self, now: Instant) {
        self.link.handle_opened(now);
        self.retry_after = None;
        self.note(Happening::Opened, now);
        self.watch_words(self.config.first_byte, now);
        self.touch();
    }

    /// The server took the message after all, perhaps behind the stop, on another connection.
    pub(super) fn stop_what_arrived_late(&mut self, now: Instant) {
        if self.road == Road::Sending && self.stopping && self.late_stop.is_none() {
            let request = self.protocol.stop(&self.session);
            self.late_stop = Some(self.ask(request));
            self.timers.set(Timer::Stop, now + self.config.stop_timeout);
        }
    }

    /// The shared socket is open and has our frame. A send is out of our hands from here on (W4-4); what is asked for comes.
    pub(super) fn handle_handed(&mut self, socket: u32, now: Instant) {
        self.head_seen = true;
        self.socket = socket;
        if self.road == Road::Sending {
            self.accepted = true;
            self.link.handle_handed(now);
            self.stop_what_arrived_late(now);
        } else {
            self.open(now);
        }
    }

    /// The shared socket is gone.
    pub(super) fn handle_closed(&mut self, close_code: Option<u16>, floor: Option<Millis>, now: Instant) {
        let code = if self.head_seen { Code::Disconnected } else { Code::ConnectFailed };
        let failure = Failure { close_code, ..Failure::passing(code) };
        self.link.set_common_floor(floor);
        match close_code.unwrap_or(1006) {
            status @ 4400..=4599 => {
                // Who is not known is not listened to: a send is still ours.
                self.accepted &= status != 4401 || self.road != Road::Sending;
                self.handle_response(&Head { status: status - 4000, ..Head::default() }, now);
            }
            1013 => self.lose(failure, Some(LATER), now),
            // The other end, or somebody in between, does not want such a connection or such a message.
            1002 | 1003 | 1007..=1010 | 1015 => {
                self.refuse(Failure { close_code, ..Failure::lasting(Code::SocketRefused) }, now);
            }
            _ => self.lose(failure, None, now),
        }
    }

    /// The reply to a send by POST came.
    pub(super) fn handle_posted(&mut self, status: u16, body: &[u8], now: Instant) {
        if self.protocol == Protocol::Chunks && self.handle_question_posted(status, body, now) {
            return;
        }
        let reply = self.protocol.read_status(body);
        let last_seq = reply.as_ref().and_then(|reply| reply.last_seq);
        match (status, reply.and_then(|reply| reply.run_id)) {
            (200..=299, Some(run)) => {
                self.run = Some(run);
                self.accepted = true;
                self.prove(now);
                if self.stopping {
                    self.open(now);
                    self.stop_what_arrived_late(now);
                } else {
                    self.follow_after(last_seq, now);
                }
            }
            // Whether the server has it is not known: it is asked before anything is sent again.
            (0, _) => self.lose(Failure::passing(Code::ConnectFailed), None, now),
            (200..=299, None) if is_cut_short(body) => self.lose(Failure::passing(Code::Disconnected), None, now),
            (200..=299, None) => self.refuse(Failure::lasting(Code::ContentType).with_status(status), now),
            _ => {
                let head = Head { status, ..Head::default() };
                // A refusal says that nothing was taken; a failure says nothing. One that may pass is asked about where its request
                // id can be.
                let is_taken_for_one = self.protocol == Protocol::Envelope && is_refusal(status);
                self.accepted &= matches!(http::judge(&head), http::Verdict::Retry { .. }) && !is_taken_for_one;
                self.handle_response(&head, now);
            }
        }
    }

    /// The road was refused for a reason that will not pass.
    pub(super) fn refuse(&mut self, failure: Failure, now: Instant) {
        if !self.stopping && self.ladder.has_choice() && self.is_of_transport(&failure) {
            if self.ladder.has_next() {
                self.trace.note_loss(&failure, self.via, now);
                return self.step_down(&failure, now);
            }
            // The others failed in ways that may pass: so may this one, in the next round.
            self.ladder.fail();
            return self.lose(Failure { retryable: true, ..failure }, None, now);
        }
        self.trace.note_loss(&failure, self.via, now);
        if self.is_decided_by_loss(&failure, now) || self.settle_by_verdict(now) {
            return;
        }
        let about_us = matches!(failure.status, Some(400 | 401 | 403));
        match self.road {
            // It may have been taken before the refusal.
            Road::Sending if self.accepted && about_us => {
                self.settle(Status::Interrupted, By::Server, Some(failure), now);
            }
            Road::Sending if self.accepted && self.via == Transport::WebSocket => {
                self.ask_status(Doubt::Refused(failure), now)
            }
            // The server never took the message.
            Road::Sending => self.settle(Status::Failed, By::Server, Some(failure), now),
            _ if about_us => self.settle(Status::Interrupted, By::Server, Some(failure), now),
            _ => self.ask_status(Doubt::Refused(failure), now),
        }
    }

    /// Whether a refusal may be the transport's alone: a proxy's page, an endpoint that is not there.
    fn is_of_transport(&self, failure: &Failure) -> bool {
        let has_choice = self.road == Road::Following || self.via == Transport::WebSocket;
        let by_status =
            self.protocol == Protocol::WsChat && matches!(failure.status, Some(404 | 405 | 406 | 426 | 501));
        has_choice && (matches!(failure.code, Code::ContentType | Code::SocketRefused) || by_status)
    }

    /// A stream that ends behind another message of the chat (A-SRV-2) has told all that it had to: the next one goes on from there,
    /// and nobody waits for it.
    pub(super) fn passes_by(&mut self, now: Instant) -> bool {
        let passes = self.passed_by && !self.stopping;
        if passes {
            self.disconnect();
            let due = self.link.connect(now);
            self.obey(due, now);
        }
        passes
    }

    /// The connection is lost in a way that may pass.
    pub(super) fn lose(&mut self, failure: Failure, floor: Option<Millis>, now: Instant) {
        self.retry_after = floor.max(self.retry_after);
        self.counts.losses += 1;
        self.trace.note_loss(&failure, self.via, now);
        if self.is_decided_by_loss(&failure, now) {
            return;
        }
        if self.concluded.is_some() {
            return self.conclude(now);
        }
        if self.adopted.as_ref().is_some_and(|adopted| !adopted.may_reopen) {
            let code = if failure.code == Code::Stalled { Code::Stalled } else { Code::Truncated };
            let truncated = Failure { code, retryable: false, ..failure };
            return self.settle(Status::Interrupted, By::Server, Some(truncated), now);
        }
        if self.road == Road::Sending && !self.protocol.has_log() && !failure.status.is_some_and(is_refusal) {
            // It may have been taken: what runs in the session now is it.
            self.road = Road::Following;
        }
        self.ladder.acquit_others();
        let next = self.link.handle_lost(now);
        if next == Next::Doubtful && self.head_seen && self.via == Transport::WebSocket {
            // Let in and thrown out, again and again: somebody does not want sockets here.
            self.ladder.flap();
        }
        match next {
            Next::Exhausted | Next::Doubtful if self.settle_by_verdict(now) => return,
            Next::Exhausted if self.road == Road::Sending && !self.accepted => self.give_up(failure, now),
            Next::Exhausted => self.ask_status(Doubt::Spent, now),
            _ if self.is_suspicious(&failure) => {
                let due = self.link.connect(now);
                self.obey(due, now);
            }
            // A send that arrived is not repeated unseen: its run may have ended, and with it the memory of its request
            // id (B-SEND-4).
            _ if self.road == Road::Sending && self.accepted => self.ask_status(Doubt::Accepted, now),
            Next::Doubtful if self.road != Road::Sending && !self.over => self.ask_status(Doubt::Fruitless, now),
            _ => self.wait(now),
        }
        self.touch();
    }

    pub(super) fn wait(&mut self, now: Instant) {
        self.link.wait(self.retry_after.take(), &mut self.rng, now);
        match self.link.phase() {
            Phase::Waiting { until } => self.note(Happening::Waiting { delay: until.since(now) }, now),
            _ => self.note(Happening::Parked, now),
        }
    }

    /// Whether a loss before the head makes the ladder try another transport now. Of `fetch` it does not: what fails there
    /// fails for a reason that the others share.
    fn is_suspicious(&mut self, failure: &Failure) -> bool {
        // What fails without a network says nothing of how it was tried.
        if self.head_seen || self.adopted.is_some() || !self.link.environment().online {
            return false;
        }
        if !matches!(self.via, Transport::WebSocket | Transport::EventSource) {
            self.ladder.flap_for_all();
            return false;
        }
        match failure.code {
            Code::ConnectTimeout => self.ladder.has_next() && self.ladder.fail(),
            _ => self.ladder.flap(),
        }
    }

    /// Leaves the present transport for the next one, at once.
    pub(super) fn step_down(&mut self, failure: &Failure, now: Instant) {
        self.ladder.fail();
        self.disconnect();
        self.note_flap(failure);
        self.link.handle_lost(now);
        let due = self.link.connect(now);
        self.obey(due, now);
    }

    /// The present transport carries what it should.
    pub(super) fn prove(&mut self, now: Instant) {
        if self.adopted.is_some() || (self.protocol == Protocol::Bichat && self.road != Road::Following) {
            return;
        }
        if self.ladder.works(now) {
            let blocked = self.ladder.blocked();
            self.push(Output::Learned { blocked });
        }
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

    pub(super) fn give_up(&mut self, cause: Failure, now: Instant) {
        let code = if cause.code == Code::Stalled { Code::Stalled } else { Code::GaveUp };
        let failure = Failure { code, retryable: true, attempts: Some(self.link.attempt()), ..cause };
        self.settle(Status::Interrupted, By::Limit, Some(failure), now);
    }

    pub(super) fn fails_in_grace(&mut self, failure: &Failure, now: Instant) -> bool {
        let Some(grace) = self.grace else { return false };
        if self.any_event || now.since(self.began) >= grace {
            return false;
        }
        self.note_flap(failure);
        let failure = Failure { code: Code::ConnectFailed, ..failure.clone() };
        self.settle(Status::Failed, By::Limit, Some(failure), now);
        true
    }

    pub(super) fn note_flap(&mut self, failure: &Failure) {
        self.flap = Some(failure.clone());
        self.report_flap(failure);
        self.touch();
    }

    pub(super) fn disconnect(&mut self) {
        let conn = self.link.conn();
        self.push(Output::Disconnect { conn });
        self.drop_poll();
    }

    /// Lets go of the questions that stand for a stream.
    pub(super) fn drop_poll(&mut self) {
        self.timers.clear(Timer::Poll);
        self.timers.clear(Timer::Word);
        let asks = [
            &mut self.posting,
            &mut self.creating,
            &mut self.polling,
            &mut self.reading,
            &mut self.suspecting,
            &mut self.paging,
        ];
        let gone: [Option<Ask>; 6] = asks.map(Option::take);
        for ask in gone.into_iter().flatten() {
            self.push(Output::Forget { ask });
        }
    }

    /// The run's id, for a request that must have one.
    pub(super) fn run_name(&self) -> String {
        self.run.clone().unwrap_or_default()
    }
}

/// Whether a status that may pass says that nothing was taken.
fn is_refusal(status: u16) -> bool {
    matches!(status, 425 | 429 | 503)
}

/// Whether a reply is the beginning of a JSON object and not all of it. Not every browser tells that of a body, where its
/// connection ended in good order.
pub(super) fn is_cut_short(body: &[u8]) -> bool {
    let is_object = body.trim_ascii_start().first().is_none_or(|&first| first == b'{');
    let reads_to_its_end = || {
        let mut members = Members::open(body)?;
        while members.next()?.is_some() {}
        Ok::<(), Fault>(())
    };
    is_object && reads_to_its_end().is_err()
}
