//! A run whose send's own response is all there is of it (PROTOCOLS 4.4): what is lost is told again from its start, while the
//! server still has it.

use crate::support::Talk;
use crate::support::client::{Client, Order, steady};
use serde_json::json;
use steadystream::engine::config::Config;
use steadystream::engine::host::End;
use steadystream::engine::protocol::Protocol;
use steadystream::engine::time::Millis;

const BODY: &str = r#"{"id":"s","messages":[]}"#;

fn words(text: &str) -> String {
    frames(&[json!({ "type": "text-delta", "id": "0", "delta": text })])
}

fn frames(chunks: &[serde_json::Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

fn opening() -> String {
    frames(&[json!({ "type": "start", "messageId": "m" }), json!({ "type": "text-start", "id": "0" })])
}

fn closing() -> String {
    frames(&[json!({ "type": "text-end", "id": "0" }), json!({ "type": "finish" })])
}

const DONE: &str = "data: [DONE]\n\n";

fn send() -> Talk {
    Talk::send(Protocol::UiMessage, BODY, "fetch ")
}

/// With its response open, and so many words of it.
fn begun(text: &str) -> Talk {
    let mut chat = send();
    chat.accept();
    chat.say(&(opening() + &words(text)));
    chat
}

#[test]
fn what_is_sent_is_the_request_that_its_caller_wrote() {
    let mut other = Client::new(Config { protocol: Protocol::UiMessage, ..steady() });
    other.send("s", BODY);
    let order = other.orders().pop().unwrap();
    assert!(matches!(&order, Order::Open { body: Some(body), .. } if body == BODY));
}

#[test]
fn an_answer_ends_with_its_stream_and_not_before() {
    for last in [DONE, ""] {
        let mut chat = begun("Hello");
        chat.say(&closing());
        assert_eq!(chat.end(), ("streaming".into(), None));
        if last.is_empty() {
            chat.lose(End::Ended);
        } else {
            chat.say(last);
        }
        assert_eq!(chat.end(), ("completed".into(), None));
        assert_eq!((chat.text().as_str(), chat.client.state(chat.slot, "runId")), ("Hello", "m".into()));
        chat.assert_nothing_follows();
    }
}

#[test]
fn its_connection_is_open_before_the_first_word() {
    let mut chat = send();
    chat.client.flush();
    assert_eq!(chat.client.state(chat.slot, "connection")["state"], "connecting");
    chat.accept();
    chat.client.flush();
    assert_eq!(chat.client.state(chat.slot, "connection")["state"], "open");
}

#[test]
fn what_comes_behind_the_finish_counts() {
    let mut chat = begun("Hello");
    chat.say(&(closing() + &frames(&[json!({ "type": "text-start", "id": "1" })])));
    chat.say(&frames(&[json!({ "type": "text-delta", "id": "1", "delta": " again" })]));
    chat.say(DONE);
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "Hello again"));
}

#[test]
fn a_stream_that_ends_too_early_is_lost_and_told_again_from_its_start() {
    for end in [End::Ended, End::Failed] {
        let mut chat = begun("Hello, wor");
        chat.lose(end);
        assert_eq!(chat.end(), ("streaming".into(), None));
        chat.expect("fetch /s/stream");
        chat.accept();
        for piece in [opening(), words("Hel"), words("lo, ")] {
            chat.say(&piece);
            assert_eq!(chat.text(), "Hello, wor", "what was there stays until it is there again");
        }
        chat.say(&words("world"));
        assert_eq!(chat.text(), "Hello, world");
        chat.say(&(closing() + DONE));
        assert_eq!((chat.end(), chat.text().as_str()), (("completed".into(), None), "Hello, world"));
        chat.assert_nothing_follows();
    }
}

#[test]
fn whoever_listens_hears_of_each_event_once() {
    let mut chat = begun("a");
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| run.listen(true));
    chat.say(&words("b"));
    for cut in [2, 4] {
        chat.lose(End::Failed);
        chat.expect("fetch /s/stream");
        chat.accept();
        for piece in [opening(), words("a"), words("b"), words("c"), words("d")].iter().take(cut) {
            chat.say(piece);
        }
    }
    chat.say(&(words("d") + &closing() + DONE));
    let events = &chat.client.page(chat.slot).events;
    let heard: Vec<&str> = events.iter().filter_map(|event| event["data"]["delta"].as_str()).collect();
    assert_eq!(heard, ["b", "c", "d"], "from the moment on when somebody listened");
    assert_eq!(events.last().unwrap()["data"]["type"], "finish");
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "abcd"));
}

