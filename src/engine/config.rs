//! Policies, parsed once: after [`Config`] is built no machine asks again whether a number makes sense.

use alloc::vec::Vec;

use super::{
    backoff, ladder::Blocked, liveness, outbox, protocol::Protocol, time::Millis, transport::Transport,
    watchdog::Limits,
};

/// How one client treats its runs. Every field has the default that [`Config::default`] documents.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server speaks.
    pub protocol: Protocol,
    /// The transports of a run's events, first choice first; the protocol's own where it is empty. A protocol passes over what
    /// it does not have.
    pub transports: Vec<Transport>,
    /// Which of them are known to be blocked here, and until when.
    pub blocked: Blocked,
    /// Delays between attempts: full jitter from 1 s doubling to 30 s.
    pub backoff: backoff::Policy,
    /// When a silent connection counts as cut: 45 s, or three of the server's own heartbeats once they are known.
    pub liveness: liveness::Policy,
    /// How long a run may stay without a connection that makes progress, in time spent online: 60 s.
    pub give_up_after: Millis,
    /// How many attempts in a row may make no progress: 12.
    pub max_attempts: u32,
    /// How long a run's stream may take to its response head: 15 s.
    pub connect_timeout: Millis,
    /// How long a send may take to its response head; `None`, the default, leaves it to liveness (B-SEND-5).
    pub send_timeout: Option<Millis>,
    /// How long a status request may take: 5 s.
    pub status_timeout: Millis,
    /// How long a stop may stay unconfirmed: 5 s.
    pub stop_timeout: Millis,
    /// Whether the server keeps an event log (GET /stream/events). Without one a send's own response is all there is.
    pub event_log: bool,
    /// Whether the tabs of a page's origin share their streams (see `tabs`).
    pub shares: bool,
    /// How long an open stream may stay without its first byte before a proxy is suspected of holding it back: 5 s.
    pub first_byte: Millis,
    /// How long a run's maker may be silent: without limits.
    pub watchdog: Limits,
    /// How much may wait to be sent.
    pub outbox: outbox::Limits,
    /// The largest event, in bytes (P-11): 16 MiB.
    pub max_event_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol::Bichat,
            transports: Vec::new(),
            blocked: Blocked::default(),
            backoff: backoff::Policy::default(),
            liveness: liveness::Policy::default(),
            give_up_after: Millis(60_000),
            max_attempts: 12,
            connect_timeout: Millis(15_000),
            send_timeout: None,
            status_timeout: Millis(5_000),
            stop_timeout: Millis(5_000),
            event_log: true,
            shares: false,
            first_byte: Millis(5_000),
            watchdog: Limits::default(),
            outbox: outbox::Limits::default(),
            max_event_bytes: 16 * 1024 * 1024,
        }
    }
}
