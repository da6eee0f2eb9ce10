//! What a client says: a message, a cursor, the answer to a permission request.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::reply::Refusal;

use super::form::Form;

/// The longest `user_answers`.
const MAX_ANSWERS: usize = 50_000;
/// The most envelopes in a page of stored ones.
const PAGE: usize = 5_000;

/// `POST chat/chat`.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) chat_id: String,
    pub(super) prompt: String,
    pub(super) request_id: Option<String>,
}

/// `GET …/stream`, `GET …/events`. Cursors are read leniently: what is no number is 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    after_seq: Option<String>,
    limit: Option<usize>,
    token: Option<String>,
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Form, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Form::read(content_type, body).map_err(Refusal::bad_request)
}

/// The chat that a message is for and the id of its request, however wrong the rest is.
pub(crate) fn ids_of_send(headers: &HeaderMap, body: &[u8]) -> [Option<String>; 2] {
    let form = form(headers, body).unwrap_or_default();
    ["chat_id", "request_id"].map(|name| form.text(name).map(str::to_owned))
}

/// The token of a stream's URL: an `EventSource` has no headers to put it in.
pub(crate) fn query_token(uri: &Uri) -> Option<String> {
    Query::of(uri).token
}

/// The cursor of a URL, as it is.
pub(crate) fn after_seq(uri: &Uri) -> Option<String> {
    Query::of(uri).after_seq
}

impl Send {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let form = form(headers, body)?;
        let need = |name: &str| match form.text(name) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Refusal::bad_request(format!("{name} is missing"))),
        };
        for name in ["worktree", "plan_mode", "fast_mode"] {
            if !matches!(form.text(name), None | Some("true" | "false")) {
                return Err(Refusal::bad_request(format!("{name} is neither true nor false")));
            }
        }
        let request_id = form.text("request_id").map(str::to_owned);
        if request_id.as_ref().is_some_and(|id| Uuid::try_parse(id).is_err()) {
            return Err(Refusal::bad_request("request_id is not a UUID"));
        }
        Ok(Self { chat_id: need("chat_id")?, prompt: need("prompt")?, request_id })
    }
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        axum::extract::Query::<Self>::try_from_uri(uri).map(|query| query.0).unwrap_or_default()
    }

    /// The greater of the query's cursor and the header's.
    pub(super) fn cursor(&self, headers: &HeaderMap) -> u64 {
        let number = |text: &str| text.parse().unwrap_or(0);
        let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        header.map_or(0, number).max(self.after())
    }

    /// The query's cursor.
    pub(super) fn after(&self) -> u64 {
        self.after_seq.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// How many stored envelopes are wanted at most.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, PAGE)
    }
}

/// Refuses an answer to a permission request that chooses nothing or whose `user_answers` are no object.
pub(super) fn check_answer(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let form = form(headers, body)?;
    if form.text("option_id").is_none() {
        return Err(Refusal::bad_request("option_id is missing"));
    }
    let Some(answers) = form.text("user_answers") else { return Ok(()) };
    if answers.chars().count() > MAX_ANSWERS {
        return Err(Refusal::bad_request("user_answers has more than 50000 characters"));
    }
    match serde_json::from_str::<Map<String, Value>>(answers) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::bad_request("user_answers is no JSON object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(query: &str, header: Option<&str>) -> u64 {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("last-event-id", value.parse().unwrap());
        }
        Query::of(&format!("/x?{query}").parse().unwrap()).cursor(&headers)
    }

    #[test]
    fn the_greater_cursor_counts_and_what_is_no_number_is_none() {
        assert_eq!(cursor("", None), 0);
        assert_eq!(cursor("after_seq=7", None), 7);
        assert_eq!(cursor("after_seq=7", Some("9")), 9);
        assert_eq!(cursor("after_seq=70", Some("9")), 70);
        for wrong in ["-3", "x", "1.5", "99999999999999999999999", ""] {
            assert_eq!(cursor(&format!("after_seq={wrong}"), None), 0, "{wrong}");
            assert_eq!(cursor(&format!("after_seq={wrong}"), Some("4")), 4, "{wrong}");
            assert_eq!(cursor("after_seq=4", Some(wrong)), 4, "{wrong}");
        }
    }
}
