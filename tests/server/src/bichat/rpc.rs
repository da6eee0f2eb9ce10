//! The questions of an interrupted run: their answer, or its refusal, starts a new run (B-Q-1).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::App;
use crate::reply::{Refusal, json};
use crate::runs::{Ask, Started};

use super::request;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(default)]
    id: Value,
    method: String,
    #[serde(default)]
    params: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read for their types: a wrong one is refused")]
struct Submit {
    session_id: String,
    checkpoint_id: String,
    answers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reject {
    session_id: String,
}

/// `POST rpc`: `{id, method, params}` to `{id, result}` or `{id, error: {code, message}}`.
pub(super) async fn call(State(app): State<Arc<App>>, body: Bytes) -> Result<Response, Refusal> {
    let call: Call = request::read(&body)?;
    Ok(json(&match answer(&app, &call.method, call.params) {
        Ok(result) => json!({ "id": call.id, "result": result }),
        Err(message) => json!({ "id": call.id, "error": { "code": "invalid_request", "message": message } }),
    }))
}

fn answer(app: &App, method: &str, params: Value) -> Result<Value, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let (operation, session_id) = match method {
        "bichat.question.submit" => {
            ("question_submit", serde_json::from_value::<Submit>(params).map_err(wrong)?.session_id)
        }
        "bichat.question.reject" => {
            ("question_reject", serde_json::from_value::<Reject>(params).map_err(wrong)?.session_id)
        }
        _ => return Err("unknown method".to_owned()),
    };
    Uuid::try_parse(&session_id).map_err(|_| "sessionId is not a UUID".to_owned())?;
    let ask = Ask { session_id, ..Ask::default() };
    let (Started::New(run) | Started::Same(run)) = app.runs.start(ask, &app.config());
    app.begin(&run);
    Ok(json!({
        "accepted": true,
        "operation": operation,
        "sessionId": run.session_id,
        "runId": run.run_id,
        "startedAt": run.started_at,
    }))
}
