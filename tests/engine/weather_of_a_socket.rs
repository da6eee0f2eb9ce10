//! Runs that share a socket, and a page that loses its network: what the socket says is theirs, what the page says is, too.

use crate::support::client::{Client, Order, steady};
use steadystream::engine::config::Config;
use steadystream::engine::environment::Signal;
use steadystream::engine::host::{End, Task};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::time::Millis;
use steadystream::engine::transport::Transport;

fn over(transports: &[Transport]) -> Client {
    let mut config = Config { protocol: Protocol::WsChat, transports: transports.to_vec(), ..steady() };
    config.backoff.base = Millis(20_000);
    Client::new(config)
}

/// Two runs on one open socket; gives its task.
fn two_on_a_socket(client: &mut Client) -> Task {
    client.open("one");
    client.open("two");
    let opened = client.orders();
    assert_eq!(opened.len(), 1, "{opened:?}");
    let socket = opened[0].task();
    client.head(socket, 200, "text/event-stream");
    client.orders();
    socket
}

fn opened(client: &mut Client) -> Vec<String> {
    client.said().into_iter().filter(|said| said != "close").collect()
}

#[test]
fn a_network_that_is_back_ends_the_wait_that_runs_have_in_common() {
    for signals in
        [[Signal::Offline, Signal::Online], [Signal::Frozen, Signal::Thawed], [Signal::Hidden, Signal::Visible]]
    {
        let mut client = over(&[Transport::WebSocket]);
        let socket = two_on_a_socket(&mut client);
        client.end(socket, End::Failed);
        client.wait(Millis(2_000));
        client.signal(signals[0]);
        assert_eq!(opened(&mut client), [""; 0]);
        client.signal(signals[1]);
        assert_eq!(opened(&mut client), ["websocket /ws/chat"], "{signals:?}");
    }
}

#[test]
fn a_socket_that_fell_silent_while_offline_is_replaced_when_the_network_is_back() {
    let mut client = over(&[Transport::WebSocket]);
    let socket = two_on_a_socket(&mut client);
    client.wait(Millis(100));
    client.signal(Signal::Offline);
    client.wait(Millis(1_000));
    client.signal(Signal::Online);
    assert!(client.orders().contains(&Order::Close(socket)));
    client.wait(Millis(20_000));
    assert_eq!(opened(&mut client), ["websocket /ws/chat"]);
}

#[test]
fn a_socket_that_spoke_while_the_page_thought_it_was_offline_is_kept() {
    let mut client = over(&[Transport::WebSocket]);
    let socket = two_on_a_socket(&mut client);
    client.signal(Signal::Offline);
    client.wait(Millis(100));
    client.chunk(socket, "data: {\"type\":\"pong\"}\n\n");
    client.signal(Signal::Online);
    assert_eq!(client.said(), [""; 0]);
}

#[test]
fn what_was_on_its_way_when_the_network_went_is_no_sign_of_life() {
    for (transport, late) in [(Transport::WebSocket, "data: {\"type\":\"pong\"}\n\n"), (Transport::Fetch, ": late\n\n")]
    {
        let mut client = over(&[transport]);
        let slot = client.open("one");
        let held = client.orders().pop().unwrap().task();
        client.head(held, 200, "text/event-stream");
        client.orders();
        client.signal(Signal::Offline);
        client.wait(Millis(20));
        client.chunk(held, late);
        client.wait(Millis(4_000));
        client.orders();
        client.signal(Signal::Online);
        assert!(client.orders().contains(&Order::Close(held)), "{transport:?}: slot {slot}");
    }
}

#[test]
fn a_transport_is_not_suspected_of_what_failed_without_a_network() {
    let mut client = over(&[Transport::WebSocket, Transport::EventSource]);
    client.open("one");
    for _ in 0..3 {
        let attempt = client.orders().pop().expect("an attempt");
        assert_eq!(attempt.says(), "websocket /ws/chat");
        client.signal(Signal::Offline);
        client.end(attempt.task(), End::Failed);
        client.signal(Signal::Online);
    }
}
