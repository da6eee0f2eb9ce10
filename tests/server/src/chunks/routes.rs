//! The protocol's routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;

use crate::app::App;
use crate::bichat::Feed;
use crate::counters::Transport;
use crate::faults::Exchange;
use crate::reply::{json, with_status};
use crate::runs::{Ask, Protocol, Started};

use super::request::{Query, Send, offset_behind};
use super::{BASE, SessionFeed, writing};

/// The routes below the base, which is the app's root.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/sessions/{id}", get(session).put(create).delete(delete))
        .route("/sessions/{id}/reset", post(reset))
        .route("/sessions/{id}/messages", post(send))
        .route("/sessions/{id}/stop", post(stop))
        .route("/sessions/{id}/chunks", post(writing::write))
        .route("/sessions/{id}/chunks/batch", post(writing::write_batch))
        .route("/sessions/{id}/generations/finish", post(writing::finish))
        .route("/stream/sessions/{id}", get(stream));
    Router::new().nest(BASE, routes).with_state(app)
}

/// A refusal as this protocol has it.
pub(super) fn refused(status: StatusCode, code: &str, error: &str, session_id: &str) -> Response {
    with_status(status, &json!({ "error": error, "code": code, "sessionId": session_id }))
}

pub(super) fn not_found(session_id: &str) -> Response {
    refused(StatusCode::NOT_FOUND, "SESSION_NOT_FOUND", "Session not found", session_id)
}

/// Whether there is such a session.
pub(super) fn exists(app: &App, session_id: &str) -> bool {
    app.generations.has_session(session_id) || !app.runs.known(Protocol::Chunks, Some(session_id)).is_empty()
}

async fn create(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    app.generations.create_session(&id);
    json(&json!({ "sessionId": id, "streamUrl": format!("{BASE}/stream/sessions/{id}") }))
}

/// What there was of the session goes, and what runs stops; `done` is the answer if there was one.
fn clear(app: &App, session_id: &str, done: Response) -> Response {
    if !exists(app, session_id) {
        return not_found(session_id);
    }
    app.runs.drop_session(Protocol::Chunks, session_id);
    app.generations.drop_session(session_id);
    done
}

async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    clear(&app, &id, StatusCode::NO_CONTENT.into_response())
}

async fn reset(State(app): State<Arc<App>>, Path(id): Path<String>, body: Bytes) -> Response {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reset {
        #[serde(default, rename = "clearPresence")]
        _clear_presence: bool,
    }
    if serde_json::from_slice::<Reset>(&body).is_err() {
        return refused(StatusCode::BAD_REQUEST, "INVALID_BODY", "Invalid request body", &id);
    }
    let reply = clear(&app, &id, json(&json!({ "success": true, "sessionId": id, "message": "Session reset" })));
    if reply.status().is_success() {
        app.generations.create_session(&id);
    }
    reply
}

async fn session(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
) -> Response {
    if exchange.step().unknown_run || !exists(&app, &id) {
        return not_found(&id);
    }
    let mut session = json!({ "sessionId": id, "streamUrl": format!("{BASE}/stream/sessions/{id}") });
    if !exchange.is_plain() {
        session["activeMessageId"] = json!(app.runs.active(Protocol::Chunks, &id).map(|run| run.run_id.clone()));
    }
    json(&session)
}

async fn send(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(Send { message_id, content: Some(content) }) = serde_json::from_slice(&body) else {
        return refused(StatusCode::BAD_REQUEST, "INVALID_BODY", "Invalid request body", &id);
    };
    if let Some(message) = &message_id {
        app.counters.handle_send(&id, message, Transport::Post);
    }
    let ask = Ask {
        protocol: Protocol::Chunks,
        session_id: id.clone(),
        request_id: message_id.clone(),
        content: Some(content),
        ..Ask::default()
    };
    let run = match app.runs.start_alone(ask, &app.config()) {
        None => {
            let active = app.runs.active(Protocol::Chunks, &id).map(|run| run.run_id.clone());
            let refusal = json!({ "error": "Generation mismatch", "code": "GENERATION_MISMATCH", "sessionId": id,
                                  "messageId": message_id, "activeMessageId": active });
            return with_status(StatusCode::CONFLICT, &refusal);
        }
        Some(Started::New(run)) => {
            app.begin(&run);
            run
        }
        Some(Started::Same(run)) => {
            app.counters.handle_deduped(&run.session_id);
            run
        }
    };
    let mut sent = json!({ "messageId": run.request_id });
    if !exchange.is_plain() {
        // In front of the message itself.
        sent["offset"] = offset_behind(run.seq_before(0)).into();
    }
    json(&sent)
}

/// Stops nothing: this server has no part in making the answer.
async fn stop(State(app): State<Arc<App>>, Path(id): Path<String>) -> StatusCode {
    app.counters.handle_stop(&id);
    StatusCode::NO_CONTENT
}

async fn stream(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Response {
    let step = exchange.step();
    if step.unknown_run || !exists(&app, &id) {
        return not_found(&id);
    }
    let query = Query::of(&uri);
    let rows = query.rows().filter(|_| query.live.as_deref() == Some("sse"));
    let Some(rows) = rows else {
        return refused(StatusCode::BAD_REQUEST, "INVALID_OFFSET", "Invalid offset, or not live=sse", &id);
    };
    let feed = SessionFeed::new(&app.runs, &id, step.position(rows));
    let run = feed.run().cloned();
    exchange.stream(Feed::Session(feed), run.as_ref())
}
