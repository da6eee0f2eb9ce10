//! The requests of the `envelope` protocol (2.1). Paths follow the base URL, which ends in the API's prefix.

use alloc::string::String;

use crate::engine::request::{Method, Request, push_encoded};

/// POST chat/chat: sends a message; the reply names it.
pub fn send(body: &str) -> Request {
    Request { method: Method::Form, ..Request::post("/chat/chat", body.into()) }
}

/// GET …/stream: the envelopes of the chat after the cursor.
pub fn events(chat: &str, cursor: Option<&str>) -> Request {
    let path = of("chats", chat, "/stream", cursor.or(Some("0")));
    Request { last_event_id: cursor.map(Into::into), ..Request::get(path) }
}

/// GET …/events: what is stored of a message after the cursor, a page of it.
pub fn stored(message: &str, cursor: Option<&str>) -> Request {
    let mut path = of("messages", message, "/events", cursor.or(Some("0")));
    path.push_str("&limit=500");
    Request::get(path)
}

/// GET …/status: which message is being made.
pub fn status(chat: &str) -> Request {
    Request::get(of("chats", chat, "/status", None))
}

/// DELETE …/stream: cancels it.
pub fn stop(chat: &str) -> Request {
    Request { method: Method::Delete, ..Request::get(of("chats", chat, "/stream", None)) }
}

#[inline(never)]
fn of(kind: &str, id: &str, what: &str, after: Option<&str>) -> String {
    let mut path = String::from("/chat/");
    path.push_str(kind);
    path.push('/');
    push_encoded(&mut path, id);
    path.push_str(what);
    if let Some(after) = after {
        path.push_str("?after_seq=");
        push_encoded(&mut path, after);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_a_number_that_is_never_left_out() {
        assert_eq!(events("c/1", None).path, "/chat/chats/c%2F1/stream?after_seq=0");
        let resumed = events("c", Some("41"));
        assert_eq!(
            (resumed.path.as_str(), resumed.last_event_id.as_deref()),
            ("/chat/chats/c/stream?after_seq=41", Some("41"))
        );
        assert_eq!(stored("m/1", Some("41")).path, "/chat/messages/m%2F1/events?after_seq=41&limit=500");
        assert_eq!((stop("c").method, stop("c").path.as_str()), (Method::Delete, "/chat/chats/c/stream"));
    }
}
