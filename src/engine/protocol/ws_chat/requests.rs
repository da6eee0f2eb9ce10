//! The requests and frames of the `ws-chat` protocol (docs/ws-chat.md). Paths follow the base URL.

use alloc::string::String;

use crate::engine::request::{Request, push_encoded, push_json};

/// Where the WebSocket is.
pub const SOCKET: &str = "/ws/chat";

/// POST …/messages: a message, at most once for each request id.
pub fn send(session: &str, body: &str) -> Request {
    Request::post(&of_session(session, "/messages"), body.into())
}

/// The frame of a send: the same members as its POST.
pub fn send_frame(body: &str) -> String {
    let mut frame = String::from("{\"type\":\"send\"");
    let members = body.trim_ascii().strip_prefix('{').unwrap_or("}");
    if members.trim_ascii_start() != "}" {
        frame.push(',');
    }
    frame.push_str(members);
    frame
}

/// The frame that asks for the events of an answer after `after`.
pub fn resume_frame(session: &str, run: &str, after: Option<&str>) -> String {
    let mut frame = String::from("{\"type\":\"resume\",\"session_id\":");
    push_json(&mut frame, session);
    frame.push_str(",\"pending_message_id\":");
    push_json(&mut frame, run);
    frame.push_str(",\"after\":");
    frame.push_str(after.filter(|after| is_number(after)).unwrap_or("0"));
    frame.push('}');
    frame
}

/// The frame that says that nobody watches an answer here any more.
pub fn leave_frame(run: &str) -> String {
    let mut frame = String::from("{\"type\":\"leave\",\"pending_message_id\":");
    push_json(&mut frame, run);
    frame.push('}');
    frame
}

/// The frame that asks whether the other end lives.
pub const PING: &str = "{\"type\":\"ping\"}";

/// GET …/events: the same events as an SSE stream, strictly after the cursor.
pub fn events(session: &str, run: &str, cursor: Option<&str>) -> Request {
    let mut path = of_session(session, "/events?pending_message_id=");
    push_encoded(&mut path, run);
    if let Some(cursor) = cursor {
        path.push_str("&after=");
        push_encoded(&mut path, cursor);
    }
    Request { last_event_id: cursor.map(Into::into), ..Request::get(path) }
}

/// GET …/status: of an answer, of the answer to a send, or of the newest.
pub fn status(session: &str, run: Option<&str>, request_id: Option<&str>) -> Request {
    let mut path = of_session(session, "/status");
    let named = run.map(|run| ("?pending_message_id=", run)).or(request_id.map(|id| ("?request_id=", id)));
    if let Some((member, id)) = named {
        path.push_str(member);
        push_encoded(&mut path, id);
    }
    Request::get(path)
}

/// POST …/stop: ends what runs in the session.
pub fn stop(session: &str) -> Request {
    Request::post(&of_session(session, "/stop"), String::from("{}"))
}

fn of_session(session: &str, rest: &str) -> String {
    let mut path = String::from("/api/chat/sessions/");
    push_encoded(&mut path, session);
    path.push_str(rest);
    path
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_the_same_message_over_both_roads() {
        let body = r#"{"session_id":"s","request_id":"q","content":"Hi"}"#;
        assert_eq!(send_frame(body), r#"{"type":"send","session_id":"s","request_id":"q","content":"Hi"}"#);
        assert_eq!(send_frame("{}"), r#"{"type":"send"}"#);
        let post = send("s/1", body);
        assert_eq!((post.path.as_str(), post.body.as_str()), ("/api/chat/sessions/s%2F1/messages", body));
    }

    #[test]
    fn a_resume_names_the_cursor_as_a_number() {
        assert_eq!(
            resume_frame("s", "p\"", Some("12")),
            r#"{"type":"resume","session_id":"s","pending_message_id":"p\"","after":12}"#
        );
        assert!(resume_frame("s", "p", None).ends_with(r#""after":0}"#));
        assert!(resume_frame("s", "p", Some("1,\"x\":2")).ends_with(r#""after":0}"#));
        assert_eq!(leave_frame("p"), r#"{"type":"leave","pending_message_id":"p"}"#);
    }

    #[test]
    fn ids_stay_inside_their_places() {
        assert_eq!(events("s", "p&x", Some("7")).path, "/api/chat/sessions/s/events?pending_message_id=p%26x&after=7");
        assert_eq!(status("s", None, Some("q")).path, "/api/chat/sessions/s/status?request_id=q");
        assert_eq!(status("s", Some("p"), Some("q")).path, "/api/chat/sessions/s/status?pending_message_id=p");
        assert_eq!(status("s", None, None).path, "/api/chat/sessions/s/status");
        assert_eq!(stop("s").body, "{}");
    }
}
