//! Tabs that share their streams, each with a host of its own: what a stream's holder hands over, what becomes of a stream that
//! changes hands, and of one for which there is no room.

use proptest::prelude::*;
use serde_json::Value;
use steadystream::engine::{
    config::Config,
    environment::Signal,
    host::{End, Pace, Task},
    protocol::Protocol,
    time::Millis,
};

use crate::support::client::{Client, Order, steady};
use crate::support::frames::{content, done};

const NAME: &str = "s\nr";

fn tab() -> Client {
    Client::new(Config { shares: true, ..steady() })
}

fn record(client: &mut Client, slot: u32) -> String {
    client.host.record(slot, |record| String::from_utf8(record.to_vec()).expect("valid UTF-8")).trim_end().into()
}

/// What a tab's page shows of a run.
fn text(client: &mut Client, slot: u32) -> String {
    client.flush();
    client.read(slot);
    client.page(slot).text()
}

/// An answer of several blocks, with characters of every length; the last frame ends it.
fn frames() -> Vec<String> {
    let mut frames: Vec<String> = (1..=30)
        .map(|n| match n % 7 {
            0 => format!(
                "id: {n}-0\nevent: tool_start\ndata: {{\"type\":\"tool_start\",\"tool\":{{\"callId\":\"c{n}\",\"name\":\"sql\"}}}}\n\n"
            ),
            3 => content(&format!("{n}-0"), "Grüße 😀 "),
            _ => content(&format!("{n}-0"), &format!("w{n} ")),
        })
        .collect();
    frames.push(done("31-0"));
    frames
}

#[test]
fn a_stream_has_one_name_in_every_tab_and_says_whose_it_is() {
    let mut client = tab();
    client.open("s");
    let order: Value = serde_json::from_str(&client.written_orders()).unwrap();
    assert_eq!((&order[0]["share"], &order[0]["slot"]), (&NAME.into(), &1.into()));
    let mut alone = Client::new(steady());
    alone.open("s");
    let order: Value = serde_json::from_str(&alone.written_orders()).unwrap();
    assert_eq!((&order[0]["share"], &order[0]["slot"]), (&Value::Null, &1.into()));
}

#[test]
fn a_send_is_nobody_elses_and_what_follows_it_is() {
    let mut client = tab();
    client.send("s", "{}");
    let order: Value = serde_json::from_str(&client.written_orders()).unwrap();
    assert_eq!((&order[0]["share"], &order[0]["body"]), (&Value::Null, &"{}".into()));
    let mut chat = Client::new(Config { shares: true, protocol: Protocol::UiMessage, ..steady() });
    chat.send("s", "{}");
    let order: Value = serde_json::from_str(&chat.written_orders()).unwrap();
    assert_eq!(order[0]["share"], "s\n", "where the send's own response is the run, it is what the others want");
}

#[test]
fn a_stream_that_changes_hands_is_asked_for_at_once_and_costs_nothing() {
    let mut client = tab();
    let (slot, mut task) = client.open_at("s", Pace::Frame);
    client.chunk(task, &content("1-0", "one "));
    for _ in 0..200 {
        client.end(task, End::Moved);
        let order = client.orders().pop().expect("asked for at once");
        let Order::Open { task: next, cursor, .. } = order else { panic!("{order:?}") };
        assert_eq!(cursor.as_deref(), Some("1-0"));
        task = next;
        client.head(task, 200, "text/event-stream");
    }
    client.chunk(task, &(content("2-0", "two") + &done("3-0")));
    assert_eq!(text(&mut client, slot), "one two");
    assert_eq!((client.status(slot).as_str(), client.state(slot, "error")), ("completed", Value::Null));
}

#[test]
fn who_needs_the_stream_no_more_says_so_once() {
    let mut client = tab();
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.chunk(task, &done("1-0"));
    let left = Order::Leave(NAME.into());
    assert_eq!(client.orders(), [Order::Close(task), left.clone()]);
    client.release(slot);
    client.wait(Millis(1_000));
    assert_eq!(client.orders(), []);

    let (slot, _) = client.open_at("s", Pace::Frame);
    client.close(slot);
    assert_eq!(client.orders().pop(), Some(left));
}

