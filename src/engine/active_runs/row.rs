//! One row of the feed: what it says of one session (B-AR-1).

use alloc::borrow::Cow;

use crate::engine::json::{JsonStr, Members, Value};

/// The longest id that is taken, in bytes: nobody's is longer, and what is longer is nobody's.
pub const LONGEST_ID: usize = 512;

/// Where a run of the feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Streaming,
    /// The server finished it.
    Completed,
    /// Somebody cancelled it.
    Cancelled,
    /// It failed.
    Failed,
}

impl RunStatus {
    /// All, by the numbers that the page knows them by.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Streaming, Self::Completed, Self::Cancelled, Self::Failed];

    /// The name on the wire, and the public one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Streaming => "streaming",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether the run is over.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }

    /// How far along it is: within one millisecond a run only goes forward.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Streaming => 1,
            Self::Completed | Self::Cancelled | Self::Failed => 2,
        }
    }

    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().as_bytes() == name)
    }
}

/// One row. The ids are UTF-8 and not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Whose run it is.
    pub session: Cow<'a, [u8]>,
    /// The run.
    pub run: Cow<'a, [u8]>,
    /// Where it stands.
    pub status: RunStatus,
    /// Since when, in unix ms by the server's clock.
    pub at: u64,
}

/// Reads a row from an event's data, which is UTF-8; `None` if it is none.
pub fn read(data: &[u8]) -> Option<Row<'_>> {
    let mut members = Members::open(data).ok()?;
    let (mut session, mut run, mut status, mut at) = (None, None, None, None);
    while let Some((key, value)) = members.next().ok()? {
        // Its length tells a name from all the others of ours, and most servers write them as they are.
        match (&*key.plain(), value) {
            (b"sessionId", Value::String(id)) => session = Some(id),
            (b"runId", Value::String(id)) => run = Some(id),
            (b"status", Value::String(name)) => status = RunStatus::named(&name.plain()),
            (b"updatedAt", value) => at = value.as_u64(),
            // What stood there before does not count either: a name that comes twice means its last value.
            (b"sessionId", _) => session = None,
            (b"runId", _) => run = None,
            (b"status", _) => status = None,
            _ => {}
        }
    }
    Some(Row { session: id(session?)?, run: id(run?)?, status: status?, at: at? })
}

fn id(text: JsonStr<'_>) -> Option<Cow<'_, [u8]>> {
    // Escaped it may be six times as long as what it says.
    if text.raw().len() > LONGEST_ID * 6 {
        return None;
    }
    let id = text.plain();
    (!id.is_empty() && id.len() <= LONGEST_ID).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_in_any_shape() {
        let plain = br#"{"sessionId":"s1","runId":"r1","status":"streaming","updatedAt":1712345678001}"#;
        let row = read(plain).unwrap();
        assert_eq!(
            (&*row.session, &*row.run, row.status, row.at),
            (&b"s1"[..], &b"r1"[..], RunStatus::Streaming, 1_712_345_678_001)
        );
        for same in [
            r#" { "updatedAt" : 1712345678001 , "status":"streaming","runId":"r1","more":{"sessionId":"x"},"sessionId":"s1" } "#,
            r#"{"sessionId":"s1","runId":"r1","status":"streaming","updatedAt":1.712345678001e12}"#,
            "{\"session\\u0049d\":\"\\u0073\\u0031\",\"runId\":\"r1\",\"status\":\"stream\\u0069ng\",\"updatedAt\":1712345678001}",
            r#"{"sessionId":"s0","sessionId":"s1","runId":"r1","status":"queued","status":"streaming","updatedAt":1,"updatedAt":1712345678001}"#,
        ] {
            assert_eq!(read(same.as_bytes()).unwrap(), row, "{same}");
        }
    }

    #[test]
    fn what_is_no_row_is_none() {
        let long = "x".repeat(LONGEST_ID + 1);
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"streaming\"}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"paused\",\"updatedAt\":1}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":null,\"updatedAt\":1}",
            "{\"sessionId\":7,\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"runId\":null,\"status\":\"queued\",\"updatedAt\":1}",
            "{\"sessionId\":\"\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}",
            "{\"sessionId\":\"s\",\"runId\":\"\",\"status\":\"queued\",\"updatedAt\":1}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":-1}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":\"1\"}",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1",
            "{\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}{}",
            &std::format!("{{\"sessionId\":\"{long}\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}}"),
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn an_id_is_as_long_as_what_it_says() {
        let long = "\\u0078".repeat(LONGEST_ID);
        let row = std::format!("{{\"sessionId\":\"{long}\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}}");
        assert_eq!(read(row.as_bytes()).unwrap().session.len(), LONGEST_ID);
    }
}
