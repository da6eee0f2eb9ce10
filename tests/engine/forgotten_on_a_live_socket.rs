//! 6.1-1 on a socket: that it lives does not mean that it still speaks for everyone. Whoever has heard nothing for as long as a
//! silence may last asks the server, and goes on after what is held.

use crate::support::*;

/// A run that has one token, on a socket whose pings are answered and which has no further word for it.
fn forgotten() -> Chat {
    let mut chat = Chat::send(&[Transport::WebSocket]);
    chat.accept();
    chat.say(r#"{"type":"accepted","session_id":"s","request_id":"q","pending_message_id":"p"}"#);
    chat.say(r#"{"type":"token","content":"One","pending_message_id":"p","seq":1}"#);
    wait_with_pongs(&mut chat, 40_000);
    assert!(chat.task("reply").is_none(), "silent for 40 s");
    wait_with_pongs(&mut chat, 6_000);
    chat
}

fn wait_with_pongs(chat: &mut Chat, ms: u64) {
    for _ in 0..ms / 1_000 {
        chat.wait(1_000);
        if chat.frames.last().is_some_and(|frame| frame["type"] == "ping") {
            chat.frames.pop();
            chat.say(r#"{"type":"pong"}"#);
        }
    }
}

#[test]
fn what_the_server_has_said_meanwhile_is_asked_for_over_the_same_socket() {
    let mut chat = forgotten();
    chat.reply(r#"{"active":false,"status":"streaming","pending_message_id":"p","content":"One two"}"#);
    chat.wait(2_000);
    let last = chat.frames.last().expect("frames were sent");
    assert_eq!((&last["type"], &last["after"]), (&"resume".into(), &1.into()));
    chat.say(r#"{"type":"token","content":" two","pending_message_id":"p","seq":2}"#);
    chat.say(r#"{"type":"done","pending_message_id":"p","seq":3}"#);
    assert_eq!((chat.page.text().as_str(), &chat.page.state["status"]), ("One two", &"completed".into()));
}

#[test]
fn a_server_that_thinks_is_asked_again_and_nothing_is_lost() {
    let mut chat = forgotten();
    for _ in 0..3 {
        chat.reply(r#"{"active":true,"status":"streaming","pending_message_id":"p","content":"One"}"#);
        let badge = &chat.page.state["connection"];
        assert_eq!((&badge["state"], badge["error"].is_null()), (&"open".into(), true));
        wait_with_pongs(&mut chat, 46_000);
    }
    assert_eq!(chat.frames.len(), 1, "{:?}", chat.frames);
}

#[test]
fn a_question_without_an_answer_is_not_the_last() {
    let mut chat = forgotten();
    let first = chat.task("reply");
    wait_with_pongs(&mut chat, 46_000);
    assert!(chat.task("reply").is_some() && chat.task("reply") != first);
}
