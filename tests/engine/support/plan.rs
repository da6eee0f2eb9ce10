//! Schedules of trouble, as data: what happens to the n-th connection, to the n-th question, and at which time.

use steadystream::engine::environment::Signal;
use steadystream::engine::rng::Rng;

use super::server::Mischief;

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The body ends as if it were complete: a proxy, or a server that was shut down.
    Fin,
    /// The network fails.
    Rst,
}

/// What the client gets instead of the server's head.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// The server's own.
    Served,
    /// The connection is refused: the server never sees the request.
    Refused,
    /// The server takes the request, and the connection breaks before the head.
    Lost,
    /// The server takes the request, and nothing comes, ever.
    Never,
    /// Something before the server answers.
    Fake { status: u16, content_type: Option<&'static str>, retry_after: Option<&'static str>, body: Vec<u8> },
}

/// How bytes are cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// As they come.
    AsSent,
    /// At most this many bytes each.
    Of(usize),
    /// Anywhere.
    Anywhere,
    /// Slowly: this many bytes, then a pause.
    Paced { bytes: usize, every: u64 },
}

/// What happens to one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub head: Head,
    /// Extra time to the head, in ms.
    pub head_delay: u64,
    /// Breaks after this many bytes of the body.
    pub cut: Option<(usize, How)>,
    /// After this many bytes of the body nothing comes any more, not even its end.
    pub stall: Option<usize>,
    /// How the body ends where the server, or mischief, ends it.
    pub end: How,
    pub chunks: Chunks,
    pub mischief: Mischief,
}

impl Plan {
    /// Nothing happens.
    pub const CLEAN: Self = Self {
        head: Head::Served,
        head_delay: 0,
        cut: None,
        stall: None,
        end: How::Fin,
        chunks: Chunks::AsSent,
        mischief: Mischief {
            replay_seen: 0,
            ignore_cursor: false,
            duplicate_each: 0,
            malformed_each: 0,
            two_terminals: false,
            no_terminal: false,
            mute_after: None,
            end_after: None,
            no_heartbeats: false,
            retry: None,
        },
    };

    pub fn cut(after: usize, how: How) -> Self {
        Self { cut: Some((after, how)), ..Self::CLEAN }
    }

    pub fn cut_after_events(events: usize, how: How) -> Self {
        Self { end: how, ..Self::mischief(Mischief { end_after: Some(events), ..Mischief::default() }) }
    }

    pub fn stall(after: usize) -> Self {
        Self { stall: Some(after), ..Self::CLEAN }
    }

    pub fn head(head: Head) -> Self {
        Self { head, ..Self::CLEAN }
    }

    pub fn status(status: u16) -> Self {
        Self::head(Head::Fake {
            status,
            content_type: Some("application/json"),
            retry_after: None,
            body: b"{}".to_vec(),
        })
    }

    pub fn status_retry_after(status: u16, retry_after: &'static str) -> Self {
        Self::head(Head::Fake { status, content_type: None, retry_after: Some(retry_after), body: Vec::new() })
    }

    /// A 200 with this body.
    pub fn body(content_type: &'static str, body: &[u8]) -> Self {
        let content_type = Some(content_type);
        Self::head(Head::Fake { status: 200, content_type, retry_after: None, body: body.to_vec() })
    }

    /// A 200 that is an event stream without an event.
    pub fn empty() -> Self {
        Self::body("text/event-stream", b"")
    }

    pub fn mischief(mischief: Mischief) -> Self {
        Self { mischief, ..Self::CLEAN }
    }

    pub fn chunks(self, chunks: Chunks) -> Self {
        Self { chunks, ..self }
    }

    /// Some trouble that a patient client can always get over: cuts, delays, duplicates and replays.
    pub fn random(rng: &mut Rng) -> Self {
        let chance = |rng: &mut Rng, in_ten: u64| rng.up_to(9) < in_ten;
        let how = if chance(rng, 5) { How::Fin } else { How::Rst };
        // Cuts early in the body, where ids, envelopes and the send's first event are, are as likely as late ones.
        let reach = [40, 200, 1_000, 8_000][rng.up_to(3) as usize];
        let mut plan = Self::CLEAN;
        match rng.up_to(9) {
            0 => plan.head = Head::Refused,
            1 => plan.head = Head::Lost,
            2 => plan = Self::status_retry_after(503, ["1", "2", "0"][rng.up_to(2) as usize]),
            3 => plan.stall = Some(rng.up_to(reach) as usize),
            _ => plan.cut = Some((rng.up_to(reach) as usize, how)),
        }
        plan.head_delay = if chance(rng, 3) { rng.up_to(3_000) } else { 0 };
        plan.chunks = [Chunks::AsSent, Chunks::Of(1 + rng.up_to(30) as usize), Chunks::Anywhere][rng.up_to(2) as usize];
        plan.mischief = Mischief {
            replay_seen: if chance(rng, 3) { rng.up_to(6) as usize } else { 0 },
            ignore_cursor: chance(rng, 1),
            duplicate_each: if chance(rng, 2) { 1 + rng.up_to(4) as usize } else { 0 },
            malformed_each: if chance(rng, 1) { 1 + rng.up_to(9) as usize } else { 0 },
            two_terminals: chance(rng, 2),
            no_terminal: chance(rng, 1),
            mute_after: None,
            end_after: chance(rng, 1).then(|| rng.up_to(5) as usize),
            no_heartbeats: chance(rng, 1),
            retry: chance(rng, 1).then(|| rng.up_to(2_000)),
        };
        plan
    }
}

/// What happens to one question (status, stop).
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The server's own, after the usual way.
    Served,
    /// No reply comes, ever. The server took the question.
    Never,
    /// The question fails on its way.
    Failed,
    /// Something before the server answers.
    Fake { status: u16, body: &'static str },
}

/// What happens at a time of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Incident {
    /// Every open connection breaks.
    Cut(How),
    /// The network goes, and comes back after `ms`. `told` says whether the page hears of it, `resets` whether open
    /// connections fail at once or only fall silent.
    Offline { ms: u64, told: bool, resets: bool },
    /// The network is back.
    Online { told: bool },
    /// The page's process sleeps for `ms`; bytes wait for it. `told` says whether it hears of that.
    Sleep { ms: u64, told: bool },
    /// The server starts anew. Connections are refused meanwhile.
    Restart { ms: u64, keeps_log: bool, keeps_workers: bool },
    /// The server is up again.
    Up,
    /// The server's event log breaks down, or comes back.
    Log(bool),
    /// The page reports this.
    Signal(Signal),
    /// The user presses Stop.
    Stop,
    /// The user presses Retry.
    Retry,
    /// The page stops watching.
    Close,
    /// A timer fires for no reason.
    Spurious,
}
