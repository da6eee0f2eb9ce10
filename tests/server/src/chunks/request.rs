//! What a client says: a message, an offset.

use axum::http::Uri;
use serde::Deserialize;

/// `POST …/messages`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Send {
    pub(super) message_id: Option<String>,
    pub(super) content: Option<String>,
}

/// `GET stream/…`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) offset: Option<String>,
    pub(super) live: Option<String>,
}

/// The id of the message in a body, however wrong the rest is.
pub(crate) fn message_id(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Send>(body).ok()?.message_id
}

/// The offset of a URL, as it is.
pub(crate) fn offset(uri: &Uri) -> Option<String> {
    Query::of(uri).offset
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        axum::extract::Query::<Self>::try_from_uri(uri).map(|query| query.0).unwrap_or_default()
    }

    /// How many rows lie before the offset; `None` for what is no offset of ours.
    pub(super) fn rows(&self) -> Option<u64> {
        match self.offset.as_deref() {
            None | Some("-1") => Some(0),
            Some(offset) => offset.strip_prefix(OFFSET)?.parse().ok(),
        }
    }
}

const OFFSET: &str = "0_";

/// The offset behind so many rows.
pub(super) fn offset_behind(rows: u64) -> String {
    // As many digits in all: offsets are in the order of their text.
    format!("{OFFSET}{rows:012}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(query: &str) -> Option<u64> {
        Query::of(&format!("/x?{query}").parse().unwrap()).rows()
    }

    #[test]
    fn an_offset_is_what_was_told_or_nothing() {
        assert_eq!(rows(&format!("live=sse&offset={}", offset_behind(40))), Some(40));
        assert_eq!((rows("offset=-1"), rows("")), (Some(0), Some(0)));
        for wrong in ["40", "0_x", "now", "0_-1", "-2"] {
            assert_eq!(rows(&format!("offset={wrong}")), None, "{wrong}");
        }
        assert!(offset_behind(9) < offset_behind(10));
    }
}
