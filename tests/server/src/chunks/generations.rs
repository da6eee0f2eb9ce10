//! Who writes in which session: one message at a time, from its first chunk to its finish (S-GEN).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::clock::lock;
use crate::runs::Run;

/// The sessions in which clients write.
#[derive(Debug, Default)]
pub struct Generations(Mutex<BTreeMap<String, Session>>);

#[derive(Debug, Default)]
struct Session {
    active: Option<Arc<Run>>,
    /// How many chunks of a message were written, by the numbers that their client gave them. They outlive the message: what comes
    /// late is known.
    written: BTreeMap<String, u64>,
    /// Errors of the background producer that no finish has told.
    errors: u64,
}

/// Whether chunks may be written.
#[derive(Debug)]
pub(super) enum Admission {
    /// All but so many of them were written before.
    New(Arc<Run>, usize),
    /// All of them were.
    Known,
    /// Somebody else writes, or this message has been finished.
    Mismatch(Option<String>),
    /// There are chunks missing before the first one.
    Hole,
}

impl Generations {
    /// There is this session from now on.
    pub(super) fn create_session(&self, id: &str) {
        lock(&self.0).entry(id.to_owned()).or_default();
    }

    /// It is there no more, nor anything that was written in it.
    pub(super) fn drop_session(&self, id: &str) {
        lock(&self.0).remove(id);
    }

    /// Whether it was made.
    pub(super) fn has_session(&self, id: &str) -> bool {
        lock(&self.0).contains_key(id)
    }

    /// `count` chunks of a message want to be written, the first of which has this number if its client gives numbers. `start`
    /// makes the message where it is new.
    pub(super) fn admit(
        &self,
        session_id: &str,
        message_id: &str,
        first_seq: Option<u64>,
        count: usize,
        start: impl FnOnce() -> Option<Arc<Run>>,
    ) -> Admission {
        let mut sessions = lock(&self.0);
        let session = sessions.entry(session_id.to_owned()).or_default();
        let written = session.written.get(message_id).copied().unwrap_or_default();
        if first_seq.is_some_and(|first| first > written) {
            return Admission::Hole;
        }
        let known = first_seq.map_or(0, |first| usize::try_from(written - first).unwrap_or(usize::MAX));
        if known >= count {
            return Admission::Known;
        }
        let run = match &session.active {
            Some(run) if run.run_id == message_id => Arc::clone(run),
            Some(run) => return Admission::Mismatch(Some(run.run_id.clone())),
            // The first chunk registers its message (S-GEN-1).
            None => match start() {
                Some(run) => run,
                None => return Admission::Mismatch(None),
            },
        };
        session.active = Some(Arc::clone(&run));
        Admission::New(run, known)
    }

    /// Chunks were written that have numbers.
    pub(super) fn handle_written(&self, session_id: &str, message_id: &str, behind: u64) {
        let mut sessions = lock(&self.0);
        let session = sessions.entry(session_id.to_owned()).or_default();
        let written = session.written.entry(message_id.to_owned()).or_default();
        *written = behind.max(*written);
    }

    /// The background producer has lost its stream (S-HLT-1).
    pub(super) fn handle_producer_error(&self, session_id: &str) {
        lock(&self.0).entry(session_id.to_owned()).or_default().errors += 1;
    }

    /// The message of this id, or whichever is active, is finished; that of another id is not (S-GEN-2). Gives the finished one,
    /// and how many errors there were, which are told once.
    pub(super) fn finish(&self, session_id: &str, message_id: Option<&str>) -> (Option<Arc<Run>>, u64) {
        let mut sessions = lock(&self.0);
        let Some(session) = sessions.get_mut(session_id) else { return (None, 0) };
        let is_meant = |run: &mut Arc<Run>| message_id.is_none_or(|id| run.run_id == id);
        let Some(run) = session.active.take_if(is_meant) else { return (None, 0) };
        run.close();
        (Some(run), std::mem::take(&mut session.errors))
    }

    /// What `GET /control/log` tells of a session besides its rows.
    pub(crate) fn report(&self, session_id: &str) -> Value {
        let sessions = lock(&self.0);
        let session = sessions.get(session_id);
        json!({
            "activeMessageId": session.and_then(|session| session.active.as_ref()).map(|run| &run.run_id),
            "healthy": session.is_none_or(|session| session.errors == 0),
        })
    }

    /// Forgets all of it.
    pub(crate) fn reset(&self) {
        lock(&self.0).clear();
    }
}
