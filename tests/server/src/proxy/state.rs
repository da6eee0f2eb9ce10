//! Connections, counts and rules under one lock: a byte is written under it, so that none passes after an order's answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::lock;

use super::order::{Delay, Direction, Hang, Order};
use super::rules::Rules;

#[derive(Debug, Default)]
pub(super) struct State {
    book: Mutex<Book>,
    /// Changes with the rules and with every connection that goes.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    rules: Rules,
    armed: Option<(u64, Order)>,
    open: BTreeMap<u64, Open>,
    total: u64,
    to_client: u64,
    to_server: u64,
}

#[derive(Debug)]
struct Open {
    closing: watch::Sender<Option<Hang>>,
    last_byte: Instant,
    /// Directions that lost bytes: what comes after a hole is nobody's.
    lost: [bool; 2],
}

/// What became of bytes on their way.
#[derive(Debug)]
pub(super) enum Passed {
    /// So many are written, and the next ones have to wait.
    Written(usize, Duration),
    /// All are lost.
    Swallowed,
}

impl State {
    /// A connection was accepted: its number, and who tells it to end.
    pub(super) fn enter(&self) -> (u64, watch::Receiver<Option<Hang>>) {
        let mut book = lock(&self.book);
        book.total += 1;
        let id = book.total;
        let (closing, closed) = watch::channel(None);
        book.open.insert(id, Open { closing, last_byte: Instant::now(), lost: [false; 2] });
        (id, closed)
    }

    /// It is over.
    pub(super) fn leave(&self, id: u64) {
        lock(&self.book).open.remove(&id);
        self.tell();
    }

    fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Puts an order into force; the connections that it cuts.
    pub(super) fn apply(&self, order: &Order) -> Vec<u64> {
        let cut = lock(&self.book).apply(order);
        self.tell();
        cut
    }

    /// Keeps an order until so many bytes have passed.
    pub(super) fn arm(&self, bytes: u64, order: Order) {
        lock(&self.book).armed = Some((bytes, order));
    }

    /// Ends all rules.
    pub(super) fn clear(&self) {
        let mut book = lock(&self.book);
        book.rules = Rules::default();
        book.armed = None;
        drop(book);
        self.tell();
    }

    /// Waits until these connections are over.
    pub(super) async fn gone(&self, ids: &[u64]) {
        let mut changes = self.changes();
        while ids.iter().any(|id| lock(&self.book).open.contains_key(id)) {
            // The sender lives in self, so that waiting for it cannot fail.
            let _ = changes.changed().await;
        }
    }

    /// Lets `write` have as many of `len` bytes as may pass now; with the last of those that it waited for an armed order
    /// comes into force, and is returned.
    pub(super) fn pass(
        &self,
        id: u64,
        direction: Direction,
        len: usize,
        write: impl FnOnce(usize) -> io::Result<usize>,
    ) -> io::Result<(Passed, Option<Order>)> {
        let now = Instant::now();
        let mut book = lock(&self.book);
        if book.swallows(id, direction, now) {
            return Ok((Passed::Swallowed, None));
        }
        let throttle = book.rules.throttle(direction, now);
        let mut most = throttle.map_or(len, |(piece, _)| piece.min(len));
        let armed = book.armed.as_ref().filter(|_| direction == Direction::ToClient).map(|(left, _)| *left);
        most = most.min(armed.map_or(most, |left| usize::try_from(left.max(1)).unwrap_or(usize::MAX)));
        let written = write(most)?;
        let count = written as u64;
        match direction {
            Direction::ToClient => book.to_client += count,
            Direction::ToServer => book.to_server += count,
        }
        if let Some(open) = book.open.get_mut(&id) {
            open.last_byte = now;
        }
        let mut fired = None;
        if let Some((left, _)) = book.armed.as_mut().filter(|_| armed.is_some()) {
            *left = left.saturating_sub(count);
            if *left == 0 {
                fired = book.armed.take().map(|(_, order)| order);
            }
        }
        if let Some(order) = &fired {
            book.apply(order);
        }
        drop(book);
        if fired.is_some() {
            self.tell();
        }
        let pause = throttle.map_or(Duration::ZERO, |(_, rate)| Duration::from_secs_f64(count as f64 / rate as f64));
        Ok((Passed::Written(written, pause), fired))
    }

    /// Whether bytes of this direction vanish on this connection, now or since some did; if so, they are lost.
    pub(super) fn swallows(&self, id: u64, direction: Direction) -> bool {
        lock(&self.book).swallows(id, direction, Instant::now())
    }

    /// Whether a newcomer is ignored, and until when.
    pub(super) fn dark(&self) -> Option<Option<Instant>> {
        lock(&self.book).rules.dark(Instant::now())
    }

    pub(super) fn delay(&self, direction: Direction) -> Option<Delay> {
        lock(&self.book).rules.delay(direction, Instant::now())
    }

    pub(super) fn report(&self) -> Value {
        let book = lock(&self.book);
        json!({
            "connections": { "open": book.open.len(), "total": book.total },
            "bytes": { "toClient": book.to_client, "toServer": book.to_server },
            "rules": book.rules.report(Instant::now()),
            "armed": book.armed.as_ref().map(|(left, _)| json!({ "bytesLeft": left })),
        })
    }
}

impl Book {
    fn apply(&mut self, order: &Order) -> Vec<u64> {
        let now = Instant::now();
        self.rules.apply(order, now);
        let Some(cut) = order.cut else { return Vec::new() };
        let idle = Duration::from_millis(cut.idle_ms.unwrap_or(0));
        let wanted = self.open.iter().filter(|(_, open)| now.duration_since(open.last_byte) >= idle);
        wanted
            .map(|(id, open)| {
                open.closing.send_replace(Some(cut.how));
                *id
            })
            .collect()
    }

    fn swallows(&mut self, id: u64, direction: Direction, now: Instant) -> bool {
        let swallows = self.rules.swallows(direction, now);
        let Some(open) = self.open.get_mut(&id) else { return true };
        let lost = &mut open.lost[direction as usize];
        // What was to end has ended, though its task may not have heard of it yet.
        *lost |= swallows || open.closing.borrow().is_some();
        *lost
    }
}
