//! Whatever the page says of whatever task, slot or length: nothing panics, orders and flushes stay well formed, one run has
//! one stream, what is opened is closed once, and a timer that keeps the earliest of what it was told is never late.

use std::collections::BTreeMap;

use serde_json::Value;
use steadystream::engine::config::Config;
use steadystream::engine::environment::{Environment, Signal};
use steadystream::engine::host::{End, Host, Pace, Task};
use steadystream::engine::http::Head;
use steadystream::engine::inquiry::Question;
use steadystream::engine::protocol::Clear;
use steadystream::engine::rng::Rng;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Instant;
use steadystream::engine::transport::Transport;
use steadystream::engine::window::CHUNK;

const CHUNKS: [&str; 8] = [
    "id: 1-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"a\"}\n\n",
    "id: 2-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"ж😀\"}\n\nid: 2-1\nevent: con",
    "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n",
    "{\"active\":true,\"runId\":\"r\"}",
    "{\"active\":false}",
    "event: error\ndata: {\"type\":\"error\",\"error\":\"no\"}\n\n",
    "id: 9-0\nevent: done\ndata: {}\n\n",
    ": ping\n\n",
];
const STATUSES: [u16; 10] = [0, 200, 200, 200, 200, 204, 401, 404, 429, 503];
const TYPES: [Option<&str>; 4] = [Some("text/event-stream"), Some("text/event-stream"), Some("text/html"), None];
const SIGNALS: [Signal; 8] = [
    Signal::Online,
    Signal::Offline,
    Signal::Visible,
    Signal::Hidden,
    Signal::Frozen,
    Signal::Thawed,
    Signal::PageHidden,
    Signal::PageShown,
];

fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.up_to(of.len() as u64 - 1) as usize]
}

/// A host, and the account that a careful page keeps of it.
struct Page {
    host: Host,
    rng: Rng,
    seed: u64,
    now: u64,
    slots: u32,
    last_task: u64,
    open: BTreeMap<u64, Stream>,
    /// All that was ever ordered, for reports that come late.
    ever: Vec<u64>,
    /// Every order and flush, with its time.
    log: Vec<(u64, String)>,
    /// When the page's one timer would fire.
    alarm: Option<u64>,
}

/// What a task is for, as far as its order tells.
#[derive(PartialEq)]
struct Stream {
    is_reply: bool,
    session: String,
}

impl Page {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let transports =
            pick(&mut rng, &[&[Transport::Fetch][..], &[Transport::EventSource], &Transport::ALL]).to_vec();
        let config = Config { transports, event_log: rng.up_to(3) > 0, ..Config::default() };
        Self {
            host: Host::new(config, Environment::default(), seed),
            rng,
            seed,
            now: 5_000,
            slots: 0,
            last_task: 0,
            open: BTreeMap::new(),
            ever: Vec::new(),
            log: Vec::new(),
            alarm: None,
        }
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// A task that is open, or was, or never was.
    fn any_task(&mut self) -> Task {
        let live = self.open.keys().copied().collect::<Vec<_>>();
        Task(match self.rng.up_to(9) {
            0 => self.rng.next_u64() as u32,
            1 if !self.ever.is_empty() => pick(&mut self.rng, &self.ever) as u32,
            _ if !live.is_empty() => pick(&mut self.rng, &live) as u32,
            _ => 0,
        })
    }

    fn any_slot(&mut self) -> u32 {
        if self.rng.up_to(9) == 0 {
            pick(&mut self.rng, &[0, 99, u32::MAX])
        } else {
            self.rng.up_to(self.slots.into()) as u32
        }
    }

    fn begin(&mut self) {
        let is_sent = self.rng.up_to(1) == 0;
        let text = |is_there: bool, text: &str| is_there.then(|| text.to_owned());
        let wish = Wish {
            session: format!("s{}", self.slots),
            run: text(!is_sent, "r"),
            request_id: text(is_sent, "q"),
            // A POST names its session in its body alone.
            body: is_sent.then(|| format!("{{\"sessionId\":\"s{}\"}}", self.slots)),
            cursor: text(self.rng.up_to(3) == 0, "1-0"),
            ..Wish::default()
        };
        let is_stoppable = self.rng.up_to(3) > 0;
        let slot = self.host.begin(wish, is_stoppable, self.at());
        assert!(slot > self.slots);
        self.slots = slot;
    }

