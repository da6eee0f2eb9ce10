//! The whole driver, as the package's own JS drives it: through [`RawClient`] and its hooks alone.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    string::ToString,
};

use serde_json::Value;
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;
use crate::browser::{
    driver::depth,
    testing::{
        EVENT_STREAM, Ledger, Network, Told, assert_quiet, blob_url, held, hooks, live_frames, live_listeners,
        live_timers, options, set_online, settle, stop_frames, tell_document, tell_window, timer, until,
    },
};

/// A raw client with a page side that flushes when it is woken, and that notes what must never happen.
struct Client {
    raw: Rc<RawClient>,
    ledger: Ledger,
    flushes: Told<Value>,
    texts: Told<String>,
    wakes: Told<()>,
    faults: Told<&'static str>,
    inside: Rc<Cell<bool>>,
    _wake: Closure<dyn Fn()>,
}

impl Client {
    fn new(base: &str, changes: &str) -> Self {
        Self::with(base, changes, |_| {})
    }

    /// `on_wake` stands for the users' callbacks.
    fn with(base: &str, changes: &str, on_wake: impl Fn(&RawClient) + 'static) -> Self {
        let (flushes, texts, wakes, faults) = (Told::new(), Told::new(), Told::new(), Told::new());
        let inside = Rc::new(Cell::new(false));
        let cell = Rc::new(RefCell::new(std::rc::Weak::<RawClient>::new()));
        let wake = {
            let (flushes, texts, wakes, faults) = (flushes.clone(), texts.clone(), wakes.clone(), faults.clone());
            let (inside, cell) = (inside.clone(), cell.clone());
            Closure::<dyn Fn()>::new(move || {
                let Some(raw) = cell.borrow().upgrade() else { return };
                if inside.get() {
                    faults.push("woken inside a raw method");
                }
                if depth() != 0 {
                    faults.push("woken with an entry on the stack");
                }
                wakes.push(());
                take_apart(raw.flush(), &flushes, &texts);
                if raw.flush() != "" {
                    faults.push("a second flush had something");
                }
                on_wake(&raw);
            })
        };
        let ledger = Ledger::new();
        let raw = Rc::new(RawClient::new(&options(base, changes), &hooks(wake.as_ref(), &ledger)));
        *cell.borrow_mut() = Rc::downgrade(&raw);
        Self { raw, ledger, flushes, texts, wakes, faults, inside, _wake: wake }
    }

    /// A raw call, and the flush that always follows it.
    fn call<T>(&self, call: impl FnOnce(&RawClient) -> T) -> T {
        self.inside.set(true);
        let given = call(&self.raw);
        take_apart(self.raw.flush(), &self.flushes, &self.texts);
        self.inside.set(false);
        given
    }

    /// The newest of a member of the slot's state.
    fn state(&self, slot: u32, member: &str) -> Value {
        let deltas = self.flushes.all();
        deltas
            .iter()
            .rev()
            .filter(|delta| delta["slot"] == slot)
            .find_map(|delta| delta["state"].get(member))
            .cloned()
            .unwrap_or_default()
    }

    fn ends(&self, slot: u32) -> usize {
        self.flushes.all().iter().filter(|delta| delta["slot"] == slot && delta["end"] == true).count()
    }

    fn answer(&self, ticket: u32) -> Option<Value> {
        self.flushes.all().into_iter().find(|delta| delta["ask"] == ticket)
    }

    /// All text of all slots, in the order it came.
    fn text(&self) -> String {
        self.texts.all().concat()
    }

    async fn settled(&self, slot: u32) -> String {
        until(|| self.ends(slot) > 0).await;
        self.state(slot, "status").as_str().unwrap().to_string()
    }

    /// Ends it as the package does; nothing may be left.
    async fn over(self) {
        self.call(RawClient::shutdown);
        assert_eq!(self.ledger.live(), 0);
        drop(self.raw);
        assert_quiet().await;
        self.ledger.assert_balanced();
        assert!(self.faults.all().is_empty(), "{:?}", self.faults.all());
    }
}

fn take_apart(flush: JsValue, flushes: &Told<Value>, texts: &Told<String>) {
    let flush = flush.as_string().unwrap();
    if flush.is_empty() {
        return;
    }
    let (head, tail) = flush.split_once('\n').unwrap();
    for delta in serde_json::from_str::<Vec<Value>>(head).unwrap() {
        flushes.push(delta);
    }
    texts.push(tail.into());
}

