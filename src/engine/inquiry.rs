//! Questions that a caller asks of the server by itself, outside any run: a session's status, a stop.
//!
//! Each gets exactly one answer: the reply, a refusal, a timeout, or `aborted` when the client closes.

use alloc::{string::String, vec::Vec};

use super::{
    config::Config,
    delta::Delta,
    error::{Code, Failure},
    json,
    protocol::Protocol,
    request::Request,
    time::{Instant, Millis},
};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is a run of this session active? (B-STAT-1)
    Status,
    /// Cancel what runs in this session. (B-STOP-1)
    Stop,
}

/// The number of a question; its answer carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u32);

#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    question: Question,
    session: String,
    deadline: Instant,
}

/// The questions under way, and the answers not yet handed out.
pub struct Inquiries {
    protocol: Protocol,
    status_timeout: Millis,
    stop_timeout: Millis,
    last: u32,
    pending: Vec<Pending>,
    answers: Delta,
}

impl Inquiries {
    /// None yet.
    pub fn new(config: &Config) -> Self {
        Self {
            protocol: config.protocol,
            status_timeout: config.status_timeout,
            stop_timeout: config.stop_timeout,
            last: 0,
            pending: Vec::new(),
            answers: Delta::new(),
        }
    }

    /// Asks. The caller makes the request and reports its reply.
    pub fn ask(&mut self, question: Question, session: &str, now: Instant) -> (Ticket, Request) {
        self.last = self.last.wrapping_add(1).max(1);
        let ticket = Ticket(self.last);
        let (request, limit) = match question {
            Question::Status => (self.protocol.status(session, None, None), self.status_timeout),
            Question::Stop => (self.protocol.stop(session), self.stop_timeout),
        };
        self.pending.push(Pending { ticket, question, session: session.into(), deadline: now + limit });
        (ticket, request)
    }

    /// The reply came; `status` 0 means that none did. Says what was asked, the first time.
    pub fn handle_reply(&mut self, ticket: Ticket, status: u16, body: &[u8]) -> Option<(Question, String)> {
        let failure = match status {
            0 => Some(Failure::passing(Code::RequestFailed)),
            200..=299 => None,
            401 => Some(Failure::lasting(Code::Unauthorized).with_status(status)),
            _ => Some(Failure { retryable: status >= 500, ..Failure::lasting(Code::HttpStatus).with_status(status) }),
        };
        self.answer(ticket, failure, body)
    }

    /// Time passed: the question whose time is up, if any; abort its request and call again.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<(Ticket, Question, String)> {
        let ticket = self.pending.iter().find(|pending| pending.deadline <= now)?.ticket;
        let (question, session) = self.answer(ticket, Some(Failure::passing(Code::RequestTimeout)), b"")?;
        Some((ticket, question, session))
    }

    /// When to call [`Inquiries::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.deadline).min()
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

    fn inquiries() -> Inquiries {
        Inquiries::new(&Config::default())
    }

    fn answers(inquiries: &mut Inquiries) -> serde_json::Value {
        let mut delta = Delta::new();
        inquiries.write_answers(&mut delta);
        let head = delta.finish().split(|&byte| byte == b'\n').next().unwrap();
        serde_json::from_slice(head).unwrap()
    }

    #[test]
    fn every_question_is_answered_once_whatever_becomes_of_it() {
        let start = Instant::from_millis(0);
        let mut asked = inquiries();
        let (replied, request) = asked.ask(Question::Status, "s", start);
        assert_eq!(request.path, "/status?sessionId=s");
        let (refused, _) = asked.ask(Question::Stop, "s", start);
        let (late, _) = asked.ask(Question::Status, "t", start);
        assert_eq!(asked.handle_reply(replied, 200, b"{\"active\":false}"), Some((Question::Status, "s".into())));
        assert_eq!(asked.handle_reply(replied, 200, b"{}"), None, "a second reply means nothing");
        asked.handle_reply(refused, 503, b"<html>");
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
        asked.ask(Question::Status, "s", Instant::from_millis(0));
        asked.close();
        assert_eq!(answers(&mut asked)[0]["error"]["code"], "aborted");
    }

    #[test]
    fn a_reply_that_is_no_json_is_null() {
        let mut asked = inquiries();
        let (ticket, _) = asked.ask(Question::Status, "s", Instant::from_millis(0));
        asked.handle_reply(ticket, 200, b"<html>");
        assert!(answers(&mut asked)[0]["body"].is_null());
    }
}
