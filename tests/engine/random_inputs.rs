//! Inputs in any order, of any connection, at any time: late, doubled, out of place. Nothing panics, and an unsettled run
//! is never left with nothing behind it.

use steadystream::engine::config::Config;
use steadystream::engine::delta::Delta;
use steadystream::engine::environment::{Environment, Signal};
use steadystream::engine::http::Head;
use steadystream::engine::link::Conn;
use steadystream::engine::protocol::Protocol;
use steadystream::engine::rng::Rng;
use steadystream::engine::run::{Adopted, Ask, Loss, Output, Run, Wish};
use steadystream::engine::time::{Instant, Millis};
use steadystream::engine::transport::Transport;
use steadystream::engine::window::Window;

const CHUNKS: [&str; 26] = [
    "data: {\"type\":\"start\",\"messageId\":\"m\",\"messageMetadata\":{\"a\":1}}\n\ndata: {\"type\":\"text-start\",\"id\":\"0\"}\n\n",
    "data: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"hello\"}\n\n",
    "id: 7\ndata: {\"type\":\"tool-input-start\",\"toolCallId\":\"c\",\"toolName\":\"t\"}\n\ndata: {\"type\":\"tool-input-delta\",\"toolCallId\":\"c\",\"inputTextDelta\":\"{\"}\n\n",
    "data: {\"type\":\"start-step\"}\n\ndata: {\"type\":\"reset-step\"}\n\n",
    "data: {\"type\":\"finish\"}\n\n",
    "data: [DONE]\n\n",
    "id: 1\ndata: {\"messageId\":\"r\",\"seq\":1,\"kind\":\"assistant_text\",\"payload\":{\"text\":\"a\"}}\n\n",
    "id: 3\ndata: {\"messageId\":\"q\",\"seq\":3,\"kind\":\"complete\",\"payload\":{}}\n\n",
    "data: {\"messageId\":\"r\",\"seq\":2,\"kind\":\"queue_processing\",\"payload\":{\"assistant_message_id\":\"m\"}}\n\n",
    "id: 1-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"a\"}\n\n",
    "id: 2-0\nevent: thinking\ndata: {\"type\":\"thinking\",\"content\":\"b\"}\n\nid: 2-1\nevent: con",
    "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n",
    "event: snapshot\ndata: {\"type\":\"snapshot\",\"snapshot\":{\"partialContent\":\"abc\"}}\n\n",
    ": ping\n\n",
    "event: error\ndata: {\"type\":\"error\",\"error\":\"no\"}\n\n",
    "id: 3-0\nevent: interrupt\ndata: {\"type\":\"interrupt\",\"interrupt\":{\"checkpointId\":\"c\"}}\n\n",
    "id: 9-0\nevent: done\ndata: {}\n\n",
    "retry: 10\n\n",
    "\r\r\n\0",
    "data: {\"type\":\"accepted\",\"pending_message_id\":\"r\",\"request_id\":\"q\"}\n\n",
    "data: {\"type\":\"token\",\"content\":\"a\",\"pending_message_id\":\"r\",\"seq\":1}\n\n",
    "data: {\"type\":\"token\",\"content\":\"b\",\"pending_message_id\":\"r\",\"seq\":3}\n\n",
    "data: {\"type\":\"token\",\"content\":\"c\"}\n\n",
    "data: {\"type\":\"error\",\"code\":\"overloaded\",\"request_id\":\"q\"}\n\n",
    "data: {\"type\":\"error\",\"code\":\"unknown-run\",\"pending_message_id\":\"r\"}\n\n",
    "data: {\"type\":\"done\",\"pending_message_id\":\"r\",\"seq\":2,\"sources\":[]}\n\n",
];
const REPLIES: [&str; 10] = [
    r#"{"has_active_task":true,"message_id":"r","last_seq":2}"#,
    r#"{"active":true,"runId":"r"}"#,
    r#"{"active":true}"#,
    r#"{"active":false}"#,
    "<html>",
    r#"{"active":true,"status":"streaming","pending_message_id":"r","content":"abc","seq":7}"#,
    r#"{"active":false,"status":"complete","pending_message_id":"r","content":"abc","seq":7}"#,
    r#"{"active":false,"status":"unknown"}"#,
    r#"{"pending_message_id":"r"}"#,
    "data: {\"type\":\"token\",\"content\":\"a\",\"seq\":1}\n\ndata: {\"type\":\"done\",\"seq\":2}\n\n",
];
const CLOSES: [Option<u16>; 8] =
    [None, Some(1000), Some(1006), Some(1008), Some(1013), Some(4401), Some(4404), Some(4999)];