fn content(at: u32, text: &str) -> String {
    let data = serde_json::json!({ "type": "content", "content": text });
    format!("id: {at}-0\nevent: content\ndata: {data}\n\n")
}

fn done(at: u32) -> String {
    format!("id: {at}-0\nevent: done\ndata: {{\"type\":\"done\"}}\n\n")
}

const STARTED: &str = "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n";
const ACTIVE: &str = "{\"active\":true,\"runId\":\"r\"}";

fn open(client: &Client, pace: f64) -> u32 {
    client.call(|raw| {
        let slot = raw.open("s".into(), Some("r".into()), None);
        raw.watch(slot, pace);
        slot
    })
}

// ---- runs ----

#[wasm_bindgen_test]
async fn a_message_is_sent_once_and_its_run_followed_to_the_end() {
    let network = Network::new();
    let client = Client::new("/base", "{}");
    let _network = &network;
    let slot = client.call(|raw| raw.send("s".into(), "q".into(), "{\"content\":\"hi\"}".into()));
    client.call(|raw| raw.watch(slot, 1.0));
    assert_eq!((network.method(0), network.text(0)), ("POST".into(), "{\"content\":\"hi\"}".into()));
    network.head(0, 200, EVENT_STREAM);
    network.send(0, STARTED);
    until(|| network.count() == 2).await;
    assert!(network.is_aborted(0), "the exact log takes over");
    assert_eq!(network.url(1), "/base/events?sessionId=s&runId=r");
    network.head(1, 200, EVENT_STREAM);
    network.send(1, &content(1, "Hello "));
    network.send(1, &content(2, "world"));
    network.send(1, &done(3));
    assert_eq!(client.settled(slot).await, "completed");
    assert_eq!((client.text().as_str(), client.ends(slot)), ("Hello world", 1));
    assert_eq!(client.ledger.live(), 0);
    client.over().await;
}

#[wasm_bindgen_test]
async fn both_transports_bring_the_same_text_of_any_size_and_script() {
    let mut log = String::new();
    let mut all = String::new();
    for at in 1..=600 {
        // More than a window in all, and one event larger than a window; two to four bytes a character.
        let text =
            ["ж", "😀", "漢字", "a\nb\"\\", " "][at as usize % 5].repeat(if at == 300 { 40_000 } else { at as usize });
        log += &content(at, &text);
        all += &text;
    }
    log += &done(601);
    let url = blob_url(&log, EVENT_STREAM);
    for transport in ["fetch", "eventsource"] {
        for pace in [0.0, 1.0] {
            let client = Client::new(&url, &format!("{{\"transport\":\"{transport}\"}}"));
            let slot = open(&client, pace);
            assert_eq!(client.settled(slot).await, "completed");
            let text = client.text();
            let same = text.bytes().zip(all.bytes()).take_while(|(one, other)| one == other).count();
            assert_eq!((same, text.len()), (all.len(), all.len()), "{transport} {pace}");
            assert_eq!(client.state(slot, "cursor"), "601-0");
            client.over().await;
        }
    }
}

#[wasm_bindgen_test]
async fn a_lost_connection_goes_on_behind_the_cursor() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    let slot = open(&client, 0.0);
    for (at, text) in ["one ", "two ", "three"].into_iter().enumerate() {
        let at = at as u32;
        until(|| network.count() == at + 1).await;
        assert_eq!(network.header(at, "last-event-id"), ["", "1-0", "2-0"][at as usize]);
        network.head(at, 200, EVENT_STREAM);
        network.send(at, &content(at + 1, text));
        until(|| client.text().ends_with(text)).await;
        if at < 2 {
            network.break_off(at);
        }
    }
    network.send(2, &done(4));
    assert_eq!(client.settled(slot).await, "completed");
    assert_eq!(client.text(), "one two three");
    client.over().await;
}

#[wasm_bindgen_test]
async fn a_refused_native_source_says_why() {
    // Nothing is at this address of the test's own server: 404, for the source, the diagnosis and the status.
    let client = Client::new("/nothing-is-here", "{\"transport\":\"eventsource\"}");
    let slot = open(&client, 1.0);
    assert_eq!(client.settled(slot).await, "interrupted");
    let error = client.state(slot, "error");
    assert_eq!((&error["code"], &error["status"]), (&"run-not-found".into(), &404.into()));
    client.over().await;
}

