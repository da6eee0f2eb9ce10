//! What is asked of the server beside the streams, and what the replies decide: a status when in doubt, a stop.

use alloc::string::String;

use super::{Ask, Core, Output, Road, Verdict};
use crate::engine::{
    error::{Code, Failure},
    http::Head,
    link::{Next, Phase},
    protocol::{Protocol, StatusReply},
    request::Request,
    status::{By, Status},
    time::{Instant, Millis},
    timer::Timer,
    trace::Happening,
    transport::Transport,
};

/// How long a confirmed stop waits for the run's own terminal event.
const LAST_WORDS: Millis = Millis(1_000);

/// Why the server is asked for the run's status.
#[derive(Clone, Debug)]
pub(super) enum Doubt {
    /// The send's response broke after its head and before it named the run.
    Accepted,
    /// The message went out long ago, or by another page's doing, and nobody knows whether it arrived.
    Sent,
    /// Connections open and bring nothing.
    Fruitless,
    /// The budget is spent.
    Spent,
    /// The road was refused.
    Refused(Failure),
    /// What is missing is not to be had any more, or not yet.
    Gone,
}

/// What the server says of the run.
pub(super) enum Standing {
    Active {
        run: Option<String>,
    },
    Over,
    /// The server has never heard of it.
    Missing,
    /// Nobody answered, or nothing that makes sense.
    Unknown,
}

impl Core {
    pub(super) fn ask(&mut self, request: Request) -> Ask {
        self.asks = self.asks.wrapping_add(1);
        let ask = Ask(self.asks);
        self.push(Output::Ask { ask, request });
        ask
    }

    pub(super) fn ask_status(&mut self, doubt: Doubt, now: Instant) {
        self.drop_doubt();
        self.link.hold();
        if !self.has_log() {
            return self.decide_unasked(doubt, now);
        }
        self.note(Happening::Asked, now);
        let request = self.protocol.status(&self.session, self.run.as_deref(), self.request_id.as_deref());
        let ask = self.ask(request);
        self.doubt = Some((ask, doubt));
        self.timers.set(Timer::Status, now + self.config.status_timeout);
        self.touch();
    }

    pub(super) fn drop_doubt(&mut self) {
        self.timers.clear(Timer::Status);
        if let Some((ask, _)) = self.doubt.take() {
            self.push(Output::Forget { ask });
        }
    }

