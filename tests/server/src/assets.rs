//! Static files for the browser: the demo, the package, bare test pages. Never cached, so that a rebuild shows.

use std::path::{Component, Path, PathBuf};

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// Members of a page's query that the server reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Query {
    /// The page's Content-Security-Policy.
    csp: Option<String>,
}

/// Answers with the file below `root` that the request's path names; a folder answers with its `index.html`.
pub async fn serve(root: PathBuf, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(path) = locate(&root, request.uri()) else {
        return (StatusCode::BAD_REQUEST, "no path of ours\n").into_response();
    };
    let path = match tokio::fs::metadata(&path).await {
        Ok(entry) if entry.is_dir() => path.join("index.html"),
        _ => path,
    };
    let Ok(bytes) = tokio::fs::read(&path).await else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime(&path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let query = axum::extract::Query::<Query>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    if let Some(policy) = query.csp.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn locate(root: &Path, uri: &Uri) -> Option<PathBuf> {
    let path = percent_decode_str(uri.path()).decode_utf8().ok()?;
    let relative = Path::new(path.trim_start_matches('/'));
    // Nothing but plain names: no way out of the root.
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.contains('\0')).then(|| root.join(relative))
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_root() {
        let locate = |path: &str| locate(Path::new("/www"), &path.parse().unwrap());
        assert_eq!(locate("/a/b.js"), Some("/www/a/b.js".into()));
        assert_eq!(locate("/"), Some("/www/".into()));
        assert_eq!(locate("/a%20b.txt"), Some("/www/a b.txt".into()));
        for way_out in ["/../secret", "/a/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/a%00b", "/%ff"] {
            assert_eq!(locate(way_out), None, "{way_out}");
        }
    }

    #[test]
    fn modules_and_wasm_have_the_types_that_browsers_insist_on() {
        assert_eq!(mime(Path::new("engine_bg.wasm")), "application/wasm");
        assert!(mime(Path::new("index.js")).starts_with("text/javascript"));
    }
}
