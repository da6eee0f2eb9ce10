//! B-SEND-5, B-SEND-6, B-SEND-7, B-SEND-9: what bounds a send, what its own end and its user's look like, and where its response ends.

use crate::support::client::{Client, Order, steady};
use steadystream::engine::config::Config;
use steadystream::engine::host::Task;
use steadystream::engine::time::Millis;

const STARTED: &str = "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n";

fn sent(config: Config) -> (Client, u32, Task) {
    let mut client = Client::new(config);
    let slot = client.send("s", "{}");
    let task = client.orders().pop().expect("it goes out at once").task();
    (client, slot, task)
}

fn limited() -> Config {
    Config { send_timeout: Some(Millis(1_000)), event_log: false, ..steady() }
}

fn state(client: &mut Client, slot: u32, member: &str) -> serde_json::Value {
    client.flush();
    client.state(slot, member)
}

#[test]
fn the_limit_ends_with_the_head_and_without_one_there_is_none() {
    let (mut client, slot, task) = sent(limited());
    client.wait(Millis(900));
    client.head(task, 200, "text/event-stream");
    client.wait(Millis(5_000));
    client.chunk(task, STARTED);
    assert_eq!((state(&mut client, slot, "runId"), client.orders()), ("r".into(), vec![]));
    let (mut client, slot, _) = sent(Config { send_timeout: None, ..limited() });
    client.wait(Millis(40_000));
    assert_eq!((client.orders(), state(&mut client, slot, "status")), (vec![], "pending".into()));
}

#[test]
fn a_limit_that_runs_out_is_told_from_a_users_abort() {
    let (mut client, slot, task) = sent(Config { max_attempts: 1, ..limited() });
    client.wait(Millis(1_000));
    assert_eq!(client.orders(), [Order::Close(task)]);
    assert_eq!(state(&mut client, slot, "connection")["error"]["code"], "connect-timeout");
    assert_eq!(client.state(slot, "status"), "pending", "it is tried again");

    let (mut client, slot, task) = sent(limited());
    client.close(slot);
    assert_eq!(client.orders(), [Order::Close(task)]);
    assert_eq!(
        (state(&mut client, slot, "error")["code"].clone(), client.state(slot, "by")),
        ("aborted".into(), "user".into())
    );
    client.wait(Millis(3_600_000));
    assert_eq!(client.orders(), [], "nothing is tried again for who has left");
}

#[test]
fn a_response_is_read_to_each_of_the_four_ends_and_closed() {
    for (name, status) in [("done", "completed"), ("error", "failed"), ("cancelled", "cancelled"), ("failed", "failed")]
    {
        let (mut client, slot, task) = sent(limited());
        client.head(task, 200, "text/event-stream");
        client.chunk(task, STARTED);
        client.chunk(task, &format!("event: {name}\ndata: {{\"type\":\"{name}\"}}\n\n"));
        assert_eq!(state(&mut client, slot, "status"), status, "{name}");
        assert_eq!(client.orders(), [Order::Close(task)], "{name}: the server need not close it");
    }
}
