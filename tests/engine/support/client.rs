//! A host and the page's side of it, as the package's driver is one: it takes orders, writes chunks into the window and
//! takes flushes apart.

use std::collections::BTreeMap;

use serde_json::Value;
use steadystream::engine::backoff;
use steadystream::engine::config::Config;
use steadystream::engine::environment::{Environment, Signal};
use steadystream::engine::host::{Due, End, Host, Pace, Task};
use steadystream::engine::http::Head;
use steadystream::engine::inquiry::Question;
use steadystream::engine::run::Wish;
use steadystream::engine::time::{Instant, Millis};
use steadystream::engine::transport::Transport;

use super::page::Page;

/// A client at its page.
pub struct Client {
    pub host: Host,
    /// The page's clock, in ms.
    pub now: u64,
    /// What was flushed, by slot.
    pub pages: BTreeMap<u64, Page>,
    /// The answers to questions, in the order they came.
    pub answers: Vec<Value>,
}

/// An order, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Open { task: Task, via: String, path: String, body: Option<String>, cursor: Option<String> },
    Close(Task),
    Leave(String),
    Say(Task, String),
    Look,
}

impl Order {
    /// What a server would see of it: `fetch /events?…`, or `close`.
    pub fn says(&self) -> String {
        match self {
            Self::Open { via, path, .. } => format!("{via} {path}"),
            Self::Close(_) => "close".into(),
            Self::Leave(name) => format!("leave {name}"),
            Self::Say(_, frame) => format!("say {frame}"),
            Self::Look => "look".into(),
        }
    }

    /// The task that is opened.
    pub fn task(&self) -> Task {
        match self {
            Self::Open { task, .. } => *task,
            other => panic!("{other:?} opens nothing"),
        }
    }
}

/// Waits that can be told beforehand.
pub fn steady() -> Config {
    let backoff = backoff::Policy { jitter: backoff::Jitter::None, ..backoff::Policy::default() };
    Config { backoff, ..Config::default() }
}

/// The same, over the browser's own source.
pub fn native() -> Config {
    Config { transports: vec![Transport::EventSource], ..steady() }
}

impl Client {
    pub fn new(config: Config) -> Self {
        Self {
            host: Host::new(config, Environment::default(), 1),
            now: 1_000,
            pages: BTreeMap::new(),
            answers: Vec::new(),
        }
    }

    pub fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    // ---- commands ----

    /// Follows the run `r` of a session.
    pub fn open(&mut self, session: &str) -> u32 {
        let wish = Wish { session: session.into(), run: Some("r".into()), ..Wish::default() };
        self.host.begin(wish, true, self.at())
    }

    /// The same, at a pace and with its connection open; gives its stream's task too.
    pub fn open_at(&mut self, session: &str, pace: Pace) -> (u32, Task) {
        let slot = self.open(session);
        self.host.watch(slot, pace);
        let task = self.orders().pop().expect("a connection is ordered").task();
        self.head(task, 200, "text/event-stream");
        self.due();
        self.flush();
        (slot, task)
    }

    /// Follows the events of the run `r` for a low-level subscription.
    pub fn subscribe(&mut self, session: &str) -> u32 {
        let wish = Wish { session: session.into(), run: Some("r".into()), listen: true, ..Wish::default() };
        self.host.begin(wish, false, self.at())
    }

    pub fn send(&mut self, session: &str, body: &str) -> u32 {
        let wish =
            Wish { session: session.into(), request_id: Some("q".into()), body: Some(body.into()), ..Wish::default() };
        self.host.begin(wish, true, self.at())
    }

    pub fn ask(&mut self, question: Question, session: &str) -> u32 {
        self.host.inquire(question, session, self.at()).expect("the protocol has such a question").0
    }

    pub fn close(&mut self, slot: u32) {
        let now = self.at();
        self.host.command(slot, now, |run| run.close(now));
    }

    pub fn release(&mut self, slot: u32) {
        self.host.release(slot, self.at());
    }

    // ---- inputs ----

    pub fn head(&mut self, task: Task, status: u16, content_type: &str) {
        let head = Head { status, content_type: Some(content_type), ..Head::default() };
        self.host.handle_head(task, &head, self.at());
    }

    pub fn chunk(&mut self, task: Task, text: &str) {
        self.host.window().chunk_mut()[..text.len()].copy_from_slice(text.as_bytes());
        self.host.handle_chunk(task, text.len(), self.at());
    }

    pub fn end(&mut self, task: Task, end: End) {
        self.host.handle_end(task, end, None, self.at());
    }

