//! The protocol's routes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query as AxumQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;

use crate::active_runs::ActiveFeed;
use crate::app::App;
use crate::config::StopEnding;
use crate::content::Ending;
use crate::faults::Exchange;
use crate::reply::{Refusal, json};
use crate::runs::{Ask, Protocol, Run, Started};
use crate::sse::EventId;

use super::request::{self, Query, ResumeBody, SendBody, StopBody};
use super::{Feed, RUN_NOT_FOUND, SANITIZED, rpc};

/// The routes below `/bi-chat`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/stream", post(send))
        .route("/stream/stop", post(stop))
        .route("/stream/status", get(status))
        .route("/stream/resume", post(resume))
        .route("/stream/events", get(events))
        .route("/stream/active-runs", get(active_runs))
        .route("/rpc", post(rpc::call))
        .with_state(app)
}

type Handled = Result<Response, Refusal>;

async fn send(State(app): State<Arc<App>>, Extension(exchange): Extension<Arc<Exchange>>, body: Bytes) -> Handled {
    let body: SendBody = request::read(&body)?;
    body.check()?;
    let config = app.config();
    let ask = Ask { session_id: body.session_id, request_id: body.request_id, ..Ask::default() };
    match app.runs.start(ask, &config) {
        Started::New(run) => {
            // Subscribed before the run writes: its first events are nobody's to lose.
            let feed = Feed::first_live(&run);
            app.begin(&run);
            Ok(exchange.stream(feed, Some(&run)))
        }
        Started::Same(run) => {
            app.counters.handle_deduped(&run.session_id);
            let lost = exchange.step().lose_after_snapshot.unwrap_or(0);
            Ok(exchange.stream(Feed::same_live(&run, config.offset_unit, lost), Some(&run)))
        }
    }
}

async fn resume(State(app): State<Arc<App>>, Extension(exchange): Extension<Arc<Exchange>>, body: Bytes) -> Handled {
    let body: ResumeBody = request::read(&body)?;
    request::check_uuid("sessionId", &body.session_id)?;
    request::check_uuid("runId", &body.run_id)?;
    let Some(run) = find(&app, &body.session_id, &body.run_id).filter(|run| run.is_running()) else {
        return Ok(exchange.stream(Feed::plain_not_found(), None));
    };
    let unit = app.config().offset_unit;
    let step = exchange.step();
    let feed = match step.remote_node {
        Some(every) => Feed::remote(&run, unit, Duration::from_millis(every.max(1))),
        None => Feed::resume(&run, unit, step.lose_after_snapshot.unwrap_or(0)),
    };
    Ok(exchange.stream(feed, Some(&run)))
}

async fn events(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    AxumQuery(query): AxumQuery<Query>,
    headers: HeaderMap,
) -> Handled {
    let session_id = request::need_uuid("sessionId", query.session_id)?;
    let run_id = request::need_uuid("runId", query.run_id)?;
    let Some(run) = app.runs.find(&run_id).filter(|run| run.protocol == Protocol::Bichat) else {
        return Ok(exchange.stream(Feed::refusal(RUN_NOT_FOUND), None));
    };
    if run.session_id != session_id {
        // Silently: an EventSource then reconnects for ever (B-ES-12).
        return Ok(exchange.stream(Feed::silent_close(), None));
    }
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let query = query.last_event_id.as_deref().filter(|_| app.config().cursor_query);
    // A cursor that is none of ours replays everything: dedupe is the client's to do.
    let cursor = header.or(query).and_then(EventId::parse);
    let step = exchange.step();
    let cursor = cursor.filter(|_| !step.ignore_cursor);
    Ok(exchange.stream(Feed::log(&run, cursor, step.replay_seen.unwrap_or(0)), Some(&run)))
}

async fn status(State(app): State<Arc<App>>, AxumQuery(query): AxumQuery<Query>) -> Handled {
    let session_id = request::need_uuid("sessionId", query.session_id)?;
    let Some(run) = app.runs.active(Protocol::Bichat, &session_id) else {
        // A row that the control API has set stands for a run.
        return Ok(match app.active_runs.row(&session_id) {
            Some(row) => json(&json!({ "active": true, "runId": row.run_id, "startedAt": row.updated_at })),
            None => json(&json!({ "active": false })),
        });
    };
    Ok(json(&json!({
        "active": true,
        "runId": run.run_id,
        "snapshot": run.snapshot(app.config().offset_unit),
        "startedAt": run.started_at,
    })))
}

async fn active_runs(State(app): State<Arc<App>>, Extension(exchange): Extension<Arc<Exchange>>) -> Handled {
    if !app.config().active_runs {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "not found"));
    }
    Ok(exchange.stream(Feed::Active(ActiveFeed::new(&app.active_runs, &app.runs.recipe(None))), None))
}

async fn stop(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    if body.len() > request::MAX_STOP_BYTES {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "more than 4096 bytes"));
    }
    let body: StopBody = request::read(&body)?;
    app.counters.handle_stop(&body.session_id);
    let (ending, error) = match app.config().stop_ends_with {
        StopEnding::Error => (Ending::Error, Some(SANITIZED.to_owned())),
        StopEnding::Cancelled => (Ending::Cancelled, None),
    };
    for run in app.runs.known(Protocol::Bichat, Some(&body.session_id)) {
        app.active_runs.handle_stopped(&run);
        run.end(ending, error.clone());
    }
    Ok(json(&json!({ "success": true })))
}

fn find(app: &App, session_id: &str, run_id: &str) -> Option<Arc<Run>> {
    app.runs.find(run_id).filter(|run| run.protocol == Protocol::Bichat && run.session_id == session_id)
}
