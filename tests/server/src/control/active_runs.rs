//! `GET`, `POST`, `DELETE active-runs`: the index of active runs as it is, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::active_runs::{Churn, Draft, Reach};
use crate::app::App;
use crate::reply::json;

use super::{Handled, done, read};

/// Purpose of a timer.
const CHURN: &str = "churn";

/// The members happen in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Order {
    /// See [`crate::active_runs::Index::set_ties`].
    ties: Option<bool>,
    /// So many rows of sessions and runs of their own.
    fill: usize,
    rows: Vec<Draft>,
    /// Whom `fill` and `rows` reach.
    reach: Reach,
    /// Events as they are.
    say: Vec<Said>,
    churn: Option<Churn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    #[serde(default = "update")]
    event: String,
    data: String,
}

fn update() -> String {
    "update".to_owned()
}

pub(super) async fn report(State(app): State<Arc<App>>) -> Handled {
    Ok(json(&app.active_runs.report()))
}

pub(super) async fn obey(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    let Order { ties, fill, rows, reach, say, churn } = read(&body)?;
    let index = &app.active_runs;
    if let Some(ties) = ties {
        index.set_ties(ties);
    }
    index.tell((0..fill).map(Churn::first), reach);
    let rows = index.tell(rows, reach);
    for Said { event, data } in say {
        index.say(event, data.into());
    }
    match churn {
        Some(churn) if churn.per_second > 0.0 => {
            let index = Arc::clone(index);
            app.timers.set(CHURN, async move {
                // Deadlines from the start: what a late wake-up missed comes with it.
                let begun = Instant::now();
                for (n, draft) in churn.updates().enumerate() {
                    let due = begun + Duration::from_secs_f64((n as f64 / churn.per_second).min(86_400.0));
                    if Instant::now() < due {
                        tokio::time::sleep_until(due).await;
                    }
                    index.tell([draft], Reach::All);
                }
            });
        }
        Some(churn) => drop(index.tell(churn.updates(), Reach::All)),
        None => {}
    }
    Ok(json(&json!({ "ok": true, "rows": rows })))
}

pub(super) async fn clear(State(app): State<Arc<App>>) -> Handled {
    app.timers.stop(CHURN);
    app.active_runs.clear();
    done()
}
