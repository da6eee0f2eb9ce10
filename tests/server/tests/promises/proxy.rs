//! What the proxy does to connections, seen from the client's side of it; the server's side is told by the control API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chat::path;
use crate::client::{End, REQUEST, Reply, Rig, events_path, in_time, message, text};
use crate::socket::{Next, said};

/// A run that goes on for long, and a reader of it through the proxy.
async fn reading() -> (Rig, String, Reply) {
    let rig = Rig::behind_proxy(json!({ "events": 4_000, "eventsPerSecond": 200 })).await;
    let run = rig.start_run().await;
    let mut reply = rig.events(&run, None).await;
    reply.event().await.unwrap();
    (rig, run, reply)
}

/// Everything that a plain request gets, to the end.
async fn raw(rig: &Rig, path: &str) -> (Vec<u8>, bool) {
    in_time(async {
        let mut stream = TcpStream::connect(rig.app).await.unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut bytes = Vec::new();
        let whole = stream.read_to_end(&mut bytes).await.is_ok();
        (bytes, whole)
    })
    .await
}

async fn open(rig: &Rig) -> Value {
    rig.ask("proxy").await["connections"]["open"].clone()
}

#[tokio::test]
async fn bytes_pass_unchanged_and_are_counted() {
    let rig = Rig::behind_proxy(json!({ "events": 3_000, "eventsPerSecond": 0 })).await;
    let (run, truth) = rig.finished_run().await;
    let events = rig.events(&run, None).await.whole().await.events();
    assert_eq!(text(&events), truth["text"]);
    let before = rig.ask("proxy").await;
    let (bytes, whole) = raw(&rig, &path("status")).await;
    assert!(whole);
    let after = rig.until("proxy", |proxy| proxy["connections"]["open"] == 0).await;
    let grown = |way: &str| after["bytes"][way].as_u64().unwrap() - before["bytes"][way].as_u64().unwrap();
    assert_eq!(grown("toClient"), bytes.len() as u64);
    assert_eq!(
        grown("toServer"),
        format!("GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path("status")).len() as u64
    );
    assert_eq!(after["connections"]["total"], 2);
}

#[tokio::test]
async fn sockets_pass_too() {
    let rig = Rig::behind_proxy(json!({ "events": 60, "eventsPerSecond": 0 })).await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    assert_eq!(said(&socket.answer().await), rig.truth(&answer).await["text"]);
    rig.set("proxy", json!({ "cut": { "how": "rst" } })).await;
    assert_eq!(socket.next().await, Next::End(End::Reset));
}

#[tokio::test]
async fn a_cut_ends_both_sides_and_has_happened_when_it_is_answered() {
    for (how, end) in [("rst", End::Reset), ("fin", End::Truncated)] {
        let (rig, run, reply) = reading().await;
        assert_eq!(rig.set("proxy", json!({ "cut": { "how": how } })).await["cut"], 1);
        assert_eq!(open(&rig).await, 0);
        assert_eq!(reply.whole().await.end, end);
        rig.until("counters", |counters| counters["connections"]["open"] == 0).await;
        rig.events(&run, None).await.event().await.unwrap();
    }
}

#[tokio::test]
async fn only_idle_connections_are_cut_if_only_they_are_meant() {
    let (rig, _run, mut reply) = reading().await;
    let idle = TcpStream::connect(rig.app).await.unwrap();
    let silent = Duration::from_millis(300);
    // Time has to pass: being idle is nothing else.
    let since = Instant::now();
    while since.elapsed() < silent {
        reply.event().await.unwrap();
    }
    assert_eq!(rig.set("proxy", json!({ "cut": { "how": "rst", "idleMs": 250 } })).await["cut"], 1);
    reply.event().await.unwrap();
    assert_eq!(in_time(idle.readable()).await.map_err(|error| error.kind()), Ok(()));
    assert!(idle.try_read(&mut [0]).is_err());
}

#[tokio::test]
async fn a_blackhole_is_silent_both_ways_and_nobody_learns_of_it() {
    let (rig, run, mut reply) = reading().await;
    rig.set("proxy", json!({ "blackhole": {} })).await;
    let bytes = rig.ask("proxy").await["bytes"].clone();
    while tokio::time::timeout(Duration::from_millis(60), reply.event()).await.is_ok() {}
    let newcomer = tokio::spawn({
        let (app, events) = (rig.app, events_path(&run));
        async move { crate::client::request(app, "GET", &events, &[], None).await.is_ok() }
    });
    rig.until("proxy", |proxy| proxy["connections"]["open"] == 2).await;
    assert_eq!(rig.ask("proxy").await["bytes"], bytes);
    assert_eq!(rig.ask("counters").await["connections"], json!({ "accepted": 1, "open": 1, "peakOpen": 1 }));
    rig.set("proxy", json!({ "clear": true })).await;
    // Who lost bytes is lost; who comes now is not.
    rig.events(&run, None).await.event().await.unwrap();
    reply.assert_silent().await;
    assert!(!newcomer.is_finished());
    newcomer.abort();
}

#[tokio::test]
async fn a_newcomer_that_said_nothing_yet_outlives_a_blackhole() {
    let rig = Rig::behind_proxy(json!({})).await;
    rig.set("proxy", json!({ "blackhole": {}, "ms": 40 })).await;
    assert_eq!(rig.ask("proxy").await["rules"]["blackhole"], true);
    let mut early = TcpStream::connect(rig.app).await.unwrap();
    rig.until("proxy", |proxy| proxy["rules"]["blackhole"] == false).await;
    early.write_all(format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path("status")).as_bytes()).await.unwrap();
    let mut head = [0; 12];
    in_time(early.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
}

#[tokio::test]
async fn half_open_is_silent_one_way() {
    let (rig, _run, mut reply) = reading().await;
    rig.set("proxy", json!({ "halfOpen": { "direction": "toServer" } })).await;
    let mut deaf = TcpStream::connect(rig.app).await.unwrap();
    deaf.write_all(b"GET /control/addresses HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    for _ in 0..20 {
        reply.event().await.unwrap();
    }
    assert!(deaf.try_read(&mut [0; 9]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    rig.set("proxy", json!({ "clear": true, "halfOpen": { "direction": "toClient" } })).await;
    let app = rig.app;
    let unheard = tokio::spawn(async move {
        crate::client::request(app, "POST", "/bi-chat/stream", &[], Some(message())).await.is_ok()
    });
    rig.until("counters", |counters| counters["requests"]["stream"] == 1).await;
    assert!(!unheard.is_finished());
    // The server goes, and the client does not hear of that either.
    rig.set("now", json!({ "do": "cut", "how": "rst" })).await;
    rig.until("counters", |counters| counters["openStreams"]["now"] == 0).await;
    while tokio::time::timeout(Duration::from_millis(60), reply.event()).await.is_ok() {}
    unheard.abort();
}

#[tokio::test]
async fn bytes_are_late_and_in_order() {
    let rig = Rig::behind_proxy(json!({ "events": 100, "eventsPerSecond": 2_000 })).await;
    rig.set("proxy", json!({ "delay": { "ms": 40, "jitterMs": 30 } })).await;
    let begun = Instant::now();
    assert_eq!(rig.get(&path("status")).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(80), "there and back");
    let run = rig.start_run().await;
    let events = rig.events(&run, None).await.whole().await.events();
    assert_eq!(text(&events), rig.truth(&run).await["text"]);
    rig.set("proxy", json!({ "clear": true, "delay": { "ms": 60_000, "direction": "toClient" } })).await;
    let app = rig.app;
    let asked =
        tokio::spawn(async move { crate::client::request(app, "GET", &path("status"), &[], None).await.is_ok() });
    rig.until("counters", |counters| counters["requests"]["chat-status"] == 2).await;
    assert!(!asked.is_finished());
    asked.abort();
}

#[tokio::test]
async fn bytes_are_slow() {
    let rig = Rig::behind_proxy(json!({})).await;
    rig.set("proxy", json!({ "throttle": { "bytesPerSecond": 2_000, "direction": "toClient" } })).await;
    let begun = Instant::now();
    let (bytes, _) = raw(&rig, &path("status")).await;
    let least = Duration::from_secs_f64(bytes.len() as f64 / 2_000.0);
    assert!(begun.elapsed() >= least - Duration::from_millis(50), "{} bytes in {:?}", bytes.len(), begun.elapsed());
}

#[tokio::test]
async fn newcomers_are_refused_and_who_is_in_stays() {
    let (rig, run, mut reply) = reading().await;
    rig.set("proxy", json!({ "refuse": {} })).await;
    assert_eq!(rig.ask("proxy").await["listening"], false);
    assert_eq!(rig.try_get(&events_path(&run), &[]).await.err(), Some(End::Refused));
    for _ in 0..20 {
        reply.event().await.unwrap();
    }
    rig.set("proxy", json!({ "clear": true })).await;
    rig.events(&run, None).await.event().await.unwrap();
    rig.set("proxy", json!({ "refuse": {}, "ms": 20 })).await;
    rig.until("proxy", |proxy| proxy["listening"] == true).await;
    rig.events(&run, None).await.event().await.unwrap();
}

#[tokio::test]
async fn an_order_can_wait_for_a_byte() {
    let rig = Rig::behind_proxy(json!({ "events": 400, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    for (how, whole) in [("fin", true), ("rst", false)] {
        rig.set("proxy", json!({ "cut": { "how": how }, "after": { "bytes": 1_234 } })).await;
        assert_eq!(rig.ask("proxy").await["armed"], json!({ "bytesLeft": 1_234 }));
        let before = rig.ask("proxy").await["bytes"]["toClient"].as_u64().unwrap();
        let (bytes, clean) = raw(&rig, &events_path(&run)).await;
        let proxy = rig.ask("proxy").await;
        assert_eq!((proxy["bytes"]["toClient"].as_u64().unwrap() - before, &proxy["armed"]), (1_234, &Value::Null));
        // An RST may overtake bytes that the client has not read yet.
        assert_eq!(clean, whole, "{how}");
        assert!(if whole { bytes.len() == 1_234 } else { bytes.len() <= 1_234 }, "{}", bytes.len());
    }
    rig.set("proxy", json!({ "blackhole": {}, "refuse": {}, "after": { "bytes": 10 } })).await;
    let mut reply = TcpStream::connect(rig.app).await.unwrap();
    reply.write_all(format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path("status")).as_bytes()).await.unwrap();
    in_time(reply.read_exact(&mut [0; 10])).await.unwrap();
    assert_eq!(rig.ask("proxy").await["rules"]["blackhole"], true);
    rig.until("proxy", |proxy| proxy["listening"] == false).await;
    assert!(reply.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    rig.set("reset", json!({})).await;
    let proxy = rig.ask("proxy").await;
    assert_eq!((&proxy["rules"]["blackhole"], &proxy["listening"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn whoever_has_no_proxy_or_misspells_is_told() {
    let rig = Rig::start(json!({})).await;
    assert_eq!(crate::client::request(rig.control, "GET", "/control/proxy", &[], None).await.unwrap().status, 404);
    let rig = Rig::behind_proxy(json!({})).await;
    let wrong = json!({ "blackhol": {} });
    let reply = crate::client::request(rig.control, "POST", "/control/proxy", &[], Some(wrong)).await.unwrap();
    assert_eq!(reply.status, 400);
    let addresses = rig.ask("addresses").await;
    assert_eq!(addresses["proxy"], format!("http://{}", rig.app));
    assert_eq!(rig.get(&path("status")).await.status, 200);
    // The app is gone, and its proxy has nobody to ask.
    rig.set("now", json!({ "do": "offline" })).await;
    assert_eq!(rig.try_get(&path("status"), &[]).await.err(), Some(End::Reset));
}
