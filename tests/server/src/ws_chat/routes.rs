//! The protocol's routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;

use crate::app::App;
use crate::bichat::Feed;
use crate::content::Ending;
use crate::counters::Transport;
use crate::faults::Exchange;
use crate::reply::{Refusal, json, with_status};
use crate::runs::{LogFeed, Protocol, Run};
use crate::sse::Frame;

use super::request::{Page, PostBody, Which};
use super::send::{self, Send};
use super::{answer, history, socket};

/// The routes below the base, which is the app's root.
pub fn router(app: Arc<App>) -> Router {
    let session = "/api/chat/sessions/{session}";
    Router::new()
        .route("/ws/chat", get(upgrade))
        .route("/api/chat/sessions", get(sessions))
        .route(&format!("{session}/messages"), post(message).get(messages))
        .route(&format!("{session}/status"), get(status))
        .route(&format!("{session}/events"), get(events))
        .route(&format!("{session}/stop"), post(stop))
        .with_state(app)
}

type Handled = Result<Response, Refusal>;

async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    request: Request,
) -> Handled {
    socket::upgrade(app, exchange, request)
}

async fn message(State(app): State<Arc<App>>, Path(session_id): Path<String>, body: Bytes) -> Handled {
    let body: PostBody = serde_json::from_slice(&body).map_err(Refusal::bad_request)?;
    let PostBody { content, request_id } = body;
    let run = send::take(&app, Send { session_id, request_id, content, transport: Transport::Post })
        .map_err(|(_, sentence)| Refusal::bad_request(sentence))?;
    let ids = json!({ "session_id": run.session_id, "request_id": run.request_id, "pending_message_id": run.run_id });
    Ok(with_status(StatusCode::ACCEPTED, &ids))
}

async fn messages(State(app): State<Arc<App>>, Path(session_id): Path<String>, Query(page): Query<Page>) -> Handled {
    match history::messages(&app, &session_id, page.limit(), page.before.as_deref()) {
        Some(page) => Ok(json(&page)),
        None => Err(Refusal::bad_request("before is no message of this session")),
    }
}

async fn sessions(State(app): State<Arc<App>>, Query(page): Query<Page>) -> Handled {
    Ok(json(&history::sessions(&app, page.limit(), page.offset)))
}

async fn status(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(session_id): Path<String>,
    Query(which): Query<Which>,
) -> Handled {
    let known = !exchange.is_plain() && !exchange.step().unknown_run;
    let run = find(&app, &session_id, &which).filter(|_| known);
    Ok(json(&run.map_or_else(answer::unknown, |run| answer::state(&run))))
}

async fn events(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(session_id): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Handled {
    let step = exchange.step();
    let known = !exchange.is_plain() && !step.unknown_run;
    let Some(run) = find(&app, &session_id, &which).filter(|_| known) else {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "unknown-run"));
    };
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let after = which.after.max(header.unwrap_or(0));
    let opening = [Frame::Comment("stream-open")].into();
    let feed = LogFeed::new(&run, step.position(after), opening);
    Ok(exchange.stream(Feed::Log(feed), Some(&run)))
}

async fn stop(State(app): State<Arc<App>>, Path(session_id): Path<String>) -> Response {
    app.counters.handle_stop(&session_id);
    for run in app.runs.known(Protocol::WsChat, Some(&session_id)) {
        run.end(Ending::Cancelled, None);
    }
    json(&json!({ "success": true })).into_response()
}

/// The answer that is meant: by either id, or the session's newest.
fn find(app: &App, session_id: &str, which: &Which) -> Option<Arc<Run>> {
    let run = match (&which.pending_message_id, &which.request_id) {
        (Some(id), _) => app.runs.find(id)?,
        (None, Some(id)) => app.runs.find_request(Protocol::WsChat, id)?,
        (None, None) => app.runs.known(Protocol::WsChat, Some(session_id)).pop()?,
    };
    (run.protocol == Protocol::WsChat && run.session_id == session_id).then_some(run)
}
