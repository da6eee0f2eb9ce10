//! Cross-origin headers, so that a page of one port can use the other.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::config::Cors;

/// Answers preflights and adds the headers, as the config says.
pub async fn configured(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    apply(&app.config().cors, request, next).await
}

/// The same for the control API: everybody, without credentials.
pub async fn open(request: Request, next: Next) -> Response {
    let cors = Cors { origin: "*".to_owned(), credentials: false, ..Cors::default() };
    apply(&cors, request, next).await
}

async fn apply(cors: &Cors, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let preflight = request.method() == Method::OPTIONS;
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let Some(allowed) = origin.and_then(|origin| allow(cors, origin)) else { return response };
    if response.status().as_u16() >= 400 && !cors.on_errors {
        return response;
    }
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if cors.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if let Ok(exposed) = HeaderValue::from_str(&cors.expose)
        && !exposed.is_empty()
    {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    if preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
        if let Some(asked) = asked {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
    }
    response
}

fn allow(cors: &Cors, origin: HeaderValue) -> Option<HeaderValue> {
    match cors.origin.as_str() {
        "none" => None,
        "reflect" => Some(origin),
        "*" => Some(HeaderValue::from_static("*")),
        one => HeaderValue::from_str(one).ok(),
    }
}
