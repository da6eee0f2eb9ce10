//! What runs, by session, and who is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clock::{lock, unix_ms};
use crate::runs::Run;

use super::row::{Draft, Row, status_of_end};

/// The index of a server.
#[derive(Debug, Default)]
pub struct Index(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<String, Row>,
    /// The latest time that a session ever had, its ended runs included.
    times: BTreeMap<String, u64>,
    stopped: BTreeSet<String>,
    feeds: Vec<mpsc::UnboundedSender<Said>>,
    /// Rows get the time that their session has already.
    ties: bool,
}

/// Whom a row reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// The index and the feeds.
    #[default]
    All,
    /// The index: its delta is lost.
    Index,
    /// The feeds: the index knows better, or knows nothing of it.
    Feeds,
}

/// What a feed hears.
#[derive(Clone, Debug)]
pub enum Said {
    /// A row has changed.
    Update(Arc<Row>, Bytes),
    /// An event as it is.
    Raw {
        /// Its name.
        event: String,
        /// Its data.
        data: Bytes,
    },
}

impl Table {
    fn tell(&mut self, draft: Draft, reach: Reach) -> Row {
        let last = self.times.get(&draft.session_id).copied();
        let updated_at = draft.updated_at.unwrap_or_else(|| match last {
            Some(last) if self.ties => last,
            // Deltas of one millisecond would be lost on the feeds, and every test would meet it now and then.
            last => unix_ms().max(last.map_or(0, |last| last + 1)),
        });
        let Draft { session_id, run_id, status, .. } = draft;
        let row = Row { session_id, run_id, status, updated_at };
        let latest = self.times.entry(row.session_id.clone()).or_default();
        *latest = updated_at.max(*latest);
        if reach != Reach::Feeds {
            let held = self.rows.get(&row.session_id);
            match row.is_terminal() {
                false => drop(self.rows.insert(row.session_id.clone(), row.clone())),
                true if held.is_some_and(|held| held.run_id == row.run_id) => drop(self.rows.remove(&row.session_id)),
                // The end of an earlier run changes nothing.
                true => {}
            }
        }
        if reach != Reach::Index && !self.feeds.is_empty() {
            self.publish(&Said::Update(Arc::new(row.clone()), row.data()));
        }
        row
    }

    fn publish(&mut self, said: &Said) {
        self.feeds.retain(|feed| feed.send(said.clone()).is_ok());
    }
}

impl Index {
    /// Tells rows, in their order; what they have become.
    pub fn tell(&self, drafts: impl IntoIterator<Item = Draft>, reach: Reach) -> Vec<Row> {
        let mut table = lock(&self.0);
        drafts.into_iter().map(|draft| table.tell(draft, reach)).collect()
    }

    /// Says an event on all feeds, as it is.
    pub fn say(&self, event: String, data: Bytes) {
        lock(&self.0).publish(&Said::Raw { event, data });
    }

    /// Whether rows get the time that their session has already (B-AR-9).
    pub fn set_ties(&self, ties: bool) {
        lock(&self.0).ties = ties;
    }

    /// Keeps the row of a new run up to date.
    pub fn follow(self: &Arc<Self>, run: &Arc<Run>) {
        let (index, run) = (Arc::clone(self), Arc::clone(run));
        // Before anybody can ask for it.
        index.tell_of(&run, "queued");
        tokio::spawn(async move {
            // The sender lives in the run, so that waiting for it cannot fail.
            let _ = run.changes().wait_for(|&events| events > 0).await;
            if !run.is_lost() {
                index.tell_of(&run, "streaming");
            }
            run.ended().await;
            let is_stopped = lock(&index.0).stopped.remove(&run.run_id);
            match status_of_end(run.state(), is_stopped) {
                Some(status) => index.tell_of(&run, status),
                None => index.forget(&run),
            }
        });
    }

    /// A run was stopped: whatever event ends it, it is cancelled.
    pub fn handle_stopped(&self, run: &Run) {
        if run.is_running() {
            lock(&self.0).stopped.insert(run.run_id.clone());
        }
    }

    fn tell_of(&self, run: &Run, status: &str) {
        let (session_id, run_id) = (run.session_id.clone(), run.run_id.clone());
        self.tell([Draft { session_id, run_id, status: status.to_owned(), updated_at: None }], Reach::All);
    }

    /// Takes the row of a run away that the server has lost; nobody is told, for nobody knows.
    fn forget(&self, run: &Run) {
        let mut table = lock(&self.0);
        if table.rows.get(&run.session_id).is_some_and(|row| row.run_id == run.run_id) {
            table.rows.remove(&run.session_id);
        }
    }

    /// The row of a session.
    pub fn row(&self, session_id: &str) -> Option<Row> {
        lock(&self.0).rows.get(session_id).cloned()
    }

