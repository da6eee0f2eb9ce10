//! A past that nobody had to live through: messages and sessions by their number, made when they are asked for.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::lock;

/// When the first of them was, in unix ms, and how far apart they are.
const BEGINNING: u64 = 1_700_000_000_000;
const APART: u64 = 60_000;

/// How much past there is.
#[derive(Debug, Default)]
pub struct Past(Mutex<Amounts>);

#[derive(Debug, Default)]
struct Amounts {
    sessions: usize,
    /// Messages of each session that has no number of its own.
    usual: usize,
    of_session: BTreeMap<String, usize>,
}

/// What is to be there. More than before: as if it had come since.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Change {
    /// Whose messages; without it those of all sessions of the past.
    session_id: Option<String>,
    messages: Option<usize>,
    /// So many sessions: `past-0` is the oldest.
    sessions: Option<usize>,
}

impl Past {
    /// Makes it so.
    pub fn obey(&self, Change { session_id, messages, sessions }: Change) {
        let mut amounts = lock(&self.0);
        if let Some(sessions) = sessions {
            amounts.sessions = sessions;
        }
        match (session_id, messages) {
            (Some(id), Some(count)) => drop(amounts.of_session.insert(id, count)),
            (None, Some(count)) => amounts.usual = count,
            (_, None) => {}
        }
    }

    /// As after a start.
    pub fn reset(&self) {
        *lock(&self.0) = Amounts::default();
    }

    pub(super) fn sessions(&self) -> usize {
        lock(&self.0).sessions
    }

    pub(super) fn messages(&self, session_id: &str) -> usize {
        let amounts = lock(&self.0);
        let is_past = || number(session_id, "past-").is_some_and(|n| n < amounts.sessions);
        amounts.of_session.get(session_id).copied().unwrap_or_else(|| if is_past() { amounts.usual } else { 0 })
    }

    /// An element of the list of sessions.
    pub(super) fn session(&self, n: usize) -> Value {
        let id = format!("past-{n}");
        let count = self.messages(&id);
        json!({ "id": id, "created_at": at(n), "updated_at": at(n), "message_count": count })
    }
}

/// The place of a message of the past, by its id.
pub(super) fn place(id: &str) -> Option<usize> {
    number(id, "h-")
}

/// A message of a session's past.
pub(super) fn message(session_id: &str, n: usize) -> Value {
    let (role, content) = match n % 2 {
        0 => ("user", format!("Question {}: what happened next?", n / 2 + 1)),
        _ => (
            "assistant",
            format!("Answer {}. {}", n / 2 + 1, "The tide came in and went out again. ".repeat(1 + n % 7)),
        ),
    };
    json!({ "id": format!("h-{n}"), "session_id": session_id, "role": role, "content": content, "created_at": at(n) })
}

fn at(n: usize) -> u64 {
    BEGINNING + APART * n as u64
}

fn number(id: &str, prefix: &str) -> Option<usize> {
    id.strip_prefix(prefix)?.parse().ok()
}
