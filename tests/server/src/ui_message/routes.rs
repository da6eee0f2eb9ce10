//! The protocol's routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query as AxumQuery, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::app::App;
use crate::bichat::Feed;
use crate::content::Ending;
use crate::counters::Transport;
use crate::faults::Exchange;
use crate::reply::Refusal;
use crate::runs::{Ask, LogFeed, Protocol, Run, Started};
use crate::sse::Frame;

use super::DONE;
use super::request::{self, Query, SendBody};

/// The `reason` of an answer that was stopped.
const STOPPED: &str = "stopped";

/// The routes below the base, which is the app's root.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/chat", post(send))
        .route("/api/chat/{id}/stream", get(stream))
        .route("/api/chat/{id}/stop", post(stop))
        .with_state(app)
}

async fn send(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let body = SendBody::read(&body)?;
    let request_id = request::key(&headers, body.request_id)?;
    if let Some(id) = &request_id {
        app.counters.handle_send(&body.id, id, Transport::Post);
    }
    let ask = Ask { protocol: Protocol::UiMessage, session_id: body.id.clone(), request_id, ..Ask::default() };
    let run = match app.runs.start(ask, &app.config()) {
        Started::New(run) => {
            app.begin(&run);
            run
        }
        Started::Same(run) if run.session_id != body.id => {
            return Err(Refusal::bad_request("the request's id belongs to another chat"));
        }
        Started::Same(run) => {
            app.counters.handle_deduped(&run.session_id);
            run
        }
    };
    Ok(replay(&app, &exchange, &run, 0))
}

async fn stream(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    AxumQuery(query): AxumQuery<Query>,
    headers: HeaderMap,
) -> Response {
    let cursor = request::cursor(&headers, &query).filter(|_| app.config().ui_cursor);
    let running = app.runs.active(Protocol::UiMessage, &id);
    // Who has a part of an answer may have its rest, over or not.
    let kept = || app.runs.known(Protocol::UiMessage, Some(&id)).pop().filter(|_| cursor.is_some());
    match running.or_else(kept).filter(|_| !exchange.step().unknown_run) {
        Some(run) => replay(&app, &exchange, &run, exchange.step().position(cursor.unwrap_or(0))),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn stop(State(app): State<Arc<App>>, Path(id): Path<String>) -> StatusCode {
    app.counters.handle_stop(&id);
    for run in app.runs.known(Protocol::UiMessage, Some(&id)) {
        run.end(Ending::Cancelled, Some(STOPPED.to_owned()));
    }
    StatusCode::NO_CONTENT
}

/// What the run said from there on, and what it still says.
fn replay(app: &App, exchange: &Exchange, run: &Arc<Run>, position: u64) -> Response {
    let feed = LogFeed::new(run, position, [].into()).closed_by(Frame::Mark(DONE));
    let feed = if app.config().ui_cursor { feed } else { feed.without_ids() };
    let mut response = exchange.stream(Feed::Log(feed), Some(run));
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert("x-vercel-ai-ui-message-stream", HeaderValue::from_static("v1"));
    response
}
