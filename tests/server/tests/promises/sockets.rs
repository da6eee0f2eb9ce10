//! Sockets that are refused, cut, closed, silenced or spoiled.

use serde_json::{Value, json};

use crate::chat::{OTHER_REQUEST, body, path, post, stream};
use crate::client::{End, OTHER_SESSION, REQUEST, Rig, SESSION};
use crate::socket::{Next, Socket, said, seqs};

async fn rig() -> Rig {
    Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3 })).await
}

/// A rig with this step for the next socket, and that socket.
async fn spoiled(step: Value) -> (Rig, Socket) {
    let rig = rig().await;
    rig.script("ws", json!([step])).await;
    let socket = rig.socket().await;
    (rig, socket)
}

#[tokio::test]
async fn an_upgrade_is_refused_with_any_status() {
    let rig = rig().await;
    rig.script(
        "ws",
        json!([{ "status": { "code": 403 } }, { "status": { "code": 426 } },
        { "status": { "code": 503, "retryAfter": 2 } }]),
    )
    .await;
    for code in [403, 426, 503] {
        let refused = rig.socket_with(&[]).await.err().unwrap();
        assert_eq!(refused.status, code);
        assert_eq!(refused.headers.get("retry-after").map(String::as_str), (code == 503).then_some("2"));
    }
    rig.socket().await.accepted(REQUEST).await;
    let counters = rig.ask("counters").await;
    assert_eq!(counters["webSockets"], json!({ "total": 4, "accepted": 1 }));
}

#[tokio::test]
async fn an_upgrade_is_cut_answered_with_a_page_or_spoiled() {
    let rig = rig().await;
    let before = |how: &str| json!({ "cut": { "beforeHeaders": true, "how": how } });
    rig.script("ws", json!([before("rst"), before("drop"), { "htmlPage": true }, { "wrongUpgrade": true }])).await;
    assert_eq!(Socket::open(rig.app, &[]).await.err(), Some(End::Reset));
    assert_eq!(Socket::open(rig.app, &[]).await.err(), Some(End::Truncated));
    let page = rig.socket_with(&[]).await.err().unwrap();
    assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert_ne!(rig.socket().await.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[tokio::test]
async fn a_blackhole_answers_neither_an_upgrade_nor_a_request() {
    let rig = rig().await;
    rig.set("faults", json!({ "steps": [{ "blackhole": true }, { "blackhole": true }] })).await;
    let app = rig.app;
    let upgrade = tokio::spawn(async move { Socket::open(app, &[]).await.is_ok() });
    rig.until("counters", |counters| counters["requests"]["ws"] == 1).await;
    let status = path("status");
    let request = tokio::spawn(async move { crate::client::request(app, "GET", &status, &[], None).await.is_ok() });
    rig.until("counters", |counters| counters["requests"]["chat-status"] == 1).await;
    // Somebody who asks afterwards is answered before them.
    assert_eq!(rig.get(&path("status")).await.status, 200);
    assert!(!upgrade.is_finished() && !request.is_finished());
    upgrade.abort();
    request.abort();
}

#[tokio::test]
async fn a_socket_is_closed_after_a_time_or_after_an_event_with_any_code() {
    let (_rig, mut socket) = spoiled(json!({ "close": { "afterMs": 5, "code": 1013, "reason": "busy" } })).await;
    assert_eq!(socket.next().await, Next::Close(Some(1013), "busy".to_owned()));
    let (rig, mut socket) = spoiled(json!({ "close": { "afterEvents": 4, "code": 4408 } })).await;
    socket.accepted(REQUEST).await;
    let (frames, end) = socket.rest().await;
    assert_eq!((seqs(&frames), end), (vec![1, 2, 3, 4], Next::Close(Some(4408), String::new())));
    let close = json!({ "by": "server", "code": 4408, "reason": "" });
    socket.close(4408).await;
    assert_eq!(socket.next().await, Next::End(End::Truncated));
    let journal = rig.until("requests", |requests| requests[0]["outcome"] == "cut").await;
    assert_eq!((&journal[0]["close"], &journal[0]["events"]), (&close, &json!(4)));
    let (_rig, mut socket) = spoiled(json!({ "close": {} })).await;
    assert_eq!(socket.next().await, Next::Close(None, String::new()));
}

#[tokio::test]
async fn a_send_takes_effect_and_nobody_hears_of_it() {
    let lost = [
        (json!({ "cut": { "afterSend": true, "how": "rst" } }), Next::End(End::Reset)),
        (json!({ "cut": { "afterSend": true, "how": "drop" } }), Next::End(End::Truncated)),
        (json!({ "close": { "afterSend": true, "code": 1012 } }), Next::Close(Some(1012), String::new())),
    ];
    for (step, end) in lost {
        let (rig, mut socket) = spoiled(step).await;
        socket.ask(REQUEST).await;
        assert_eq!(socket.rest().await, (Vec::new(), end));
        let state = rig.get(&path(&format!("status?request_id={REQUEST}"))).await.json().await;
        assert_eq!(state["request_id"], REQUEST);
        let answer = rig.socket().await.accepted(REQUEST).await;
        assert_eq!(state["pending_message_id"], answer.as_str());
        assert_eq!(rig.ask("counters").await["runsStarted"], 1);
    }
}

#[tokio::test]
async fn a_socket_ends_right_behind_accepted() {
    let (_rig, mut socket) = spoiled(json!({ "cut": { "afterAccepted": true, "how": "rst", "lingerMs": 20 } })).await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.rest().await, (Vec::new(), Next::End(End::Reset)));
    let (_rig, mut socket) = spoiled(json!({ "close": { "afterAccepted": true, "code": 1001 } })).await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.rest().await.1, Next::Close(Some(1001), String::new()));
}

