//! A host wants something done by order alone: numbered, one task for one connection, and what a task that is closed still
//! tells means nothing.

use crate::support::client::{Client, Order, native, steady};
use crate::support::frames::{content, done};
use steadystream::engine::environment::Signal;
use steadystream::engine::host::{Due, End, Pace, Task};
use steadystream::engine::inquiry::Question;
use steadystream::engine::time::Millis;

#[test]
fn an_order_is_written_as_the_driver_reads_it() {
    let mut client = Client::new(steady());
    client.open("s 1");
    assert!(client.due().orders);
    assert_eq!(
        client.written_orders(),
        r#"[{"open":1,"via":"fetch","path":"/events?sessionId=s%201&runId=r","body":null,"cursor":null,"slot":1}]"#
    );
    client.send("s", r#"{"content":"\"hi\""}"#);
    client.ask(Question::Stop, "t");
    assert_eq!(
        client.written_orders(),
        concat!(
            r#"[{"open":2,"via":"fetch","path":"","body":"{\"content\":\"\\\"hi\\\"\"}","cursor":null,"slot":2},"#,
            r#"{"open":3,"via":"reply","path":"/stop","body":"{\"sessionId\":\"t\"}","cursor":null}]"#
        )
    );
    client.head(Task(1), 200, "text/event-stream");
    client.chunk(Task(1), &content("5-0", "x"));
    client.end(Task(1), End::Failed);
    client.wait(Millis(1_000));
    assert_eq!(
        client.written_orders(),
        concat!(
            r#"[{"open":4,"via":"fetch","path":"/events?sessionId=s%201&runId=r&lastEventId=5-0","#,
            r#""body":null,"cursor":"5-0","slot":1}]"#
        )
    );
}

#[test]
fn orders_are_asked_for_once_and_handed_out_once() {
    let mut client = Client::new(steady());
    assert_eq!((client.due().orders, client.written_orders().as_str()), (false, ""));
    client.open("s");
    assert!(client.due().orders && !client.due().orders);
    // Not taken by a flush either.
    client.open("s");
    client.flush();
    assert!(client.due().orders);
    assert_eq!((client.orders().len(), client.orders().len()), (2, 0));
}

#[test]
fn the_browsers_own_source_is_ordered_where_it_was_chosen_and_can_serve() {
    let mut client = Client::new(native());
    client.open("s");
    client.send("s", "{}");
    client.ask(Question::Status, "s");
    assert_eq!(
        client.said(),
        ["eventsource /events?sessionId=s&runId=r", "fetch ", "reply /status?sessionId=s"],
        "a source cannot POST, and has no status"
    );
}

#[test]
fn a_connection_that_is_lost_is_opened_anew_under_another_number() {
    let mut client = Client::new(steady());
    let (slot, first) = client.open_at("s", Pace::Frame);
    client.chunk(first, &content("1-0", "one "));
    client.end(first, End::Ended);
    assert_eq!(client.said(), [""; 0], "what has ended need not be closed");
    client.wait(Millis(1_000));
    let second = client.orders().pop().unwrap().task();
    assert!(second > first);
    client.head(second, 200, "text/event-stream");
    client.chunk(second, &(content("2-0", "two") + &done("3-0")));
    assert_eq!(client.orders(), [Order::Close(second)], "the run is over, its response is not");
    client.flush();
    assert_eq!((client.page(slot).text().as_str(), client.status(slot).as_str()), ("one two", "completed"));
}

#[test]
fn a_connection_that_is_replaced_is_closed_first() {
    let mut client = Client::new(steady());
    client.send("s", "{}");
    let sent = client.orders().pop().unwrap().task();
    client.head(sent, 200, "text/event-stream");
    client.chunk(sent, "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n");
    let orders = client.orders();
    assert_eq!(orders[0], Order::Close(sent), "the exact log takes over");
    assert_eq!(orders[1].says(), "fetch /events?sessionId=s&runId=r");
    assert_eq!(orders.len(), 2);
}

#[test]
fn what_a_closed_task_still_tells_means_nothing() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Sync);
    let now = client.at();
    client.host.handle_signal(Signal::PageHidden, now);
    assert_eq!(client.orders(), [Order::Close(task)]);
    client.flush();
    client.due();
    client.head(task, 404, "text/plain");
    client.chunk(task, &(content("1-0", "late") + &done("2-0")));
    client.end(task, End::Refused);
    let is_hurried = Due { hurried: true, ..Due::default() };
    assert_eq!((client.due(), client.flush(), client.said().len()), (is_hurried, false, 0));
    client.host.handle_signal(Signal::PageShown, now);
    assert_eq!(client.said(), ["fetch /events?sessionId=s&runId=r"]);
    client.flush();
    assert_eq!((client.page(slot).text().as_str(), client.status(slot).as_str()), ("", "pending"));
}

#[test]
fn what_is_told_of_a_task_that_never_was_means_nothing() {
    let mut client = Client::new(steady());
    let (_, task) = client.open_at("s", Pace::Sync);
    client.due();
    for never in [0, task.0 + 1, u32::MAX].map(Task) {
        client.head(never, 404, "text/plain");
        client.chunk(never, &done("1-0"));
        client.end(never, End::Ended);
    }
    for never in [0, 2, u32::MAX] {
        client.close(never);
        client.host.watch(never, Pace::Sync);
        client.release(never);
        assert!(!client.read(never));
    }
    assert!(!client.due().orders && !client.flush());
    // The one that lives was not touched.
    client.chunk(task, &content("1-0", "x"));
    assert!(client.due().now);
}

#[test]
fn a_task_that_has_ended_may_end_again() {
    let mut client = Client::new(steady());
    let (_, task) = client.open_at("s", Pace::Frame);
    client.end(task, End::Failed);
    let until = client.host.take_timeout();
    client.end(task, End::Failed);
    client.end(task, End::Ended);
    // One loss, one wait.
    assert_eq!((client.host.take_timeout(), client.said().len()), (None, 0));
    assert!(until.is_some());
}

#[test]
fn a_deadline_that_holds_is_told_once_however_much_comes() {
    let mut client = Client::new(steady());
    let (_, task) = client.open_at("s", Pace::Frame);
    let told = client.host.take_timeout();
    assert!(told.is_some());
    for count in 1..=3 {
        // Its silence ends later with every chunk.
        client.chunk(task, &content(&format!("{count}-0"), "x"));
        assert_eq!((client.host.has_timeout(), client.host.take_timeout()), (false, None));
    }
    let now = client.at();
    client.host.handle_timeout(now);
    assert!(client.host.has_timeout(), "a timer that has fired is armed anew");
    assert!(client.host.take_timeout() > told);
}

#[test]
fn a_host_that_doubts_the_network_asks_the_page_to_look() {
    let mut client = Client::new(steady());
    let now = client.at();
    client.host.handle_signal(Signal::Offline, now);
    client.open("s");
    assert_eq!(client.said(), [""; 0], "offline nothing is opened");
    for _ in 0..100 {
        client.wait(Millis(1_000));
        if client.written_orders() == r#"[{"look":true}]"# {
            let now = client.at();
            client.host.handle_signal(Signal::Online, now);
            assert_eq!(client.said(), ["fetch /events?sessionId=s&runId=r"]);
            return;
        }
    }
    panic!("an event that was missed strands the run");
}