    pub(super) fn handle_reply(&mut self, ask: Ask, status: u16, body: &[u8], now: Instant) {
        if self.late_stop == Some(ask) {
            self.late_stop = None;
            return self.handle_stop_reply(status, now);
        }
        let taken = |asked: &mut Option<Ask>| asked.take_if(|asked| *asked == ask).is_some();
        if taken(&mut self.posting) {
            return self.handle_posted(status, body, now);
        } else if taken(&mut self.creating) {
            return self.handle_created(status, now);
        } else if taken(&mut self.polling) {
            return self.handle_polled(status, body, now);
        } else if taken(&mut self.reading) {
            return self.handle_log_refused(status, now);
        } else if taken(&mut self.suspecting) {
            return self.handle_suspicion(status, body, now);
        } else if taken(&mut self.paging) {
            return self.handle_stored(status, body, now);
        }
        let doubt = match self.doubt.take() {
            Some((asked, doubt)) if asked == ask => doubt,
            other => {
                self.doubt = other;
                return;
            }
        };
        self.timers.clear(Timer::Status);
        self.touch();
        if matches!(doubt, Doubt::Accepted | Doubt::Sent) && matches!(status, 401 | 403) {
            // Who may not even ask is no nearer to an answer by asking again.
            return self.handle_response(&Head { status, ..Head::default() }, now);
        }
        let reply = if status == 200 { self.protocol.read_status(body) } else { None };
        let standing = self.standing(status, reply.as_ref());
        if let (Standing::Over, Some(StatusReply { whole: Some(whole), .. })) = (&standing, &reply) {
            return self.take_whole(whole, now);
        }
        if let (Doubt::Accepted | Doubt::Sent, Standing::Active { run: Some(run) }) = (&doubt, &standing)
            && self.is_of_others(run)
        {
            return self.end_in_doubt(now);
        }
        if matches!(doubt, Doubt::Sent) {
            match standing {
                // If it is ours, its request id lives (B-SEND-3).
                Standing::Active { run: Some(_) } => {
                    self.is_inherited = false;
                    self.sent_at = Some((now, self.link.conn()));
                    let due = self.link.connect(now);
                    return self.obey(due, now);
                }
                // It never arrived, or is over: the server cannot tell the one from the other.
                Standing::Over | Standing::Missing => {
                    return self.end_in_doubt(now);
                }
                Standing::Active { run: None } | Standing::Unknown => {}
            }
        }
        self.over |= matches!(standing, Standing::Over);
        let nobody_answered = matches!(standing, Standing::Unknown);
        let is_missing = matches!(standing, Standing::Missing);
        if nobody_answered && !self.link.environment().may_connect() {
            // Nobody could be asked: wait for the page to come back, then go on as before.
            return self.wait(now);
        }
        match (doubt, standing) {
            (Doubt::Accepted | Doubt::Sent, Standing::Active { run: Some(run) }) => {
                self.run = Some(run);
                self.seed(body);
                self.follow(now);
            }
            // Of a run that is over the live road brings nothing, however often it is asked; the log, which outlives it, may.
            (Doubt::Fruitless, Standing::Over) if self.road == Road::Live => self.end_as_over(Doubt::Fruitless, now),
            (Doubt::Fruitless, Standing::Missing) => self.end_as_over(Doubt::Fruitless, now),
            (Doubt::Accepted | Doubt::Sent, Standing::Active { run: None } | Standing::Missing | Standing::Unknown)
            | (Doubt::Gone, Standing::Active { .. } | Standing::Unknown)
            | (Doubt::Fruitless, _) => {
                if is_missing && self.via == Transport::WebSocket {
                    // A socket that was open and never brought it there is suspected like one that did not open.
                    self.ladder.flap();
                }
                // It never arrived: now any transport may have it (W4-4).
                self.accepted &= !is_missing || self.body.is_none();
                // What has been answered in part has arrived, whatever a server without a memory says of it.
                if is_missing && (self.body.is_none() || self.is_answered()) {
                    self.end_as_over(Doubt::Accepted, now);
                } else if self.link.handle_lost(now) == Next::Exhausted {
                    self.give_up(Failure::passing(Code::GaveUp), now);
                } else {
                    self.wait(now);
                }
            }
            // Whoever answers can be reached again: the log that could not be is worth another try.
            (Doubt::Spent, Standing::Active { .. } | Standing::Over)
                if self.road == Road::Following && !self.head_seen && !self.second_wind =>
            {
                self.second_wind = true;
                self.link.renew();
                self.set_out(now);
            }
            (Doubt::Spent | Doubt::Refused(_), Standing::Active { .. })
                if self.road == Road::Following
                    && !self.live_tried
                    && self.run.is_some()
                    && self.protocol == Protocol::Bichat =>
            {
                self.live_tried = true;
                self.road = Road::Live;
                self.link.renew();
                self.set_out(now);
            }
            (Doubt::Spent, Standing::Active { .. } | Standing::Unknown) => {
                let cause = self.flap.clone().unwrap_or(Failure::passing(Code::GaveUp));
                self.give_up(cause, now);
            }
            (Doubt::Refused(failure), Standing::Active { .. } | Standing::Unknown) => {
                // A run that was there and is not known any more has ended, whether or not its status could be asked.
                let is_gone = failure.code == Code::RunNotFound && self.any_event && nobody_answered;
                let code = if is_gone { Code::RunEnded } else { failure.code };
                self.settle(Status::Interrupted, By::Server, Some(Failure { code, ..failure }), now);
            }
            (doubt, Standing::Over | Standing::Missing) => self.end_as_over(doubt, now),
        }
    }

    /// Whether anything of the answer is there.
    fn is_answered(&self) -> bool {
        if self.base.is_some() { self.any_event } else { !self.exact.is_empty() }
    }

