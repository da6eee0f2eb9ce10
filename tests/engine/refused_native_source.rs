//! The browser's own source hides the status of what was refused (W-1, W-6): one `fetch` of the same address finds out why,
//! and the run hears what it would have heard.

use crate::support::client::{Client, Order, native};
use crate::support::frames::{content, done};
use steadystream::engine::host::{End, Task};
use steadystream::engine::time::Millis;

fn refused() -> (Client, u32, Task) {
    let mut client = Client::new(native());
    let slot = client.open("s");
    let source = client.orders().pop().unwrap();
    assert_eq!(source.says(), "eventsource /events?sessionId=s&runId=r");
    client.end(source.task(), End::Refused);
    let fetch = client.orders();
    assert_eq!(fetch.iter().map(Order::says).collect::<Vec<_>>(), ["fetch /events?sessionId=s&runId=r"]);
    (client, slot, fetch[0].task())
}

#[test]
fn the_run_hears_the_status_of_what_was_refused() {
    for status in [400, 403] {
        let (mut client, slot, fetch) = refused();
        client.head(fetch, status, "text/plain");
        assert_eq!(client.orders(), [Order::Close(fetch)]);
        client.flush();
        assert_eq!(
            (client.status(slot).as_str(), client.state(slot, "error")["status"].as_u64()),
            ("interrupted", Some(status.into()))
        );
    }
}

#[test]
fn a_run_that_is_not_found_is_asked_for() {
    let (mut client, slot, fetch) = refused();
    client.head(fetch, 404, "text/plain");
    let orders = client.orders();
    assert_eq!((&orders[0], orders[1].says().as_str()), (&Order::Close(fetch), "reply /status?sessionId=s"));
    client.reply(orders[1].task(), 404, "");
    client.flush();
    let error = client.state(slot, "error");
    assert_eq!(
        (client.status(slot).as_str(), &error["code"], &error["status"]),
        ("interrupted", &"run-not-found".into(), &404.into())
    );
}

#[test]
fn a_busy_server_is_tried_again_through_the_source_when_it_says() {
    let (mut client, _, fetch) = refused();
    let head = steadystream::engine::http::Head { status: 503, retry_after: Some("7"), ..Default::default() };
    client.host.handle_head(fetch, &head, client.at());
    assert_eq!(client.orders(), [Order::Close(fetch)]);
    client.wait(Millis(6_999));
    assert_eq!(client.orders(), []);
    client.wait(Millis(1));
    assert_eq!(client.said(), ["eventsource /events?sessionId=s&runId=r"]);
}

#[test]
fn what_is_there_after_all_is_left_to_the_next_attempt() {
    let (mut client, slot, fetch) = refused();
    client.head(fetch, 200, "text/event-stream");
    assert_eq!(client.orders(), [Order::Close(fetch)]);
    client.chunk(fetch, &done("1-0"));
    client.wait(Millis(1_000));
    let source = client.orders().pop().unwrap();
    assert_eq!(source.says(), "eventsource /events?sessionId=s&runId=r");
    client.head(source.task(), 200, "text/event-stream");
    client.chunk(source.task(), &(content("1-0", "all of it") + &done("2-0")));
    client.flush();
    assert_eq!((client.page(slot).text().as_str(), client.status(slot).as_str()), ("all of it", "completed"));
}

#[test]
fn a_diagnosis_that_comes_to_nothing_is_a_lost_connection() {
    for end in [End::Ended, End::Failed, End::Refused] {
        let (mut client, slot, fetch) = refused();
        client.end(fetch, end);
        assert_eq!(client.orders(), [], "it has ended, and no second one is made");
        client.flush();
        assert_eq!(client.state(slot, "connection")["state"], "reconnecting");
        client.wait(Millis(1_000));
        assert_eq!(client.said(), ["eventsource /events?sessionId=s&runId=r"]);
    }
}

#[test]
fn a_page_of_html_is_told_as_what_it_is() {
    let (mut client, _, fetch) = refused();
    client.head(fetch, 200, "text/html");
    let orders = client.orders();
    assert_eq!((&orders[0], orders[1].says().as_str()), (&Order::Close(fetch), "reply /status?sessionId=s"));
}

#[test]
fn a_source_that_was_lost_needs_no_diagnosis() {
    let mut client = Client::new(native());
    client.open("s");
    let source = client.orders().pop().unwrap().task();
    client.end(source, End::Failed);
    assert_eq!(client.orders(), []);
    client.wait(Millis(1_000));
    assert_eq!(client.said(), ["eventsource /events?sessionId=s&runId=r"]);
}

#[test]
fn a_diagnosis_hangs_no_longer_than_a_connection() {
    let (mut client, _, fetch) = refused();
    client.wait(Millis(15_000));
    assert_eq!(client.orders(), [Order::Close(fetch)]);
}

#[test]
fn a_run_that_is_closed_takes_its_diagnosis_with_it() {
    let (mut client, slot, fetch) = refused();
    client.close(slot);
    assert_eq!(client.orders(), [Order::Close(fetch)]);
}