    /// One whole reply.
    pub fn reply(&mut self, task: Task, status: u16, body: &str) {
        self.head(task, status, "application/json");
        self.chunk(task, body);
        self.end(task, End::Ended);
    }

    /// The page's weather changes.
    pub fn signal(&mut self, signal: Signal) {
        self.host.handle_signal(signal, self.at());
    }

    /// Time passes, and nothing else.
    pub fn wait(&mut self, span: Millis) {
        self.now += span.0;
        self.host.handle_timeout(self.at());
    }

    // ---- outputs ----

    pub fn due(&mut self) -> Due {
        self.host.take_due()
    }

    /// The orders, as they were written; the line feed at their end is that of a flush without a tail.
    pub fn written_orders(&mut self) -> String {
        let written = self.host.take_orders(|orders| String::from_utf8(orders.to_vec()).expect("valid UTF-8"));
        written.trim_end().into()
    }

    pub fn orders(&mut self) -> Vec<Order> {
        let written = self.written_orders();
        if written.is_empty() {
            return Vec::new();
        }
        let orders: Vec<Value> = serde_json::from_str(&written).unwrap_or_else(|fault| panic!("{fault} in {written}"));
        orders.iter().map(read_order).collect()
    }

    /// What the orders say, in their order.
    pub fn said(&mut self) -> Vec<String> {
        self.orders().iter().map(Order::says).collect()
    }

    /// Takes a flush apart; tells whether there was one.
    pub fn flush(&mut self) -> bool {
        let flush = self.host.flush(|flush| String::from_utf8(flush.to_vec()).expect("valid UTF-8"));
        self.apply(&flush);
        !flush.is_empty()
    }

    /// The same for all that one run has to say.
    pub fn read(&mut self, slot: u32) -> bool {
        let flush = self.host.read(slot, |flush| String::from_utf8(flush.to_vec()).expect("valid UTF-8"));
        self.apply(&flush);
        !flush.is_empty()
    }

    pub fn page(&mut self, slot: u32) -> &Page {
        self.pages.entry(slot.into()).or_default()
    }

    /// A member of the run's state, as it was told last.
    pub fn state(&mut self, slot: u32, member: &str) -> Value {
        self.page(slot).state[member].clone()
    }

    pub fn status(&mut self, slot: u32) -> String {
        self.state(slot, "status").as_str().unwrap_or_default().into()
    }

    // A flush of many runs as one flush for each: the tail's text goes to whom the head names, in order.
    fn apply(&mut self, flush: &str) {
        let Some((head, tail)) = flush.split_once('\n') else {
            assert!(flush.is_empty(), "a flush has a head and a tail");
            return;
        };
        let head: Vec<Value> = serde_json::from_str(head).unwrap_or_else(|fault| panic!("{fault} in {head}"));
        let mut tail = tail.encode_utf16();
        for delta in head {
            if !delta["ask"].is_null() {
                self.answers.push(delta);
                continue;
            }
            let parts = delta["parts"].as_array().into_iter().flatten();
            let added: u64 = parts.filter_map(|part| part["add"].as_u64()).sum();
            let text: Vec<u16> = tail.by_ref().take(added as usize).collect();
            let slot = delta["slot"].as_u64().expect("a run's delta names its slot");
            let text = String::from_utf16_lossy(&text);
            self.pages.entry(slot).or_default().apply(&format!("{}\n{text}", Value::Array(vec![delta])));
        }
        assert_eq!(tail.next(), None, "every appended character belongs to a run");
    }
}

fn read_order(order: &Value) -> Order {
    let task = |name: &str| order[name].as_u64().and_then(|number| u32::try_from(number).ok()).map(Task);
    let text = |name: &str| order[name].as_str().map(str::to_owned);
    let member = |name: &str| text(name).unwrap_or_else(|| panic!("no {name} in {order}"));
    match (task("open"), task("close"), &order["look"]) {
        (None, None, Value::Null) if task("to").is_some() => Order::Say(task("to").expect("a task"), member("frame")),
        (Some(task), None, Value::Null) => {
            Order::Open { task, via: member("via"), path: member("path"), body: text("body"), cursor: text("cursor") }
        }
        (None, Some(task), Value::Null) => Order::Close(task),
        (None, None, Value::Bool(true)) => Order::Look,
        (None, None, Value::Null) if text("leave").is_some() => Order::Leave(member("leave")),
        _ => panic!("what is {order}?"),
    }
}
