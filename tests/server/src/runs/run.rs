//! One run: it writes its log at its own pace, tells those who watch, and ends exactly once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::clock::{lock, unix_ms};
use crate::config::OffsetUnit;
use crate::content::{Ending, Kind, Moment, Recipe};
use crate::sse::EventId;
use crate::ws_chat::{self, Done};
use crate::{chunks, envelope, ui_message};

use super::Protocol;
use super::bursts::bursts;
use super::log::{Draft, Entry, Log};
use super::saying::{Saying, Told};
use crate::bichat;

/// A live subscriber that does not read loses what comes after this many events (B-SEND-11).
const LIVE_CHANNEL: usize = 256;

/// How long a run without a pace of its own waits for a watcher whose channel is full, before it is taken for stalled.
const PATIENCE: Duration = Duration::from_millis(250);

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It writes.
    Running,
    /// Its terminal event is in the log.
    Ended(#[serde(skip)] Ending),
    /// The server forgot it before it ended.
    Lost,
}

/// What somebody asks of a run that is to be.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// In which protocol.
    pub protocol: Protocol,
    /// The run's id, where somebody else gives it.
    pub run_id: Option<String>,
    /// Which session it belongs to.
    pub session_id: String,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The message that it answers, where the protocol keeps those.
    pub content: Option<String>,
    /// How many events the session's earlier runs had, where the protocol numbers them on.
    pub base: u64,
}

/// One run.
#[derive(Debug)]
pub struct Run {
    /// What it speaks.
    pub protocol: Protocol,
    /// UUID.
    pub run_id: String,
    /// The message that it answers.
    pub content: Option<String>,
    /// UUID of the finished message, where the protocol has such a thing.
    pub message_id: String,
    /// UUID of its stream, where the protocol has such a thing.
    pub stream_id: String,
    /// UUID of the session it belongs to.
    pub session_id: String,
    /// The id of the request that started it.
    pub request_id: Option<String>,
    /// What decides its content.
    pub recipe: Recipe,
    /// The seed in effect.
    pub seed: u64,
    /// Unix ms.
    pub started_at: u64,
    /// The number of the event before its first.
    base: u64,
    max_len: usize,
    book: Mutex<Book>,
    changed: watch::Sender<u64>,
    order: watch::Sender<Order>,
    /// How many events it may write for now; `None`: all.
    hold_at: watch::Sender<Option<usize>>,
}

/// What somebody wants of a run that writes.
#[derive(Clone, Debug, PartialEq)]
enum Order {
    Write,
    /// End now, with this event.
    End(Saying),
    /// The process is gone: no terminal event, no log.
    Vanish,
}

#[derive(Debug)]
struct Book {
    log: Log,
    told: Told,
    live: Vec<Watcher>,
    ended_at: Option<u64>,
    /// The run that this one gave way to.
    next: Option<String>,
    /// The request that the user has not answered.
    asked: Option<String>,
    done: Option<Done>,
    lost: bool,
    /// Nobody writes it any more, whether or not it has its end.
    closed: bool,
    /// The number of its next row, where its protocol has those.
    row: u64,
}

/// What a run has come to.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub(crate) text: String,
    /// Events so far.
    pub(crate) events: u64,
    pub(crate) end: Option<(Ending, Option<String>)>,
    pub(crate) done: Option<Done>,
}

#[derive(Debug)]
struct Watcher {
    sender: mpsc::Sender<Entry>,
    /// It let the patience run out; nobody waits for it until it has read.
    stalled: bool,
}

impl Book {
    fn new(protocol: Protocol) -> Self {
        Self {
            log: Log::default(),
            told: Told::new(protocol),
            live: Vec::new(),
            ended_at: None,
            next: None,
            asked: None,
            done: None,
            lost: false,
            closed: false,
            row: 0,
        }
    }

    /// The terminal event, if it is written and the log still there.
    fn terminal(&self) -> Option<Entry> {
        let last = self.log.len().saturating_sub(1);
        self.log.read(last, 1).0.into_iter().find(|entry| entry.terminal)
    }
}

