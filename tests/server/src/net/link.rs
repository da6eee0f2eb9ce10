//! One connection as the rest of the server sees it: a handle that can cut it and that knows what has left it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::lock;

/// How a response or its connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Close {
    /// The body ends properly, as if it were whole, and the connection stays: what a proxy makes of a lost upstream.
    Fin,
    /// The socket closes (FIN) without the final chunk: the browser sees a truncated body.
    Drop,
    /// The socket is reset (RST): the browser sees a network error.
    Rst,
}

/// One accepted connection.
#[derive(Debug)]
pub struct Link {
    id: u64,
    spared: AtomicBool,
    streaming: AtomicBool,
    pieces: AtomicU64,
    taken: AtomicU64,
    flushed: watch::Sender<u64>,
    closing: watch::Sender<Option<Close>>,
}

impl Link {
    /// A handle for connection number `id`.
    pub fn new(id: u64) -> Arc<Self> {
        Arc::new(Self {
            id,
            spared: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            pieces: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            flushed: watch::Sender::new(0),
            closing: watch::Sender::new(None),
        })
    }

    /// The connection's number, counted from 1 in order of acceptance.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Closes the connection at once, in the given way. The first call decides.
    pub fn close(&self, how: Close) {
        self.closing.send_if_modified(|closing| {
            let first = closing.is_none();
            closing.get_or_insert(how);
            first
        });
    }

    /// How the connection was told to close, if it was.
    pub fn closing(&self) -> Option<Close> {
        *self.closing.borrow()
    }

    /// Waits until somebody closes the connection.
    pub async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives in self, so that waiting for it cannot fail.
        let _ = closing.wait_for(Option::is_some).await;
    }

    /// Leaves this connection out of the next general cut: it carries the very request that asks for the cut.
    pub fn spare(&self) {
        self.spared.store(true, Ordering::Relaxed);
    }

    /// Whether an event stream is on its way here.
    pub fn set_streaming(&self, streaming: bool) {
        self.streaming.store(streaming, Ordering::Relaxed);
    }

    /// The number of the next piece of a body on this connection.
    pub fn number_piece(&self) -> u64 {
        self.pieces.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Everything that the HTTP layer took has been given to the kernel.
    pub(super) fn handle_flushed(&self) {
        let taken = self.taken.load(Ordering::Relaxed);
        self.flushed.send_if_modified(|flushed| std::mem::replace(flushed, taken) != taken);
    }

    /// The HTTP layer took this piece from its body; the next flush sends it.
    pub fn handle_taken(&self, piece: u64) {
        self.taken.store(piece, Ordering::Relaxed);
    }

    /// Waits until the kernel has been given everything up to and including `piece`.
    pub async fn flushed(&self, piece: u64) {
        let mut flushed = self.flushed.subscribe();
        // The sender lives in self, so that waiting for it cannot fail.
        let _ = flushed.wait_for(|&last| last >= piece).await;
    }
}

/// The connections that live, and how many there were.
#[derive(Debug, Default)]
pub struct Links(Mutex<Roll>);

#[derive(Debug, Default)]
struct Roll {
    live: BTreeMap<u64, Arc<Link>>,
    last: u64,
    accepted: u64,
    peak: usize,
}

/// Connections so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// Accepted since the start or the last reset of the counters.
    pub accepted: u64,
    /// Open now.
    pub open: usize,
    /// The most that were open at once.
    pub peak_open: usize,
}

impl Links {
    /// Registers a connection that was just accepted.
    pub fn accept(&self) -> Arc<Link> {
        let mut roll = lock(&self.0);
        roll.last += 1;
        roll.accepted += 1;
        let link = Link::new(roll.last);
        roll.live.insert(link.id(), Arc::clone(&link));
        roll.peak = roll.peak.max(roll.live.len());
        link
    }

    /// Forgets a connection that has ended.
    pub fn release(&self, link: &Link) {
        lock(&self.0).live.remove(&link.id());
    }

    /// Closes every connection but the spared ones; each is spared once.
    pub fn close_all(&self, how: Close) {
        self.close_those(how, |_| true);
    }

    /// The same, but those that carry an event stream stay.
    pub fn close_idle(&self, how: Close) {
        self.close_those(how, |link| !link.streaming.load(Ordering::Relaxed));
    }

    fn close_those(&self, how: Close, wanted: impl Fn(&Link) -> bool) {
        for link in lock(&self.0).live.values() {
            if !link.spared.swap(false, Ordering::Relaxed) && wanted(link) {
                link.close(how);
            }
        }
    }

    /// The counts.
    pub fn count(&self) -> Connections {
        let roll = lock(&self.0);
        Connections { accepted: roll.accepted, open: roll.live.len(), peak_open: roll.peak }
    }

    /// Starts the counts afresh; open connections stay open.
    pub fn reset_counts(&self) {
        let mut roll = lock(&self.0);
        roll.accepted = 0;
        roll.peak = roll.live.len();
    }
}
