//! Behind the driver of the package: one client's runs, by slot, and its tasks, by number.

use alloc::string::String;
use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::{instant, options, to_js};
use crate::engine::{
    active_runs::feed,
    environment::{Environment, Signal},
    host::{Due, End, Host, Pace, Task},
    http::Head,
    inquiry::{Question, Ticket},
    protocol::Clear,
    run::{Adopted, Wish},
    time::Millis,
    watchdog::Limits,
    window::CHUNK,
};

/// By the numbers of `signals.js`.
pub(super) const SIGNALS: [Signal; 8] = [
    Signal::Online,
    Signal::Offline,
    Signal::Visible,
    Signal::Hidden,
    Signal::Frozen,
    Signal::Thawed,
    Signal::PageHidden,
    Signal::PageShown,
];

/// One client. `now` is the page's monotonic clock, in ms.
#[wasm_bindgen]
pub struct RawHost {
    host: RefCell<Host>,
    grace: Option<Millis>,
}

#[wasm_bindgen]
impl RawHost {
    /// `numbers`: see `options`. `seed` from 0 to 1.
    #[wasm_bindgen(constructor)]
    pub fn new(numbers: &[f64], seed: f64) -> Self {
        let (config, grace) = options::read(numbers);
        let seed = (seed * 9_007_199_254_740_992.0) as u64;
        Self { host: RefCell::new(Host::new(config, Environment::default(), seed)), grace }
    }

    // ---- commands ----

    /// Sends a message, once; gives the slot. `held`: the message that the answer goes on with. `left`: another page has left it, and
    /// may have sent it before or not.
    pub fn send(
        &self,
        session: String,
        request_id: String,
        body: String,
        held: Option<String>,
        left: Option<bool>,
        now: f64,
    ) -> u32 {
        let (request_id, body) = (Some(request_id), Some(body));
        let (was_left, may_have_arrived) = (left.is_some(), left == Some(true));
        let wish = Wish { session, request_id, body, held, was_left, may_have_arrived, ..Wish::default() };
        self.begin(wish, true, now)
    }

    /// Whether another page has left messages of a session is not known yet: those that are sent wait, and not for long.
    pub fn expect(&self, session: &str, now: f64) {
        self.host().expect(session, instant(now));
    }

    /// All of them are there.
    #[wasm_bindgen(js_name = stopExpecting)]
    pub fn stop_expecting(&self, session: &str, now: f64) {
        self.host().stop_expecting(session, instant(now));
    }

    /// An unsent message is one that another page has left; false if it is unsent no more.
    #[wasm_bindgen(js_name = takeOver)]
    pub fn take_over(&self, slot: u32, request_id: &str, body: &str, may_have_arrived: bool, now: f64) -> bool {
        self.host().take_over(slot, request_id, body, may_have_arrived, instant(now))
    }

    /// Follows a run; without `run`, whatever runs in the session. `held`: what is there of it.
    pub fn open(
        &self,
        session: String,
        run: Option<String>,
        cursor: Option<String>,
        held: Option<String>,
        now: f64,
    ) -> u32 {
        self.begin(Wish { session, run, cursor, held, ..Wish::default() }, true, now)
    }

    /// Follows a run's events for `subscribeRunEvents`: listened to from the start, with a connect grace (B-ES-7).
    pub fn subscribe(&self, session: String, run: String, last_event_id: Option<String>, now: f64) -> u32 {
        let (cursor, grace) = (last_event_id, self.grace);
        self.begin(Wish { session, run: Some(run), cursor, grace, listen: true, ..Wish::default() }, false, now)
    }

    /// Follows a run in a stream that the page opens, under `key`, and perhaps again after it.
    #[allow(clippy::too_many_arguments)]
    pub fn adopt(
        &self,
        session: String,
        run: Option<String>,
        cursor: Option<String>,
        held: Option<String>,
        key: String,
        may_reopen: bool,
        now: f64,
    ) -> u32 {
        let adopted = Some(Adopted { key, may_reopen });
        self.begin(Wish { session, run, cursor, held, adopted, ..Wish::default() }, false, now)
    }

    /// The user cancels an adopted run: nobody but its stream is told.
    pub fn cancel(&self, slot: u32, now: f64) {
        self.host().command(slot, instant(now), |run| {
            run.stop(instant(now));
            run.handle_stop_reply(200, instant(now));
        });
    }

