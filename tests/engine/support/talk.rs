//! One run of a client whose other end is the test, connection by connection.

use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

use super::client::{Client, Order, steady};

/// The run, and the task that was opened for it last.
pub struct Talk {
    pub client: Client,
    pub slot: u32,
    pub task: Task,
}

impl Talk {
    /// What becomes of a wish; its first request must be this one.
    pub fn begin(protocol: Protocol, wish: Wish, request: &str) -> Self {
        let mut client = Client::new(Config { protocol, ..steady() });
        let slot = client.host.begin(wish, true, client.at());
        client.host.watch(slot, Pace::Frame);
        let order = client.orders().pop().expect("something was asked for");
        assert_eq!(order.says(), request);
        Self { task: order.task(), client, slot }
    }

    /// A message to the session `s`, under the request id `q`.
    pub fn send(protocol: Protocol, body: &str, request: &str) -> Self {
        let wish =
            Wish { session: "s".into(), request_id: Some("q".into()), body: Some(body.into()), ..Wish::default() };
        Self::begin(protocol, wish, request)
    }

    /// Whatever runs in the session `s`.
    pub fn attach(protocol: Protocol, request: &str) -> Self {
        Self::begin(protocol, Wish { session: "s".into(), ..Wish::default() }, request)
    }

    pub fn accept(&mut self) {
        self.client.head(self.task, 200, "text/event-stream");
    }

    pub fn say(&mut self, text: &str) {
        self.client.chunk(self.task, text);
        self.client.flush();
    }

    pub fn lose(&mut self, end: End) {
        self.client.end(self.task, end);
        self.client.flush();
    }

    pub fn reply(&mut self, status: u16, body: &str) {
        self.client.reply(self.task, status, body);
        self.client.flush();
    }

    /// Waits until the next request, which must be this one.
    pub fn expect(&mut self, request: &str) {
        assert_eq!(self.wait_for_request().expect("nothing was asked for"), request);
    }

    /// Waits until the next request; `None` if there is none in forty seconds.
    pub fn wait_for_request(&mut self) -> Option<String> {
        for _ in 0..40 {
            if let Some(open) = self.next_request() {
                self.task = open.task();
                return Some(open.says());
            }
            self.client.wait(Millis(1_000));
            self.client.flush();
        }
        None
    }

    /// The same, without a wait.
    pub fn expect_at_once(&mut self, request: &str) {
        let open = self.next_request().expect("asked at once");
        assert_eq!(open.says(), request);
        self.task = open.task();
    }

    /// Status and the error's code.
    pub fn end(&mut self) -> (String, Option<String>) {
        self.client.flush();
        let code = self.client.state(self.slot, "error")["code"].as_str().map(str::to_owned);
        (self.client.status(self.slot), code)
    }

    /// Status and text.
    pub fn told(&mut self) -> (String, String) {
        self.client.flush();
        (self.client.status(self.slot), self.text())
    }

    pub fn text(&mut self) -> String {
        self.client.page(self.slot).answer()
    }

    pub fn assert_nothing_follows(&mut self) {
        self.client.wait(Millis(600_000));
        assert!(self.next_request().is_none());
    }

    fn next_request(&mut self) -> Option<Order> {
        self.client.orders().into_iter().find(|order| matches!(order, Order::Open { .. }))
    }
}