const STATUSES: [u16; 12] = [0, 200, 200, 200, 204, 302, 401, 403, 404, 429, 500, 503];

fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.up_to(of.len() as u64 - 1) as usize]
}

fn wish(rng: &mut Rng) -> Wish {
    let text = |rng: &mut Rng, text: &str| (rng.up_to(1) == 0).then(|| text.to_owned());
    Wish {
        session: "s".into(),
        run: text(rng, "r"),
        request_id: text(rng, "q"),
        body: text(rng, "{}"),
        cursor: text(rng, "1-0"),
        grace: (rng.up_to(3) == 0).then_some(Millis(500)),
        listen: rng.up_to(1) == 0,
        adopted: (rng.up_to(5) == 0).then(|| Adopted { key: "1".into(), may_reopen: rng.up_to(1) == 0 }),
        held: (rng.up_to(3) == 0).then(|| HELD[rng.up_to(HELD.len() as u64 - 1) as usize].to_owned()),
        is_in_line: false,
        was_left: false,
        may_have_arrived: rng.up_to(3) == 0,
    }
}

const HELD: [&str; 4] = [
    "",
    r#"{"parts":[{"type":"text","text":"Hel","state":"streaming"}]}"#,
    r#"{"cursor":"1-0","run":"r","told":3,"isWaiting":true,"isCancelled":true,"parts":[{"type":"text","text":"a"}],"open":[{"i":0}]}"#,
    r#"{"cursor":null,"first":"m","told":99999999999,"parts":[{"type":"tool-x","state":"input-streaming"},{"type":"step-start"}]}"#,
];