#[tokio::test]
async fn a_cut_falls_between_frames_inside_one_or_on_a_byte() {
    for (how, end) in [("rst", End::Reset), ("drop", End::Truncated), ("fin", End::Truncated)] {
        let (_rig, mut socket) = spoiled(json!({ "cut": { "afterEvents": 7, "how": how } })).await;
        socket.accepted(REQUEST).await;
        let (frames, over) = socket.rest().await;
        assert_eq!((seqs(&frames), over), ((1..=7).collect(), Next::End(end)));
        let (_rig, mut cut) = spoiled(json!({ "cut": { "afterEvents": 7, "into": 9, "how": how } })).await;
        cut.accepted(REQUEST).await;
        let (frames, over) = cut.rest().await;
        assert_eq!((frames.len(), over), (7, Next::End(end)));
        assert_eq!(cut.bytes, socket.bytes + 9);
        let (_rig, mut socket) = spoiled(json!({ "cut": { "afterBytes": 300, "how": how } })).await;
        socket.ask(REQUEST).await;
        assert_eq!(socket.rest().await.1, Next::End(end));
        assert_eq!(socket.bytes, 300);
    }
}

#[tokio::test]
async fn a_stall_keeps_the_socket_open_with_or_without_pongs() {
    for pongs in [true, false] {
        let (_rig, mut socket) = spoiled(json!({ "stall": { "afterEvents": 3, "heartbeats": pongs } })).await;
        socket.accepted(REQUEST).await;
        for seq in 1..=3 {
            assert_eq!(socket.json().await["seq"], seq);
        }
        socket.send(json!({ "type": "ping", "id": 1 })).await;
        if pongs {
            assert_eq!(socket.json().await["type"], "pong");
        }
        socket.assert_silent().await;
    }
    let (_rig, mut socket) = spoiled(json!({ "stall": { "afterEvents": 3, "ms": 20 } })).await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.answer().await.len(), 60);
    let (_rig, mut socket) = spoiled(json!({ "stall": { "afterBytes": 300, "ms": 20 } })).await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.answer().await.len(), 60);
}

#[tokio::test]
async fn pings_are_ignored_while_answers_go_on() {
    let (_rig, mut socket) = spoiled(json!({ "ignorePings": true })).await;
    socket.send(json!({ "type": "ping", "id": 1 })).await;
    socket.send_raw(9, b"x").await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.answer().await.len(), 60);
}

#[tokio::test]
async fn events_come_twice_not_at_all_or_in_disorder() {
    for (step, first) in [
        (json!({ "duplicate": 2 }), [1, 2, 2, 3, 4, 4]),
        (json!({ "drop": 2 }), [1, 3, 5, 7, 9, 11]),
        (json!({ "reorder": 2 }), [1, 3, 2, 5, 4, 7]),
    ] {
        let (_rig, mut socket) = spoiled(step).await;
        socket.accepted(REQUEST).await;
        let frames = socket.answer().await;
        assert_eq!(seqs(&frames)[..6], first);
        assert_eq!(frames.last().unwrap()["type"], "done");
    }
}