    /// One input. All of it comes from the seed and from what the host has ordered.
    fn step(&mut self) {
        let (now, task, slot) = (self.at(), self.any_task(), self.any_slot());
        match self.rng.up_to(32) {
            0..=1 if self.slots < 6 => self.begin(),
            2..=7 => {
                let content_type = pick(&mut self.rng, &TYPES);
                let retry_after = pick(&mut self.rng, &[None, None, Some("2"), Some("soon")]);
                let status = pick(&mut self.rng, &STATUSES);
                self.host.handle_head(task, &Head { status, content_type, retry_after, now_unix_ms: None }, now);
            }
            8..=16 => {
                let chunk = pick(&mut self.rng, &CHUNKS).as_bytes();
                self.host.window().chunk_mut()[..chunk.len()].copy_from_slice(chunk);
                let length = match self.rng.up_to(19) {
                    0 => pick(&mut self.rng, &[0, CHUNK, CHUNK + 1, usize::MAX]),
                    1 => self.rng.up_to(chunk.len() as u64) as usize,
                    _ => chunk.len(),
                };
                self.host.handle_chunk(task, length, now);
            }
            17..=19 => {
                self.open.remove(&u64::from(task.0));
                let end = pick(&mut self.rng, &[End::Ended, End::Failed, End::Refused]);
                self.host.handle_end(task, end, None, now);
            }
            20 => self.host.handle_signal(pick(&mut self.rng, &SIGNALS), now),
            // Most of the time somebody is there.
            21 => {
                for signal in [Signal::Online, Signal::Visible, Signal::Thawed] {
                    self.host.handle_signal(signal, now);
                }
            }
            22 => self.host.watch(slot, pick(&mut self.rng, &[Pace::Unwatched, Pace::Frame, Pace::Sync])),
            23 => {
                let questions = [Question::Status, Question::Page, Question::Clear(Clear::Delete), Question::Stop];
                let question = pick(&mut self.rng, &questions);
                let of = if question == Question::Page { "/p?sessionId=" } else { "" };
                _ = self.host.inquire(question, &format!("{of}s{slot}"), now);
            }
            24 => self.host.retry(slot, "q2", None, now),
            29 => _ = self.host.withdraw(slot, now),
            30 => self.host.expect(&format!("s{slot}"), now),
            31 => self.host.stop_expecting(&format!("s{slot}"), now),
            32 => {
                _ = self.host.take_over(
                    slot,
                    "q0",
                    &format!("{{\"sessionId\":\"s{}\"}}", slot.saturating_sub(1)),
                    true,
                    now,
                )
            }
            25 if self.rng.up_to(3) == 0 => self.host.command(slot, now, |run| run.close(now)),
            26 if self.rng.up_to(9) == 0 => self.host.release(slot, now),
            27 => self.host.command(slot, now, |run| run.listen(true)),
            28 => self.host.read(slot, check_flush),
            _ => {}
        }
    }

    /// What a driver does after each input.
    fn act(&mut self) {
        self.host.take_due();
        let orders = self.host.take_orders(|orders| String::from_utf8(orders.to_vec()).expect("valid UTF-8"));
        if !orders.is_empty() {
            for order in serde_json::from_str::<Vec<Value>>(&orders).expect("orders are JSON") {
                self.account(&order);
            }
            self.log.push((self.now, orders));
        }
        if let Some(due) = self.host.take_timeout() {
            self.alarm = Some(self.alarm.map_or(due.as_millis(), |armed| armed.min(due.as_millis())));
        }
    }

    fn flush(&mut self) {
        let flush = self.host.flush(|flush| {
            check_flush(flush);
            String::from_utf8_lossy(flush).into_owned()
        });
        if !flush.is_empty() {
            self.log.push((self.now, flush));
        }
    }

