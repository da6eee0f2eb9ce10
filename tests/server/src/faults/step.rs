//! One step of a script: what happens to one request. Members combine; an empty step is a normal request.
//!
//! Events are counted from 1 within one response; heartbeats and comments are not events. Bytes are those of the body.

use std::time::Duration;

use serde::Deserialize;

use crate::calm::calm;
use crate::net::Close;
use crate::sse::LineEnd;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Step {
    /// Only `"none"`: a normal request, said aloud.
    pub kind: Option<Kind>,
    /// The response ends before its time.
    pub cut: Option<Cut>,
    /// The response falls silent.
    pub stall: Option<StallAt>,
    /// The response comes in small pieces with pauses between them.
    pub drip: Option<Drip>,
    /// The response's headers come this late; the request has had its effect by then.
    pub delay_headers_ms: Option<u64>,
    /// Another status.
    pub status: Option<Status>,
    /// A redirect.
    pub redirect: Option<Redirect>,
    /// Another content type on an otherwise right response.
    pub content_type: Option<String>,
    /// 200 with an HTML error page.
    pub html_page: bool,
    /// 200 with the right content type, no byte, EOF.
    pub empty: bool,
    /// Pieces of this many bytes, each an HTTP chunk and a TCP segment of its own.
    pub split_every: Option<usize>,
    /// Splits at these offsets of the body.
    pub split_at: Vec<u64>,
    /// Pause after each piece, in ms: a browser reads pieces that arrive close together as one.
    pub split_gap_ms: Option<u64>,
    /// Each n-th event comes twice.
    pub duplicate: Option<u64>,
    /// Each n-th event changes places with the next.
    pub reorder: Option<u64>,
    /// Each n-th event is missing; the terminal one never.
    pub drop: Option<u64>,
    /// The log starts this many events before the cursor.
    pub replay_seen: Option<u64>,
    /// A broken event is put in.
    pub malformed: Option<Malformed>,
    /// An event whose members have the wrong types is put in.
    pub wrong_types: Option<At>,
    /// An event of unknown type and this size is put in.
    pub huge_frame: Option<Huge>,
    /// The terminal event comes twice.
    pub terminal_twice: bool,
    /// EOF where the terminal event should be.
    pub no_terminal: bool,
    /// EOF behind the terminal event, without the `[DONE]` that belongs there.
    pub no_done: bool,
    /// `[DONE]` without the terminal event that belongs before it.
    pub no_finish: bool,
    /// 200 with plain text (B-RES-2).
    pub unknown_run: bool,
    /// 200 with the `error` event for a run that is not there (B-ES-12).
    pub run_not_found: bool,
    /// 200 with the `error` event for a log that cannot be read (B-ES-12).
    pub log_unavailable: bool,
    /// 200 with the `error` event for an index of active runs that cannot be read (B-AR-10).
    pub index_unavailable: bool,
    /// 200, `: stream-open`, EOF (B-ES-12).
    pub silent_close: bool,
    /// The log starts at its beginning whatever the cursor.
    pub ignore_cursor: bool,
    /// The line end.
    pub crlf: LineEnd,
    /// The stream starts with a BOM (P-2).
    pub bom: bool,
    /// The stream starts with a `retry:` line, in ms.
    pub retry: Option<u64>,
    /// This many live events fall between a snapshot and what follows it (B-RES-4).
    pub lose_after_snapshot: Option<u64>,
    /// `resume` behaves like a node that does not own the run and polls every so many ms (B-RES-3).
    pub remote_node: Option<u64>,
    /// What a proxy does that collects responses: headers at once, the whole body when it is complete.
    pub buffer: Option<Buffer>,
    /// No answer, ever; the request has no effect.
    pub blackhole: bool,
    /// 101 with a proof that is not the key's.
    pub wrong_upgrade: bool,
    /// The socket is closed with a close frame.
    pub close: Option<CloseAt>,
    /// No pongs.
    pub ignore_pings: bool,
    /// A binary frame is put in.
    pub binary_frame: Option<At>,
    /// Frames in fragments of this many bytes.
    pub fragment: Option<usize>,
    /// What a plain server says (docs/ws-chat.md).
    pub plain: bool,
    /// Every send on the socket is refused.
    pub refuse_send: Option<RefuseSend>,
    /// So many chunks of a batch are written, and then it fails.
    pub write_fails_after: Option<usize>,
    /// The background producer loses its stream: what is written is appended directly, and the finish tells (S-HLT-1).
    pub producer_error: bool,
    /// The flush of a finish hangs, and is given up after so many ms (S-FLUSH-1).
    pub hung_flush_ms: Option<u64>,
}

/// See [`Step::buffer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {}

/// See [`Step::close`]. Without a place right after the upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CloseAt {
    /// After this many events.
    pub after_events: Option<u64>,
    /// This long after the upgrade.
    pub after_ms: Option<u64>,
    /// As soon as a send has had its effect, without `accepted`.
    pub after_send: bool,
    /// Right behind an `accepted`.
    pub after_accepted: bool,
    /// The code; without it the frame is empty.
    pub code: Option<u16>,
    /// The reason.
    pub reason: String,
}

