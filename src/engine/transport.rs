//! The ways in which a run's events can come.

/// A transport, by its public name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One `WebSocket` for all runs of a client.
    WebSocket,
    /// The browser's own `EventSource`.
    EventSource,
    /// A stream over `fetch`.
    Fetch,
    /// One request after another, and the whole answer at once: the last resort, which any proxy lets through.
    Rest,
    /// A stream that somebody else has opened; no rung of a ladder.
    Adopted,
}

impl Transport {
    /// Every transport that a ladder may have, by number.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::EventSource, Self::Fetch, Self::Rest];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::EventSource => "eventsource",
            Self::Fetch => "fetch",
            Self::Rest => "rest",
            Self::Adopted => "adopted",
        }
    }
}