/// What a reader of the log finds.
pub(crate) enum Read {
    /// The next entries, and the position after them.
    Entries(Vec<Entry>, u64),
    /// Nothing yet.
    Later,
    /// The log is gone; there will be no terminal event (B-ES-13).
    Gone,
}

impl Run {
    /// A run that has not begun to write.
    pub(crate) fn new(ask: Ask, recipe: Recipe, seed: u64, max_len: usize) -> Arc<Self> {
        let hold_at = watch::Sender::new(recipe.hold_at);
        Arc::new(Self {
            protocol: ask.protocol,
            run_id: ask.run_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            content: ask.content,
            message_id: uuid::Uuid::new_v4().to_string(),
            stream_id: uuid::Uuid::new_v4().to_string(),
            session_id: ask.session_id,
            request_id: ask.request_id,
            recipe,
            seed,
            started_at: unix_ms(),
            base: ask.base,
            max_len,
            book: Mutex::new(Book::new(ask.protocol)),
            changed: watch::Sender::new(0),
            order: watch::Sender::new(Order::Write),
            hold_at,
        })
    }

    /// Writes the run to its end. Returns once it has ended or vanished; true if it is still to
    /// [hand over](Self::hand_over).
    pub(crate) async fn write(&self) -> bool {
        let mut begun = Instant::now();
        let pace = self.recipe.events_per_second;
        let mut order = self.order.subscribe();
        let script = Saying::script(self.protocol, &self.recipe, self.seed);
        let turns = bursts(&script, &self.recipe);
        for (at, (saying, turn)) in script.into_iter().zip(turns).enumerate() {
            if self.is_held(at) {
                let before = Instant::now();
                // It may have been told to end before it began: what is seen here is looked at again below.
                let mut orders = order.clone();
                tokio::select! {
                    biased;
                    _ = orders.wait_for(|order| *order != Order::Write) => order.mark_changed(),
                    () = self.let_go(at) => {}
                }
                begun += before.elapsed();
            }
            if pace > 0.0 {
                // Deadlines from the start: a late wake-up is caught up with and does not slow the run down.
                let due = begun + Duration::from_secs_f64((turn as f64 / pace).min(86_400.0));
                tokio::select! {
                    biased;
                    _ = order.changed() => {}
                    () = tokio::time::sleep_until(due) => {}
                }
            }
            let now = order.borrow_and_update().clone();
            match now {
                Order::Write if saying.hands_over() => return true,
                Order::Write => self.append(&saying),
                Order::End(end) => {
                    self.append(&end);
                    return false;
                }
                Order::Vanish => return false,
            }
            if self.recipe.wait_for_answer && saying.asks().is_some() {
                let asked = Instant::now();
                tokio::select! {
                    biased;
                    // The next turn looks at it again.
                    _ = order.changed() => order.mark_changed(),
                    () = self.answered() => {}
                }
                begun += asked.elapsed();
            }
            if pace <= 0.0 {
                self.wait_for_watchers().await;
            }
        }
        false
    }

    fn is_held(&self, at: usize) -> bool {
        self.hold_at.borrow().is_some_and(|hold_at| hold_at <= at)
    }

    async fn let_go(&self, at: usize) {
        // The sender lives in self, so that waiting for it cannot fail.
        let _ = self.hold_at.subscribe().wait_for(|hold_at| hold_at.is_none_or(|hold_at| hold_at > at)).await;
    }

    /// Lets the run write up to this many events, or to its end.
    pub(super) fn go_on(&self, hold_at: Option<usize>) {
        self.hold_at.send_replace(hold_at);
    }

    /// Gives way to `next`, which begins where this one ends. False if the run was told to end instead, and does.
    pub(super) fn hand_over(&self, next: &Self) -> bool {
        let order = self.order.borrow().clone();
        match order {
            Order::Write => {
                lock(&self.book).next = Some(next.run_id.clone());
                let duration_ms = unix_ms().saturating_sub(self.started_at);
                self.append(&Saying::Kind(Kind::HandOver(envelope::payload::hand_over(next, duration_ms))));
                true
            }
            Order::End(end) => {
                self.append(&end);
                false
            }
            Order::Vanish => false,
        }
    }

