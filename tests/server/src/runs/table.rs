//! All runs: which of them the protocol still knows, which request ids are taken, and what the next ones are to say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::lock;
use crate::config::Config;
use crate::content::{Ending, Recipe};

use super::{Ask, Protocol, Run};

/// The runs of a server.
#[derive(Debug, Default)]
pub struct Runs(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// What the protocol knows.
    known: BTreeMap<String, Arc<Run>>,
    /// Every run since the last reset, in order; the control API answers for lost ones too.
    all: Vec<Arc<Run>>,
    /// Request ids of runs that live (B-SEND-4); in other protocols than `bichat` of all that are known.
    requests: BTreeMap<(Protocol, String), Arc<Run>>,
    /// Changes with every new run.
    news: watch::Sender<u64>,
    usual: Recipe,
    recipes: BTreeMap<String, Recipe>,
}

/// What a request for a run came to.
#[derive(Debug)]
pub enum Started {
    /// A new run; somebody still has to let it [write](Runs::write).
    New(Arc<Run>),
    /// The request id belongs to a run that lives (B-SEND-3).
    Same(Arc<Run>),
}

impl Table {
    /// The runs of a session that the protocol knows.
    fn of(&self, protocol: Protocol, session_id: &str) -> impl Iterator<Item = &Arc<Run>> {
        self.all.iter().filter(move |run| run.protocol == protocol && run.session_id == session_id && !run.is_lost())
    }

    /// The run that a request's id belongs to.
    fn taken(&self, ask: &Ask, config: &Config) -> Option<Arc<Run>> {
        let request = (ask.protocol, ask.request_id.clone()?);
        let holds = |run: &&Arc<Run>| run.is_running() || ask.protocol.keeps_request_ids();
        self.requests.get(&request).filter(|run| config.dedupe && holds(run)).cloned()
    }

    fn start(&mut self, mut ask: Ask, config: &Config) -> Started {
        if let Some(run) = self.taken(&ask, config) {
            return Started::Same(run);
        }
        let session_id = ask.session_id.as_str();
        let recipe = self.recipes.get(session_id).unwrap_or(&self.usual).clone();
        let earlier: Vec<_> = self.all.iter().filter(|run| run.session_id == session_id).collect();
        let seed = recipe.seed.unwrap_or(earlier.len() as u64 + 1);
        if ask.protocol.numbers_sessions() {
            // Lost ones too: numbers are not given twice.
            let before = earlier.iter().rev().find(|run| run.protocol == ask.protocol);
            ask.base = before.map_or(0, |run| run.last_seq());
        }
        let request = ask.request_id.clone().map(|id| (ask.protocol, id));
        let run = Run::new(ask, recipe, seed, config.log_max_len);
        self.insert(&run);
        if let Some(id) = request {
            self.requests.insert(id, Arc::clone(&run));
        }
        Started::New(run)
    }

    fn insert(&mut self, run: &Arc<Run>) {
        self.known.insert(run.run_id.clone(), Arc::clone(run));
        self.all.push(Arc::clone(run));
        self.news.send_modify(|version| *version += 1);
    }
}

impl Runs {
    /// What the next runs of `session_id` will say; without a session, those of all sessions without a recipe of their own.
    pub fn recipe(&self, session_id: Option<&str>) -> Recipe {
        let table = lock(&self.0);
        session_id.and_then(|id| table.recipes.get(id)).unwrap_or(&table.usual).clone()
    }

    /// Sets it.
    pub fn set_recipe(&self, session_id: Option<String>, recipe: Recipe) {
        let mut table = lock(&self.0);
        match session_id {
            Some(id) => drop(table.recipes.insert(id, recipe)),
            None => table.usual = recipe,
        }
    }

    /// A run for this request: the one that has its id and lives, else a new one.
    pub fn start(&self, ask: Ask, config: &Config) -> Started {
        lock(&self.0).start(ask, config)
    }

