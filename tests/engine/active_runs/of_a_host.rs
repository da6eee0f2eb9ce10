//! A feed in a client's slot: its orders, its flushes, and what another page is told of it.

use serde_json::{Value, json};
use steadystream::engine::{
    active_runs::feed::Wish,
    config::Config,
    environment::{Environment, Signal},
    host::{End, Host, Pace, Task},
    http::Head,
    protocol::Protocol,
    run::Wish as RunWish,
    time::{Instant, Millis},
    transport::Transport,
};

use super::desk::{OK, View, row};

struct Page {
    host: Host,
    now: Instant,
    slot: u32,
    view: View,
}

impl Page {
    fn new(config: Config) -> Self {
        let now = Instant::from_millis(1_000);
        let mut host = Host::new(config, Environment::default(), 7);
        let slot = host.begin_feed(Wish::default(), now);
        Self { host, now, slot, view: View::default() }
    }

    fn orders(&mut self) -> Vec<Value> {
        self.host.take_due();
        let orders = self.host.take_orders(<[u8]>::to_vec);
        let orders = orders.split(|&byte| byte == b'\n').next().unwrap().to_vec();
        if orders.is_empty() { Vec::new() } else { serde_json::from_slice(&orders).unwrap() }
    }

    /// Opens it, and gives its order.
    fn watch(&mut self) -> Value {
        self.host.attend(self.slot, Pace::Frame, self.now);
        self.orders().pop().expect("it is opened")
    }

    fn say(&mut self, task: u32, text: &str) {
        self.host.window().chunk_mut()[..text.len()].copy_from_slice(text.as_bytes());
        self.host.handle_chunk(Task(task), text.len(), self.now);
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now + Millis(ms);
        self.host.handle_timeout(self.now);
    }

    fn flush(&mut self) {
        let flush = self.host.flush(<[u8]>::to_vec);
        let Some(head) = flush.split(|&byte| byte == b'\n').next().filter(|head| !head.is_empty()) else { return };
        for delta in serde_json::from_slice::<Vec<Value>>(head).unwrap() {
            if delta["slot"] == self.slot {
                self.view.apply(&delta);
            }
        }
    }
}

fn task_of(order: &Value) -> u32 {
    order["open"].as_u64().unwrap() as u32
}

#[test]
fn its_stream_is_the_same_for_every_tab_and_a_listeners_is_its_own() {
    assert_eq!(Page::new(Config::default()).watch().get("share"), None, "tabs share nothing");
    let mut page = Page::new(Config { shares: true, ..Config::default() });
    assert_eq!(page.orders(), [] as [Value; 0], "nobody watches");
    let order = page.watch();
    assert_eq!(
        order,
        json!({"open":1,"via":"fetch","path":"/active-runs","body":null,"cursor":null,"slot":1,"share":"active-runs"})
    );
    let listener = page.host.listen_to_feed(None, page.now);
    let order = page.orders().pop().unwrap();
    assert_eq!((listener, order.get("share")), (2, None));
    let run =
        page.host.begin(RunWish { session: "s".into(), run: Some("r".into()), ..RunWish::default() }, true, page.now);
    assert_eq!(run, 3, "slots of all kinds are counted together");
}

#[test]
fn its_stream_is_left_to_others_when_nobody_here_wants_it() {
    let shared = || Page::new(Config { shares: true, ..Config::default() });
    let leave = json!({"leave":"active-runs","slot":1});
    let mut page = shared();
    page.watch();
    page.host.attend(page.slot, Pace::Unwatched, page.now);
    page.pass(999);
    assert!(!page.orders().contains(&leave));
    page.pass(1);
    assert!(page.orders().contains(&leave), "the grace is over");
    for end in [
        (|page: &mut Page| page.host.close_feed(page.slot)) as fn(&mut Page),
        |page| page.host.release(page.slot, page.now),
        |page| page.host.handle_signal(Signal::Frozen, page.now),
        |page| page.host.handle_head(Task(1), &Head { status: 404, ..Head::default() }, page.now),
    ] {
        let mut page = shared();
        page.watch();
        end(&mut page);
        assert!(page.orders().contains(&leave));
    }
}

#[test]
fn a_stream_that_changes_hands_is_asked_for_anew_and_one_without_room_waits() {
    let mut page = Page::new(Config { shares: true, ..Config::default() });
    let task = task_of(&page.watch());
    page.host.handle_end(Task(task), End::Moved, None, page.now);
    let order = page.orders().pop().unwrap();
    assert_eq!(order["share"], "active-runs");
    page.host.handle_end(Task(task_of(&order)), End::Crowded, None, page.now);
    page.pass(10_000);
    page.flush();
    assert!(page.orders().iter().all(|order| order.get("open").is_none()));
    page.host.handle_room(page.slot, page.now);
    let task = task_of(&page.orders().pop().unwrap());
    page.host.handle_head(Task(task), &OK, page.now);
    page.flush();
    assert_eq!((&page.view.state["connection"]["state"], page.view.flaps.len()), (&"open".into(), 0));
}

