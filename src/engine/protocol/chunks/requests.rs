//! The requests of the `chunks` protocol (3.1). Paths follow the base URL, which ends in the API's prefix.

use alloc::string::String;

use super::BEGINNING;
use crate::engine::{
    protocol::Clear,
    request::{Method, Request, push_encoded},
};

/// POST …/messages: sends a message under an id of ours, so that to repeat it changes nothing.
pub fn send(session: &str, body: &str) -> Request {
    Request::post(&of_session(session, "/messages"), body.into())
}

/// GET stream/sessions/…: the rows behind an offset, and those to come. `echo` is what the server wanted to be told again.
pub fn events(session: &str, offset: Option<&str>, echo: &str) -> Request {
    let mut path = String::from("/stream/sessions/");
    push_encoded(&mut path, session);
    // By name, as caches like them.
    let mut lead = "?";
    let rows = offset.unwrap_or(BEGINNING);
    for (name, value) in [("cursor=", echo), ("live=", "sse"), ("offset=", rows)] {
        if !value.is_empty() {
            path.push_str(core::mem::replace(&mut lead, "&"));
            path.push_str(name);
            push_encoded(&mut path, value);
        }
    }
    Request::get(path)
}

/// GET …: the session, and which message is being made.
pub fn status(session: &str) -> Request {
    Request::get(of_session(session, ""))
}

/// PUT …: the session is there from now on (S-RQ-5).
pub fn create(session: &str) -> Request {
    Request { method: Method::Put, ..status(session) }
}

/// POST …/stop: whatever is being made.
pub fn stop(session: &str) -> Request {
    Request::post(&of_session(session, "/stop"), "{\"messageId\":null}".into())
}

/// POST …/reset: all of its messages go. DELETE …: it goes itself.
pub fn clear(session: &str, clear: Clear) -> Request {
    match clear {
        Clear::Reset { presence: false } => Request::post(&of_session(session, "/reset"), "{}".into()),
        Clear::Reset { presence: true } => {
            Request::post(&of_session(session, "/reset"), "{\"clearPresence\":true}".into())
        }
        Clear::Delete => Request { method: Method::Delete, ..status(session) },
    }
}

fn of_session(session: &str, what: &str) -> String {
    let mut path = String::from("/sessions/");
    push_encoded(&mut path, session);
    path.push_str(what);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_from_its_beginning_or_behind_an_offset() {
        assert_eq!(events("a/1", None, "").path, "/stream/sessions/a%2F1?live=sse&offset=-1");
        assert_eq!(events("s", Some("7_40"), "12").path, "/stream/sessions/s?cursor=12&live=sse&offset=7_40");
        assert_eq!((create("s").method, create("s").path.as_str()), (Method::Put, "/sessions/s"));
        assert_eq!((stop("s").path.as_str(), stop("s").body.as_str()), ("/sessions/s/stop", "{\"messageId\":null}"));
        let reset = |presence| clear("s", Clear::Reset { presence });
        assert_eq!((reset(false).path.as_str(), reset(false).body.as_str()), ("/sessions/s/reset", "{}"));
        assert_eq!(reset(true).body, "{\"clearPresence\":true}");
        let delete = clear("s", Clear::Delete);
        assert_eq!((delete.method, delete.path.as_str()), (Method::Delete, "/sessions/s"));
    }
}