    /// The same in a session that can have one run at a time; `None` while it has one.
    pub fn start_alone(&self, ask: Ask, config: &Config) -> Option<Started> {
        let mut table = lock(&self.0);
        let busy = table.of(ask.protocol, &ask.session_id).any(|run| run.is_running());
        match table.taken(&ask, config) {
            Some(run) => Some(Started::Same(run)),
            None => (!busy).then(|| table.start(ask, config)),
        }
    }

    /// A new run that its client writes; `None` while the session has one that writes, or this one has been before.
    pub(crate) fn start_written(&self, ask: Ask, config: &Config) -> Option<Arc<Run>> {
        let mut table = lock(&self.0);
        let is_taken = |run: &Arc<Run>| run.is_running() || ask.run_id.as_ref() == Some(&run.run_id);
        let busy = table.of(ask.protocol, &ask.session_id).any(is_taken);
        (!busy).then(|| match table.start(ask, config) {
            Started::New(run) | Started::Same(run) => run,
        })
    }

    /// A new run that no request asked for; `None` where one is under way and there can be but one.
    pub fn start_unasked(&self, protocol: Protocol, session_id: &str, config: &Config) -> Option<Arc<Run>> {
        let ask = Ask { protocol, session_id: session_id.to_owned(), ..Ask::default() };
        let started =
            if protocol.numbers_sessions() { self.start_alone(ask, config) } else { Some(self.start(ask, config)) };
        started.map(|(Started::New(run) | Started::Same(run))| run)
    }

    /// The run that follows on one which is to hand over, and knows that it does.
    fn follow(&self, run: &Run) -> Option<Arc<Run>> {
        let mut table = lock(&self.0);
        let ask = Ask {
            protocol: run.protocol,
            session_id: run.session_id.clone(),
            content: Some("What was queued meanwhile: и дальше?".to_owned()),
            // Behind the event that hands over.
            base: run.last_seq() + 1,
            ..Ask::default()
        };
        let recipe = Recipe { queue: false, ..run.recipe.clone() };
        let next = Run::new(ask, recipe, run.seed.wrapping_add(1), run.max_len());
        // Under the lock: whoever reads on finds the next run, and no request comes between the two.
        run.hand_over(&next).then(|| {
            table.insert(&next);
            next
        })
    }

    /// Lets a new run write in the background; afterwards its request id is free again, where the
    /// protocol does not keep it, and `retention` later its log goes.
    /// What `ws-chat` says are messages, which stay.
    pub fn write(self: &Arc<Self>, run: Arc<Run>, retention: Duration) {
        let runs = Arc::clone(self);
        tokio::spawn(async move {
            if run.write().await
                && let Some(next) = runs.follow(&run)
            {
                runs.write(next, retention);
            }
            if run.protocol == Protocol::WsChat {
                return;
            }
            if !run.protocol.keeps_request_ids() {
                runs.release(&run);
            }
            tokio::time::sleep(retention).await;
            runs.lose(&run);
        });
    }

    fn release(&self, run: &Run) {
        let mut table = lock(&self.0);
        if let Some(id) = &run.request_id
            && let request = (run.protocol, id.clone())
            && table.requests.get(&request).is_some_and(|holder| holder.run_id == run.run_id)
        {
            table.requests.remove(&request);
        }
    }

    fn lose(&self, run: &Run) {
        self.release(run);
        lock(&self.0).known.remove(&run.run_id);
        run.vanish();
    }

    /// A run that the protocol knows.
    pub fn find(&self, run_id: &str) -> Option<Arc<Run>> {
        lock(&self.0).known.get(run_id).cloned()
    }

    /// The run that a request id belongs to.
    pub fn find_request(&self, protocol: Protocol, request_id: &str) -> Option<Arc<Run>> {
        lock(&self.0).requests.get(&(protocol, request_id.to_owned())).cloned()
    }

    /// Any run since the last reset.
    pub fn find_ever(&self, run_id: &str) -> Option<Arc<Run>> {
        lock(&self.0).all.iter().rev().find(|run| run.run_id == run_id).cloned()
    }

    /// The newest run of a session that still writes.
    pub fn active(&self, protocol: Protocol, session_id: &str) -> Option<Arc<Run>> {
        self.list(Some(session_id)).into_iter().rev().find(|run| run.protocol == protocol && run.is_running())
    }