#[tokio::test]
async fn a_resume_replays_what_was_seen() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    rig.script("ws", json!([{ "replaySeen": 3 }, { "ignoreCursor": true }])).await;
    for first in [8, 1] {
        let mut socket = rig.socket().await;
        socket.resume(&answer, 10).await;
        assert_eq!(seqs(&socket.answer().await), (first..=60).collect::<Vec<_>>());
    }
    rig.script("chat-events", json!([{ "replaySeen": 3 }, { "ignoreCursor": true }])).await;
    for first in [8, 1] {
        let frames = stream(&rig, &format!("pending_message_id={answer}&after=10")).await;
        assert_eq!(seqs(&frames), (first..=60).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn broken_frames_are_put_in_and_nothing_is_replaced() {
    let at = json!({ "at": 3 });
    let (rig, mut socket) =
        spoiled(json!({ "malformed": at, "wrongTypes": at, "hugeFrame": { "at": 4, "bytes": 70_000 },
        "binaryFrame": { "at": 5 } }))
        .await;
    let answer = socket.accepted(REQUEST).await;
    let mut frames = vec![socket.json().await, socket.json().await];
    assert_eq!(socket.next().await, Next::Text("{\"type\":\"token\",\"content\":\"brok".to_owned()));
    assert_eq!(socket.json().await["content"], json!({ "text": 7 }));
    frames.push(socket.json().await);
    assert_eq!(socket.json().await["content"].as_str().map(str::len), Some(70_000));
    frames.push(socket.json().await);
    assert_eq!(socket.next().await, Next::Binary);
    frames.extend(socket.answer().await);
    assert_eq!(said(&frames), rig.truth(&answer).await["text"]);
}

#[tokio::test]
async fn an_answer_ends_twice_or_never() {
    let (_rig, mut socket) = spoiled(json!({ "terminalTwice": true })).await;
    socket.accepted(REQUEST).await;
    let first = socket.answer().await.pop();
    assert_eq!(Some(socket.json().await), first);
    let (rig, mut socket) = spoiled(json!({ "noTerminal": true })).await;
    let answer = socket.accepted(REQUEST).await;
    for seq in 1..=59 {
        assert_eq!(socket.json().await["seq"], seq);
    }
    rig.until("counters", |counters| counters["runs"][&answer]["now"] == 0).await;
    socket.assert_silent().await;
}

#[tokio::test]
async fn a_plain_server_knows_three_frames() {
    for whole in [false, true] {
        let rig = rig().await;
        match whole {
            true => drop(rig.set("config", json!({ "plain": true })).await),
            false => rig.script("*", json!([{ "plain": true }, { "plain": true }])).await,
        }
        let mut socket = rig.socket().await;
        socket.ask(REQUEST).await;
        let frames = socket.answer().await;
        assert!(frames.iter().all(|frame| frame.get("seq").or(frame.get("pending_message_id")).is_none()));
        assert_eq!((&frames[0]["type"], &frames[59]["type"]), (&json!("token"), &json!("done")));
        let run = rig.ask("runs").await[0]["runId"].as_str().unwrap().to_owned();
        assert_eq!(said(&frames), rig.truth(&run).await["text"]);
        socket.resume(&run, 0).await;
        socket.send(json!({ "type": "ping", "id": 1 })).await;
        socket.assert_silent().await;
        assert_eq!(rig.get(&path("status")).await.json().await["status"], "unknown");
    }
}

#[tokio::test]
async fn an_answer_can_be_unknown_and_a_send_refused() {
    let rig = rig().await;
    let answer = rig.socket().await.accepted(REQUEST).await;
    rig.script("ws", json!([{ "unknownRun": true }, { "refuseSend": { "code": "overloaded" } }])).await;
    rig.script("chat-status", json!([{ "unknownRun": true }])).await;
    rig.script("chat-events", json!([{ "unknownRun": true }])).await;
    let mut socket = rig.socket().await;
    socket.resume(&answer, 0).await;
    assert_eq!(socket.json().await["code"], "unknown-run");
    let mut socket = rig.socket().await;
    socket.ask(OTHER_REQUEST).await;
    let refused = socket.json().await;
    assert_eq!((&refused["code"], &refused["request_id"]), (&json!("overloaded"), &json!(OTHER_REQUEST)));
    assert_eq!(rig.ask("counters").await["runsStarted"], 1);
    assert_eq!(rig.get(&path("status")).await.json().await, json!({ "active": false, "status": "unknown" }));
    assert_eq!(rig.get(&path(&format!("events?pending_message_id={answer}"))).await.status, 404);
}

#[tokio::test]
async fn frames_come_in_fragments_pieces_and_drops() {
    let (rig, mut socket) = spoiled(json!({ "fragment": 20, "splitEvery": 7 })).await;
    socket.ask(REQUEST).await;
    let first = socket.frame().await.unwrap();
    assert_eq!((first.fin, first.opcode, first.payload.len()), (false, 1, 20));
    let second = socket.frame().await.unwrap();
    assert_eq!((second.fin, second.opcode), (false, 0));
    while !socket.frame().await.unwrap().fin {}
    let frames = socket.answer().await;
    assert_eq!(frames.len(), 60);
    let answer = frames[0]["pending_message_id"].as_str().unwrap();
    assert_eq!(said(&frames), rig.truth(answer).await["text"]);
    let (_rig, mut socket) = spoiled(json!({ "drip": { "bytes": 100, "everyMs": 1 } })).await;
    socket.accepted(REQUEST).await;
    assert_eq!(socket.answer().await.len(), 60);
}

#[tokio::test]
async fn whoever_brings_no_right_token_is_closed_out() {
    let rig = rig().await;
    rig.set("config", json!({ "auth": { "tokens": ["töken"] } })).await;
    let closed = Next::Close(Some(4401), "unauthorized".to_owned());
    let auth = |token: &str| json!({ "type": "auth", "token": token });
    let mut socket = rig.socket().await;
    socket.ask(REQUEST).await;
    assert_eq!(socket.next().await, closed);
    let mut socket = rig.socket().await;
    socket.send(auth("wrong")).await;
    assert_eq!(socket.next().await, closed);
    let mut socket = rig.socket_with(&[("Sec-WebSocket-Protocol", "ws-chat.v1, bearer.eA")]).await.unwrap();
    assert_eq!(socket.next().await, closed);
    assert_eq!(rig.ask("counters").await["runsStarted"], 0);
    let mut socket = rig.socket().await;
    socket.send(auth("töken")).await;
    socket.accepted(REQUEST).await;
    let mut socket = rig.socket_with(&[("Sec-WebSocket-Protocol", "ws-chat.v1, bearer.dMO2a2Vu")]).await.unwrap();
    socket.accepted(REQUEST).await;
    rig.set("config", json!({ "auth": { "tokens": ["t"] } })).await;
    rig.socket_with(&[("Cookie", "a=b; token=t")]).await.unwrap().accepted(REQUEST).await;
    assert_eq!(post(&rig, "messages", body(REQUEST)).await.status, 401);
    let tokens = rig.ask("requests").await;
    assert_eq!((&tokens[1]["token"], &tokens[2]["token"]), (&json!("wrong"), &json!("x")));
}

#[tokio::test]
async fn everybody_is_cut_closed_or_taken_offline_at_once() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200 })).await;
    for (order, end) in [
        (json!({ "do": "cut", "how": "rst" }), Next::End(End::Reset)),
        (json!({ "do": "cut", "how": "drop", "sessionId": SESSION }), Next::End(End::Truncated)),
        (
            json!({ "do": "cut", "how": "fin", "code": 1012, "reason": "again" }),
            Next::Close(Some(1012), "again".into()),
        ),
        (json!({ "do": "cutEvery", "ms": 5, "how": "rst", "code": 1001 }), Next::Close(Some(1001), String::new())),
        (json!({ "do": "offline" }), Next::End(End::Reset)),
        (json!({ "do": "restart" }), Next::End(End::Reset)),
    ] {
        let mut socket = rig.socket().await;
        socket.ask(REQUEST).await;
        socket.json().await;
        let other = json!({ "do": "cut", "how": "rst", "sessionId": OTHER_SESSION });
        if order["do"] != "cutEvery" {
            assert_eq!(rig.set("now", other).await["cut"], 0);
        }
        rig.set("now", order.clone()).await;
        assert_eq!(socket.rest().await.1, end, "{order}");
        rig.set("now", json!({ "do": "clear" })).await;
    }
    let mut socket = rig.socket().await;
    socket.accepted(REQUEST).await;
    rig.set("now", json!({ "do": "refuse" })).await;
    socket.json().await;
    assert_eq!(Socket::open(rig.app, &[]).await.err(), Some(End::Refused));
    rig.set("now", json!({ "do": "clear" })).await;
    rig.set("now", json!({ "do": "status", "code": 503 })).await;
    assert_eq!(rig.socket_with(&[]).await.err().unwrap().status, 503);
    socket.json().await;
}