#[wasm_bindgen_test]
async fn an_address_that_is_none_ends_in_an_error() {
    for transport in ["fetch", "eventsource"] {
        let changes = format!("{{\"transport\":\"{transport}\",\"retryMaxAttempts\":2}}");
        let client = Client::new("http://[", &changes);
        let slot = open(&client, 1.0);
        assert_eq!(client.settled(slot).await, "interrupted");
        assert_eq!(client.state(slot, "error")["code"], "gave-up");
        client.over().await;
    }
}

// ---- waking ----

#[wasm_bindgen_test]
async fn nobody_is_woken_for_the_text_of_an_unwatched_run() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    let slot = open(&client, -1.0);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "unseen "));
    until(|| client.state(slot, "status") == "streaming").await;
    let wakes = client.wakes.len();
    network.send(0, &content(2, "still"));
    // A frame and the timer behind it have passed.
    timer(150).await.unwrap();
    assert_eq!((client.wakes.len(), client.text().as_str()), (wakes, ""));
    let read = client.raw.read(slot).as_string().unwrap();
    assert!(read.ends_with("\nunseen still"), "{read}");
    network.send(0, &done(3));
    client.settled(slot).await;
    client.over().await;
}

#[wasm_bindgen_test]
async fn a_run_at_sync_pace_wakes_with_each_chunk() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    open(&client, 0.0);
    network.head(0, 200, EVENT_STREAM);
    until(|| client.state(1, "connection")["state"] == "open").await;
    client.texts.clear();
    stop_frames(true);
    // Five reads, one behind the other: no timer comes between.
    for at in 1..=5 {
        network.send(0, &content(at, "x"));
    }
    until(|| client.text() == "xxxxx").await;
    stop_frames(false);
    assert_eq!(client.texts.all(), ["x"; 5]);
    client.over().await;
}

#[wasm_bindgen_test]
async fn a_page_without_frames_is_kept_up_to_date() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    open(&client, 1.0);
    stop_frames(true);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "by the timer"));
    until(|| client.text() == "by the timer").await;
    stop_frames(false);
    client.over().await;
}

#[wasm_bindgen_test]
async fn many_chunks_of_one_frame_make_one_wake() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    open(&client, 1.0);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "x"));
    until(|| client.text() == "x").await;
    settle().await;
    let wakes = client.wakes.len();
    stop_frames(true);
    for at in 2..=50 {
        network.send(0, &content(at, "x"));
    }
    until(|| client.text().len() == 50).await;
    stop_frames(false);
    assert_eq!(client.wakes.len(), wakes + 1);
    client.over().await;
}

#[wasm_bindgen_test]
async fn an_exception_out_of_wake_harms_nothing() {
    let network = Network::new();
    let client = Client::with("/", "{}", |_| wasm_bindgen::throw_str("a listener's fault"));
    let slot = open(&client, 0.0);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "one "));
    until(|| client.text() == "one ").await;
    network.send(0, &content(2, "two"));
    network.send(0, &done(3));
    client.settled(slot).await;
    assert_eq!(client.text(), "one two");
    client.over().await;
}

// ---- user code inside wake ----

/// Every raw method there is, on slots that live, are settled, are gone and never were.
fn call_everything(raw: &RawClient, round: u32) {
    let slot = match round % 3 {
        0 => raw.send("s".into(), "q".into(), "{}".into()),
        1 => raw.open("s".into(), (round.is_multiple_of(2)).then(|| "r".into()), Some("1-0".into())),
        _ => raw.subscribe("s".into(), "r".into(), None),
    };
    for slot in [slot, slot.saturating_sub(1), slot.saturating_sub(2), 0, 999_999, u32::MAX] {
        raw.listen(slot, true);
        raw.watch(slot, f64::from(round % 3) - 1.0);
        raw.read(slot);
        raw.retry(slot, "q2", Some("{}".into()));
        raw.flush();
    }
    raw.status("s");
    raw.stop("other");
    raw.close(slot);
    raw.retry(slot, "q3", None);
    if round.is_multiple_of(4) {
        raw.release(slot);
        raw.read(slot);
    }
    raw.now();
    raw.flush();
}

