//! Credentials: a token in `Authorization` or in a cookie, and the CSRF header of requests that change something.

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, Method, StatusCode};

use crate::config::Auth;
use crate::reply::Refusal;

/// Whether whoever brings this token may come in.
pub fn is_accepted(auth: &Auth, token: &str) -> bool {
    auth.tokens.is_empty() || auth.tokens.iter().any(|known| known == token)
}

/// The token of a request: the bearer's, else the cookie's.
pub fn token(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let cookie = || text(COOKIE)?.split(';').find_map(|pair| pair.trim().strip_prefix("token="));
    bearer.or_else(cookie).map(str::to_owned)
}

/// Refuses with 401 or 403 what does not bring what is asked for.
pub fn check(auth: &Auth, method: &Method, headers: &HeaderMap, token: Option<&str>) -> Result<(), Refusal> {
    if !is_accepted(auth, token.unwrap_or_default()) {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized"));
    }
    let csrf = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    if [Method::POST, Method::DELETE].contains(method) && auth.csrf.is_some() && auth.csrf.as_deref() != csrf {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden"));
    }
    Ok(())
}