#[test]
fn its_rows_go_out_with_the_frame_while_somebody_watches() {
    let mut page = Page::new(Config::default());
    let task = task_of(&page.watch());
    page.host.handle_head(Task(task), &OK, page.now);
    page.flush();
    page.say(task, &row("snapshot", "a", "r1", "streaming", 1));
    assert!(!page.host.take_due().frame, "a batch waits");
    page.pass(16);
    assert!(page.host.take_due().frame && !page.host.due().now);
    page.flush();
    assert_eq!(page.view.list(), [("a", "r1", "streaming")]);
    page.host.attend(page.slot, Pace::Unwatched, page.now);
    page.say(task, &row("update", "b", "r2", "queued", 2));
    page.flush();
    assert_eq!(page.view.list().len(), 1, "nobody looks");
    let delta = page.host.read(page.slot, <[u8]>::to_vec);
    let head = delta.split(|&byte| byte == b'\n').next().unwrap();
    page.view.apply(&serde_json::from_slice::<Value>(head).unwrap()[0]);
    assert_eq!(page.view.list().len(), 2, "somebody does");
    page.host.attend(page.slot, Pace::Sync, page.now);
    assert!(page.host.due().hurried);
    page.say(task, &row("update", "c", "r3", "queued", 2));
    assert!(page.host.due().now);
}

#[test]
fn another_page_is_told_what_is_known_as_if_by_the_server() {
    let mut page = Page::new(Config::default());
    let task = task_of(&page.watch());
    page.host.handle_head(Task(task), &OK, page.now);
    let told = |page: &Page| String::from_utf8(page.host.retell(page.slot, <[u8]>::to_vec)).unwrap();
    page.say(task, &row("snapshot", "a\\u0022é", "r1", "streaming", 1));
    page.say(task, &row("snapshot", "b", "r2", "queued", 2));
    assert_eq!(told(&page), "", "half an index is none");
    page.pass(16);
    page.say(task, &row("update", "b", "r2", "completed", 3));
    assert_eq!(told(&page), format!(": told again\n\n{}", row("snapshot", "a\\\"é", "r1", "streaming", 1)));
    let mut other = Page::new(Config::default());
    let task = task_of(&other.watch());
    other.host.handle_head(Task(task), &OK, other.now);
    let text = told(&page);
    other.say(task, &text);
    other.pass(16);
    other.flush();
    assert_eq!(other.view.list(), [("a\"é", "r1", "streaming")]);
    assert_eq!(page.host.retell(99, <[u8]>::len), 0);
}

#[test]
fn the_browsers_own_source_is_diagnosed_when_it_was_refused() {
    let mut page = Page::new(Config { transports: vec![Transport::EventSource], ..Config::default() });
    let order = page.watch();
    assert_eq!(order["via"], "eventsource");
    page.host.handle_end(Task(task_of(&order)), End::Refused, None, page.now);
    let order = page.orders().pop().unwrap();
    assert_eq!((&order["via"], &order["path"]), (&"fetch".into(), &"/active-runs".into()));
    page.host.handle_head(Task(task_of(&order)), &Head { status: 404, ..Head::default() }, page.now);
    page.flush();
    assert_eq!(page.view.state["supported"], false);
    // What was refused to the source is there now.
    let mut page = Page::new(Config { transports: vec![Transport::EventSource], ..Config::default() });
    let order = page.watch();
    page.host.handle_end(Task(task_of(&order)), End::Refused, None, page.now);
    let order = page.orders().pop().unwrap();
    page.host.handle_head(Task(task_of(&order)), &OK, page.now);
    page.flush();
    assert_eq!(
        (&page.view.state["supported"], &page.view.state["connection"]["state"]),
        (&true.into(), &"reconnecting".into())
    );
}

#[test]
fn a_silent_run_is_asked_about_beside_the_stream() {
    let mut page = Page::new(Config::default());
    let task = task_of(&page.watch());
    page.host.handle_head(Task(task), &OK, page.now);
    page.say(task, &row("snapshot", "a", "r1", "streaming", 1));
    for _ in 0..4 {
        page.pass(15_000);
        page.say(task, ": ping\n\n");
    }
    page.flush();
    let order = page.orders().pop().unwrap();
    assert_eq!((&order["via"], &order["path"]), (&"reply".into(), &"/status?sessionId=a".into()));
    let ask = Task(task_of(&order));
    page.host.handle_head(ask, &Head { status: 200, ..Head::default() }, page.now);
    let reply = b"{\"active\":false}";
    page.host.window().chunk_mut()[..reply.len()].copy_from_slice(reply);
    page.host.handle_chunk(ask, reply.len(), page.now);
    page.host.handle_end(ask, End::Ended, None, page.now);
    page.flush();
    assert_eq!(page.view.list(), []);
}

#[test]
fn a_feed_hears_of_the_weather_and_of_the_end() {
    let mut page = Page::new(Config::default());
    let task = task_of(&page.watch());
    page.host.handle_head(Task(task), &OK, page.now);
    page.host.handle_signal(Signal::PageHidden, page.now);
    assert_eq!(page.orders(), [json!({"close":task})]);
    page.host.handle_signal(Signal::PageShown, page.now);
    let task = task_of(&page.orders().pop().unwrap());
    page.host.handle_end(Task(task), End::Overflown, None, page.now);
    page.flush();
    assert_eq!(page.view.state["error"]["code"], "event-too-large");
    page.pass(1_000);
    let task = task_of(&page.orders().pop().unwrap());
    page.host.shutdown(page.now);
    assert_eq!(page.orders(), [json!({"close":task})]);
    page.flush();
    assert_eq!(page.view.state["connection"]["state"], "closed");
    page.host.release(page.slot, page.now);
    page.host.attend(page.slot, Pace::Frame, page.now);
    assert_eq!(page.orders(), [] as [Value; 0]);
}

#[test]
fn other_protocols_have_no_such_feed() {
    for protocol in Protocol::ALL.into_iter().filter(|&protocol| protocol != Protocol::Bichat) {
        let mut host = Host::new(Config { protocol, ..Config::default() }, Environment::default(), 7);
        let now = Instant::from_millis(0);
        assert_eq!((host.begin_feed(Wish::default(), now), host.listen_to_feed(None, now)), (0, 0));
    }
}