#[test]
fn a_page_that_sleeps_leaves_its_streams_to_others_and_takes_part_again() {
    let mut client = tab();
    let (_, task) = client.open_at("s", Pace::Frame);
    client.signal(Signal::Frozen);
    assert_eq!(client.orders(), [Order::Close(task), Order::Leave(NAME.into())]);
    client.signal(Signal::Thawed);
    let order: Value = serde_json::from_str(&client.written_orders()).unwrap();
    assert_eq!(order[0]["share"], NAME);
}

#[test]
fn without_room_a_stream_waits_as_long_as_it_takes_and_is_not_to_blame() {
    let mut client = tab();
    let slot = client.open("s");
    client.host.watch(slot, Pace::Frame);
    let mut task = client.orders().pop().unwrap().task();
    for _ in 0..20 {
        client.end(task, End::Crowded);
        client.flush();
        assert_eq!(client.state(slot, "connection")["state"], "connecting");
        for _ in 0..10 {
            client.wait(Millis(29_000));
        }
        assert!(client.orders().iter().all(|order| *order == Order::Look), "nothing is opened where there is no room");
        client.host.handle_room(slot, client.at());
        task = client.orders().pop().expect("there is room").task();
    }
    client.head(task, 200, "text/event-stream");
    client.chunk(task, &(content("1-0", "at last") + &done("2-0")));
    assert_eq!((text(&mut client, slot).as_str(), client.status(slot).as_str()), ("at last", "completed"));
}

#[test]
fn room_is_nothing_to_a_run_that_has_a_connection_or_is_over() {
    let mut client = tab();
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.host.handle_room(slot, client.at());
    client.host.handle_room(99, client.at());
    assert_eq!(client.orders(), []);
    client.chunk(task, &done("1-0"));
    client.orders();
    client.host.handle_room(slot, client.at());
    assert_eq!(client.orders(), []);
}

#[test]
fn what_is_no_record_changes_nothing() {
    let mut client = tab();
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.chunk(task, &content("1-0", "held"));
    for record in ["", "null", "[]", "{", "\u{0}", "7"] {
        client.host.handle_record(task, record, client.at());
        client.host.handle_record(Task(99), record, client.at());
    }
    client.chunk(task, &content("2-0", " fast"));
    assert_eq!(text(&mut client, slot), "held fast");
    assert_eq!(client.state(slot, "cursor"), "2-0");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever a tab has, and wherever the holder is: with its record and the bytes behind it the tab has all of it, and never
    /// shows less than before.
    #[test]
    fn who_joins_in_anywhere_has_it_all(had in 0_usize..31, at in 0_usize..31, from in 0_usize..31, is_seen in any::<bool>()) {
        let all = frames();
        let mut holder = tab();
        let (held, task) = holder.open_at("s", Pace::Unwatched);
        holder.chunk(task, &all[..from.min(at)].concat());
        // A holder that has itself lost its connection on the way.
        holder.end(task, End::Moved);
        let task = holder.orders().pop().unwrap().task();
        holder.head(task, 200, "text/event-stream");
        holder.chunk(task, &all[from.min(at)..at].concat());

        let mut joiner = tab();
        let (slot, first) = joiner.open_at("s", if is_seen { Pace::Frame } else { Pace::Unwatched });
        joiner.chunk(first, &all[..had].concat());
        let before = if is_seen { text(&mut joiner, slot) } else { String::new() };
        joiner.end(first, End::Moved);
        let task = joiner.orders().pop().unwrap().task();
        joiner.head(task, 200, "text/event-stream");
        joiner.host.handle_record(task, &record(&mut holder, held), joiner.at());
        if is_seen {
            let now = text(&mut joiner, slot);
            prop_assert!(now.starts_with(&before), "{now:?} is less than {before:?}");
        }
        for frame in &all[at..] {
            joiner.chunk(task, frame);
        }

        let mut perfect = tab();
        let (whole, task) = perfect.open_at("s", Pace::Frame);
        perfect.chunk(task, &all.concat());
        prop_assert_eq!(text(&mut joiner, slot), text(&mut perfect, whole));
        prop_assert_eq!(joiner.page(slot).transcript(), perfect.page(whole).transcript());
        prop_assert_eq!(joiner.status(slot), "completed");
        prop_assert_eq!(joiner.state(slot, "cursor"), "31-0");
    }
}
