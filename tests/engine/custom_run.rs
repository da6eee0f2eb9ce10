//! A run whose events a page's own function has made of another wire: what was made of one wire event stands between two marks
//! with its id, and counts as a whole.

use crate::support::client::{Client, Order, steady};
use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

struct Chat {
    client: Client,
    slot: u32,
    task: Task,
}

fn text(id: &str, text: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!("id: {id}\n") };
    format!("{id}data: {{\"type\":\"content\",\"content\":\"{text}\"}}\n\n")
}

fn mark(id: &str) -> String {
    format!("id: {id}\n\n")
}

fn broken(id: &str) -> String {
    format!("id: {id}\nevent: odd\ndata: !\n\n")
}

/// Two texts of one wire event.
fn pair(id: &str, one: &str, other: &str) -> String {
    mark(id) + &text("", one) + &text(id, other)
}

const DONE: &str = "data: {\"type\":\"done\"}\n\n";

impl Chat {
    fn sent() -> Self {
        let mut client = Client::new(Config { protocol: Protocol::Custom, max_event_bytes: 2_000, ..steady() });
        let slot = client.send("s", "{}");
        client.host.watch(slot, Pace::Frame);
        let order = client.orders().pop().unwrap();
        assert_eq!(order.says(), "fetch ");
        let mut chat = Self { task: order.task(), client, slot };
        chat.accept();
        chat
    }

    fn accept(&mut self) {
        self.client.head(self.task, 200, "text/event-stream");
    }

    fn say(&mut self, text: &str) {
        self.client.chunk(self.task, text);
        self.client.flush();
    }

    fn lose_and_expect(&mut self, request: &str) {
        self.client.end(self.task, End::Failed);
        self.client.wait(Millis(30_000));
        let orders = self.client.orders();
        let open = orders.iter().find(|order| matches!(order, Order::Open { .. })).expect("asked again");
        assert_eq!(open.says(), request);
        self.task = open.task();
        self.accept();
    }

    fn end(&mut self) -> (String, String) {
        self.client.flush();
        (self.client.status(self.slot), self.client.page(self.slot).answer())
    }

    fn cursor(&mut self) -> String {
        self.client.state(self.slot, "cursor").as_str().unwrap_or_default().into()
    }
}

#[test]
fn the_cursor_moves_when_all_that_one_wire_event_means_is_held() {
    let mut chat = Chat::sent();
    chat.say(&(text("a", "1") + &mark("b") + &text("", "2")));
    assert_eq!((chat.end().1.as_str(), chat.cursor().as_str()), ("12", "a"));
    chat.say(&text("b", "3"));
    assert_eq!((chat.end().1.as_str(), chat.cursor().as_str()), ("123", "b"));
    // Nothing, or nothing that made sense, was made of these.
    chat.say(&(mark("c") + &mark("c")));
    assert_eq!(chat.cursor(), "c");
    chat.say(&broken("d"));
    assert_eq!(chat.cursor(), "d");
    chat.say(&(mark("e") + "data: {\"type\":\"ping\"}\n\n" + &mark("e") + DONE));
    assert_eq!((chat.end(), chat.cursor().as_str()), (("completed".into(), "123".into()), "e"));
}

#[test]
fn a_wire_event_that_comes_again_brings_nothing_twice() {
    let mut chat = Chat::sent();
    let first = text("a", "1") + &pair("b", "2", "3") + &broken("c") + &mark("d") + &mark("d") + &pair("e", "4", "5");
    chat.say(&first);
    chat.lose_and_expect("fetch /s/stream?lastEventId=e");
    // From the start, whatever was asked for; and an event whose end is a cut's victim is told as if it had never begun.
    chat.say(&(first.clone() + &text("f", "6")));
    chat.say(&(mark("g") + &text("", "7")));
    assert_eq!(chat.cursor(), "f");
    chat.say(&(text("g", "8") + &first + &text("h", "9") + DONE));
    assert_eq!(chat.end(), ("completed".into(), "123456789".into()));
}

#[test]
fn what_has_no_id_comes_again_with_the_event_before_it() {
    let mut chat = Chat::sent();
    chat.say(&(text("a", "1") + &text("", "2") + &text("", "3")));
    for _ in 0..2 {
        chat.lose_and_expect("fetch /s/stream?lastEventId=a");
        chat.say(&text("", "2"));
    }
    chat.say(&(text("", "3") + &text("", "4") + &text("a", "1")));
    chat.say(&(text("", "2") + &text("", "3") + &text("", "4") + &text("b", "5") + &text("", "6")));
    // From the start, whatever was asked for.
    chat.lose_and_expect("fetch /s/stream?lastEventId=b");
    chat.say(&(text("a", "1") + &text("", "2") + &text("", "3") + &text("", "4") + &text("b", "5") + &text("", "6")));
    chat.say(&(text("", "7") + DONE));
    assert_eq!(chat.end(), ("completed".into(), "1234567".into()));
}

#[test]
fn an_event_that_was_too_large_before_it_came_here_ends_the_run() {
    let mut chat = Chat::sent();
    chat.say(&text("a", "1"));
    chat.client.end(chat.task, End::Overflown);
    assert_eq!(chat.end(), ("interrupted".into(), "1".into()));
    assert_eq!(chat.client.state(chat.slot, "error")["code"], "event-too-large");
}

#[test]
fn an_event_that_is_too_large_amid_others_of_its_wire_event_leaves_nothing_open() {
    let mut chat = Chat::sent();
    chat.say(&(text("a", "1") + &mark("b") + "data: " + &"x".repeat(3_000)));
    assert_eq!(chat.client.state(chat.slot, "error")["code"], "event-too-large");
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| assert!(run.retry("q2", None, now)));
    let orders = chat.client.orders();
    let open = orders.iter().find(|order| matches!(order, Order::Open { .. })).expect("asked again");
    assert_eq!(open.says(), "fetch /s/stream?lastEventId=a");
    chat.task = open.task();
    chat.accept();
    chat.say(&(pair("b", "2", "3") + DONE));
    assert_eq!(chat.end(), ("completed".into(), "123".into()));
}

#[test]
fn a_page_that_takes_it_up_knows_what_has_no_id_too() {
    let mut chat = Chat::sent();
    chat.say(&(text("a", "1") + &text("", "2") + &text("", "3")));
    let held = chat.client.host.store(chat.slot, |stored| String::from_utf8(stored.to_vec()).expect("valid UTF-8"));
    let mut client = Client::new(Config { protocol: Protocol::Custom, ..steady() });
    let wish = Wish { session: "s".into(), held: Some(held), ..Wish::default() };
    let slot = client.host.begin(wish, true, client.at());
    client.host.watch(slot, Pace::Frame);
    let order = client.orders().pop().unwrap();
    assert_eq!(order.says(), "fetch /s/stream?lastEventId=a");
    let mut next = Chat { task: order.task(), client, slot };
    next.accept();
    next.say(&(text("", "2") + &text("", "3") + &text("", "4") + &text("b", "5") + DONE));
    assert_eq!(next.end(), ("completed".into(), "12345".into()));
}
