//! 6.1-2: half a reply says nothing, and nothing against the server: what the whole one would have said is asked for.

use crate::support::*;

const TAKEN: &str = r#"{"session_id":"s","request_id":"q","pending_message_id":"p"}"#;

#[test]
fn a_send_whose_reply_broke_off_is_asked_about_and_not_sent_again() {
    for cut in 0..TAKEN.len() {
        let mut chat = Chat::send(&[Transport::Fetch]);
        chat.reply(&TAKEN[..cut]);
        assert_eq!(chat.open[0]["path"], "/api/chat/sessions/s/status?request_id=q", "cut at {cut}");
        chat.reply(r#"{"active":true,"status":"streaming","pending_message_id":"p","content":""}"#);
        assert_eq!(chat.open[0]["path"], "/api/chat/sessions/s/events?pending_message_id=p");
    }
}

#[test]
fn a_poll_whose_reply_broke_off_is_a_lost_connection() {
    let mut chat = Chat::send(&[Transport::Rest]);
    chat.reply(TAKEN);
    chat.reply(r#"{"active":true,"status":"strea"#);
    assert_eq!(chat.page.state["connection"]["error"]["code"], "disconnected");
    chat.wait(2_000);
    chat.reply(r#"{"active":false,"status":"complete","pending_message_id":"p","content":"Hi"}"#);
    assert_eq!((chat.page.text().as_str(), &chat.page.state["status"]), ("Hi", &"completed".into()));
}

#[test]
fn a_reply_that_is_no_reply_is_still_refused() {
    for body in ["<html>", "[]", "{}", r#"{"ok":true}"#] {
        let mut chat = Chat::send(&[Transport::Fetch]);
        chat.reply(body);
        assert_eq!(chat.page.state["error"]["code"], "content-type", "{body}");
    }
}
