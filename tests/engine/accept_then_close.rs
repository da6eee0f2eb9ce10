//! FIELD 1.2: a server that accepts each socket and closes it after 5 ms is asked at most six times in half a minute, whatever
//! chance says and however many runs share the socket, and in the end each run says so.

use serde_json::Value;
use steadystream::engine::{
    config::Config,
    environment::Environment,
    host::{End, Host, Task},
    http::Head,
    protocol::Protocol,
    run::Wish,
    time::{Instant, Millis},
    transport::Transport,
};

/// When the sockets were opened, in ms since the first; and how each run ended.
fn play(seed: u64, runs: usize, code: Option<u16>) -> (Vec<u64>, Vec<String>) {
    let config = Config {
        protocol: Protocol::WsChat,
        transports: vec![Transport::WebSocket],
        give_up_after: Millis(120_000),
        max_attempts: u32::MAX,
        ..Config::default()
    };
    let mut host = Host::new(config, Environment::default(), seed);
    let (mut now, mut alarm) = (0_u64, None::<u64>);
    let (mut opened, mut ends, mut due) = (Vec::new(), Vec::new(), Vec::<(u64, u32, bool)>::new());
    let at = Instant::from_millis;
    for run in 0..runs {
        let body = format!("{{\"request_id\":\"q{run}\",\"content\":\"x\"}}");
        let wish = Wish {
            session: format!("s{run}"),
            request_id: Some(format!("q{run}")),
            body: Some(body),
            ..Wish::default()
        };
        host.begin(wish, true, at(now));
    }
    while ends.len() < runs {
        assert!(now < 3_600_000, "seed {seed}: it never ends");
        while host.take_due().orders {
            let orders = host.take_orders(<[u8]>::to_vec);
            for order in serde_json::from_slice::<Vec<Value>>(&orders).unwrap() {
                if let Some(task) = order["open"].as_u64() {
                    let is_socket = order["via"] == "websocket";
                    if is_socket {
                        opened.push(now);
                    }
                    due.push((now + 5, task as u32, is_socket));
                } else if let Some(task) = order["close"].as_u64() {
                    due.retain(|(_, open, _)| u64::from(*open) != task);
                }
            }
        }
        let flush = host.flush(<[u8]>::to_vec);
        let head = flush.split(|&byte| byte == b'\n').next().filter(|head| !head.is_empty());
        for delta in head.map_or(Vec::new(), |head| serde_json::from_slice::<Vec<Value>>(head).unwrap()) {
            if delta["end"] == true {
                ends.push(delta["state"]["error"]["code"].as_str().unwrap_or("none").to_owned());
            }
        }
        alarm = [alarm, host.take_timeout().map(Instant::as_millis)].into_iter().flatten().min();
        now = due.iter().map(|(when, ..)| *when).chain(alarm).min().expect("something is always due").max(now);
        while let Some(place) = due.iter().position(|(when, ..)| *when <= now) {
            let (_, task, is_socket) = due.remove(place);
            if is_socket {
                host.handle_head(
                    Task(task),
                    &Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() },
                    at(now),
                );
            }
            // No other endpoint answers.
            host.handle_end(Task(task), End::Failed, code.filter(|_| is_socket), at(now));
        }
        if alarm.is_some_and(|when| when <= now) {
            alarm = None;
            host.handle_timeout(at(now));
        }
    }
    (opened, ends)
}

#[test]
fn at_most_six_sockets_in_half_a_minute_and_a_typed_end() {
    for seed in 0..200 {
        for code in [None, Some(1000), Some(1006), Some(1011), Some(4000)] {
            let (opened, ends) = play(seed, 1, code);
            for (place, first) in opened.iter().enumerate() {
                let soon = opened[place..].iter().filter(|at| **at - first < 30_000).count();
                assert!(soon <= 6, "seed {seed}, {code:?}: {soon} within 30 s from {first}: {opened:?}");
            }
            assert_eq!(ends, ["gave-up"], "seed {seed}");
        }
    }
}

#[test]
fn runs_that_share_a_socket_make_no_more_attempts_than_one() {
    for seed in 0..100 {
        let (opened, ends) = play(seed, 2 + seed as usize % 5, [None, Some(1000), Some(1006)][seed as usize % 3]);
        for first in &opened {
            let soon = opened.iter().filter(|at| (*first..first + 30_000).contains(*at)).count();
            assert!(soon <= 6, "seed {seed}: {soon} within 30 s from {first}: {opened:?}");
        }
        assert!(ends.iter().all(|end| end == "gave-up"), "{ends:?}");
    }
}
