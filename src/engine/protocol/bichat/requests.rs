//! The requests of the `bichat` protocol (PROTOCOLS 1.1). Paths follow the stream endpoint.

use alloc::string::String;

use crate::engine::request::{Request, push_encoded, push_json};

/// POST /stream: starts a run, or finds the live one of the same request id (B-SEND-3).
pub fn send(body: &str) -> Request {
    Request::post("", body.into())
}

/// GET /stream/events: the exact log, strictly after the cursor (B-ES-13). The cursor goes into the header, which servers
/// read, and into the query, which the protocol's own client writes and a browser's `EventSource` cannot do without.
pub fn events(session: &str, run: &str, cursor: Option<&str>) -> Request {
    let mut path = of_session("/events", session);
    path.push_str("&runId=");
    push_encoded(&mut path, run);
    if let Some(cursor) = cursor {
        path.push_str("&lastEventId=");
        push_encoded(&mut path, cursor);
    }
    Request { last_event_id: cursor.map(Into::into), ..Request::get(path) }
}

/// GET /stream/status: is a run of this session active?
pub fn status(session: &str) -> Request {
    Request::get(of_session("/status", session))
}

/// POST /stream/resume: a snapshot of the live run, then its events; inexact (B-RES-4), for when there is no log.
pub fn resume(session: &str, run: &str) -> Request {
    let mut body = String::from("{\"sessionId\":");
    push_json(&mut body, session);
    body.push_str(",\"runId\":");
    push_json(&mut body, run);
    body.push('}');
    Request::post("/resume", body)
}

/// POST /stream/stop: cancels whatever runs in the session.
pub fn stop(session: &str) -> Request {
    let mut body = String::from("{\"sessionId\":");
    push_json(&mut body, session);
    body.push('}');
    Request::post("/stop", body)
}

/// GET /stream/active-runs: the runs of all sessions, and then what becomes of them (1.8).
pub fn active_runs() -> Request {
    Request::get("/active-runs".into())
}

fn of_session(path: &str, session: &str) -> String {
    let mut path = String::from(path);
    path.push_str("?sessionId=");
    push_encoded(&mut path, session);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_goes_into_header_and_query() {
        let request = events("s 1", "r", Some("17-0"));
        assert_eq!(request.path, "/events?sessionId=s%201&runId=r&lastEventId=17-0");
        assert_eq!(request.last_event_id.as_deref(), Some("17-0"));
        assert_eq!(events("s", "r", None).path, "/events?sessionId=s&runId=r");
    }

    #[test]
    fn an_id_with_a_quote_stays_inside_its_json_string() {
        assert_eq!(stop("a\"b\\").body, r#"{"sessionId":"a\"b\\"}"#);
        assert_eq!(resume("s", "r").body, r#"{"sessionId":"s","runId":"r"}"#);
    }
}