    /// Raw events into deltas, or no longer.
    pub fn listen(&self, slot: u32, on: bool, now: f64) {
        self.host().command(slot, instant(now), |run| run.listen(on));
    }

    /// The trace into deltas, all of it first, or no longer.
    pub fn trace(&self, slot: u32, on: bool, now: f64) {
        self.host().command(slot, instant(now), |run| run.trace(on));
    }

    /// From here on the run's maker may be silent for so long; 0 for no limit.
    pub fn limit(&self, slot: u32, first: f64, inactivity: f64, now: f64) {
        let limits = Limits::new(Millis(first as u64), Millis(inactivity as u64));
        self.host().command(slot, instant(now), |run| run.limit(limits, instant(now)));
    }

    /// How soon content goes out: -1 unwatched, 0 at once, else with the frame.
    pub fn watch(&self, slot: u32, pace: f64) {
        self.host().watch(slot, pace_of(pace));
    }

    /// Makes a feed of active runs, its spans in ms; gives the slot, or 0 where the protocol has no such thing.
    #[wasm_bindgen(js_name = activeRuns)]
    pub fn active_runs(&self, retain: f64, empty_after: f64, verify_after: f64, now: f64) -> u32 {
        let [retain, empty_after, verify_after] = [retain, empty_after, verify_after].map(|ms| Millis(ms as u64));
        self.host().begin_feed(feed::Wish { retain, empty_after, verify_after }, instant(now))
    }

    /// Follows the rows of such a feed for `subscribeActiveRuns`; gives the slot, or 0 as above.
    #[wasm_bindgen(js_name = subscribeActiveRuns)]
    pub fn subscribe_active_runs(&self, now: f64) -> u32 {
        self.host().listen_to_feed(self.grace, instant(now))
    }

    /// Who watches such a feed, as in `watch`: it connects with the first, and lets go a while after the last.
    pub fn attend(&self, slot: u32, pace: f64, now: f64) {
        self.host().attend(slot, pace_of(pace), instant(now));
    }