    /// The runs of a session, or all, that the protocol knows, oldest first.
    pub fn known(&self, protocol: Protocol, session_id: Option<&str>) -> Vec<Arc<Run>> {
        let wanted = |run: &Arc<Run>| run.protocol == protocol && !run.is_lost();
        self.list(session_id).into_iter().filter(wanted).collect()
    }

    /// The first run of a session that has, or will have, an event behind this number.
    pub(crate) fn find_behind(&self, protocol: Protocol, session_id: &str, seq: u64) -> Option<Arc<Run>> {
        lock(&self.0).of(protocol, session_id).find(|run| run.last_seq() > seq || run.is_running()).cloned()
    }

    /// A receiver that changes with every new run, and fails once the runs were reset.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        lock(&self.0).news.subscribe()
    }

    /// The runs of a session, or all, oldest first; lost ones too.
    pub fn list(&self, session_id: Option<&str>) -> Vec<Arc<Run>> {
        let table = lock(&self.0);
        let wanted = table.all.iter().filter(|run| session_id.is_none_or(|id| run.session_id == id));
        wanted.cloned().collect()
    }

    /// Ends the runs that write, each as its recipe has it.
    pub fn finish(&self, session_id: Option<&str>) {
        for run in self.list(session_id) {
            run.end(run.recipe.ending, None);
        }
    }

    /// Lets the runs that write do so up to this many events, or to their end.
    pub fn go_on(&self, session_id: Option<&str>, hold_at: Option<usize>) {
        for run in self.list(session_id) {
            run.go_on(hold_at);
        }
    }

    /// Takes the logs of ended runs away before their time.
    pub fn expire(&self, session_id: Option<&str>) {
        for run in self.list(session_id).iter().filter(|run| !run.is_running()) {
            self.lose(run);
        }
    }

    /// Takes a session's runs away; what writes is cancelled.
    pub fn drop_session(&self, protocol: Protocol, session_id: &str) {
        for run in self.known(protocol, Some(session_id)) {
            run.end(Ending::Cancelled, None);
            self.lose(&run);
        }
    }

    /// Takes all runs away, as a restart without the log does.
    pub fn lose_all(&self) {
        let mut table = lock(&self.0);
        table.requests.clear();
        for run in std::mem::take(&mut table.known).values() {
            run.vanish();
        }
    }

    /// Ends all runs that write with an `error`, as the reaper does for those of a worker that died (B-EVT-1).
    pub fn reap(&self) {
        for run in self.list(None) {
            run.end(Ending::Error, Some("generation failed: worker stopped heartbeating".to_owned()));
        }
    }

    /// Forgets runs and recipes; what writes, stops.
    pub fn reset(&self) {
        self.lose_all();
        *lock(&self.0) = Table::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_id_is_taken_while_its_run_lives_and_free_afterwards() {
        let runs = Arc::new(Runs::default());
        let config = Config::default();
        runs.set_recipe(None, Recipe { events: 10, ..Recipe::default() });
        let ask = |id: Option<&str>| Ask { request_id: id.map(str::to_owned), ..Ask::default() };
        let id = || ask(Some("request"));
        let Started::New(first) = runs.start(id(), &config) else { panic!("a new id starts a run") };
        runs.write(Arc::clone(&first), Duration::from_secs(300));
        let Started::Same(again) = runs.start(id(), &config) else { panic!("a living run keeps its id") };
        assert_eq!(again.run_id, first.run_id);
        first.ended().await;
        assert!(matches!(runs.start(id(), &config), Started::New(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_goes_when_its_time_is_over() {
        let runs = Arc::new(Runs::default());
        let Started::New(run) = runs.start(Ask::default(), &Config::default()) else { panic!("no id, no dedupe") };
        runs.write(Arc::clone(&run), Duration::from_secs(300));
        run.ended().await;
        assert!(runs.find(&run.run_id).is_some());
        tokio::time::sleep(Duration::from_secs(301)).await;
        assert!(runs.find(&run.run_id).is_none());
        assert_eq!(runs.find_ever(&run.run_id).unwrap().truth()["terminal"], "done");
    }
}