    fn account(&mut self, order: &Value) {
        let seed = self.seed;
        if let Some(task) = order["close"].as_u64() {
            assert!(self.open.remove(&task).is_some(), "seed {seed}: {task} is closed, and was not open");
        } else if let Some(task) = order["open"].as_u64() {
            assert!(task > self.last_task, "seed {seed}: a number is used again");
            self.last_task = task;
            self.ever.push(task);
            let place = [order["path"].as_str().unwrap(), order["body"].as_str().unwrap_or_default()].concat();
            // `sessionId=s3` in a path, `"sessionId":"s3"` in a body.
            let session = place.split_once("sessionId").map(|(_, behind)| behind.trim_start_matches(['"', ':', '=']));
            let session =
                session.unwrap_or_default().chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
            let stream = Stream { is_reply: order["via"] == "reply", session };
            // All runs share one socket: it is nobody's.
            assert_eq!(stream.session.is_empty(), order["via"] == "websocket", "{order}");
            let has_twin = self.open.values().any(|other| *other == stream);
            assert!(stream.is_reply || !has_twin, "seed {seed}: two streams of {}", stream.session);
            self.open.insert(task, stream);
        } else if let Some(task) = order["to"].as_u64() {
            assert!(self.open.contains_key(&task), "seed {seed}: a frame for {task}, which is not open");
            assert!(order["frame"].is_string());
        } else {
            assert!(order["look"] == true || order["remember"].is_object(), "{order}");
        }
    }

    fn fire(&mut self) {
        self.alarm = None;
        self.host.handle_timeout(self.at());
        self.act();
        self.flush();
    }
}

/// A flush is empty, or a line of JSON and valid UTF-8 behind it.
fn check_flush(flush: &[u8]) {
    let text = std::str::from_utf8(flush).expect("valid UTF-8");
    if let Some((head, _)) = text.split_once('\n') {
        serde_json::from_str::<Value>(head).expect("a head of JSON");
    } else {
        assert!(text.is_empty());
    }
}

#[test]
fn inputs_of_any_kind_never_panic_and_every_task_is_closed_once() {
    for seed in 0..600 {
        let mut page = Page::new(seed);
        page.begin();
        for _ in 0..150 {
            page.act();
            // A clock may stand still, jump, or run back; a timer may be late, or fire for no reason.
            page.now = match page.rng.up_to(9) {
                0 => page.now + page.rng.up_to(100_000),
                1 => page.now.saturating_sub(page.rng.up_to(1_000)),
                2 => page.alarm.map_or(page.now, |due| due.max(page.now)),
                _ => page.now + page.rng.up_to(300),
            };
            if page.rng.up_to(4) == 0 {
                page.fire();
            }
            page.step();
            if page.rng.up_to(2) == 0 {
                page.flush();
            }
        }
        if seed % 2 == 0 {
            for slot in 0..=page.slots {
                page.host.release(slot, page.at());
            }
            page.act();
            let is_kept = |stream: &Stream| stream.is_reply || stream.session.is_empty();
            assert!(page.open.values().all(is_kept), "seed {seed}: a stream that nobody holds");
        }
        page.host.shutdown(page.at());
        page.act();
        assert_eq!(page.open.len(), 0, "seed {seed}");
        assert!(!page.host.take_due().orders && page.host.take_timeout().is_none());
    }
}

#[test]
fn a_timer_that_keeps_the_earliest_of_what_it_was_told_is_never_late() {
    // One page wakes its host each ms, the other when it was told to. Nothing may tell them apart.
    let mut fired = 0;
    for seed in 0..40 {
        let (mut every_ms, mut as_told) = (Page::new(seed), Page::new(seed));
        for page in [&mut every_ms, &mut as_told] {
            page.begin();
            page.act();
            page.flush();
        }
        for _ in 0..60 {
            let wait = match every_ms.rng.up_to(3) {
                0 => every_ms.rng.up_to(16_000),
                _ => every_ms.rng.up_to(400),
            };
            as_told.rng = every_ms.rng.clone();
            let until = every_ms.now + wait;
            while every_ms.now < until {
                every_ms.now += 1;
                every_ms.fire();
            }
            while as_told.alarm.is_some_and(|due| due <= until) {
                as_told.now = as_told.alarm.unwrap_or(until).max(as_told.now);
                as_told.fire();
                fired += 1;
            }
            as_told.now = until;
            for page in [&mut every_ms, &mut as_told] {
                page.step();
                page.act();
                page.flush();
            }
            assert_eq!(every_ms.log, as_told.log, "seed {seed}");
        }
    }
    assert!(fired > 300, "{fired}: timers decide something here");
}

#[test]
fn what_was_told_of_time_is_told_once() {
    let mut page = Page::new(3);
    page.begin();
    assert!(page.host.take_timeout().is_some());
    assert!(page.host.take_timeout().is_none());
}
