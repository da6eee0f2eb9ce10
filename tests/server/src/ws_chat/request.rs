//! What a client says: frames of the socket, bodies and queries of REST.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// A frame of the client. Unknown members mean nothing; unknown types neither.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClientFrame {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) token: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) content: Option<String>,
    pub(super) pending_message_id: Option<String>,
    pub(super) after: u64,
    pub(super) id: Value,
}

/// `POST …/messages`.
#[derive(Debug, Deserialize)]
pub(super) struct PostBody {
    pub(super) content: String,
    pub(super) request_id: Option<String>,
}

/// `GET …/status` and `GET …/events`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    pub(super) request_id: Option<String>,
    pub(super) pending_message_id: Option<String>,
    pub(super) after: u64,
}

/// Pages of messages and of sessions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub(super) limit: Option<usize>,
    pub(super) before: Option<String>,
    pub(super) offset: usize,
}

impl Page {
    /// 50 unless the client says otherwise, at most 1,000.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(50).clamp(1, 1_000)
    }
}

/// A request id is the client's UUID; another would make deduplication a matter of luck.
pub(super) fn is_request_id(id: &str) -> bool {
    Uuid::try_parse(id).is_ok()
}
