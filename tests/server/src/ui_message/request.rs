//! What a client says: the body of a message, the id of its request, its cursor.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::reply::Refusal;

/// `POST /api/chat`. Whatever else an app adds to the body means nothing here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendBody {
    /// The chat's id, any text.
    pub(super) id: String,
    messages: Option<Vec<Value>>,
    /// The last one alone, where the server keeps the others.
    message: Option<Value>,
    #[expect(dead_code, reason = "read for its type: a wrong one is refused")]
    trigger: Option<Trigger>,
    pub(super) request_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Trigger {
    SubmitMessage,
    RegenerateMessage,
}

/// `GET …/stream`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Query {
    last_event_id: Option<String>,
}

impl SendBody {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let body: Self = serde_json::from_slice(body).map_err(Refusal::bad_request)?;
        if body.id.is_empty() {
            return Err(Refusal::bad_request("id is empty"));
        }
        if body.message.is_none() && body.messages.is_none() {
            return Err(Refusal::bad_request("messages is missing"));
        }
        Ok(body)
    }
}

/// The id that deduplicates a request: the header's, else the body's.
pub(super) fn key(headers: &HeaderMap, body: Option<String>) -> Result<Option<String>, Refusal> {
    let header = header_key(headers);
    let Some(key) = header.or(body) else { return Ok(None) };
    match Uuid::try_parse(&key) {
        Ok(_) => Ok(Some(key)),
        Err(_) => Err(Refusal::bad_request("the request's id is not a UUID")),
    }
}

/// `Idempotency-Key`, with or without quotes.
pub(crate) fn header_key(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("idempotency-key")?;
    Some(String::from_utf8_lossy(text.as_bytes()).trim_matches('"').to_owned())
}

/// How many chunks the client has, by the header, else the query; what is no number is none.
pub(super) fn cursor(headers: &HeaderMap, query: &Query) -> Option<u64> {
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    header.or(query.last_event_id.as_deref())?.parse().ok()
}
