//! Server-sent events on their way out: frames before they are bytes, so that faults can handle them one by one.

use std::borrow::Cow;
use std::fmt::{self, Display};

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize, Serializer};

/// An event's place in the log: unix milliseconds, and a count within them. Ordered as a pair (B-ES-14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    /// Unix milliseconds.
    pub ms: u64,
    /// The count within the millisecond.
    pub seq: u64,
}

impl EventId {
    /// Reads `ms-seq`; anything else is no id of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, seq) = text.split_once('-')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(ms) || !digits(seq) {
            return None;
        }
        Some(Self { ms: ms.parse().ok()?, seq: seq.parse().ok()? })
    }
}

impl Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An event's id on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// A place in the log.
    Stamp(EventId),
    /// A number, from 1.
    Seq(u64),
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stamp(id) => id.fmt(f),
            Self::Seq(seq) => seq.fmt(f),
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `id:` line, if it has one. Live streams have none.
    pub id: Option<Id>,
    /// The `event:` line, unless it is empty.
    pub name: Cow<'static, str>,
    /// The data; line feeds in it become lines of their own (P-3).
    pub data: Bytes,
    /// The run ends with this event.
    pub terminal: bool,
}

/// What a feed gives to the pump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A comment line that says something once, like `: stream-open`.
    Comment(&'static str),
    /// A sign of life: a comment or a ping event. Not counted as an event by any fault.
    Beat(Beat),
    /// An event of the run.
    Event(Event),
    /// An event about the stream rather than of the run. Not counted as an event by any fault.
    Aside(Event),
    /// Data that is no event of the run, like `[DONE]`.
    Mark(&'static str),
    /// A `retry:` line, in ms (P-7).
    Retry(u64),
    /// Bytes as they are, framed or not.
    Raw(Bytes),
}

/// The two shapes of a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// `: ping`, as the event log's stream sends it.
    Comment,
    /// `event: ping` with its time in unix ms, as live streams send it.
    Event(u64),
}

/// The line end that a stream uses (P-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// `\n`
    #[default]
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r`
    Cr,
}

impl LineEnd {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
        }
    }
}

impl Frame {
    /// True for an event of the run, which faults count.
    pub fn is_event(&self) -> bool {
        matches!(self, Self::Event(_))
    }

    /// Writes the frame with its closing blank line.
    pub fn encode(&self, end: LineEnd, out: &mut BytesMut) {
        match self {
            Self::Comment(text) => {
                line(out, b": ", text.as_bytes(), end);
                out.put_slice(end.bytes());
            }
            Self::Beat(Beat::Comment) => Self::Comment("ping").encode(end, out),
            Self::Beat(Beat::Event(now)) => {
                line(out, b"event: ", b"ping", end);
                line(out, b"data: ", format!("{{\"type\":\"ping\",\"timestamp\":{now}}}").as_bytes(), end);
                out.put_slice(end.bytes());
            }
            Self::Event(event) | Self::Aside(event) => {
                if let Some(id) = event.id {
                    line(out, b"id: ", id.to_string().as_bytes(), end);
                }
                if !event.name.is_empty() {
                    line(out, b"event: ", event.name.as_bytes(), end);
                }
                for part in event.data.split(|&byte| byte == b'\n') {
                    line(out, b"data: ", part, end);
                }
                out.put_slice(end.bytes());
            }
            Self::Mark(text) => {
                line(out, b"data: ", text.as_bytes(), end);
                out.put_slice(end.bytes());
            }
            Self::Retry(ms) => {
                line(out, b"retry: ", ms.to_string().as_bytes(), end);
                out.put_slice(end.bytes());
            }
            Self::Raw(bytes) => out.put_slice(bytes),
        }
    }
}

fn line(out: &mut BytesMut, field: &[u8], value: &[u8], end: LineEnd) {
    out.put_slice(field);
    out.put_slice(value);
    out.put_slice(end.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: &Frame, end: LineEnd) -> String {
        let mut out = BytesMut::new();
        frame.encode(end, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn event(data: &'static str) -> Frame {
        Frame::Event(Event {
            id: Some(Id::Stamp(EventId { ms: 17, seq: 2 })),
            name: "content".into(),
            data: Bytes::from_static(data.as_bytes()),
            terminal: false,
        })
    }

    #[test]
    fn a_frame_ends_with_a_blank_line_in_each_line_end() {
        assert_eq!(text(&event("{}"), LineEnd::Lf), "id: 17-2\nevent: content\ndata: {}\n\n");
        assert_eq!(text(&event("{}"), LineEnd::CrLf), "id: 17-2\r\nevent: content\r\ndata: {}\r\n\r\n");
        assert_eq!(text(&event("{}"), LineEnd::Cr), "id: 17-2\revent: content\rdata: {}\r\r");
        assert_eq!(text(&Frame::Comment("stream-open"), LineEnd::Lf), ": stream-open\n\n");
        assert_eq!(text(&Frame::Mark("[DONE]"), LineEnd::Lf), "data: [DONE]\n\n");
        assert_eq!(text(&Frame::Beat(Beat::Comment), LineEnd::Lf), ": ping\n\n");
        assert_eq!(
            text(&Frame::Beat(Beat::Event(5)), LineEnd::Lf),
            "event: ping\ndata: {\"type\":\"ping\",\"timestamp\":5}\n\n"
        );
    }

    #[test]
    fn data_with_line_feeds_becomes_several_data_lines() {
        assert_eq!(text(&event("a\nb"), LineEnd::Lf), "id: 17-2\nevent: content\ndata: a\ndata: b\n\n");
    }

    #[test]
    fn ids_compare_as_pairs_of_numbers() {
        let id = |text| EventId::parse(text).unwrap();
        assert!(id("9-10") < id("10-2"));
        assert!(id("10-9") < id("10-10"));
        assert_eq!(id("12-3").to_string(), "12-3");
        for wrong in ["", "12", "12-", "-3", "+1-2", "1-2-3", "a-1", "99999999999999999999-0"] {
            assert_eq!(EventId::parse(wrong), None, "{wrong}");
        }
    }
}
