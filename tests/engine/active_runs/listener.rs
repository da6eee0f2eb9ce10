//! `subscribeActiveRuns`: the rows as they come, and one settling (B-AR-1, B-AR-7).

use serde_json::json;
use steadystream::engine::{config::Config, http::Head, time::Millis};

use super::desk::{Desk, OK};

#[test]
fn rows_come_in_the_order_of_their_arrival() {
    let mut desk = Desk::listening(500, Config::default());
    desk.accept();
    desk.row("snapshot", "a", "r1", "streaming", 5);
    desk.row("update", "a", "r1", "queued", 4);
    desk.say("event: update\ndata: {}\n\n");
    desk.row("update", "\\u00e9", "r\\\"", "failed", 6);
    assert_eq!(
        desk.view.events,
        [
            json!(["snapshot", "a", "r1", "streaming", 5]),
            json!(["update", "a", "r1", "queued", 4]),
            json!(["update", "é", "r\"", "failed", 6])
        ]
    );
    assert_eq!((desk.view.rows.len(), &desk.view.end), (0, &None));
}

#[test]
fn a_failure_within_the_grace_is_its_last_word_and_no_flap() {
    let mut desk = Desk::listening(500, Config::default());
    desk.after(499);
    desk.cut();
    assert_eq!(desk.view.end.as_ref().unwrap()["error"]["code"], "connect-failed");
    assert_eq!((desk.view.events.len(), desk.conn), (0, None));
    desk.after(60_000);
    assert_eq!(desk.connections, 1);
    // By status, and by the server's own words (B-AR-10).
    let mut desk = Desk::listening(500, Config::default());
    desk.refuse(503);
    assert_eq!(desk.view.end.as_ref().unwrap()["error"]["status"], 503);
    let mut desk = Desk::listening(500, Config::default());
    desk.accept();
    desk.say("event: error\ndata: {\"error\":\"active-run index unavailable\"}\n\n");
    assert_eq!(desk.view.end.as_ref().unwrap()["error"]["detail"], "active-run index unavailable");
}

#[test]
fn later_each_loss_is_a_flap() {
    let mut desk = Desk::listening(500, Config::default());
    desk.after(500);
    desk.cut();
    assert_eq!(desk.view.events.len(), 1);
    for n in 2..6 {
        while desk.conn.is_none() {
            desk.step();
        }
        desk.cut();
        assert_eq!((desk.view.events.len(), &desk.view.end), (n, &None));
    }
    while desk.conn.is_none() {
        desk.step();
    }
    desk.accept();
    desk.row("snapshot", "a", "r1", "streaming", 5);
    desk.cut();
    assert_eq!(desk.view.events[6]["flap"]["code"], "disconnected");
}

#[test]
fn after_a_row_nothing_is_a_failure_to_connect() {
    let mut desk = Desk::listening(500, Config::default());
    desk.accept();
    desk.row("snapshot", "a", "r1", "streaming", 5);
    desk.cut();
    assert_eq!((desk.view.events.len(), &desk.view.end), (2, &None));
}

#[test]
fn a_refusal_and_a_spent_budget_end_it() {
    let mut desk = Desk::listening(0, Config::default());
    desk.refuse(404);
    assert_eq!(desk.view.end.as_ref().unwrap()["error"]["status"], 404);
    assert_eq!(desk.view.events.len(), 0, "told by the end alone");
    let mut desk = Desk::listening(0, Config::default());
    desk.head(&Head { content_type: Some("text/html"), ..OK });
    assert_eq!(desk.view.end.as_ref().unwrap()["error"]["code"], "content-type");
    let mut desk = Desk::listening(0, Config { max_attempts: 3, give_up_after: Millis(u64::MAX), ..Config::default() });
    while desk.view.end.is_none() {
        while desk.conn.is_none() {
            desk.step();
        }
        desk.cut();
    }
    let end = desk.view.end.as_ref().unwrap();
    assert_eq!((&end["error"]["code"], &end["error"]["attempts"]), (&"gave-up".into(), &3.into()));
    assert_eq!(desk.view.events.len(), 3);
}
