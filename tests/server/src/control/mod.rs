//! The control API: sets what runs say and what goes wrong, and answers what is true and what happened. Its own port is
//! never faulted; the app's port has it too, for the demo's fault panel.

mod active_runs;
mod now;
mod proxy;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::config::Config;
use crate::content::Recipe;
use crate::faults::Script;
use crate::proxy::Order;
use crate::reply::{Refusal, json};
use crate::runs::{Protocol, Run};
use crate::ws_chat::Change;

pub use timers::Timers;

/// The routes below `/control`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/runs", get(runs).post(set_recipe))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/now", post(now::handle))
        .route("/truth", get(truth))
        .route("/log", get(log))
        .route("/counters", get(counters))
        .route("/requests", get(requests))
        .route("/active-runs", get(active_runs::report).post(active_runs::obey).delete(active_runs::clear))
        .route("/history", post(history))
        .route("/config", get(config).post(set_config))
        .route("/addresses", get(addresses))
        .route("/proxy", get(proxy::report).post(proxy::obey))
        .route("/reset", post(reset))
        .with_state(app)
}

type Handled = Result<Response, Refusal>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Asked {
    session_id: Option<String>,
    run_id: Option<String>,
    /// Wait for the run's end, at most this long.
    wait_ms: Option<u64>,
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::bad_request)
}

fn done() -> Handled {
    Ok(json(&json!({ "ok": true })))
}

/// `current` with the members of `change` in their places, down to nested objects, and checked again as a whole.
fn change<T: serde::Serialize + DeserializeOwned>(current: &T, change: Map<String, Value>) -> Result<T, Refusal> {
    let mut merged = serde_json::to_value(current).map_err(Refusal::bad_request)?;
    merge(&mut merged, Value::Object(change));
    serde_json::from_value(merged).map_err(Refusal::bad_request)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// `POST runs`: what the next runs say; with `start` one begins at once.
async fn set_recipe(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    let mut members: Map<String, Value> = read(&body)?;
    let start = members.remove("start").is_some_and(|start| start == Value::Bool(true));
    let protocol: Protocol = match members.remove("protocol") {
        None => Protocol::default(),
        Some(name) => serde_json::from_value(name).map_err(Refusal::bad_request)?,
    };
    let session_id = match members.remove("sessionId") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(Refusal::bad_request("sessionId is not a string")),
    };
    let recipe: Recipe = change(&app.runs.recipe(session_id.as_deref()), members)?;
    app.runs.set_recipe(session_id.clone(), recipe.clone());
    let mut reply = json!({ "recipe": recipe });
    if start {
        let session_id = session_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let Some(run) = app.runs.start_unasked(protocol, &session_id, &app.config()) else {
            return Err(Refusal::new(StatusCode::CONFLICT, "the chat has a run on its way"));
        };
        app.begin(&run);
        reply["sessionId"] = session_id.into();
        reply["runId"] = run.run_id.as_str().into();
    }
    Ok(json(&reply))
}

async fn runs(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Handled {
    let runs = app.runs.list(asked.session_id.as_deref());
    Ok(json(&runs.iter().map(|run| run.report()).collect::<Vec<_>>()))
}

async fn truth(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Handled {
    let run = match (&asked.run_id, &asked.session_id) {
        (Some(run_id), _) => app.runs.find_ever(run_id),
        (None, Some(session_id)) => app.runs.list(Some(session_id)).pop(),
        (None, None) => return Err(Refusal::bad_request("runId or sessionId is missing")),
    };
    let Some(run): Option<Arc<Run>> = run else { return Err(Refusal::new(StatusCode::NOT_FOUND, "no such run")) };
    if let Some(ms) = asked.wait_ms {
        // Whether it ended or the time did, the answer tells: `terminal` is null while the run writes.
        let _ = tokio::time::timeout(Duration::from_millis(ms), run.ended()).await;
    }
    Ok(json(&run.truth()))
}

/// `GET log`: the rows of a session that its messages have come to, and what is known of who writes it.
async fn log(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Handled {
    let Some(session_id) = asked.session_id else { return Err(Refusal::bad_request("sessionId is missing")) };
    let runs = app.runs.list(Some(&session_id));
    let runs = runs.iter().filter(|run| asked.run_id.as_ref().is_none_or(|id| *id == run.run_id));
    let entries = runs.flat_map(|run| run.page(0, usize::MAX).0);
    let rows: Vec<Value> = entries.filter_map(|entry| serde_json::from_slice(&entry.data).ok()).collect();
    let mut report = app.generations.report(&session_id);
    report["rows"] = rows.into();
    Ok(json(&report))
}

async fn counters(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Handled {
    Ok(json(&app.counters.report(asked.session_id.as_deref(), app.links.count())))
}

async fn requests(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Handled {
    Ok(json(&app.counters.journal(asked.session_id.as_deref())))
}

async fn faults(State(app): State<Arc<App>>) -> Handled {
    Ok(json(&json!({ "stepsLeft": app.scripts.left() })))
}

async fn add_faults(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    app.scripts.add(read::<Script>(&body)?);
    done()
}

async fn clear_faults(State(app): State<Arc<App>>) -> Handled {
    app.scripts.clear();
    done()
}

/// `POST history`: how much past the sessions of `ws-chat` have.
async fn history(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    app.past.obey(read::<Change>(&body)?);
    done()
}

async fn config(State(app): State<Arc<App>>) -> Handled {
    Ok(json(&app.config()))
}

async fn set_config(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    let config: Config = change(&app.config(), read(&body)?)?;
    app.set_config(config.clone());
    Ok(json(&config))
}

/// All ports: a page of the app can then reach the control API while the app is offline.
async fn addresses(State(app): State<Arc<App>>) -> Handled {
    let url = |address| format!("http://{address}");
    let mut addresses = json!({ "app": url(app.door.address()), "control": url(app.control) });
    if let Some(proxy) = &app.proxy {
        addresses["proxy"] = url(proxy.address()).into();
    }
    Ok(json(&addresses))
}

/// Everything as after a start, but for connections that are open.
async fn reset(State(app): State<Arc<App>>) -> Handled {
    app.timers.clear();
    app.weather.clear();
    app.scripts.clear();
    app.door.open().await;
    if let Some(proxy) = &app.proxy {
        proxy.obey(Order { clear: true, ..Order::default() }).await;
    }
    app.runs.reset();
    app.generations.reset();
    app.active_runs.reset();
    app.past.reset();
    app.set_config(Config::default());
    app.counters.reset();
    app.links.reset_counts();
    done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let change = |text: &str| super::change(&Config::default(), serde_json::from_str(text).unwrap());
        let config: Config = change("{\"cors\":{\"origin\":\"none\"},\"cursorQuery\":true}").unwrap();
        assert_eq!(config.cors.origin, "none");
        assert_eq!(config.cors.expose, "Retry-After");
        assert!(config.cursor_query);
        assert!(change("{\"cursorquery\":true}").is_err());
        assert!(change("{\"cors\":{\"origins\":\"none\"}}").is_err());
    }
}