#[wasm_bindgen_test]
async fn every_raw_method_may_be_called_inside_wake() {
    let log = [STARTED, &content(1, "a"), &content(2, "b"), &done(3)].concat();
    let url = blob_url(&log, EVENT_STREAM);
    for transport in ["fetch", "eventsource"] {
        let rounds = Rc::new(Cell::new(0));
        let of_wake = rounds.clone();
        let changes = format!("{{\"transport\":\"{transport}\",\"retryMaxAttempts\":3}}");
        let client = Client::with(&url, &changes, move |raw| {
            if of_wake.get() < 60 {
                of_wake.set(of_wake.get() + 1);
                call_everything(raw, of_wake.get());
            }
        });
        for pace in [0.0, 1.0] {
            open(&client, pace);
        }
        until(|| rounds.get() == 60).await;
        client.over().await;
    }
}

#[wasm_bindgen_test]
async fn a_run_may_be_released_by_what_it_woke() {
    for transport in ["fetch", "eventsource"] {
        for word in ["open", "text", "end"] {
            let log = [content(1, "text"), done(2)].concat();
            let seen = Rc::new(Cell::new(0));
            let of_wake = seen.clone();
            let changes = format!("{{\"transport\":\"{transport}\"}}");
            let client = Client::with(&blob_url(&log, EVENT_STREAM), &changes, move |raw| {
                of_wake.set(of_wake.get() + 1);
                if word == "open" || of_wake.get() > 1 || word == "end" {
                    raw.close(1);
                    raw.release(1);
                }
            });
            open(&client, 0.0);
            until(|| seen.get() > 0).await;
            client.over().await;
        }
    }
}

#[wasm_bindgen_test]
async fn the_client_may_be_shut_down_by_what_it_woke() {
    let url = blob_url(&[content(1, "text"), done(2)].concat(), EVENT_STREAM);
    for transport in ["fetch", "eventsource"] {
        let before = (live_timers(), live_frames(), live_listeners());
        let client = Client::with(&url, &format!("{{\"transport\":\"{transport}\"}}"), RawClient::shutdown);
        let (one, other) = (open(&client, 0.0), open(&client, 1.0));
        client.wakes.count(1).await;
        client.call(|_| {});
        assert_eq!((client.ends(one), client.ends(other)), (1, 1));
        assert_eq!((live_timers(), live_frames(), live_listeners()), before);
        client.over().await;
    }
}

#[wasm_bindgen_test]
async fn a_page_event_dispatched_inside_wake_is_an_entry_of_its_own() {
    let network = Network::new();
    let armed = Rc::new(Cell::new(false));
    let of_wake = armed.clone();
    let client = Client::with("/", "{}", move |_| {
        if of_wake.replace(false) {
            tell_window("pagehide");
            tell_window("pageshow");
        }
    });
    let slot = open(&client, 0.0);
    network.head(0, 200, EVENT_STREAM);
    until(|| client.state(slot, "connection")["state"] == "open").await;
    armed.set(true);
    network.send(0, &content(1, "one "));
    until(|| network.count() == 2).await;
    assert!(network.is_aborted(0));
    network.head(1, 200, EVENT_STREAM);
    network.send(1, &content(2, "two"));
    network.send(1, &done(3));
    client.settled(slot).await;
    assert_eq!(client.text(), "one two");
    client.over().await;
}

#[wasm_bindgen_test]
async fn a_page_that_wraps_fetch_may_call_back_out_of_an_abort() {
    type Act = fn(&RawClient);
    let acts: [Act; 4] = [|raw| raw.close(1), |raw| raw.release(1), |raw| _ = raw.stop("s"), RawClient::shutdown];
    for act in acts {
        let network = Network::new();
        let client = Client::new("/", "{}");
        let called = Rc::new(Cell::new(0));
        let (raw, of_abort) = (client.raw.clone(), called.clone());
        let on_abort = Closure::<dyn Fn()>::new(move || {
            of_abort.set(of_abort.get() + 1);
            raw.flush();
            raw.read(1);
            raw.close(1);
            raw.release(2);
        });
        network.set_on_abort(on_abort.as_ref());
        let _two = (open(&client, 0.0), open(&client, 0.0));
        network.head(0, 200, EVENT_STREAM);
        network.send(0, &content(1, "x"));
        until(|| client.text() == "x").await;
        act(&client.raw);
        client.raw.shutdown();
        assert_eq!(called.get(), network.count());
        network.set_on_abort(&JsValue::UNDEFINED);
        drop(on_abort);
        client.over().await;
    }
}