    /// What is known of such a feed as the text that another page's would begin with; empty while that is nothing to rely on.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn retell(&self, slot: u32) -> JsValue {
        self.host().retell(slot, to_js)
    }

    /// Whether somebody looks at a run.
    pub fn watched(&self, slot: u32) -> bool {
        self.host().is_watched(slot)
    }

    /// Bytes of memory that a run's transcript takes.
    pub fn held(&self, slot: u32) -> usize {
        self.host().held_bytes(slot)
    }

    /// A run as JSON for another page's `open`; empty if there is nothing new.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn store(&self, slot: u32) -> JsValue {
        self.host().store(slot, to_js)
    }

    /// A run as JSON for another tab that wants its stream; empty where that could not go on from it.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn record(&self, slot: u32) -> JsValue {
        self.host().record(slot, to_js)
    }

    /// What another tab holds of a task's run.
    #[wasm_bindgen(js_name = takeRecord)]
    pub fn take_record(&self, task: u32, record: &str, now: f64) {
        self.host().handle_record(Task(task), record, instant(now));
    }

    /// There is room for a run's stream, or another tab has begun it.
    pub fn room(&self, slot: u32, now: f64) {
        self.host().handle_room(slot, instant(now));
    }

    /// Whether every change of a run's state is due at once: somebody hears of the connection without delay.
    #[wasm_bindgen(js_name = watchStates)]
    pub fn watch_states(&self, are_urgent: bool) {
        self.host().watch_states(are_urgent);
    }

    /// Goes on with an interrupted run, or sends a failed one anew.
    pub fn retry(&self, slot: u32, request_id: &str, body: Option<String>, now: f64) {
        self.host().retry(slot, request_id, body.as_deref(), instant(now));
    }

    /// Ends a message of which nothing has gone out; false for any other run.
    pub fn withdraw(&self, slot: u32, now: f64) -> bool {
        self.host().withdraw(slot, instant(now))
    }

    /// Stops watching; the run goes on at the server.
    pub fn close(&self, slot: u32, now: f64) {
        self.host().command(slot, instant(now), |run| run.close(instant(now)));
        self.host().close_feed(slot);
    }

    /// Forgets a settled run, or a feed.
    pub fn release(&self, slot: u32, now: f64) {
        self.host().release(slot, instant(now));
    }

    /// Asks for a session's status; gives the ticket that the answer carries.
    pub fn status(&self, session: &str, now: f64) -> u32 {
        self.inquire(Question::Status, session, now)
    }

    /// Cancels what runs in a session; gives the ticket that the answer carries.
    pub fn stop(&self, session: &str, now: f64) -> u32 {
        self.inquire(Question::Stop, session, now)
    }

    /// Empties a session, as above; gives 0 where the protocol has no such thing.
    pub fn reset(&self, session: &str, presence: bool, now: f64) -> u32 {
        self.inquire(Question::Clear(Clear::Reset { presence }), session, now)
    }

    /// Takes a session away, as above.
    pub fn delete(&self, session: &str, now: f64) -> u32 {
        self.inquire(Question::Clear(Clear::Delete), session, now)
    }

    /// Asks for what is at a path below the base URL, again while that may help; gives the ticket that the answer carries.
    pub fn page(&self, path: &str, now: f64) -> u32 {
        self.inquire(Question::Page, path, now)
    }

    /// Nobody waits for the answer to a ticket any more.
    pub fn forget(&self, ticket: u32) {
        self.host().forget(Ticket(ticket));
    }

    /// Ends everything.
    pub fn shutdown(&self, now: f64) {
        self.host().shutdown(instant(now));
    }

    // ---- inputs ----

    /// Where chunks are written to.
    pub fn chunk_ptr(&self) -> usize {
        self.host().window().chunk_ptr() as usize
    }

    /// How large a chunk may be, in bytes.
    pub fn chunk_size(&self) -> usize {
        CHUNK
    }

    /// The head of a task's response.
    pub fn head(
        &self,
        task: u32,
        status: u16,
        content_type: Option<String>,
        retry_after: Option<String>,
        unix_ms: f64,
        now: f64,
    ) {
        let head = Head {
            status,
            content_type: content_type.as_deref(),
            retry_after: retry_after.as_deref(),
            now_unix_ms: Some(unix_ms as u64),
        };
        self.host().handle_head(Task(task), &head, instant(now));
    }

    /// The first `len` bytes of the window came on a task. Gives what `due` would.
    pub fn chunk(&self, task: u32, len: usize, now: f64) -> u32 {
        let mut host = self.host();
        host.handle_chunk(Task(task), len, instant(now));
        bits(host.due(), host.has_timeout())
    }

    /// A task is over: 0 ended, 1 failed, 2 refused, 3 overflown, 4 moved, 5 crowded; a socket's with its close code.
    pub fn end(&self, task: u32, how: u32, close_code: Option<u16>, now: f64) {
        let end = match how {
            0 => End::Ended,
            1 => End::Failed,
            2 => End::Refused,
            3 => End::Overflown,
            4 => End::Moved,
            _ => End::Crowded,
        };
        self.host().handle_end(Task(task), end, close_code, instant(now));
    }

    /// How long each transport, by its number, is still known to be blocked, in ms; 0 if it is not.
    pub fn learned(&self, websocket: f64, eventsource: f64, fetch: f64, rest: f64, now: f64) {
        let now = instant(now);
        let until = |left: f64| (left > 0.0).then(|| now + Millis(left as u64));
        self.host().handle_learned([websocket, eventsource, fetch, rest].map(until), now);
    }

    /// The page's weather changed.
    pub fn signal(&self, number: u32, now: f64) {
        if let Some(signal) = SIGNALS.get(number as usize) {
            self.host().handle_signal(*signal, instant(now));
        }
    }

    /// Time passed.
    pub fn timeout(&self, now: f64) {
        self.host().handle_timeout(instant(now));
    }

    // ---- outputs ----

    /// Bits: orders, a flush with the next frame, a flush now, gather nothing, a new deadline.
    pub fn due(&self) -> u32 {
        let mut host = self.host();
        bits(host.take_due(), host.has_timeout())
    }

    /// When to call `timeout`, at the latest; infinite when what was told before still holds.
    pub fn deadline(&self) -> f64 {
        self.host().take_timeout().map_or(f64::INFINITY, |at| at.as_millis() as f64)
    }

    /// The orders since the last call.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn orders(&self) -> JsValue {
        self.host().take_orders(to_js)
    }

    /// What changed since the last flush.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn flush(&self) -> JsValue {
        self.host().flush(to_js)
    }

    /// Everything of one run that has not gone out.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn read(&self, slot: u32) -> JsValue {
        self.host().read(slot, to_js)
    }
}