    /// The rows as they are, and a subscription that begins right there.
    pub(super) fn subscribe(&self) -> (Vec<Row>, mpsc::UnboundedReceiver<Said>) {
        // Unbounded: a test's client that does not read is silenced for seconds, not for days.
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut table = lock(&self.0);
        table.feeds.push(sender);
        (table.rows.values().cloned().collect(), receiver)
    }

    /// What `GET /control/active-runs` tells.
    pub fn report(&self) -> Value {
        let table = lock(&self.0);
        let open = table.feeds.iter().filter(|feed| !feed.is_closed()).count();
        json!({ "rows": table.rows.values().collect::<Vec<_>>(), "feeds": open, "ties": table.ties })
    }

    /// Takes all rows away; nobody is told.
    pub fn clear(&self) {
        lock(&self.0).rows.clear();
    }

    /// Forgets everything; the feeds end.
    pub fn reset(&self) {
        *lock(&self.0) = Table::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Ending, Recipe};
    use crate::runs::Ask;

    fn draft(run: &str, status: &str, updated_at: Option<u64>) -> Draft {
        Draft { session_id: "s".to_owned(), run_id: run.to_owned(), status: status.to_owned(), updated_at }
    }

    fn run(recipe: Recipe) -> Arc<Run> {
        Run::new(Ask { session_id: "s".to_owned(), ..Ask::default() }, recipe, 1, 0)
    }

    async fn heard(feed: &mut mpsc::UnboundedReceiver<Said>) -> (String, u64) {
        match feed.recv().await {
            Some(Said::Update(row, _)) => (row.status.clone(), row.updated_at),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_later_row_of_a_session_is_later_by_a_millisecond_at_least_unless_ties_are_asked_for() {
        let index = Index::default();
        let tell = |status| index.tell([draft("r", status, None)], Reach::All).remove(0).updated_at;
        let first = tell("queued");
        let second = tell("streaming");
        assert!(second > first);
        index.set_ties(true);
        assert_eq!(tell("completed"), second);
    }

    #[test]
    fn the_end_of_an_earlier_run_leaves_the_row_of_the_later_one() {
        let index = Index::default();
        index.tell([draft("a", "streaming", Some(1)), draft("b", "queued", Some(2))], Reach::All);
        index.tell([draft("a", "completed", Some(3))], Reach::All);
        assert_eq!(index.row("s").unwrap().run_id, "b");
        index.tell([draft("b", "failed", Some(4))], Reach::All);
        assert_eq!(index.row("s"), None);
    }

    #[test]
    fn a_row_can_reach_the_index_alone_or_the_feeds_alone() {
        let index = Index::default();
        let (_, mut feed) = index.subscribe();
        index.tell([draft("a", "streaming", Some(1))], Reach::Index);
        assert!(feed.try_recv().is_err());
        index.tell([draft("a", "completed", Some(2))], Reach::Feeds);
        assert!(matches!(feed.try_recv(), Ok(Said::Update(row, _)) if row.status == "completed"));
        assert_eq!(index.row("s").unwrap().status, "streaming");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_queued_streams_and_ends() {
        for (ending, status) in
            [(Ending::Done, "completed"), (Ending::Cancelled, "cancelled"), (Ending::Failed, "failed")]
        {
            let index = Arc::new(Index::default());
            let (_, mut feed) = index.subscribe();
            let run = run(Recipe { events: 10, ending, ..Recipe::default() });
            index.follow(&run);
            run.write().await;
            let mut times = Vec::new();
            for wanted in ["queued", "streaming", status] {
                let (status, time) = heard(&mut feed).await;
                assert_eq!(status, wanted);
                times.push(time);
            }
            assert!(times.is_sorted_by(|a, b| a < b));
            assert_eq!(index.row("s"), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_run_is_cancelled_whatever_its_last_event() {
        let index = Arc::new(Index::default());
        let (_, mut feed) = index.subscribe();
        let run = run(Recipe { events: 100, events_per_second: 1.0, ..Recipe::default() });
        index.follow(&run);
        index.handle_stopped(&run);
        run.end(Ending::Error, None);
        run.write().await;
        assert_eq!(heard(&mut feed).await.0, "queued");
        assert_eq!(heard(&mut feed).await.0, "streaming");
        assert_eq!(heard(&mut feed).await.0, "cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn the_row_of_a_lost_run_goes_without_a_word() {
        let index = Arc::new(Index::default());
        let run = run(Recipe::default());
        index.follow(&run);
        let (rows, mut feed) = index.subscribe();
        assert_eq!(rows.len(), 1);
        run.vanish();
        while index.row("s").is_some() {
            tokio::task::yield_now().await;
        }
        assert!(feed.try_recv().is_err());
    }
}