// ---- the page's weather ----

#[wasm_bindgen_test]
async fn a_page_that_is_left_lets_its_connection_go_and_takes_it_up_again_when_it_is_back() {
    type Tell = fn(&str);
    let ways: [(Tell, &str, &str); 2] = [(tell_window, "pagehide", "pageshow"), (tell_document, "freeze", "resume")];
    for (tell, leave, back) in ways {
        let network = Network::new();
        let client = Client::new("/", "{}");
        let slot = open(&client, 0.0);
        network.head(0, 200, EVENT_STREAM);
        network.send(0, &content(1, "before, "));
        until(|| client.text() == "before, ").await;
        tell(leave);
        assert!(network.is_aborted(0));
        client.ledger.assert_balanced();
        timer(20).await.unwrap();
        assert_eq!((network.count(), client.ends(slot)), (1, 0));
        tell(back);
        assert_eq!((network.count(), network.header(1, "last-event-id")), (2, "1-0".into()));
        network.head(1, 200, EVENT_STREAM);
        network.send(1, &content(2, "after"));
        network.send(1, &done(3));
        client.settled(slot).await;
        assert_eq!(client.text(), "before, after");
        client.over().await;
    }
}

#[wasm_bindgen_test]
async fn offline_a_lost_connection_waits_for_the_network() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    let slot = open(&client, 0.0);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "before, "));
    until(|| client.text() == "before, ").await;
    set_online(false);
    tell_window("offline");
    network.break_off(0);
    until(|| client.state(slot, "connection")["state"] == "offline").await;
    // The retry would come after one ms.
    timer(30).await.unwrap();
    assert_eq!(network.count(), 1);
    let begun = open(&client, 0.0);
    assert_eq!((network.count(), client.state(begun, "connection")["state"].as_str()), (1, Some("offline")));
    set_online(true);
    tell_window("online");
    assert_eq!(network.count(), 3);
    client.over().await;
}

// ---- questions ----

#[wasm_bindgen_test]
async fn every_question_is_answered_once() {
    let network = Network::new();
    let client = Client::new("/", "{\"stopTimeoutMs\":20}");
    let (good, refused, lost) =
        (client.call(|raw| raw.status("a")), client.call(|raw| raw.status("b")), client.call(|raw| raw.status("c")));
    let late = client.call(|raw| raw.stop("d"));
    network.head(0, 200, "application/json");
    network.send(0, ACTIVE);
    network.end(0);
    network.head(1, 503, "text/plain");
    network.end(1);
    network.refuse(2);
    until(|| [good, refused, lost, late].iter().all(|ticket| client.answer(*ticket).is_some())).await;
    assert_eq!(client.answer(good).unwrap()["body"]["runId"], "r");
    assert_eq!(client.answer(refused).unwrap()["error"]["status"], 503);
    assert_eq!(client.answer(lost).unwrap()["error"]["code"], "request-failed");
    assert_eq!(client.answer(late).unwrap()["error"]["code"], "request-timeout");
    assert!(network.is_aborted(3));
    assert_eq!(client.flushes.len(), 4);
    client.over().await;
}

#[wasm_bindgen_test]
async fn a_stop_ends_the_runs_of_its_session_and_no_other() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    let mine = client.call(|raw| raw.open("mine".into(), Some("r".into()), None));
    let other = client.call(|raw| raw.open("other".into(), Some("r".into()), None));
    let subscribed = client.call(|raw| raw.subscribe("mine".into(), "r".into(), None));
    let ticket = client.call(|raw| raw.stop("mine"));
    assert_eq!((network.url(3), network.text(3)), ("//stop".into(), "{\"sessionId\":\"mine\"}".into()));
    network.head(3, 200, "application/json");
    network.send(3, "{\"success\":true}");
    network.end(3);
    assert_eq!(client.settled(mine).await, "cancelled");
    assert_eq!(client.answer(ticket).unwrap()["ok"], true);
    assert_eq!((client.ends(other), client.ends(subscribed)), (0, 0));
    client.over().await;
}