#[tokio::test]
async fn a_stall_for_everybody_silences_sockets_until_it_is_cleared() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200 })).await;
    let ping = || json!({ "type": "ping", "id": 1 });
    rig.set("now", json!({ "do": "stall", "heartbeats": true })).await;
    let mut socket = rig.socket().await;
    socket.ask(REQUEST).await;
    socket.send(ping()).await;
    assert_eq!(socket.json().await["type"], "pong");
    socket.assert_silent().await;
    assert_eq!(rig.ask("counters").await["runsStarted"], 1);
    rig.set("now", json!({ "do": "clear" })).await;
    assert_eq!(socket.json().await["type"], "accepted");
    assert_eq!(socket.json().await["seq"], 1);
    rig.set("now", json!({ "do": "stall", "sessionId": OTHER_SESSION })).await;
    assert!(socket.json().await["seq"].is_u64());
    rig.set("now", json!({ "do": "stall", "sessionId": SESSION })).await;
    let mut late = rig.socket().await;
    late.ask(REQUEST).await;
    late.assert_silent().await;
}

#[tokio::test]
async fn a_buffering_proxy_gives_headers_at_once_and_the_body_in_the_end() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200, "heartbeatMs": 5 })).await;
    rig.set("faults", json!({ "steps": [{ "buffer": {} }, { "buffer": {} }, { "buffer": {} }] })).await;
    let run = rig.start_run().await;
    let mut bichat = rig.events(&run, None).await;
    let mut live = rig.post("stream", crate::client::message()).await;
    bichat.assert_silent().await;
    live.assert_silent().await;
    rig.post("stream/stop", json!({ "sessionId": SESSION })).await;
    for reply in [bichat, live] {
        let whole = reply.whole().await;
        assert_eq!((whole.chunks.len(), whole.end), (1, End::Clean));
        assert_eq!(whole.events().last().unwrap().name, "error");
    }
    // Step three had been taken by the stop; a short answer is held back as well, and comes.
    let answer = rig.socket().await.accepted(REQUEST).await;
    rig.script("chat-events", json!([{ "buffer": {} }])).await;
    let mut chat = rig.get(&path(&format!("events?pending_message_id={answer}"))).await;
    assert_eq!(chat.status, 200);
    chat.assert_silent().await;
    post(&rig, "stop", json!({})).await;
    let whole = chat.whole().await;
    assert_eq!((whole.chunks.len(), whole.end), (1, End::Clean));
    assert!(whole.text().contains("cancelled"));
}