    fn append(&self, saying: &Saying) {
        let now = unix_ms();
        let ends = saying.ends_run();
        let terminal = ends && !saying.hands_over();
        let generation_ms = now.saturating_sub(self.started_at);
        let mut book = lock(&self.book);
        if book.lost {
            return;
        }
        let seq = self.base + book.log.len() + 1;
        let draft = match saying {
            Saying::Chunk(chunk) => {
                let data = ui_message::payload::chunk(chunk, &self.message_id, self.recipe.json);
                Draft { name: "", data, terminal, seq: Some(seq) }
            }
            Saying::Kind(kind) => {
                let data = envelope::payload::envelope(kind, self, seq, generation_ms);
                Draft { name: envelope::EVENT, data, terminal, seq: Some(seq) }
            }
            Saying::Row(row) => {
                let data = chunks::row(row, self, book.row, now);
                book.row = if row.is_reset() { 0 } else { book.row + u64::from(row.is_numbered()) };
                Draft { name: chunks::DATA, data, terminal, seq: Some(seq) }
            }
            Saying::Moment(moment) if self.protocol == Protocol::Bichat => {
                let (name, data) = bichat::payload::moment(moment, &self.run_id, now, generation_ms, self.recipe.json);
                Draft { name, data, terminal, seq: None }
            }
            Saying::Moment(moment) => {
                if matches!(moment, Moment::End(Ending::Done, _)) {
                    book.done = Some(Done::of(self, generation_ms));
                }
                let data = ws_chat::payload::moment(moment, self, seq, book.done.as_ref());
                Draft { name: "", data, terminal, seq: Some(seq) }
            }
        };
        book.asked = saying.asks().map(str::to_owned).or(book.asked.take());
        book.told.apply(saying, (self.protocol == Protocol::Bichat).then_some(now), self.recipe.json);
        let entry = book.log.append(now, draft, self.max_len);
        book.live.retain_mut(|watcher| match watcher.sender.try_send(entry.clone()) {
            // Full is the loss that a live stream is known for.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        });
        if ends {
            book.ended_at = Some(now);
            // Their streams end once they have read what is queued.
            book.live.clear();
        }
        drop(book);
        self.changed.send_modify(|version| *version += 1);
    }

    /// Somebody else writes a row of it.
    pub(crate) fn tell(&self, row: chunks::Row) {
        self.append(&Saying::Row(row));
    }

    /// Nobody will write it any more.
    pub(crate) fn close(&self) {
        lock(&self.book).closed = true;
        self.changed.send_modify(|version| *version += 1);
    }

    /// As fast as the sockets take it, but a watcher that takes nothing holds nobody up for long.
    async fn wait_for_watchers(&self) {
        tokio::task::consume_budget().await;
        let full: Vec<_> = {
            let mut book = lock(&self.book);
            let full = book.live.iter_mut().filter_map(|watcher| {
                watcher.stalled &= watcher.sender.capacity() == 0;
                (watcher.sender.capacity() == 0 && !watcher.stalled).then(|| watcher.sender.clone())
            });
            full.collect()
        };
        for sender in full {
            if tokio::time::timeout(PATIENCE, sender.reserve()).await.is_err() {
                let mut book = lock(&self.book);
                if let Some(watcher) = book.live.iter_mut().find(|watcher| watcher.sender.same_channel(&sender)) {
                    watcher.stalled = true;
                }
            }
        }
    }

    /// Asks the run to end now, with the given ending. No effect on one that has ended.
    pub fn end(&self, ending: Ending, error: Option<String>) {
        self.order.send_if_modified(|order| {
            let first = *order == Order::Write;
            if first {
                *order = Order::End(Saying::end(self.protocol, ending, error));
            }
            first
        });
    }

    /// Takes the run and its log away, as a restart of a server that kept it in memory does.
    pub(crate) fn vanish(&self) {
        self.order.send_replace(Order::Vanish);
        let mut book = lock(&self.book);
        book.lost = true;
        book.log.clear();
        book.live.clear();
        drop(book);
        self.changed.send_modify(|version| *version += 1);
    }

    /// Where it is.
    pub fn state(&self) -> RunState {
        let book = lock(&self.book);
        match book.told.end() {
            Some((ending, _)) => RunState::Ended(*ending),
            None if book.lost => RunState::Lost,
            None if book.closed => RunState::Ended(Ending::Error),
            None => RunState::Running,
        }
    }

    /// True while it writes.
    pub fn is_running(&self) -> bool {
        self.state() == RunState::Running
    }

    /// A receiver that changes with every event and with the end of the log.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Waits until the run no longer writes.
    pub async fn ended(&self) {
        let mut changes = self.changes();
        while self.is_running() {
            // The sender lives in self, so that waiting for it cannot fail.
            let _ = changes.changed().await;
        }
    }

    /// The log's position strictly after `cursor`, moved back by `rewind` events.
    pub(crate) fn position_after(&self, cursor: Option<EventId>, rewind: u64) -> u64 {
        lock(&self.book).log.position_after(cursor, rewind)
    }

    /// Answers the request of this id. False if there is none, or no more.
    pub(crate) fn answer(&self, id: &str) -> bool {
        let asked = lock(&self.book).asked.take_if(|asked| asked == id).is_some();
        self.changed.send_modify(|version| *version += 1);
        asked
    }

    async fn answered(&self) {
        let mut changes = self.changes();
        while lock(&self.book).asked.is_some() {
            // The sender lives in self, so that waiting for it cannot fail.
            let _ = changes.changed().await;
        }
    }

    /// The number before the first event that is still there where ended runs are cut down to their last one (A-SRV-6): an
    /// error's goes too.
    pub(crate) fn stored_behind(&self) -> u64 {
        match self.state() {
            RunState::Running | RunState::Lost => self.base,
            RunState::Ended(Ending::Done | Ending::Cancelled) => self.last_seq().saturating_sub(1),
            RunState::Ended(Ending::Error | Ending::Failed) => self.last_seq(),
        }
    }

    /// Up to `most` entries from this position of the log on, and the position after them.
    pub(crate) fn page(&self, position: u64, most: usize) -> (Vec<Entry>, u64) {
        lock(&self.book).log.read(position, most)
    }

    /// The most entries of its log.
    pub(super) fn max_len(&self) -> usize {
        self.max_len
    }

    /// The number of its last event so far, or of the one before its first.
    pub(crate) fn last_seq(&self) -> u64 {
        self.base + lock(&self.book).log.len()
    }

    /// The log's position behind the event of this number.
    pub(crate) fn position_behind(&self, seq: u64) -> u64 {
        seq.saturating_sub(self.base)
    }

    /// The number of the event before this position of the log.
    pub(crate) fn seq_before(&self, position: u64) -> u64 {
        self.base + position
    }

    /// Reads the log.
    pub(crate) fn read(&self, position: u64, most: usize) -> Read {
        let book = lock(&self.book);
        let (entries, next) = book.log.read(position, most);
        match entries.is_empty() {
            false => Read::Entries(entries, next),
            true if book.lost || book.closed || book.ended_at.is_some() => Read::Gone,
            true => Read::Later,
        }
    }

    /// What the run has said so far, and a live subscription that goes on exactly there: with the terminal event and
    /// nothing else if the run has ended.
    pub(crate) fn watch(&self, unit: OffsetUnit) -> (Value, mpsc::Receiver<Entry>) {
        let (sender, receiver) = mpsc::channel(LIVE_CHANNEL);
        let mut book = lock(&self.book);
        let snapshot = book.told.snapshot(unit == OffsetUnit::Bytes);
        match book.terminal() {
            // An empty channel has room.
            Some(terminal) => drop(sender.try_send(terminal)),
            None if book.lost => {}
            None => book.live.push(Watcher { sender, stalled: false }),
        }
        (snapshot, receiver)
    }

    /// What the run has said so far.
    pub(crate) fn snapshot(&self, unit: OffsetUnit) -> Value {
        lock(&self.book).told.snapshot(unit == OffsetUnit::Bytes)
    }

    /// Text and terminal event so far, for a node that polls (B-RES-3).
    pub(crate) fn poll(&self, unit: OffsetUnit) -> (String, Value, Option<Entry>) {
        let book = lock(&self.book);
        (book.told.text().to_owned(), book.told.snapshot(unit == OffsetUnit::Bytes), book.terminal())
    }

    /// What the run has come to.
    pub(crate) fn outline(&self) -> Outline {
        let book = lock(&self.book);
        Outline {
            text: book.told.text().to_owned(),
            events: book.log.len(),
            end: book.told.end().cloned(),
            done: book.done.clone(),
        }
    }

    /// Whether the server still knows it.
    pub(crate) fn is_lost(&self) -> bool {
        lock(&self.book).lost
    }

    /// What `GET /control/truth` answers.
    pub fn truth(&self) -> Value {
        let book = lock(&self.book);
        let mut report = book.told.report();
        if self.protocol == Protocol::UiMessage {
            report["messageId"] = self.message_id.as_str().into();
        }
        if self.protocol == Protocol::Envelope {
            report["nextRunId"] = json!(book.next);
        }
        if self.protocol == Protocol::WsChat {
            report["done"] = json!(book.done);
        }
        drop(book);
        report["protocol"] = json!(self.protocol);
        report["runId"] = self.run_id.as_str().into();
        report["sessionId"] = self.session_id.as_str().into();
        report
    }

    /// What `GET /control/runs` tells of it.
    pub fn report(&self) -> Value {
        let state = self.state();
        let book = lock(&self.book);
        json!({
            "protocol": self.protocol,
            "runId": self.run_id,
            "sessionId": self.session_id,
            "requestId": self.request_id,
            "seed": self.seed,
            "state": match state {
                RunState::Running => "running",
                RunState::Ended(ending) => ending.name(),
                RunState::Lost => "lost",
            },
            "events": book.log.len(),
            "lastId": book.log.last_id(),
            "live": book.live.len(),
            "startedAt": self.started_at,
            "endedAt": book.ended_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask { session_id: "s".to_owned(), ..Ask::default() }
    }

    fn run(events: usize) -> Arc<Run> {
        let recipe = Recipe { events, events_per_second: 0.0, ..Recipe::default() };
        Run::new(ask(), recipe, 1, 0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_watcher_that_does_not_read_loses_events_and_holds_nobody_up() {
        let run = run(1_000);
        let (_, mut live) = run.watch(OffsetUnit::Utf16);
        run.write().await;
        let mut got = 0;
        while live.recv().await.is_some() {
            got += 1;
        }
        assert_eq!(got, LIVE_CHANNEL);
        assert_eq!(run.state(), RunState::Ended(Ending::Done));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watcher_that_comes_after_the_end_gets_the_whole_text_and_the_terminal_event() {
        let run = run(20);
        run.write().await;
        let (snapshot, mut live) = run.watch(OffsetUnit::Utf16);
        assert_eq!(snapshot["partialContent"], run.truth()["text"]);
        assert_eq!(live.recv().await.map(|entry| entry.name), Some("done"));
        assert!(live.recv().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watcher_that_reads_gets_every_event_of_a_run_without_pace() {
        let run = run(3_000);
        let (_, mut live) = run.watch(OffsetUnit::Utf16);
        let reader = tokio::spawn(async move {
            let mut got = 0;
            while live.recv().await.is_some() {
                got += 1;
            }
            got
        });
        run.write().await;
        assert_eq!(reader.await.unwrap(), 3_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_run_ends_once_and_says_nothing_more() {
        let recipe = Recipe { events: 100, events_per_second: 10.0, ..Recipe::default() };
        let run = Run::new(ask(), recipe, 1, 0);
        let writer = tokio::spawn({
            let run = Arc::clone(&run);
            async move { run.write().await }
        });
        let mut changes = run.changes();
        changes.wait_for(|&events| events == 5).await.unwrap();
        run.end(Ending::Error, Some("x".to_owned()));
        run.end(Ending::Cancelled, None);
        writer.await.unwrap();
        assert_eq!(run.truth()["terminal"], "error");
        assert_eq!(run.report()["events"], 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waits_for_its_answer_holds_the_run_up() {
        let recipe = Recipe { events: 20, interrupt: true, wait_for_answer: true, ..Recipe::default() };
        let run = Run::new(Ask { protocol: Protocol::Envelope, ..ask() }, recipe, 4, 0);
        let writer = tokio::spawn({
            let run = Arc::clone(&run);
            async move { run.write().await }
        });
        let asked = || lock(&run.book).asked.is_some();
        run.changes().wait_for(|_| asked()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(run.is_running() && asked());
        assert!(!run.answer("permission-5"));
        assert!(run.answer("permission-4"));
        assert!(!run.answer("permission-4"), "it is answered");
        assert!(!writer.await.unwrap());
        assert_eq!(run.report()["events"], 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_waits_for_an_answer_can_be_stopped() {
        let recipe = Recipe { events: 20, interrupt: true, wait_for_answer: true, ..Recipe::default() };
        let run = Run::new(Ask { protocol: Protocol::Envelope, ..ask() }, recipe, 4, 0);
        let writer = tokio::spawn({
            let run = Arc::clone(&run);
            async move { run.write().await }
        });
        run.changes().wait_for(|_| lock(&run.book).asked.is_some()).await.unwrap();
        run.end(Ending::Cancelled, None);
        writer.await.unwrap();
        assert_eq!(run.truth()["terminal"], "cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_held_where_its_recipe_says_until_it_is_let_go() {
        let recipe = Recipe { events: 40, hold_at: Some(10), ..Recipe::default() };
        let run = Run::new(ask(), recipe, 1, 0);
        let writer = tokio::spawn({
            let run = Arc::clone(&run);
            async move { run.write().await }
        });
        for (go_on_to, held) in [(Some(25), 10), (Some(30), 25), (None, 30)] {
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert_eq!((run.last_seq(), run.is_running()), (held, true));
            run.go_on(go_on_to);
        }
        let let_go = Instant::now();
        writer.await.unwrap();
        assert_eq!(run.report()["events"], 40);
        assert!(let_go.elapsed() > Duration::from_millis(200), "its pace is what it was");

        let held = Run::new(ask(), Recipe { events: 40, hold_at: Some(0), ..Recipe::default() }, 1, 0);
        held.end(Ending::Cancelled, None);
        held.write().await;
        assert_eq!((&held.truth()["terminal"], held.last_seq()), (&json!("cancelled"), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_stopped_before_it_hands_over_does_not() {
        let recipe = Recipe { events: 20, events_per_second: 0.0, queue: true, ..Recipe::default() };
        let run = || Run::new(Ask { protocol: Protocol::Envelope, ..ask() }, recipe.clone(), 4, 0);
        let (stopped, next) = (run(), run());
        assert!(stopped.write().await);
        stopped.end(Ending::Cancelled, None);
        assert!(!stopped.hand_over(&next));
        assert_eq!(stopped.truth()["terminal"], "cancelled");
        let other = run();
        assert!(other.write().await && other.is_running());
        assert!(other.hand_over(&next));
        assert_eq!((&other.truth()["terminal"], &other.truth()["nextRunId"]), (&json!("done"), &json!(next.run_id)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_paced_run_keeps_its_pace() {
        let recipe = Recipe { events: 81, events_per_second: 40.0, ..Recipe::default() };
        let run = Run::new(ask(), recipe, 1, 0);
        let begun = Instant::now();
        run.write().await;
        assert_eq!(begun.elapsed().as_millis(), 2_000);
    }
}