/// See [`Step::refuse_send`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefuseSend {
    /// The frame's `code`.
    pub code: String,
    /// Its `message`.
    #[serde(default)]
    pub message: String,
}

/// See [`Step::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing goes wrong.
    None,
}

/// The least pause between the last byte and the end of a connection.
const LINGER: Duration = Duration::from_millis(20);

/// See [`Step::cut`]. Without a place the response is cut right after its headers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cut {
    /// After exactly this many bytes.
    pub after_bytes: Option<u64>,
    /// After this many events.
    pub after_events: Option<u64>,
    /// With `after_events`: this many bytes into the frame behind them.
    #[serde(default)]
    pub into: u64,
    /// On a socket: as soon as a send has had its effect, without `accepted`.
    #[serde(default)]
    pub after_send: bool,
    /// On a socket: right behind an `accepted`.
    #[serde(default)]
    pub after_accepted: bool,
    /// Before the headers: the request has had its effect, and nobody hears of it.
    #[serde(default)]
    pub before_headers: bool,
    /// Which end.
    pub how: Close,
    /// Pause between the last byte and a `drop` or `rst`, in ms: a browser that learns of both at once throws the bytes
    /// away. 0 lets them race; without it the pause is as long as a reader needs, see [`Cut::linger`].
    pub linger_ms: Option<u64>,
}

impl Cut {
    /// Waits between the last byte and the end. By default 20 ms, and on until the machine has caught up with what was
    /// written: on a busy one no number of milliseconds is enough.
    pub async fn linger(&self) {
        match self.linger_ms {
            Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            None => {
                tokio::time::sleep(LINGER).await;
                calm().await;
            }
        }
    }
}

/// See [`Step::stall`]. Without a place the response is silent from its headers on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StallAt {
    /// After this many bytes; with heartbeats at the end of the frame that holds that byte.
    pub after_bytes: Option<u64>,
    /// After this many events.
    pub after_events: Option<u64>,
    /// Whether heartbeats go on.
    pub heartbeats: bool,
    /// How long, in ms; without it until the client goes.
    pub ms: Option<u64>,
}

/// See [`Step::drip`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drip {
    /// Size of a piece.
    pub bytes: usize,
    /// Pause after each, in ms.
    pub every_ms: u64,
}

/// See [`Step::status`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// The status.
    pub code: u16,
    /// The value of `Retry-After`: seconds, or a date as text.
    pub retry_after: Option<RetryAfter>,
    /// The body; by default `{"error": …}`.
    pub body: Option<String>,
    /// Its content type; by default `application/json`.
    pub content_type: Option<String>,
    /// Whether the request has its effect first, as behind a gateway that loses the answer.
    #[serde(default)]
    pub after_effect: bool,
}

/// A number of seconds, or text as it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum RetryAfter {
    /// Seconds.
    Seconds(u64),
    /// A date, or anything that a broken server might send.
    Text(String),
}

/// See [`Step::redirect`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redirect {
    /// The `Location`.
    pub to: String,
    /// The status; by default 307.
    pub code: Option<u16>,
}

/// See [`Step::malformed`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Malformed {
    /// Before this event.
    pub at: u64,
    /// The data; by default JSON that breaks off.
    pub data: Option<String>,
    /// The event's name; by default `content`.
    pub event: Option<String>,
}

/// See [`Step::wrong_types`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct At {
    /// Before this event.
    pub at: u64,
}

/// See [`Step::huge_frame`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Huge {
    /// Before this event.
    pub at: u64,
    /// Size of its data, at least.
    pub bytes: usize,
}

impl Step {
    /// True if single frames or bytes have to be handled one by one; otherwise what is ready may go out together.
    pub fn is_fine_grained(&self) -> bool {
        self.cut.is_some()
            || self.stall.is_some()
            || self.drip.is_some()
            || self.split_every.is_some()
            || !self.split_at.is_empty()
    }

    /// The same without what a client without a cursor cannot notice: events doubled, swapped or missing.
    pub(super) fn in_order(self) -> Self {
        Self { duplicate: None, reorder: None, drop: None, ..self }
    }

    /// Where a log whose positions are its cursors is read from by a client that has everything up to `after`.
    pub fn position(&self, after: u64) -> u64 {
        if self.ignore_cursor { 0 } else { after.saturating_sub(self.replay_seen.unwrap_or(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_fault_is_refused_rather_than_ignored() {
        assert!(serde_json::from_str::<Step>("{\"stal\":{}}").is_err());
        assert!(serde_json::from_str::<Step>("{\"kind\":\"some\"}").is_err());
        let step: Step = serde_json::from_str("{\"kind\":\"none\"}").unwrap();
        assert!(!step.is_fine_grained());
    }

    #[test]
    fn members_combine() {
        let step: Step = serde_json::from_str(
            "{\"cut\":{\"afterBytes\":9,\"how\":\"rst\"},\"splitEvery\":1,\"status\":{\"code\":503,\"retryAfter\":2}}",
        )
        .unwrap();
        let cut = step.cut.unwrap();
        assert_eq!((cut.after_bytes, cut.after_events, cut.how, cut.linger_ms), (Some(9), None, Close::Rst, None));
        assert_eq!(step.status.unwrap().retry_after, Some(RetryAfter::Seconds(2)));
    }
}
