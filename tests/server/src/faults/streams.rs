//! The streams that are open, so that somebody can cut them now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::clock::lock;
use crate::net::Close;

use super::Route;
use super::script::Path;

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
    route: Route,
    /// A socket may carry several.
    sessions: BTreeSet<String>,
    cut: watch::Sender<Option<CutOrder>>,
}

/// How a stream is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOrder {
    /// The connection's end.
    pub how: Close,
    /// A socket's close frame instead: its code and its reason.
    pub close: Option<(u16, String)>,
}

/// A stream's place in the table; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Arc<Streams>,
    id: u64,
    cut: watch::Receiver<Option<CutOrder>>,
}

impl Place {
    /// The stream carries this session too.
    pub(crate) fn add_session(&self, session_id: &str) {
        if let Some(open) = lock(&self.streams.0).open.get_mut(&self.id) {
            open.sessions.insert(session_id.to_owned());
        }
    }

    /// Waits until somebody cuts the stream.
    pub(crate) async fn cut(&mut self) -> CutOrder {
        match self.cut.wait_for(Option::is_some).await.map(|order| order.clone()) {
            Ok(Some(order)) => order,
            // The table of streams is gone, and with it everybody who could cut.
            _ => std::future::pending().await,
        }
    }
}

impl Streams {
    pub(crate) fn enter(self: &Arc<Self>, route: Route, session_id: Option<String>) -> Place {
        let mut table = lock(&self.0);
        table.last += 1;
        let id = table.last;
        let (sender, cut) = watch::channel(None);
        table.open.insert(id, Open { route, sessions: session_id.into_iter().collect(), cut: sender });
        Place { streams: Arc::clone(self), id, cut }
    }

    /// Cuts the open streams of a session and of a path, or all; says how many.
    pub fn cut(&self, session_id: Option<&str>, path: Option<&Path>, order: &CutOrder) -> usize {
        let table = lock(&self.0);
        let wanted = |open: &&Open| {
            session_id.is_none_or(|id| open.sessions.contains(id)) && path.is_none_or(|path| path.covers(open.route))
        };
        let mut count = 0;
        for open in table.open.values().filter(wanted) {
            open.cut.send_replace(Some(order.clone()));
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
