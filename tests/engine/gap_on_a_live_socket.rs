//! A-SRV-1 on a socket: what is missing is asked for over the same one, and what that still carries from before is no second gap.

use crate::support::*;

fn token(chat: &mut Chat, seq: u64) {
    chat.say(&format!(r#"{{"type":"token","content":"{seq} ","pending_message_id":"p","seq":{seq}}}"#));
}

fn resumptions(chat: &Chat) -> Vec<u64> {
    let resume = chat.frames.iter().filter(|frame| frame["type"] == "resume");
    resume.map(|frame| frame["after"].as_u64().expect("a number")).collect()
}

/// Two of the first four tokens have come, and the other two were asked for.
fn gapped() -> Chat {
    let mut chat = Chat::send(&[Transport::WebSocket]);
    chat.accept();
    chat.say(r#"{"type":"accepted","session_id":"s","request_id":"q","pending_message_id":"p"}"#);
    for seq in [1, 2, 5] {
        token(&mut chat, seq);
    }
    chat.wait(1_000);
    assert_eq!(resumptions(&chat), [2]);
    chat
}

#[test]
fn what_comes_from_before_the_resumption_is_passed_over() {
    let mut chat = gapped();
    for seq in [6, 7, 3, 4, 5, 6, 7, 8] {
        token(&mut chat, seq);
    }
    chat.wait(10_000);
    assert_eq!(chat.page.text(), "1 2 3 4 5 6 7 8 ");
    assert_eq!(resumptions(&chat), [2]);
}

#[test]
fn what_comes_late_in_between_is_taken_and_what_follows_it_is_not_missed() {
    let mut chat = gapped();
    for seq in [3, 6, 7, 3, 4, 5, 6, 7, 8] {
        token(&mut chat, seq);
    }
    chat.wait(10_000);
    assert_eq!((chat.page.text().as_str(), resumptions(&chat)), ("1 2 3 4 5 6 7 8 ", vec![2]));
}

#[test]
fn what_is_missing_once_more_is_asked_for_once_more() {
    let mut chat = gapped();
    for seq in [6, 4] {
        token(&mut chat, seq);
    }
    chat.wait(2_000);
    assert_eq!(resumptions(&chat), [2, 2], "4 is of the new subscription, without 3");
    for seq in [3, 4, 5, 9] {
        token(&mut chat, seq);
    }
    chat.wait(2_000);
    assert_eq!(resumptions(&chat), [2, 2, 5], "what was told anew is behind us");
}

#[test]
fn a_server_that_goes_on_as_if_nothing_was_said_is_told_again() {
    let mut chat = gapped();
    for seq in 6..16 {
        token(&mut chat, seq);
        chat.wait(1_000);
    }
    assert!(resumptions(&chat).len() > 1, "{:?}", chat.frames);
    assert_eq!(chat.page.text(), "1 2 ");
}

#[test]
fn another_socket_carries_nothing_from_before() {
    let mut chat = gapped();
    chat.close(1006);
    chat.wait(3_000);
    chat.accept();
    assert_eq!(resumptions(&chat), [2, 2]);
    token(&mut chat, 6);
    let last = chat.frames.last().expect("frames were sent");
    assert_eq!((&last["type"], &chat.page.state["connection"]["state"]), (&"leave".into(), &"reconnecting".into()));
}
