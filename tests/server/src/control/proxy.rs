//! `GET`, `POST proxy`: what the proxy does to connections.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::proxy::{Order, Proxy};
use crate::reply::{Refusal, json};

use super::{Handled, read};

pub(super) async fn report(State(app): State<Arc<App>>) -> Handled {
    Ok(json(&find(&app)?.report()))
}

pub(super) async fn obey(State(app): State<Arc<App>>, body: Bytes) -> Handled {
    let proxy = find(&app)?;
    let cut = proxy.obey(read::<Order>(&body)?).await;
    Ok(json(&json!({ "ok": true, "cut": cut })))
}

fn find(app: &App) -> Result<&Arc<Proxy>, Refusal> {
    app.proxy.as_ref().ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "no proxy: start with --proxy-port"))
}
