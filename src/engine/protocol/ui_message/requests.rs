//! The requests of a UI message stream (4.4). Paths follow the stream endpoint, which is the API's own URL.

use alloc::string::String;

use crate::engine::request::{Request, push_encoded};

/// POST: sends a message; the answer streams in the response.
pub fn send(body: &str) -> Request {
    Request::post("", body.into())
}

/// GET: what runs in the session, from its beginning, or after the cursor where a server gives ids. 204 where nothing runs.
pub fn events(session: &str, cursor: Option<&str>) -> Request {
    let mut path = of_session(session, "/stream");
    if let Some(cursor) = cursor {
        path.push_str("?lastEventId=");
        push_encoded(&mut path, cursor);
    }
    Request { last_event_id: cursor.map(Into::into), ..Request::get(path) }
}

/// POST: stops what runs in the session, where the server knows how.
pub fn stop(session: &str) -> Request {
    Request::post(&of_session(session, "/stop"), "{}".into())
}

fn of_session(session: &str, what: &str) -> String {
    let mut path = String::from("/");
    push_encoded(&mut path, session);
    path.push_str(what);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_one_segment_of_the_path() {
        assert_eq!(events("a/b", None).path, "/a%2Fb/stream");
        let resumed = events("s", Some("4 2"));
        assert_eq!(
            (resumed.path.as_str(), resumed.last_event_id.as_deref()),
            ("/s/stream?lastEventId=4%202", Some("4 2"))
        );
        assert_eq!(stop("s").path, "/s/stop");
    }
}