#[tokio::test]
async fn requests_and_streams_of_the_chat_take_every_fault() {
    let rig = rig().await;
    let cut = json!({ "cut": { "beforeHeaders": true, "how": "rst" } });
    rig.script("messages", json!([cut, { "status": { "code": 503, "retryAfter": 1 } }])).await;
    let messages = path("messages");
    let send = || crate::client::request(rig.app, "POST", &messages, &[], Some(body(REQUEST)));
    assert_eq!(send().await.err(), Some(End::Reset));
    assert_eq!(send().await.unwrap().status, 503);
    let answer = send().await.unwrap().json().await["pending_message_id"].as_str().unwrap().to_owned();
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    assert_eq!((&counters["runsStarted"], &counters["sends"][REQUEST]["post"]), (&json!(1), &json!(2)));
    rig.truth(&answer).await;
    rig.set(
        "faults",
        json!({ "scope": { "path": "chat-events", "runId": answer, "sessionId": SESSION }, "steps": [
        { "cut": { "afterEvents": 3, "how": "rst" } }, { "cut": { "afterEvents": 3, "into": 5, "how": "fin" } },
        { "duplicate": 2 }, { "noTerminal": true }, { "empty": true }] }),
    )
    .await;
    let query = format!("pending_message_id={answer}");
    for (count, events) in [(3, 3), (3, 3), (89, 89), (59, 59), (0, 0)] {
        let reply = rig.get(&path(&format!("events?{query}"))).await.whole().await.text();
        assert_eq!((reply.matches("\n\n").count().saturating_sub(1), reply.matches("data: ").count()), (count, events));
    }
    rig.script("chat-history", json!([{ "status": { "code": 500 } }])).await;
    rig.script("chat-stop", json!([{ "htmlPage": true }])).await;
    rig.script("chat-sessions", json!([{ "delayHeadersMs": 1, "contentType": "text/plain" }])).await;
    assert_eq!(rig.get(&path("messages")).await.status, 500);
    assert!(post(&rig, "stop", json!({})).await.whole().await.text().contains("<html>"));
    assert_eq!(rig.get("/api/chat/sessions").await.headers["content-type"], "text/plain");
}
