//! `POST now`: what happens to everybody, or to a session, at once.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::app::App;
use crate::faults::{CutOrder, Outage, Path, RetryAfter, Stall};
use crate::net::{Close, Link, Links};
use crate::reply::json;

use super::{Handled, read};

/// Purposes of timers.
const ONLINE: &str = "online";
const CUT_EVERY: &str = "cut-every";

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Now {
    /// Cuts the open streams.
    Cut { how: Close, session_id: Option<String>, path: Option<Path>, code: Option<u16>, reason: Option<String> },
    /// The same again and again.
    CutEvery {
        ms: u64,
        how: Close,
        session_id: Option<String>,
        path: Option<Path>,
        code: Option<u16>,
        reason: Option<String>,
    },
    /// Shuts the listener and resets every connection.
    Offline { ms: Option<u64> },
    /// Shuts the listener and closes idle connections; open streams go on.
    Refuse { ms: Option<u64> },
    /// Opens the listener before its time.
    Online {},
    /// Offline for a moment; runs and logs survive only if the log is kept.
    Restart {
        #[serde(default = "yes")]
        keep_log: bool,
        #[serde(default)]
        reap: bool,
        ms: Option<u64>,
    },
    /// Answers every request of a protocol with a status.
    Status { code: u16, ms: Option<u64>, retry_after: Option<RetryAfter> },
    /// Silences the open streams, and those to come.
    Stall {
        ms: Option<u64>,
        session_id: Option<String>,
        #[serde(default)]
        heartbeats: bool,
    },
    /// Ends what runs, as its recipe says, in the middle of it.
    Finish { session_id: Option<String> },
    /// Lets what its recipe holds go on: up to another event, or to its end.
    GoOn { session_id: Option<String>, hold_at: Option<usize> },
    /// Takes the logs of ended runs away before their time.
    ExpireLogs { session_id: Option<String> },
    /// Ends everything that was set here.
    Clear {},
}

fn yes() -> bool {
    true
}

pub(super) async fn handle(State(app): State<Arc<App>>, Extension(link): Extension<Arc<Link>>, body: Bytes) -> Handled {
    match read::<Now>(&body)? {
        Now::Cut { how, session_id, path, code, reason } => {
            let cut = app.streams.cut(session_id.as_deref(), path.as_ref(), &order(how, code, reason));
            return Ok(json(&json!({ "ok": true, "cut": cut })));
        }
        Now::CutEvery { ms, how, session_id, path, code, reason } => {
            let order = order(how, code, reason);
            let every = Duration::from_millis(ms.max(1));
            let streams = Arc::clone(&app.streams);
            app.timers.set(CUT_EVERY, async move {
                let mut ticks = interval_at(Instant::now() + every, every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    streams.cut(session_id.as_deref(), path.as_ref(), &order);
                }
            });
        }
        Now::Offline { ms } => return Ok(shut(&app, &link, ms, |links| links.close_all(Close::Rst)).await),
        Now::Refuse { ms } => return Ok(shut(&app, &link, ms, |links| links.close_idle(Close::Drop)).await),
        Now::Online {} => {
            app.timers.stop(ONLINE);
            app.door.open().await;
        }
        Now::Restart { keep_log, reap, ms } => {
            if reap {
                app.runs.reap();
            }
            if !keep_log {
                app.runs.lose_all();
            }
            return Ok(shut(&app, &link, Some(ms.unwrap_or(0)), |links| links.close_all(Close::Rst)).await);
        }
        Now::Status { code, ms, retry_after } => {
            let outage = Outage { code, retry_after, until: ms.map(after) };
            app.weather.change(|sky| sky.outage = Some(outage));
        }
        Now::Stall { ms, session_id, heartbeats } => {
            let stall = Stall { session_id, heartbeats, until: ms.map(after) };
            app.weather.change(|sky| sky.stalls.push(stall));
        }
        Now::Finish { session_id } => app.runs.finish(session_id.as_deref()),
        Now::GoOn { session_id, hold_at } => app.runs.go_on(session_id.as_deref(), hold_at),
        Now::ExpireLogs { session_id } => app.runs.expire(session_id.as_deref()),
        Now::Clear {} => {
            app.timers.clear();
            app.weather.clear();
            app.door.open().await;
        }
    }
    Ok(json(&json!({ "ok": true })))
}

fn order(how: Close, code: Option<u16>, reason: Option<String>) -> CutOrder {
    CutOrder { how, close: code.map(|code| (code, reason.unwrap_or_default())) }
}

fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// Shuts the door, closes connections, and opens again after `ms` or when it is told to.
async fn shut(app: &Arc<App>, link: &Link, ms: Option<u64>, close: impl Fn(&Links)) -> Response {
    app.timers.stop(ONLINE);
    // If this very request came through the app's port, it still gets its answer.
    link.spare();
    app.door.shut().await;
    close(&app.links);
    if let Some(ms) = ms {
        let back = Arc::clone(app);
        app.timers.set(ONLINE, async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            back.door.open().await;
        });
    }
    let mut response = json(&json!({ "ok": true }));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