    /// Nobody can be asked how the run stands; its own stream has told what there is to know.
    fn decide_unasked(&mut self, doubt: Doubt, now: Instant) {
        match doubt {
            Doubt::Refused(failure) if matches!(failure.status, Some(204 | 404 | 410)) => {
                self.over = true;
                self.end_as_over(Doubt::Refused(failure), now);
            }
            Doubt::Refused(failure) => self.settle(Status::Interrupted, By::Server, Some(failure), now),
            Doubt::Spent => {
                let cause = self.flap.clone().unwrap_or(Failure::passing(Code::GaveUp));
                self.give_up(cause, now);
            }
            Doubt::Accepted | Doubt::Sent | Doubt::Fruitless | Doubt::Gone => self.wait(now),
        }
    }

    /// The run is over at the server, and its end has not reached us.
    pub(super) fn end_as_over(&mut self, doubt: Doubt, now: Instant) {
        if self.protocol == Protocol::WsChat && self.run.is_none() && self.body.is_some() {
            return self.end_unnamed(now);
        }
        // Of a message that nobody has heard of since, all that can be asked for is what runs in its chat.
        let is_found_by_chat = match doubt {
            Doubt::Accepted => self.protocol == Protocol::Envelope,
            _ => !self.has_log(),
        };
        let code = match self.body {
            Some(_) if is_found_by_chat && self.run.is_none() && !self.any_event => Code::SendInDoubt,
            None if !self.any_event => Code::RunNotFound,
            _ => Code::RunEnded,
        };
        // A log that refused is gone. One that could not be read may still be there.
        let retryable = matches!(doubt, Doubt::Spent) || code == Code::SendInDoubt;
        let (status, detail) = match doubt {
            Doubt::Refused(failure) => (failure.status, failure.detail),
            _ => (None, None),
        };
        let error = Some(Failure { status, detail, retryable, ..Failure::lasting(code) });
        let verdict = Verdict { status: Status::Interrupted, by: By::Server, error };
        if self.road == Road::Live {
            return self.ask_log(verdict, now);
        }
        self.settle(verdict.status, verdict.by, verdict.error, now);
    }

    pub(super) fn handle_stop_reply(&mut self, status: u16, now: Instant) {
        if !self.stopping || self.status.is_settled() {
            return;
        }
        // The user's wish stands; that it may not have arrived is said.
        self.error = (status == 0).then(|| Failure::passing(Code::RequestFailed));
        let is_sending = self.road == Road::Sending && self.link.phase() == Phase::Connecting;
        if is_sending || self.late_stop.is_some() {
            // The message may still be on its way, and what it starts must be stopped: its head, or the stop's time, tells.
            return;
        }
        // Whoever knows nothing of stops has no last words, either.
        let will_say = status != 0 && (status < 400 || self.protocol.has_log());
        if will_say && matches!(self.link.phase(), Phase::Open { .. }) {
            self.timers.set(Timer::Stop, now + LAST_WORDS);
        } else {
            self.settle_stopped(now);
        }
    }

    pub(super) fn settle_stopped(&mut self, now: Instant) {
        self.disconnect();
        let error = self.error.take();
        self.settle(Status::Cancelled, By::User, error, now);
    }

    pub(super) fn standing(&self, status: u16, reply: Option<&StatusReply<'_>>) -> Standing {
        match (status, reply) {
            (404, _) => Standing::Over,
            (_, Some(reply)) if reply.is_missing => Standing::Missing,
            // Nothing is being made yet: the answer to what was sent has not begun.
            (_, Some(reply)) if !reply.active && self.is_unanswered() => Standing::Active { run: None },
            (_, Some(reply)) if !reply.active => Standing::Over,
            // Another run has taken our session's place.
            (_, Some(reply)) if self.run.is_some() && reply.run_id.is_some() && reply.run_id != self.run => {
                Standing::Over
            }
            (_, Some(reply)) => Standing::Active { run: reply.run_id.clone() },
            (_, None) => Standing::Unknown,
        }
    }
}