impl RawHost {
    fn inquire(&self, question: Question, session: &str, now: f64) -> u32 {
        self.host().inquire(question, session, instant(now)).map_or(0, |ticket| ticket.0)
    }

    // Once, not once for each of its callers.
    #[inline(never)]
    fn begin(&self, wish: Wish, is_stoppable: bool, now: f64) -> u32 {
        self.host().begin(wish, is_stoppable, instant(now))
    }

    fn host(&self) -> RefMut<'_, Host> {
        // Nothing is called while it is held that could come back here.
        self.host.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

fn pace_of(pace: f64) -> Pace {
    if pace < 0.0 {
        Pace::Unwatched
    } else if pace == 0.0 {
        Pace::Sync
    } else {
        Pace::Frame
    }
}

fn bits(due: Due, has_deadline: bool) -> u32 {
    u32::from(due.orders)
        | u32::from(due.frame) << 1
        | u32::from(due.now) << 2
        | u32::from(due.hurried) << 3
        | u32::from(has_deadline) << 4
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use serde_json::Value;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::{held, write};

    const LOG: &str = "id: 1-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"Grüße 😀\"}\n\n\
                       id: 2-0\nevent: done\ndata: {\"type\":\"done\"}\n\n";

    fn host() -> RawHost {
        RawHost::new(
            &[1_000.0, 30_000.0, 10_000.0, 120_000.0, 9.0, 45_000.0, 6_000.0, 500.0, 0.0, 5_000.0, 5_000.0, 1e7],
            0.5,
        )
    }

    fn orders(host: &RawHost) -> Vec<Value> {
        let orders = host.orders().as_string().unwrap();
        if orders.is_empty() { Vec::new() } else { serde_json::from_str(&orders).unwrap() }
    }

    fn push(host: &RawHost, task: u32, bytes: &[u8]) {
        write(host.chunk_ptr(), bytes);
        host.chunk(task, bytes.len(), 2.0);
    }

    /// A run from its order to its last flush.
    fn run_to_the_end(host: &RawHost, session: &str) {
        let slot = host.open(session.into(), Some("r".into()), None, None, 1.0);
        host.watch(slot, 16.0);
        assert_eq!(host.due() & 1, 1);
        let open = orders(host).pop().unwrap();
        assert_eq!((&open["via"], &open["body"]), (&"fetch".into(), &Value::Null));
        assert!(open["path"].as_str().unwrap().starts_with("/events?"));
        let task = open["open"].as_u64().unwrap() as u32;
        assert!(host.deadline() > 1.0);
        host.head(task, 200, Some("text/event-stream".into()), None, 0.0, 2.0);
        push(host, task, LOG.as_bytes());
        assert_eq!(host.due() & 4, 4, "an end is urgent");
        assert_eq!(orders(host), [serde_json::json!({ "close": task })]);
        let flush = host.flush().as_string().unwrap();
        let (head, tail) = flush.split_once('\n').unwrap();
        let deltas: Value = serde_json::from_str(head).unwrap();
        assert_eq!(
            (&deltas[0]["slot"], &deltas[0]["state"]["status"], tail),
            (&slot.into(), &"completed".into(), "Grüße 😀")
        );
        host.release(slot, 3.0);
    }

    #[wasm_bindgen_test]
    fn a_run_goes_from_order_to_flush() {
        let host = host();
        run_to_the_end(&host, "s");
        // Told late is harmless, told twice is not.
        assert!(host.deadline() > 1.0);
        assert_eq!((host.flush().as_string().unwrap().as_str(), host.due(), host.deadline()), ("", 0, f64::INFINITY));
    }

    #[wasm_bindgen_test]
    fn what_no_task_or_signal_has_means_nothing() {
        let host = host();
        host.head(7, 200, None, None, 0.0, 0.0);
        push(&host, 7, b"data: 1\n\n");
        host.end(7, 9, Some(1006), 0.0);
        host.signal(99, 0.0);
        host.listen(7, true, 0.0);
        host.close(7, 0.0);
        host.timeout(f64::NAN);
        assert_eq!((host.due(), host.read(7).as_string().unwrap().as_str()), (0, ""));
    }

    #[wasm_bindgen_test]
    fn nothing_is_left_of_a_host_and_its_runs() {
        let before = held();
        let host = host();
        for round in 0..50 {
            run_to_the_end(&host, &round.to_string());
        }
        host.shutdown(3.0);
        drop(host);
        assert_eq!(held(), before);
    }
}