fn play(seed: u64) -> Vec<Output> {
    let mut rng = Rng::seeded(seed);
    let protocol = pick(
        &mut rng,
        &[
            Protocol::Bichat,
            Protocol::Bichat,
            Protocol::WsChat,
            Protocol::UiMessage,
            Protocol::Envelope,
            Protocol::Custom,
        ],
    );
    let mut transports = Vec::new();
    for _ in 0..rng.up_to(3) {
        let transport = pick(&mut rng, &Transport::ALL);
        let fits = match protocol {
            Protocol::WsChat => true,
            Protocol::UiMessage | Protocol::Custom => transport == Transport::Fetch,
            _ => transport != Transport::WebSocket,
        };
        if fits && !transports.contains(&transport) {
            transports.push(transport);
        }
    }
    let event_log = rng.up_to(3) > 0 || protocol == Protocol::WsChat;
    let config = Config { event_log, protocol, transports, ..Config::default() };
    let environment = Environment { online: rng.up_to(3) > 0, ..Environment::default() };
    let (mut clock, mut window, mut delta) = (10_000_u64, Window::new(), Delta::new());
    let mut run = Run::new(wish(&mut rng), config, environment, seed, Instant::from_millis(clock));
    let (mut conn, mut ask, mut outputs) = (Conn(0), Ask(0), Vec::new());
    for _ in 0..200 {
        while let Some(output) = run.poll_output() {
            match &output {
                Output::Connect { conn: new, .. } | Output::Join { conn: new, .. } => conn = *new,
                Output::Ask { ask: new, .. } => ask = *new,
                _ => {}
            }
            outputs.push(output);
        }
        assert!(run.is_sustained(), "seed {seed}");
        // Who shares a socket is watched by the socket.
        if !run.link().is_shared() || run.status().is_settled() {
            assert_eq!(
                run.poll_timeout().is_none(),
                run.status().is_settled(),
                "seed {seed}: {:?}",
                run.link().phase()
            );
        }
        run.write_delta(1, &mut delta, rng.up_to(1) == 0);
        check_flush(delta.finish());
        delta.clear();

        // A clock may stand still, jump, or run back.
        clock = match rng.up_to(9) {
            0 => clock + rng.up_to(100_000),
            1 => clock.saturating_sub(rng.up_to(1_000)),
            2 => run.poll_timeout().map_or(clock, |due| due.as_millis()),
            _ => clock + rng.up_to(500),
        };
        let now = Instant::from_millis(clock);
        let of = if rng.up_to(9) == 0 { Conn(conn.0.wrapping_sub(rng.up_to(2) as u32)) } else { conn };
        let status = pick(&mut rng, &STATUSES);
        let was_settled = run.status().is_settled();
        match rng.up_to(22) {
            0..=3 => {
                let content_type =
                    pick(&mut rng, &[Some("text/event-stream"), Some("text/event-stream"), Some("text/html"), None]);
                let retry_after = pick(&mut rng, &[None, Some("1"), Some("99999999"), Some("soon")]);
                run.handle_response(of, &Head { status, content_type, retry_after, now_unix_ms: Some(clock) }, now);
            }
            4..=8 => {
                let chunk = pick(&mut rng, &CHUNKS).as_bytes();
                let length = rng.up_to(chunk.len() as u64) as usize;
                let length = if rng.up_to(3) == 0 { length } else { chunk.len() };
                window.chunk_mut()[..length].copy_from_slice(&chunk[..length]);
                run.handle_chunk(of, &mut window, length, now);
            }
            9 | 10 => run.handle_lost(of, pick(&mut rng, &[Loss::Ended, Loss::Failed]), now),
            11 | 12 => run.handle_reply(
                Ask(ask.0.wrapping_sub(rng.up_to(1) as u32)),
                status,
                pick(&mut rng, &REPLIES).as_bytes(),
                &mut window,
                now,
            ),
            13 => {
                let signals = [
                    Signal::Online,
                    Signal::Offline,
                    Signal::Frozen,
                    Signal::Thawed,
                    Signal::PageShown,
                    Signal::Visible,
                ];
                run.handle_signal(pick(&mut rng, &signals), now);
            }
            14 => run.listen(rng.up_to(1) == 0),
            15 if rng.up_to(9) == 0 => run.stop(now),
            16 => run.handle_stop_reply(status, now),
            17 if rng.up_to(19) == 0 => run.close(now),
            18 => {
                run.retry("q2", (rng.up_to(1) == 0).then_some("{\"again\":1}"), now);
            }
            19 => run.handle_handed(of, of.0 & 1, now),
            20 => run.handle_closed(of, pick(&mut rng, &CLOSES), (rng.up_to(1) == 0).then_some(Millis(700)), now),
            21 => {
                run.handle_joinable(now);
                run.handle_latency(Millis(rng.up_to(3)));
                run.trace(rng.up_to(1) == 0);
            }
            _ => run.handle_timeout(now),
        }
        if was_settled && run.status().is_settled() {
            assert_eq!(run.poll_output(), None, "seed {seed}: an output after the end");
        }
    }
    outputs
}

/// A flush is empty, or a line of JSON and valid UTF-8 behind it.
fn check_flush(flush: &[u8]) {
    let text = std::str::from_utf8(flush).expect("valid UTF-8");
    if let Some((head, _)) = text.split_once('\n') {
        serde_json::from_str::<serde_json::Value>(head).expect("a head of JSON");
    } else {
        assert!(text.is_empty());
    }
}

#[test]
fn inputs_in_any_order_never_panic_and_never_strand_a_run() {
    for seed in 0..800 {
        play(seed);
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    for seed in 0..100 {
        assert_eq!(play(seed), play(seed));
    }
}
