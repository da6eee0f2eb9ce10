//! The small replies every route gives: JSON, plain refusals.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// 200 with `value` as JSON.
pub fn json(value: &impl Serialize) -> Response {
    with_status(StatusCode::OK, value)
}

/// A refusal `{"error": sentence}`.
pub fn refuse(status: StatusCode, sentence: &str) -> Response {
    with_status(status, &serde_json::json!({ "error": sentence }))
}

fn with_status(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (status, headers, text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
