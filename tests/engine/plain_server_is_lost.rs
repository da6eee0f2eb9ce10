//! A server of `ws-chat` that names nothing and remembers nothing (docs/ws-chat.md, "Plain servers").

use crate::support::*;

const UNKNOWN: &str = r#"{"active":false,"status":"unknown"}"#;

#[test]
fn what_was_answered_in_part_is_not_sent_again_unasked() {
    let mut chat = Chat::send(&[Transport::WebSocket]);
    chat.accept();
    chat.say(r#"{"type":"token","content":"Half an "}"#);
    chat.close(1006);
    chat.reply(UNKNOWN);
    assert_eq!((chat.page.text().as_str(), &chat.page.state["status"]), ("Half an ", &"interrupted".into()));
    assert_eq!(chat.page.state["error"]["retryable"], true);
    chat.wait(60_000);
    assert_eq!(chat.frames.len(), 1, "{:?}", chat.frames);
}

#[test]
fn what_was_not_answered_at_all_never_arrived() {
    let mut chat = Chat::send(&[Transport::WebSocket]);
    chat.accept();
    chat.close(1006);
    chat.reply(UNKNOWN);
    chat.wait(2_000);
    chat.accept();
    let ids: Vec<_> = chat.frames.iter().map(|frame| (&frame["type"], &frame["request_id"])).collect();
    assert_eq!(ids, [(&"send".into(), &"q".into()); 2], "the same message, under the same id");
}
