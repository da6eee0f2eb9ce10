//! The protocol's routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::app::App;
use crate::bichat::Feed;
use crate::content::Ending;
use crate::counters::Transport;
use crate::faults::Exchange;
use crate::reply::{Refusal, json};
use crate::runs::{Ask, Protocol, Run, Started};

use super::request::{self, Query, Send};
use super::{BASE, ChatFeed};

/// The routes below the base, which is the app's root.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/chat", post(send))
        .route("/chats/active-streams", get(active_streams))
        .route("/chats/{id}/stream", get(stream).delete(stop))
        .route("/chats/{id}/status", get(status))
        .route("/chats/{id}/permissions/{request}/respond", post(respond))
        .route("/messages/{id}/events", get(events));
    Router::new().nest(BASE, routes).with_state(app)
}

type Handled = Result<Response, Refusal>;

fn no_such(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("no such {what}"))
}

async fn send(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Handled {
    let Send { chat_id, prompt, request_id } = Send::read(&headers, &body)?;
    if let Some(id) = &request_id {
        app.counters.handle_send(&chat_id, id, Transport::Post);
    }
    let ask = Ask {
        protocol: Protocol::Envelope,
        session_id: chat_id.clone(),
        request_id,
        content: Some(prompt),
        ..Ask::default()
    };
    let run = match app.runs.start_alone(ask, &app.config()) {
        None => return Err(Refusal::new(StatusCode::CONFLICT, "the chat is streaming")),
        Some(Started::New(run)) => {
            app.begin(&run);
            run
        }
        Some(Started::Same(run)) if run.session_id != chat_id => {
            return Err(Refusal::bad_request("request_id belongs to another chat"));
        }
        Some(Started::Same(run)) => {
            app.counters.handle_deduped(&run.session_id);
            run
        }
    };
    Ok(json(&json!({ "chat_id": run.session_id, "message_id": run.run_id, "last_seq": run.seq_before(0) })))
}

async fn stream(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Handled {
    let step = exchange.step();
    if step.unknown_run || app.runs.known(Protocol::Envelope, Some(&id)).is_empty() {
        return Err(no_such("chat"));
    }
    let seq = step.position(Query::of(&uri).cursor(&headers));
    let feed = ChatFeed::new(&app.runs, &id, seq, app.config().prune);
    let run = feed.run().cloned();
    Ok(exchange.stream(Feed::Chat(feed), run.as_ref()))
}

async fn stop(State(app): State<Arc<App>>, Path(id): Path<String>) -> StatusCode {
    app.counters.handle_stop(&id);
    // The turn that a queue goes on with is stopped like the one before it.
    while let Some(run) = app.runs.active(Protocol::Envelope, &id) {
        run.end(Ending::Cancelled, None);
        run.ended().await;
    }
    StatusCode::NO_CONTENT
}

async fn status(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
) -> Response {
    let run = app.runs.active(Protocol::Envelope, &id).filter(|_| !exchange.step().unknown_run);
    json(&json!({
        "has_active_task": run.is_some(),
        "message_id": run.as_ref().map(|run| &run.run_id),
        "stream_id": run.as_ref().map(|run| &run.stream_id),
        "last_seq": run.as_ref().map_or(0, |run| run.last_seq()),
    }))
}

async fn active_streams(State(app): State<Arc<App>>) -> Response {
    let stream = |run: &Arc<Run>| {
        json!({ "chat_id": run.session_id, "message_id": run.run_id, "stream_id": run.stream_id,
                "last_seq": run.last_seq() })
    };
    let running = app.runs.known(Protocol::Envelope, None).into_iter().filter(|run| run.is_running());
    json(&running.map(|run| stream(&run)).collect::<Vec<Value>>())
}

async fn events(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Handled {
    let step = exchange.step();
    let run = app.runs.find(&id).filter(|run| run.protocol == Protocol::Envelope && !step.unknown_run);
    let Some(run) = run else { return Err(no_such("message")) };
    let query = Query::of(&uri);
    let stored = if app.config().prune && !run.is_running() { run.stored_behind() } else { 0 };
    let position = run.position_behind(step.position(query.after()).max(stored));
    let (events, next) = run.page(position, query.limit());
    let raw = |data: &Bytes| serde_json::from_slice::<Box<RawValue>>(data).ok();
    Ok(json(&Page {
        events: events.iter().filter_map(|entry| raw(&entry.data)).collect(),
        has_more: run.seq_before(next) < run.last_seq(),
    }))
}

/// A page of stored envelopes, each as it was on the wire.
#[derive(serde::Serialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    has_more: bool,
}

async fn respond(
    State(app): State<Arc<App>>,
    Path((id, request)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Handled {
    request::check_answer(&headers, &body)?;
    let running = app.runs.active(Protocol::Envelope, &id);
    match running.is_some_and(|run| run.answer(&request)) {
        true => Ok(json(&json!({ "success": true }))),
        false => Err(no_such("permission request")),
    }
}
