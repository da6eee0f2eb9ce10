//! W4-1: the badge is the truth. A cause is shown until something comes again, also where the head came long before it.

use crate::support::*;

#[test]
fn what_comes_after_a_loss_clears_its_cause_and_its_count() {
    let mut chat = Chat::send(&[Transport::WebSocket]);
    chat.accept();
    chat.say(r#"{"type":"accepted","session_id":"s","request_id":"q","pending_message_id":"p"}"#);
    chat.say(r#"{"type":"token","content":"a","pending_message_id":"p","seq":1}"#);
    chat.close(1006);
    chat.wait(2_000);
    chat.accept();
    let badge = &chat.page.state["connection"];
    assert_eq!(
        (&badge["state"], &badge["error"]["code"], &badge["attempt"]),
        (&"open".into(), &"disconnected".into(), &1.into())
    );
    chat.say(r#"{"type":"token","content":"b","pending_message_id":"p","seq":2}"#);
    let badge = &chat.page.state["connection"];
    assert_eq!((&badge["state"], badge["error"].is_null(), &badge["attempt"]), (&"open".into(), true, &0.into()));
}
