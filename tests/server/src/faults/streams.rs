//! The streams that are open, so that somebody can cut them now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::clock::lock;
use crate::net::Close;

/// All open streams.
#[derive(Debug, Default)]
pub struct Streams(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    open: BTreeMap<u64, Open>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    session_id: Option<String>,
    cut: watch::Sender<Option<Close>>,
}

/// A stream's place in the table; dropping it leaves.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    id: u64,
    pub(super) cut: watch::Receiver<Option<Close>>,
}

impl Streams {
    pub(super) fn enter(self: &Arc<Self>, session_id: Option<String>) -> Place {
        let mut table = lock(&self.0);
        table.last += 1;
        let id = table.last;
        let (sender, cut) = watch::channel(None);
        table.open.insert(id, Open { session_id, cut: sender });
        Place { streams: Arc::clone(self), id, cut }
    }

    /// Cuts the open streams of a session, or all; says how many.
    pub fn cut(&self, session_id: Option<&str>, how: Close) -> usize {
        let table = lock(&self.0);
        let wanted =
            table.open.values().filter(|open| session_id.is_none() || open.session_id.as_deref() == session_id);
        let mut count = 0;
        for open in wanted {
            open.cut.send_replace(Some(how));
            count += 1;
        }
        count
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.streams.0).open.remove(&self.id);
    }
}