// ---- the end ----

#[wasm_bindgen_test]
async fn after_shutdown_no_timer_listener_or_transport_is_left() {
    let before = (live_timers(), live_frames(), live_listeners());
    let network = Network::new();
    let client = Client::new("/", "{}");
    let connecting = open(&client, 0.0);
    let streaming = open(&client, 0.0);
    let waiting = open(&client, 0.0);
    let doubting = client.call(|raw| raw.open("s".into(), None, None));
    network.head(1, 200, EVENT_STREAM);
    network.send(1, &content(1, "x"));
    network.head(2, 503, "text/plain");
    let asked = client.call(|raw| raw.status("s"));
    until(|| client.text() == "x").await;
    network.send(1, &content(2, "y"));
    assert!(client.ledger.live() >= 4);
    client.call(RawClient::shutdown);
    assert_eq!((live_timers(), live_frames(), live_listeners()), before);
    client.ledger.assert_balanced();
    for slot in [connecting, streaming, waiting, doubting] {
        assert_eq!((client.ends(slot), client.state(slot, "error")["code"].as_str()), (1, Some("aborted")));
    }
    assert_eq!(client.answer(asked).unwrap()["error"]["code"], "aborted");
    let (requests, flushes, wakes) = (network.count(), client.flushes.len(), client.wakes.len());
    timer(150).await.unwrap();
    tell_window("offline");
    tell_window("online");
    assert_eq!((network.count(), client.flushes.len(), client.wakes.len()), (requests, flushes, wakes));
    client.over().await;
}

#[wasm_bindgen_test]
async fn freed_without_a_shutdown_nothing_is_left_either() {
    let before = (live_timers(), live_frames(), live_listeners());
    let network = Network::new();
    let client = Client::new("/", "{}");
    open(&client, 0.0);
    open(&client, 1.0);
    network.head(0, 200, EVENT_STREAM);
    network.send(0, &content(1, "x"));
    until(|| client.text() == "x").await;
    drop(client.raw);
    assert_eq!((live_timers(), live_frames(), live_listeners()), before);
    client.ledger.assert_balanced();
    assert_quiet().await;
}

#[wasm_bindgen_test]
async fn nothing_is_left_of_a_thousand_runs() {
    let network = Network::new();
    let client = Client::new("/", "{}");
    let round = async |runs: u32| {
        for _ in 0..runs {
            let at = network.count();
            let slot = open(&client, 0.0);
            if !at.is_multiple_of(3) {
                network.head(at, 200, EVENT_STREAM);
                network.send(at, &content(1, "text that is held"));
            }
            if at % 3 > 1 {
                let texts = client.texts.len();
                until(|| client.texts.len() > texts).await;
            }
            client.call(|raw| raw.close(slot));
            client.raw.release(slot);
            client.flushes.clear();
            client.texts.clear();
            client.wakes.clear();
        }
        settle().await;
        let memory = core::arch::wasm32::memory_size(0);
        (held(), memory)
    };
    let ((bytes, values), _) = round(60).await;
    let ((bytes_after, values_after), memory) = round(1_000).await;
    // A released slot's number is not used again: its place stays, one pointer wide.
    assert!(bytes_after - bytes <= 3 * 1_000 * 4, "{} bytes", bytes_after - bytes);
    assert_eq!(values_after - values, 0, "JS values");
    round(200).await;
    assert_eq!(core::arch::wasm32::memory_size(0), memory);
    client.over().await;
}

#[wasm_bindgen_test]
async fn nothing_is_left_of_a_hundred_clients() {
    let url = blob_url(&[content(1, "text"), done(2)].concat(), EVENT_STREAM);
    let before_all = (live_timers(), live_frames(), live_listeners());
    let mut early = None;
    for at in 0..110 {
        let transport = ["fetch", "eventsource"][at % 2];
        let client = Client::new(&url, &format!("{{\"transport\":\"{transport}\"}}"));
        let slot = open(&client, 0.0);
        if !at.is_multiple_of(3) {
            client.settled(slot).await;
        }
        client.call(|raw| raw.status("s"));
        client.over().await;
        if at == 9 {
            early = Some(held());
        }
    }
    assert_eq!(Some(held()), early, "bytes, JS values");
    assert_eq!((live_timers(), live_frames(), live_listeners()), before_all);
}
