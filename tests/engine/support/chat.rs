//! A client of `ws-chat` whose other end is the test: it hears what the host orders and says what a server would.

use serde_json::Value;
use steadystream::engine::{
    config::Config,
    environment::Environment,
    host::{End, Host, Task},
    http::Head,
    protocol::Protocol,
    run::Wish,
    time::Instant,
    transport::Transport,
};

use super::page::Page;

/// One run of one client, and everything that was ordered for it.
pub struct Chat {
    pub host: Host,
    pub page: Page,
    /// Tasks that are open, as they were ordered.
    pub open: Vec<Value>,
    /// Frames that were sent over a socket.
    pub frames: Vec<Value>,
    pub now: u64,
    slot: u32,
}

impl Chat {
    /// Sends a message under the request id `q`.
    pub fn send(transports: &[Transport]) -> Self {
        let config = Config { protocol: Protocol::WsChat, transports: transports.to_vec(), ..Config::default() };
        let mut host = Host::new(config, Environment::default(), 7);
        let body = r#"{"content":"Hi","session_id":"s","request_id":"q"}"#;
        let wish =
            Wish { session: "s".into(), request_id: Some("q".into()), body: Some(body.into()), ..Wish::default() };
        let slot = host.begin(wish, true, Instant::from_millis(0));
        let mut chat = Self { host, page: Page::default(), open: Vec::new(), frames: Vec::new(), now: 0, slot };
        chat.obey();
        chat
    }

    /// The open task of this kind.
    pub fn task(&self, via: &str) -> Option<Task> {
        let order = self.open.iter().find(|order| order["via"] == via)?;
        Some(Task(order["open"].as_u64()? as u32))
    }

    /// The socket opens.
    pub fn accept(&mut self) {
        let task = self.task("websocket").expect("a socket was asked for");
        let head = Head { status: 200, content_type: Some("text/event-stream"), ..Head::default() };
        self.host.handle_head(task, &head, Instant::from_millis(self.now));
        self.obey();
    }

    /// The server says a frame.
    pub fn say(&mut self, frame: &str) {
        let task = self.task("websocket").expect("a socket is open");
        let frame = format!("data: {frame}\n\n");
        self.host.window().chunk_mut()[..frame.len()].copy_from_slice(frame.as_bytes());
        self.host.handle_chunk(task, frame.len(), Instant::from_millis(self.now));
        self.obey();
    }

    /// The socket closes.
    pub fn close(&mut self, code: u16) {
        let task = self.task("websocket").expect("a socket is open");
        self.end(task, End::Failed, Some(code));
    }

    /// The question that is open is answered.
    pub fn reply(&mut self, body: &str) {
        let task = self.task("reply").expect("something was asked");
        let now = Instant::from_millis(self.now);
        self.host.handle_head(task, &Head { status: 200, ..Head::default() }, now);
        self.host.window().chunk_mut()[..body.len()].copy_from_slice(body.as_bytes());
        self.host.handle_chunk(task, body.len(), now);
        self.end(task, End::Ended, None);
    }

    /// The question that is open is answered with this status.
    pub fn refuse(&mut self, status: u16) {
        let task = self.task("reply").expect("something was asked");
        self.host.handle_head(task, &Head { status, ..Head::default() }, Instant::from_millis(self.now));
        self.end(task, End::Ended, None);
    }

    /// Time passes, and timers fire no later than a hundredth of it.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now = (self.now + (ms / 100).max(1)).min(until);
            self.host.handle_timeout(Instant::from_millis(self.now));
            self.obey();
        }
    }

    fn end(&mut self, task: Task, end: End, code: Option<u16>) {
        self.open.retain(|order| order["open"] != task.0);
        self.host.handle_end(task, end, code, Instant::from_millis(self.now));
        self.obey();
    }

    fn obey(&mut self) {
        let orders = self.host.take_orders(|bytes| String::from_utf8(bytes.to_vec()).expect("orders are UTF-8"));
        let orders: Vec<Value> =
            if orders.is_empty() { Vec::new() } else { serde_json::from_str(&orders).expect("orders are JSON") };
        for order in orders {
            if order["open"].is_u64() {
                self.open.push(order);
            } else if order["close"].is_u64() {
                self.open.retain(|open| open["open"] != order["close"]);
            } else if let Some(frame) = order["frame"].as_str() {
                self.frames.push(serde_json::from_str(frame).expect("a frame is JSON"));
            }
        }
        let page = &mut self.page;
        self.host.read(self.slot, |flush| page.apply(std::str::from_utf8(flush).expect("a flush is UTF-8")));
    }
}