#[test]
fn whoever_listens_hears_nothing_that_makes_no_sense() {
    let mut chat = begun("a");
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| run.listen(true));
    chat.say(&(frames(&[json!({ "type": "text-delta", "id": "never", "delta": "x" })]) + &words("b")));
    let events = &chat.client.page(chat.slot).events;
    let heard: Vec<&str> = events.iter().filter_map(|event| event["data"]["delta"].as_str()).collect();
    assert_eq!(heard, ["b"]);
}

#[test]
fn a_connection_that_breaks_behind_the_finish_has_said_it_all() {
    let mut chat = begun("Hello");
    chat.say(&closing());
    chat.lose(End::Failed);
    assert_eq!(chat.end(), ("completed".into(), None));
    chat.assert_nothing_follows();
}

#[test]
fn with_ids_it_goes_on_after_what_is_held() {
    let mut chat = send();
    chat.accept();
    chat.say("id: 1\ndata: {\"type\":\"text-start\",\"id\":\"0\"}\n\nid: 2\ndata: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"a\"}\n\n");
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream?lastEventId=2");
    chat.accept();
    // The last one comes again, as some servers have it.
    chat.say("id: 2\ndata: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"a\"}\n\nid: 3\ndata: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"b\"}\n\n");
    chat.say(DONE);
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "ab"));
}

#[test]
fn nothing_that_runs_is_an_answer_that_was_missed() {
    let mut chat = begun("Hel");
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream");
    chat.client.head(chat.task, 204, "");
    assert_eq!(chat.end(), ("interrupted".into(), Some("run-ended".into())));
    assert_eq!(chat.text(), "Hel", "partial text survives");
    // There is nothing to go on with: whoever tries again sends it anew.
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| assert!(run.retry("q2", None, now)));
    chat.expect("fetch ");
}

#[test]
fn a_stream_that_tells_another_answer_is_not_taken_for_ours() {
    let mut chat = begun("Hel");
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream");
    chat.accept();
    chat.say(&frames(&[json!({ "type": "start", "messageId": "m2" }), json!({ "type": "text-start", "id": "0" })]));
    chat.say(&words("Hello to the next question"));
    assert_eq!(chat.end(), ("interrupted".into(), Some("run-ended".into())));
    assert_eq!((chat.text().as_str(), chat.client.state(chat.slot, "runId")), ("Hel", "m".into()));
    chat.assert_nothing_follows();
}

#[test]
fn an_answer_may_name_itself_twice() {
    let mut chat = begun("Hel");
    let again = frames(&[json!({ "type": "start", "messageId": "m2" })]);
    chat.say(&again);
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream");
    chat.accept();
    chat.say(&(opening() + &words("Hel") + &again + &words("lo") + &closing() + DONE));
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "Hello"));
}

#[test]
fn a_message_of_which_nobody_knows_whether_it_arrived_is_not_sent_again() {
    for (status, end) in [(None, End::Failed), (Some(502), End::Ended), (Some(500), End::Ended)] {
        let mut chat = send();
        if let Some(status) = status {
            chat.client.head(chat.task, status, "text/plain");
        } else {
            chat.lose(end);
        }
        chat.expect("fetch /s/stream");
        chat.accept();
        chat.say(&(opening() + &words("Hello") + &closing() + DONE));
        assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "Hello"));
    }
}

#[test]
fn a_message_that_was_put_off_is_sent_again_and_one_that_was_refused_is_not() {
    for status in [425, 429, 503] {
        let mut chat = send();
        chat.client.head(chat.task, status, "text/plain");
        chat.expect("fetch ");
    }
    for status in [400, 403, 404, 422] {
        let mut chat = send();
        chat.client.head(chat.task, status, "text/plain");
        assert_eq!(chat.end(), ("failed".into(), Some("http-status".into())));
        chat.assert_nothing_follows();
    }
}

