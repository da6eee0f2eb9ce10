//! What failed, whose fault it is, and whether trying again can help.
//!
//! A failure is a code with fields; the sentence is written where it is read, in JS. No text that a server or a browser
//! sent ever decides a code: the phase, the status and whose abort fired do.

use alloc::string::String;

use super::delta::Delta;

/// What went wrong. The kebab-case names are public: `error.code` in JS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// No connection within the connect grace (B-ES-7).
    ConnectFailed,
    /// The server answered with a status that no repetition will change.
    HttpStatus,
    /// 401 or, for a second time, 401 with freshly asked headers.
    Unauthorized,
    /// A 200 whose body is not an event stream, such as a proxy's HTML page.
    ContentType,
    /// The retry budget is spent.
    GaveUp,
    /// The stream fell silent for longer than the stall limit.
    Stalled,
    /// No response head within the connect timeout (B-SEND-6).
    ConnectTimeout,
    /// The connection broke or ended before the run did.
    Disconnected,
    /// The server does not know this run (B-RES-2, B-ES-12).
    RunNotFound,
    /// The server says that the run is over, but its end never reached us (B-ES-13): read it from the history.
    RunEnded,
    /// The run itself failed: the server's own terminal event.
    ServerError,
    /// One event outgrew `maxEventBytes` (P-11).
    EventTooLarge,
    /// Our caller closed the run or aborted its signal. The run goes on at the server.
    Aborted,
    /// A one-shot request (stop, status) failed.
    RequestFailed,
    /// A one-shot request got no reply in time.
    RequestTimeout,
    /// The bytes ended before the run did (a run core's `end`).
    Truncated,
    /// The socket was closed with a code that no repetition will change.
    SocketRefused,
    /// The stream is open, the server has spoken, and not a byte came: somebody in between holds it back.
    HeldBack,
    /// No event of the run came within the watchdog's limit for the first one (S-WD-2).
    FirstEventTimeout,
    /// No event followed within the watchdog's limit for those (S-WD-2).
    InactivityTimeout,
    /// The message may have arrived, and the server cannot tell.
    SendInDoubt,
    /// Too much waits to be sent already.
    OutboxFull,
}

impl Code {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect-failed",
            Self::HttpStatus => "http-status",
            Self::Unauthorized => "unauthorized",
            Self::ContentType => "content-type",
            Self::GaveUp => "gave-up",
            Self::Stalled => "stalled",
            Self::ConnectTimeout => "connect-timeout",
            Self::Disconnected => "disconnected",
            Self::RunNotFound => "run-not-found",
            Self::RunEnded => "run-ended",
            Self::ServerError => "server-error",
            Self::EventTooLarge => "event-too-large",
            Self::Aborted => "aborted",
            Self::RequestFailed => "request-failed",
            Self::RequestTimeout => "request-timeout",
            Self::Truncated => "truncated",
            Self::SocketRefused => "socket-refused",
            Self::HeldBack => "held-back",
            Self::FirstEventTimeout => "first-event-timeout",
            Self::InactivityTimeout => "inactivity-timeout",
            Self::SendInDoubt => "send-in-doubt",
            Self::OutboxFull => "outbox-full",
        }
    }
}

/// One failure as its reader needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// Whether `retry()` may help without anything else changing.
    pub retryable: bool,
    /// The HTTP status, where one was seen.
    pub status: Option<u16>,
    /// The close code of a WebSocket, where one was seen.
    pub close_code: Option<u16>,
    /// Attempts made since the last progress, where that is what ran out.
    pub attempts: Option<u32>,
    /// The server's own name for it, where its protocol has such names.
    pub server_code: Option<String>,
    /// The server's own words, shown and never interpreted.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure that trying again may cure.
    pub const fn passing(code: Code) -> Self {
        Self { code, retryable: true, status: None, close_code: None, attempts: None, server_code: None, detail: None }
    }

    /// A failure that will not pass by itself.
    pub const fn lasting(code: Code) -> Self {
        Self { code, retryable: false, status: None, close_code: None, attempts: None, server_code: None, detail: None }
    }

    /// The same failure with the HTTP status that caused it.
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Writes `failure` as a JSON object, or `null`.
    pub fn write(failure: Option<&Self>, out: &mut Delta) {
        let Some(failure) = failure else { return out.literal("null") };
        out.literal("{\"code\":");
        out.string(failure.code.as_str().as_bytes());
        out.key("retryable");
        out.literal(if failure.retryable { "true" } else { "false" });
        out.key("status");
        out.number_or_null(failure.status.map(u64::from));
        out.key("closeCode");
        out.number_or_null(failure.close_code.map(u64::from));
        out.key("attempts");
        out.number_or_null(failure.attempts.map(u64::from));
        out.key("serverCode");
        out.string_or_null(failure.server_code.as_ref().map(String::as_bytes));
        out.key("detail");
        out.string_or_null(failure.detail.as_ref().map(String::as_bytes));
        out.literal("}");
    }
}
