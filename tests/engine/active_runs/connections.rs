//! What becomes of the connection (B-AR-7, B-AR-10), as of a run's, but for ever.

use serde_json::Value;
use steadystream::engine::{
    active_runs::feed::Wish, config::Config, environment::Signal, http::Head, transport::Transport,
};

use super::desk::{Desk, OK};

fn watched() -> Desk {
    let mut desk = Desk::new(Wish::default());
    desk.watch(true);
    desk
}

fn again(desk: &mut Desk) {
    while desk.conn.is_none() {
        desk.step();
    }
}

#[test]
fn an_outage_is_told_once_however_many_attempts_it_takes() {
    let mut desk = watched();
    for _ in 0..5 {
        desk.cut();
        again(&mut desk);
    }
    assert_eq!((desk.view.flaps.len(), desk.connection(), desk.is_ready()), (1, "reconnecting", false));
    assert_eq!(desk.view.state["error"]["code"], "connect-failed");
    desk.accept();
    desk.index(&[("a", "r1", "streaming", 1)]);
    assert_eq!((desk.connection(), &desk.view.state["error"]), ("open", &Value::Null));
    desk.cut();
    assert_eq!((desk.view.flaps.len(), &desk.view.flaps[1]["code"]), (2, &"disconnected".into()));
}

#[test]
fn it_never_gives_up() {
    let mut desk = watched();
    for _ in 0..200 {
        desk.cut();
        again(&mut desk);
    }
    desk.accept();
    desk.index(&[]);
    assert!(desk.is_ready());
}

#[test]
fn an_index_that_is_not_to_be_had_is_a_failure_in_the_servers_words() {
    let mut desk = watched();
    desk.accept();
    desk.say(": stream-open\n\nevent: error\ndata: {\"error\":\"active-run index unavailable\"}\n\n");
    assert_eq!((desk.conn, desk.is_ready(), desk.view.flaps.len()), (None, false, 1));
    assert_eq!(
        (&desk.view.flaps[0]["code"], &desk.view.flaps[0]["detail"]),
        (&"connect-failed".into(), &"active-run index unavailable".into())
    );
    desk.after(240);
    assert!(!desk.is_ready());
    again(&mut desk);
    desk.accept();
    desk.say("event: error\ndata: out of order\n\n");
    assert_eq!((desk.view.flaps.len(), &desk.view.state["error"]["detail"]), (1, &"out of order".into()));
    again(&mut desk);
    desk.accept();
    desk.index(&[("a", "r", "queued", 1)]);
    assert_eq!(desk.view.state["error"], Value::Null);
}

#[test]
fn a_word_without_end_is_cut_at_a_character() {
    let mut desk = watched();
    desk.accept();
    desk.say(&format!("event: error\ndata: {}\n\n", "é".repeat(900)));
    assert_eq!(desk.view.flaps[0]["detail"].as_str().unwrap().len(), 1_000);
}

#[test]
fn a_backend_without_the_endpoint_is_left_alone() {
    for status in [404, 405, 501] {
        let mut desk = watched();
        desk.refuse(status);
        desk.after(600_000);
        assert_eq!((desk.connections, desk.connection(), desk.is_ready()), (1, "closed", false), "{status}");
        assert_eq!((&desk.view.state["supported"], &desk.view.state["error"]), (&false.into(), &Value::Null));
        assert_eq!(desk.view.flaps, [] as [Value; 0]);
        // Whoever comes anew may find it there.
        desk.watch(false);
        desk.after(1_000);
        desk.watch(true);
        desk.accept();
        assert_eq!((desk.connections, &desk.view.state["supported"]), (2, &true.into()));
    }
}

#[test]
fn an_endpoint_that_was_there_is_there_again() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.cut();
    again(&mut desk);
    desk.refuse(404);
    assert_eq!(
        (&desk.view.state["supported"], desk.connection(), desk.list().len()),
        (&true.into(), "reconnecting", 1)
    );
    again(&mut desk);
    desk.head(&Head { content_type: Some("text/html"), ..OK });
    again(&mut desk);
    desk.accept();
    desk.index(&[("a", "r1", "streaming", 1)]);
    assert_eq!((desk.connection(), desk.view.flaps.len()), ("open", 1));
}