#[test]
fn an_error_fails_and_an_abort_cancels() {
    let mut chat = begun("Hel");
    chat.say(&frames(&[json!({ "type": "error", "errorText": "overloaded" })]));
    assert_eq!(chat.end(), ("failed".into(), Some("server-error".into())));
    assert_eq!(chat.client.state(chat.slot, "error")["detail"], "overloaded");
    let mut chat = begun("Hel");
    chat.say(&(frames(&[json!({ "type": "abort" })]) + DONE));
    assert_eq!(chat.end(), ("cancelled".into(), None));
    assert_eq!((chat.text().as_str(), chat.client.state(chat.slot, "by")), ("Hel", "server".into()));
}

#[test]
fn a_stop_is_the_users_and_ends_it_whatever_the_server_knows_of_stops() {
    for (status, word) in [(200, frames(&[json!({ "type": "abort" })]) + DONE), (404, String::new())] {
        let mut chat = begun("Hel");
        let now = chat.client.at();
        chat.client.host.command(chat.slot, now, |run| run.stop(now));
        chat.client.host.command(chat.slot, now, |run| run.handle_stop_reply(status, now));
        if status == 200 {
            chat.say(&word);
        }
        assert_eq!(chat.end(), ("cancelled".into(), None));
        assert_eq!(chat.client.state(chat.slot, "by"), "user");
        chat.assert_nothing_follows();
    }
}

#[test]
fn whoever_comes_later_takes_part_in_what_runs() {
    let mut chat = Talk::attach(Protocol::UiMessage, "fetch /s/stream");
    chat.accept();
    chat.say(&(opening() + &words("Hello") + &closing() + DONE));
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "Hello"));
    assert_eq!(chat.client.state(chat.slot, "runId"), "m");
}

#[test]
fn where_nothing_runs_nothing_is_found() {
    let mut chat = Talk::attach(Protocol::UiMessage, "fetch /s/stream");
    chat.client.head(chat.task, 204, "");
    assert_eq!(chat.end(), ("interrupted".into(), Some("run-not-found".into())));
    chat.assert_nothing_follows();
}

#[test]
fn a_chunk_that_makes_no_sense_is_skipped_and_counted() {
    let mut chat = begun("Hel");
    chat.say(&frames(&[json!({ "type": "text-delta", "id": "never", "delta": "x" }), json!({ "type": "text-delta" })]));
    chat.say(&(words("lo") + &closing() + DONE));
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "Hello"));
}

#[test]
fn a_server_that_is_gone_for_good_is_given_up() {
    let mut chat = begun("Hel");
    chat.lose(End::Failed);
    for _ in 0..60 {
        let orders = chat.client.orders();
        for order in orders.iter().filter(|order| matches!(order, Order::Open { .. })) {
            chat.client.end(order.task(), End::Failed);
        }
        chat.client.wait(Millis(5_000));
    }
    assert_eq!(chat.end(), ("interrupted".into(), Some("gave-up".into())));
    assert_eq!(chat.text(), "Hel");
}

#[test]
fn a_step_that_is_done_again_is_not_held_against_what_was_on_screen_before() {
    let start = json!({ "type": "start-step" });
    let reset = json!({ "type": "reset-step" });
    let text = |id: &str, text: &str| {
        frames(&[json!({ "type": "text-start", "id": id }), json!({ "type": "text-delta", "id": id, "delta": text })])
    };
    let first = frames(&[start]) + &text("1", "a long answer");
    let second = frames(&[reset]) + &text("2", "short");
    // Lost before the step was begun anew: all of it comes in one piece, and is shorter.
    let mut chat = begun("");
    chat.say(&first);
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream");
    chat.accept();
    chat.say(&(opening() + &first + &second));
    assert_eq!(chat.text(), "short");
    // Lost after it: what was taken back does not come back on screen.
    chat.lose(End::Failed);
    chat.expect("fetch /s/stream");
    chat.accept();
    for piece in [opening(), first, second.clone()] {
        chat.say(&piece);
        assert_eq!(chat.text(), "short");
    }
    chat.say(&(frames(&[json!({ "type": "finish" })]) + DONE));
    assert_eq!((chat.end().0.as_str(), chat.text().as_str()), ("completed", "short"));
}
