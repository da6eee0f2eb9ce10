//! Questions that a caller asks of the server by itself, outside any run: a session's status, a stop, a page of history.
//!
//! Each gets exactly one answer: the reply, a refusal, a timeout, or `aborted` when the client closes. A page changes nothing at
//! the server, so it is asked for again while that may help: with backoff, `Retry-After` as a floor, fresh headers after a 401,
//! and for nothing while there is no network.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::{
    backoff::{self, Backoff},
    config::Config,
    delta::Delta,
    error::{Code, Failure},
    http::{self, Head, Verdict},
    json,
    protocol::{Clear, Protocol},
    request::{Method, Request},
    rng::Rng,
    time::{Instant, Millis},
};

/// How long one attempt at a page may take: long for a server, and a page is up to 16 MiB.
const PAGE_TIMEOUT: Millis = Millis(30_000);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is a run of this session active? (B-STAT-1)
    Status,
    /// Cancel what runs in this session. (B-STOP-1)
    Stop,
    /// Empty this session, or take it away.
    Clear(Clear),
    /// What is at this path below the base URL: a page of messages or sessions. (W4-7)
    Page,
}

/// The number of a question; its answer carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u32);

#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    question: Question,
    // Of a page, its path.
    session: String,
    // `None`: waits for the network.
    deadline: Option<Instant>,
    // Of a page only.
    trials: Option<Box<Trials>>,
}

#[derive(Debug)]
struct Trials {
    backoff: Backoff,
    since: Instant,
    is_waiting: bool,
    has_reauthorized: bool,
}

impl Trials {
    fn new(policy: backoff::Policy, now: Instant) -> Self {
        Self { backoff: Backoff::new(policy), since: now, is_waiting: false, has_reauthorized: false }
    }
}

/// The questions under way, and the answers not yet handed out.
pub struct Inquiries {
    protocol: Protocol,
    status_timeout: Millis,
    stop_timeout: Millis,
    backoff: backoff::Policy,
    give_up_after: Millis,
    max_attempts: u32,
    rng: Rng,
    may_connect: bool,
    last: u32,
    pending: Vec<Pending>,
    requests: Vec<(Ticket, Request)>,
    answers: Delta,
}

impl Inquiries {
    /// None yet.
    pub fn new(config: &Config, seed: u64) -> Self {
        Self {
            protocol: config.protocol,
            status_timeout: config.status_timeout,
            stop_timeout: config.stop_timeout,
            backoff: config.backoff,
            give_up_after: config.give_up_after,
            max_attempts: config.max_attempts,
            rng: Rng::seeded(seed),
            may_connect: true,
            last: 0,
            pending: Vec::new(),
            requests: Vec::new(),
            answers: Delta::new(),
        }
    }

    /// Asks about a session; of [`Question::Page`] `session` is the path. Its time runs. What is to be requested, and when, says
    /// [`Inquiries::poll_request`]; of a stop and what clears a session only once it may [go](Self::go). `None` where the protocol
    /// has no such question.
    pub fn ask(&mut self, question: Question, session: &str, now: Instant) -> Option<Ticket> {
        let (deadline, trials) = match question {
            Question::Status => (Some(now + self.status_timeout), None),
            Question::Stop => (Some(now + self.stop_timeout), None),
            Question::Clear(clear) => {
                self.protocol.clear(session, clear)?;
                (Some(now + self.stop_timeout), None)
            }
            Question::Page => {
                let is_waiting = !self.may_connect;
                let trials = Trials { is_waiting, ..Trials::new(self.backoff, now) };
                ((!is_waiting).then_some(now + PAGE_TIMEOUT), Some(Box::new(trials)))
            }
        };
        self.last = self.last.wrapping_add(1).max(1);
        let ticket = Ticket(self.last);
        self.pending.push(Pending { ticket, question, session: session.into(), deadline, trials });
        if deadline.is_some() && matches!(question, Question::Status | Question::Page) {
            self.request(ticket);
        }
        Some(ticket)
    }

    /// It is its turn in its session's line.
    pub fn go(&mut self, ticket: Ticket) {
        self.request(ticket);
    }

    /// What to request now; report the reply to its ticket.
    pub fn poll_request(&mut self) -> Option<(Ticket, Request)> {
        self.requests.pop()
    }

