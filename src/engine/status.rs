//! Where a run stands, and who brought its end about.

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing of the run came yet.
    Pending,
    /// Events come, or will.
    Streaming,
    /// The run waits for the user's answer.
    Waiting,
    /// The server finished it.
    Completed,
    /// The user or the server cancelled it.
    Cancelled,
    /// It failed at the server, or the server refused it.
    Failed,
    /// We lost it; `retry` goes on.
    Interrupted,
}

impl Status {
    /// Whether this is one of the four ends.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed | Self::Interrupted)
    }

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Streaming => "streaming",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Who brought the end about: three ends that look alike and are not (PROTOCOLS 6.1, 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The server's word.
    Server,
    /// The user's or the caller's.
    User,
    /// A limit of ours ran out.
    Limit,
}

impl By {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::User => "user",
            Self::Limit => "limit",
        }
    }
}
