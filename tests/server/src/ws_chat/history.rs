//! Messages and sessions, page by page.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::App;
use crate::runs::{Protocol, Run};

use super::{answer, past};

/// One message and the names by which a page may begin before it.
struct Entry {
    ids: [String; 2],
    message: Value,
}

/// The page of a session's messages that ends before `before`; `None` if there is no such message.
pub(super) fn messages(app: &App, session_id: &str, limit: usize, before: Option<&str>) -> Option<Value> {
    let past = app.past.messages(session_id);
    let entries = all(app, session_id);
    let end = match before {
        Some(id) => past::place(id).filter(|&n| n < past).or_else(|| {
            let at = entries.iter().position(|entry| entry.ids.iter().any(|known| known == id))?;
            Some(past + at)
        })?,
        None => past + entries.len(),
    };
    let start = end.saturating_sub(limit);
    let page = (start..end).filter_map(|n| match n.checked_sub(past) {
        Some(n) => entries.get(n).map(|entry| entry.message.clone()),
        None => Some(past::message(session_id, n)),
    });
    let page: Vec<_> = page.collect();
    let next = page.first().filter(|_| start > 0).map(|message| message["id"].clone());
    Some(json!({ "messages": page, "next_cursor": next }))
}

/// All of a session, oldest first.
fn all(app: &App, session_id: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for run in app.runs.known(Protocol::WsChat, Some(session_id)) {
        entries.extend(question(&run));
        let ids = [run.message_id.clone(), run.run_id.clone()];
        entries.push(Entry { ids, message: answer::message(&run) });
    }
    entries
}

fn question(run: &Run) -> Option<Entry> {
    let content = run.content.as_ref()?;
    let id = format!("q-{}", run.message_id);
    let message = json!({
        "id": id, "session_id": run.session_id, "role": "user", "content": content, "created_at": run.started_at,
        "request_id": run.request_id,
    });
    Some(Entry { ids: [id.clone(), id], message })
}

/// What the list tells of a session.
#[derive(Default)]
struct Session {
    created_at: u64,
    updated_at: u64,
    count: u64,
    /// The place of its newest answer among all.
    order: usize,
}

/// The sessions from `offset` on, the one that was busy last first.
pub(super) fn sessions(app: &App, limit: usize, offset: usize) -> Value {
    let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
    for (order, run) in app.runs.known(Protocol::WsChat, None).iter().enumerate() {
        let session = sessions
            .entry(run.session_id.clone())
            .or_insert_with(|| Session { created_at: run.started_at, ..Session::default() });
        session.updated_at = run.started_at;
        session.count += 1 + u64::from(run.content.is_some());
        session.order = order;
    }
    let mut sessions: Vec<_> = sessions.into_iter().collect();
    // Not by time: two sends within a millisecond have an order as well.
    sessions.sort_by_key(|(_, session)| std::cmp::Reverse(session.order));
    let session = |(id, session): &(String, Session)| {
        let Session { created_at, updated_at, count, .. } = session;
        json!({ "id": id, "created_at": created_at, "updated_at": updated_at, "message_count": count })
    };
    // Those of the past are the oldest.
    let past = app.past.sessions();
    let all = sessions.iter().map(session).chain((0..past).rev().map(|n| app.past.session(n)));
    json!({
        "sessions": all.skip(offset).take(limit).collect::<Vec<_>>(),
        "has_more": sessions.len() + past > offset.saturating_add(limit),
    })
}