    /// The reply came; `status` 0 means that none did. Says what was asked, with its answer.
    pub fn handle_reply(
        &mut self,
        ticket: Ticket,
        status: u16,
        retry_after: Option<Millis>,
        body: &[u8],
        now: Instant,
    ) -> Option<(Question, String)> {
        let failure = match http::judge(&Head { status, ..Head::default() }) {
            _ if status == 0 => Some(Failure::passing(Code::RequestFailed)),
            Verdict::Accept | Verdict::NoContent | Verdict::WrongType => None,
            Verdict::Reauthorize => Some(Failure::lasting(Code::Unauthorized).with_status(status)),
            Verdict::Retry { .. } => Some(Failure::passing(Code::HttpStatus).with_status(status)),
            Verdict::Refuse(_) => Some(Failure::lasting(Code::HttpStatus).with_status(status)),
        };
        self.settle(ticket, failure, retry_after, body, now)
    }

    /// Time passed: the question whose time is up, if any; abort its request and call again.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<(Ticket, Question, String)> {
        loop {
            let due = |pending: &&mut Pending| pending.deadline.is_some_and(|deadline| deadline <= now);
            let pending = self.pending.iter_mut().find(due)?;
            let (ticket, question, session) = (pending.ticket, pending.question, pending.session.clone());
            if let Some(trials) = pending.trials.as_mut().filter(|trials| trials.is_waiting) {
                trials.is_waiting = false;
                pending.deadline = Some(now + PAGE_TIMEOUT);
                self.request(ticket);
                continue;
            }
            self.settle(ticket, Some(Failure::passing(Code::RequestTimeout)), None, b"", now);
            return Some((ticket, question, session));
        }
    }

    /// When to call [`Inquiries::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().filter_map(|pending| pending.deadline).min()
    }

    /// Whether there is a network: without one a page waits, and that costs it nothing.
    pub fn handle_connectable(&mut self, may_connect: bool, now: Instant) {
        let mut again = Vec::new();
        if may_connect && !self.may_connect {
            for pending in &mut self.pending {
                let Some(trials) = &mut pending.trials else { continue };
                if trials.is_waiting {
                    **trials = Trials::new(self.backoff, now);
                    pending.deadline = Some(now + PAGE_TIMEOUT);
                    again.push(pending.ticket);
                }
            }
        }
        for ticket in again {
            self.request(ticket);
        }
        self.may_connect = may_connect;
    }

    /// Nobody waits for this answer any more; abort its request.
    pub fn forget(&mut self, ticket: Ticket) {
        self.pending.retain(|pending| pending.ticket != ticket);
        self.requests.retain(|(asked, _)| *asked != ticket);
    }

    /// Answers whatever is open with `aborted`: the client closes.
    pub fn close(&mut self) {
        while let Some(pending) = self.pending.first() {
            self.answer(pending.ticket, Some(Failure::passing(Code::Aborted)), b"");
        }
    }

    /// Whether there are answers to hand out.
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Hands out the answers since the last call.
    pub fn write_answers(&mut self, out: &mut Delta) {
        out.splice_elements(&mut self.answers);
    }

    fn request(&mut self, ticket: Ticket) {
        let Some(pending) = self.pending.iter().find(|pending| pending.ticket == ticket) else { return };
        let session = &pending.session;
        let request = match pending.question {
            Question::Status => self.protocol.status(session, None, None),
            Question::Stop => self.protocol.stop(session),
            Question::Page => Request { method: Method::Page, ..Request::get(session.clone()) },
            Question::Clear(clear) => match self.protocol.clear(session, clear) {
                Some(request) => request,
                None => return,
            },
        };
        self.requests.push((ticket, request));
    }

    // Answers, or lets a page wait for its next attempt.
    fn settle(
        &mut self,
        ticket: Ticket,
        mut failure: Option<Failure>,
        retry_after: Option<Millis>,
        body: &[u8],
        now: Instant,
    ) -> Option<(Question, String)> {
        let pending = self.pending.iter_mut().find(|pending| pending.ticket == ticket)?;
        if let (Some(failed), Some(trials)) = (&mut failure, &mut pending.trials) {
            let may_reauthorize = failed.code == Code::Unauthorized && !trials.has_reauthorized;
            if !self.may_connect && failed.retryable {
                (trials.is_waiting, pending.deadline) = (true, None);
                return None;
            }
            if may_reauthorize {
                (trials.has_reauthorized, pending.deadline) = (true, Some(now + PAGE_TIMEOUT));
                self.request(ticket);
                return None;
            }
            let wait = trials.backoff.next_delay(&mut self.rng, retry_after);
            let has_budget =
                trials.backoff.attempt() < self.max_attempts && now + wait < trials.since + self.give_up_after;
            if failed.retryable && has_budget {
                (trials.is_waiting, pending.deadline) = (true, Some(now + wait));
                return None;
            }
            failed.attempts = Some(trials.backoff.attempt());
        }
        self.answer(ticket, failure, body)
    }

    fn answer(&mut self, ticket: Ticket, failure: Option<Failure>, body: &[u8]) -> Option<(Question, String)> {
        let at = self.pending.iter().position(|pending| pending.ticket == ticket)?;
        let pending = self.pending.swap_remove(at);
        let out = &mut self.answers;
        if !out.is_empty() {
            out.literal(",");
        }
        out.literal("{\"ask\":");
        out.number(u64::from(ticket.0));
        out.key("ok");
        out.literal(if failure.is_none() { "true" } else { "false" });
        out.key("body");
        if failure.is_none() && json::is_object(body) {
            out.raw(body);
        } else {
            out.literal("null");
        }
        out.key("error");
        Failure::write(failure.as_ref(), out);
        out.literal("}");
        Some((pending.question, pending.session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backoff::{Jitter, Policy};

    fn inquiries() -> Inquiries {
        Inquiries::new(&Config::default(), 1)
    }

    fn steady() -> Inquiries {
        let backoff = Policy { jitter: Jitter::None, ..Policy::default() };
        Inquiries::new(&Config { backoff, ..Config::default() }, 1)
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn answers(inquiries: &mut Inquiries) -> serde_json::Value {
        let mut delta = Delta::new();
        inquiries.write_answers(&mut delta);
        let head = delta.finish().split(|&byte| byte == b'\n').next().unwrap();
        serde_json::from_slice(head).unwrap()
    }

    #[test]
    fn every_question_is_answered_once_whatever_becomes_of_it() {
        let start = at(0);
        let mut asked = inquiries();
        let mut ask = |question, session: &str| asked.ask(question, session, start).unwrap();
        let replied = ask(Question::Status, "s");
        let refused = ask(Question::Stop, "s");
        let late = ask(Question::Status, "t");
        let mut paths: Vec<_> = core::iter::from_fn(|| asked.poll_request()).map(|(_, request)| request.path).collect();
        paths.sort();
        assert_eq!(paths, ["/status?sessionId=s", "/status?sessionId=t"], "a stop waits for its turn");
        asked.go(refused);
        assert_eq!(asked.poll_request().map(|(of, _)| of), Some(refused));
        let reply = asked.handle_reply(replied, 200, None, b"{\"active\":false}", start);
        assert_eq!(reply, Some((Question::Status, "s".into())));
        assert_eq!(asked.handle_reply(replied, 200, None, b"{}", start), None, "a second reply means nothing");
        asked.handle_reply(refused, 503, None, b"<html>", start);
        assert_eq!(asked.handle_timeout(start + Millis(4_999)), None);
        assert_eq!(asked.handle_timeout(start + Millis(5_000)), Some((late, Question::Status, "t".into())));
        assert_eq!(asked.poll_timeout(), None);
        let answers = answers(&mut asked);
        assert_eq!(answers[0]["body"]["active"], false);
        assert_eq!((&answers[1]["error"]["status"], &answers[1]["error"]["retryable"]), (&503.into(), &true.into()));
        assert_eq!(answers[2]["error"]["code"], "request-timeout");
    }

    #[test]
    fn closing_answers_what_is_open() {
        let mut asked = inquiries();
        asked.ask(Question::Status, "s", at(0));
        asked.close();
        assert_eq!(answers(&mut asked)[0]["error"]["code"], "aborted");
    }

    #[test]
    fn a_reply_that_is_no_json_is_null() {
        let mut asked = inquiries();
        let ticket = asked.ask(Question::Status, "s", at(0)).unwrap();
        asked.handle_reply(ticket, 200, None, b"<html>", at(0));
        assert!(answers(&mut asked)[0]["body"].is_null());
    }

    #[test]
    fn a_page_is_asked_for_again_with_growing_waits() {
        let mut asked = steady();
        let ticket = asked.ask(Question::Page, "/p?limit=2", at(0)).unwrap();
        let (_, request) = asked.poll_request().unwrap();
        assert_eq!((request.method, request.path.as_str()), (Method::Page, "/p?limit=2"));
        let mut now = 0;
        for (status, wait) in [(503, 1_000), (0, 2_000), (429, 4_000), (408, 8_000)] {
            assert_eq!(asked.handle_reply(ticket, status, None, b"", at(now)), None, "W4-2");
            assert_eq!(asked.poll_timeout(), Some(at(now + wait)));
            assert!(asked.handle_timeout(at(now + wait - 1)).is_none() && asked.poll_request().is_none());
            now += wait;
            assert_eq!(asked.handle_timeout(at(now)), None, "it is asked, not answered");
            assert_eq!(asked.poll_request().map(|(of, _)| of), Some(ticket));
            assert!(!asked.has_answers());
        }
        asked.handle_reply(ticket, 200, None, b"{\"messages\":[]}", at(now));
        assert_eq!(answers(&mut asked)[0]["ok"], true);
        assert_eq!(asked.poll_timeout(), None);
    }

    #[test]
    fn a_page_waits_as_long_as_the_server_asks() {
        let mut asked = steady();
        let ticket = asked.ask(Question::Page, "/p", at(0)).unwrap();
        asked.handle_reply(ticket, 503, Some(Millis(7_000)), b"", at(10));
        assert_eq!(asked.poll_timeout(), Some(at(7_010)));
    }

    #[test]
    fn a_page_that_is_refused_is_not_asked_for_again() {
        for status in [400, 403, 404, 302] {
            let mut asked = steady();
            let ticket = asked.ask(Question::Page, "/p", at(0)).unwrap();
            asked.handle_reply(ticket, status, None, b"", at(0));
            let error = &answers(&mut asked)[0]["error"];
            assert_eq!((&error["status"], &error["retryable"]), (&status.into(), &false.into()));
        }
    }

    #[test]
    fn a_page_asks_for_fresh_headers_once() {
        let mut asked = steady();
        let ticket = asked.ask(Question::Page, "/p", at(0)).unwrap();
        asked.poll_request();
        asked.handle_reply(ticket, 401, None, b"", at(5));
        assert!(asked.poll_request().is_some(), "without a wait");
        asked.handle_reply(ticket, 401, None, b"", at(6));
        assert_eq!(answers(&mut asked)[0]["error"]["code"], "unauthorized");
    }

    #[test]
    fn a_page_is_given_up_when_the_budget_is_spent() {
        let mut asked = steady();
        let ticket = asked.ask(Question::Page, "/p", at(0)).unwrap();
        let mut requests = 0;
        while asked.poll_request().is_some() {
            requests += 1;
            let now = asked.poll_timeout().unwrap();
            // The server says nothing: each attempt takes all of its time.
            assert_eq!(asked.handle_timeout(now).map(|(of, ..)| of), Some(ticket));
            if let Some(next) = asked.poll_timeout() {
                assert_eq!(asked.handle_timeout(next), None);
            }
        }
        let error = &answers(&mut asked)[0]["error"];
        assert_eq!((&error["code"], &error["attempts"]), (&"request-timeout".into(), &requests.into()));
        assert_eq!(requests, 2, "attempts of 30 s in 60 s");
    }

    #[test]
    fn no_network_costs_a_page_nothing() {
        let mut asked = steady();
        let failed = asked.ask(Question::Page, "/p", at(0)).unwrap();
        asked.poll_request();
        asked.handle_connectable(false, at(1));
        asked.handle_reply(failed, 0, None, b"", at(1));
        let later = asked.ask(Question::Page, "/q", at(2)).unwrap();
        assert!(asked.poll_request().is_none() && asked.poll_timeout().is_none());
        asked.handle_connectable(true, at(10_000_000));
        let mut again = [asked.poll_request().unwrap().0, asked.poll_request().unwrap().0];
        again.sort_by_key(|ticket| ticket.0);
        assert_eq!(again, [failed, later]);
        asked.handle_reply(failed, 503, None, b"", at(10_000_000));
        assert_eq!(asked.poll_timeout(), Some(at(10_001_000)), "as the first attempt");
    }

    #[test]
    fn what_is_forgotten_is_never_answered() {
        let mut asked = steady();
        let ticket = asked.ask(Question::Page, "/p", at(0)).unwrap();
        asked.forget(ticket);
        assert!(asked.poll_request().is_none() && asked.poll_timeout().is_none());
        asked.handle_reply(ticket, 200, None, b"{}", at(1));
        assert!(!asked.has_answers());
    }
}