#[test]
fn a_refused_token_is_asked_for_once_more() {
    let mut desk = watched();
    desk.refuse(401);
    assert_eq!((desk.connections, desk.view.flaps.len()), (2, 0));
    desk.refuse(401);
    desk.after(600_000);
    assert_eq!((desk.connections, desk.connection(), desk.is_ready()), (2, "failed", false));
    assert_eq!((&desk.view.state["error"]["code"], desk.view.flaps.len()), (&"unauthorized".into(), 1));
}

#[test]
fn a_refusal_is_the_end_of_it() {
    for (head, code) in [
        (Head { status: 403, ..Head::default() }, "http-status"),
        (Head { status: 204, ..Head::default() }, "http-status"),
        (Head { content_type: Some("text/html"), ..OK }, "content-type"),
    ] {
        let mut desk = watched();
        desk.head(&head);
        desk.after(600_000);
        assert_eq!((desk.connections, desk.connection(), desk.is_ready()), (1, "failed", false));
        assert_eq!((&desk.view.state["error"]["code"], desk.view.flaps.len()), (&code.into(), 1));
    }
}

#[test]
fn a_busy_server_says_when_to_come_again() {
    let mut desk = watched();
    desk.head(&Head { status: 503, retry_after: Some("7"), ..Head::default() });
    desk.after(6_999);
    assert_eq!(desk.connections, 1);
    desk.after(1);
    assert_eq!(desk.connections, 2);
}

#[test]
fn a_connection_that_falls_silent_is_made_again() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    for _ in 0..20 {
        desk.after(15_000);
        desk.say(": ping\n\n");
    }
    assert_eq!(desk.connections, 1);
    desk.after(46_000);
    assert_eq!(desk.view.flaps[0]["code"], "stalled");
    again(&mut desk);
    assert_eq!(desk.connections, 2);
}

#[test]
fn without_a_network_nothing_is_tried() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.signal(Signal::Offline);
    desk.cut();
    desk.after(20_000);
    assert_eq!((desk.connections, desk.connection(), desk.list().len()), (1, "offline", 1));
    desk.signal(Signal::Online);
    assert_eq!(desk.connections, 2);
}

#[test]
fn a_page_that_is_left_lets_go_and_comes_back() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.signal(Signal::PageHidden);
    assert_eq!((desk.conn, desk.connections), (None, 1));
    desk.signal(Signal::PageShown);
    assert_eq!(desk.connections, 2);
    desk.accept();
    desk.index(&[("b", "r2", "streaming", 2)]);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
}

#[test]
fn malformed_rows_are_passed_over() {
    let mut desk = Desk::open();
    desk.say("event: snapshot\ndata: {\"sessionId\":\"a\"\n\nevent: snapshot\ndata: null\n\nevent: snapshot\ndata: {\"sessionId\":\"a\",\"runId\":\"r\",\"status\":\"new\",\"updatedAt\":1}\n\n");
    desk.say("data: {\"sessionId\":\"a\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":1}\n\nevent: other\ndata: 1\n\n");
    desk.row("snapshot", "b", "r2", "streaming", 2);
    desk.after(16);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
}

#[test]
fn an_event_without_end_is_a_lost_connection() {
    let mut desk = Desk::with(Wish::default(), Config { max_event_bytes: 1_000, ..Config::default() });
    desk.watch(true);
    desk.accept();
    desk.say(&"x".repeat(1_001));
    assert_eq!((desk.conn, &desk.view.flaps[0]["code"]), (None, &"event-too-large".into()));
}

#[test]
fn it_takes_the_first_of_the_clients_transports_that_it_can() {
    for (transports, via) in [
        (vec![], "fetch"),
        (vec![Transport::Rest], "fetch"),
        (vec![Transport::Rest, Transport::EventSource, Transport::Fetch], "eventsource"),
    ] {
        let mut desk = Desk::with(Wish::default(), Config { transports, ..Config::default() });
        desk.watch(true);
        assert_eq!(desk.view.state["connection"]["transport"], via);
    }
}
