//! A client writes a message: its chunks one by one or in batches, and that it has finished.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::faults::Exchange;
use crate::reply::{json, with_status};
use crate::runs::{Ask, Protocol};

use super::generations::Admission;
use super::routes::{exists, not_found, refused};
use super::rows::{Author, Row};

/// A chunk, and whose it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    message_id: String,
    actor_id: String,
    role: Role,
    chunk: Map<String, Value>,
    txid: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    User,
    Assistant,
    System,
}

/// Numbers by which a repetition is known; a client may have none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbered {
    first_seq: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    chunks: Vec<Written>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Finish {
    message_id: Option<String>,
}

type Shared = (State<Arc<App>>, Extension<Arc<Exchange>>, Path<String>);

/// `POST …/chunks`
pub(super) async fn write(shared: Shared, body: Bytes) -> Response {
    let written = serde_json::from_slice::<Written>(&body).map(|written| vec![written]);
    put(&shared, &body, written, |id, message_id, _| json!({ "ok": true, "sessionId": id, "messageId": message_id }))
}

/// `POST …/chunks/batch`
pub(super) async fn write_batch(shared: Shared, body: Bytes) -> Response {
    let written = serde_json::from_slice::<Batch>(&body).map(|batch| batch.chunks);
    put(&shared, &body, written, |id, _, count| json!({ "ok": true, "sessionId": id, "count": count }))
}

fn put(
    (State(app), Extension(exchange), Path(id)): &Shared,
    body: &Bytes,
    written: serde_json::Result<Vec<Written>>,
    reply: impl FnOnce(&str, &str, usize) -> Value,
) -> Response {
    let has_type = |written: &Written| written.chunk.get("type").is_some_and(Value::is_string);
    let numbers = serde_json::from_slice::<Numbered>(body);
    let (chunks, numbers) = match (written, numbers) {
        (Ok(chunks), Ok(numbers)) if !chunks.is_empty() && chunks.iter().all(has_type) => (chunks, numbers),
        _ => return refused(StatusCode::BAD_REQUEST, "INVALID_BODY", "Invalid request body", id),
    };
    if !exists(app, id) {
        return not_found(id);
    }
    let first = &chunks[0].message_id;
    let mismatch = |message_id: &str, active: Option<&str>| {
        let refusal = json!({ "error": "Generation mismatch", "code": "GENERATION_MISMATCH", "sessionId": id,
                              "messageId": message_id, "activeMessageId": active });
        with_status(StatusCode::CONFLICT, &refusal)
    };
    if let Some(other) = chunks.iter().find(|chunk| chunk.message_id != *first) {
        return mismatch(&other.message_id, Some(first));
    }
    let ask = Ask { protocol: Protocol::Chunks, session_id: id.clone(), run_id: Some(first.clone()), ..Ask::default() };
    let first_seq = numbers.first_seq.filter(|_| !exchange.is_plain());
    let start = || app.runs.start_written(ask, &app.config());
    let (run, known) = match app.generations.admit(id, first, first_seq, chunks.len(), start) {
        Admission::New(run, known) => (run, known),
        Admission::Known => return json(&reply(id, first, chunks.len())),
        Admission::Mismatch(active) => return mismatch(first, active.as_deref()),
        Admission::Hole => {
            return refused(StatusCode::CONFLICT, "SEQUENCE_GAP", "Chunks are missing before these", id);
        }
    };
    let step = exchange.step();
    if step.producer_error {
        app.generations.handle_producer_error(id);
    }
    let most = step.write_fails_after.unwrap_or(usize::MAX);
    for (at, chunk) in chunks.iter().enumerate().skip(known) {
        if at >= most {
            let failed = json!({ "error": "Failed to write chunk", "code": "WRITE_FAILED", "sessionId": id,
                                 "details": "the stream is gone" });
            return with_status(StatusCode::INTERNAL_SERVER_ERROR, &failed);
        }
        let role = match chunk.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        let (actor_id, txid) = (chunk.actor_id.clone(), chunk.txid.clone());
        let author = Author { actor_id, role: role.to_owned(), txid };
        run.tell(Row::written(author, &Value::Object(chunk.chunk.clone())));
        if let Some(first_seq) = first_seq {
            app.generations.handle_written(id, first, first_seq + at as u64 + 1);
        }
    }
    json(&reply(id, first, chunks.len()))
}

/// `POST …/generations/finish`
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    Extension(exchange): Extension<Arc<Exchange>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Finish { message_id } = serde_json::from_slice(&body).unwrap_or_default();
    if !exists(&app, &id) {
        return not_found(&id);
    }
    let failed = |error: &str| {
        let failed = json!({ "ok": false, "error": error, "code": "FINISH_FAILED", "sessionId": id });
        with_status(StatusCode::INTERNAL_SERVER_ERROR, &failed)
    };
    let (run, errors) = app.generations.finish(&id, message_id.as_deref());
    if let Some(limit) = exchange.step().hung_flush_ms {
        let flush = std::future::pending::<()>();
        if tokio::time::timeout(Duration::from_millis(limit), flush).await.is_err() {
            return failed("The flush took too long");
        }
    }
    if errors > 0 {
        return failed("The background producer failed");
    }
    let message_id = run.map(|run| run.run_id.clone()).or(message_id);
    json(&json!({ "ok": true, "sessionId": id, "messageId": message_id }))
}
