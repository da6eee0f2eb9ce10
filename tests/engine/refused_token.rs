//! FIELD 1.1 D in `ws-chat`: who is not known is asked for a fresh token once, and told after that.

use crate::support::*;

#[test]
fn a_send_is_repeated_once_with_headers_asked_anew_and_then_fails() {
    let mut chat = Chat::send(&[Transport::WebSocket, Transport::Fetch]);
    chat.accept();
    chat.close(4401);
    assert!(chat.task("reply").is_none(), "a message that nobody listened to needs no question");
    chat.accept();
    assert_eq!(chat.frames.len(), 2);
    chat.close(4401);
    let (status, error) = (&chat.page.state["status"], &chat.page.state["error"]);
    assert_eq!((status, &error["code"], &error["status"]), (&"failed".into(), &"unauthorized".into(), &401.into()));
    assert!(chat.open.is_empty(), "{:?}", chat.open);
}

#[test]
fn a_status_that_is_refused_ends_what_it_was_asked_for() {
    for (status, code, asked) in [(401, "unauthorized", 2), (403, "http-status", 1)] {
        let mut chat = Chat::send(&[Transport::WebSocket]);
        chat.accept();
        chat.close(1006);
        for _ in 0..asked {
            chat.refuse(status);
        }
        let (outcome, error) = (&chat.page.state["status"], &chat.page.state["error"]);
        assert_eq!((outcome, &error["code"], &error["status"]), (&"interrupted".into(), &code.into(), &status.into()));
        assert!(chat.open.is_empty(), "{:?}", chat.open);
    }
}

#[test]
fn a_post_that_is_refused_was_not_taken() {
    for (status, code, posts) in [(401, "unauthorized", 2), (403, "http-status", 1)] {
        let mut chat = Chat::send(&[Transport::Fetch]);
        for _ in 0..posts {
            assert_eq!(chat.open[0]["path"], "/api/chat/sessions/s/messages");
            chat.refuse(status);
        }
        let (outcome, error) = (&chat.page.state["status"], &chat.page.state["error"]);
        assert_eq!((outcome, &error["code"], &error["status"]), (&"failed".into(), &code.into(), &status.into()));
        assert!(chat.open.is_empty(), "{:?}", chat.open);
    }
}
