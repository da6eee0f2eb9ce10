//! Files for the browser, and what lets a page of another origin use the server.

use std::path::PathBuf;

use run_server::Options;
use serde_json::json;

use crate::client::{Rig, SESSION, message, request};

/// A folder of this test's own, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(path.join("sub")).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn pages_modules_and_wasm_are_served_on_both_ports_and_never_cached() {
    let (www, pkg) = (Folder::new("www"), Folder::new("pkg"));
    www.file("index.html", "<p>demo");
    www.file("sub/a b.js", "1");
    pkg.file("engine.wasm", "\0asm");
    let options = Options { www: Some(www.0.clone()), pkg: Some(pkg.0.clone()), ..Options::default() };
    let rig = Rig::start_with(options).await;
    for port in [rig.app, rig.control] {
        for (path, mime) in [
            ("/", "text/html; charset=utf-8"),
            ("/index.html", "text/html; charset=utf-8"),
            ("/sub/a%20b.js", "text/javascript; charset=utf-8"),
            ("/pkg/engine.wasm", "application/wasm"),
        ] {
            let reply = request(port, "GET", path, &[], None).await.unwrap();
            assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, mime), "{path}");
            assert_eq!(reply.headers["cache-control"], "no-cache");
        }
        for (path, status) in [("/nothing", 404), ("/pkg/index.html", 404), ("/%2e%2e/secret", 400)] {
            assert_eq!(request(port, "GET", path, &[], None).await.unwrap().status, status, "{path}");
        }
    }
    let policy = rig.get("/index.html?csp=script-src%20'self'").await;
    assert_eq!(policy.headers["content-security-policy"], "script-src 'self'");
}

#[tokio::test]
async fn a_page_of_another_origin_may_read_and_sees_retry_after() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let origin = ("Origin", "http://127.0.0.1:9");
    let asks = ("Access-Control-Request-Headers", "content-type,last-event-id");
    let preflight = request(rig.app, "OPTIONS", "/bi-chat/stream", &[origin, asks], None).await.unwrap();
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-headers"], asks.1);
    assert_eq!(rig.ask("counters").await["requests"]["stream"], 0, "a preflight is not a request of the protocol");
    rig.script("stream", json!([{ "status": { "code": 503, "retryAfter": 3 } }])).await;
    let refused = request(rig.app, "POST", "/bi-chat/stream", &[origin], Some(message())).await.unwrap();
    assert_eq!(refused.headers["access-control-allow-origin"], origin.1);
    assert_eq!(refused.headers["access-control-allow-credentials"], "true");
    assert_eq!(refused.headers["access-control-expose-headers"], "Retry-After");
    // A page of the app finds the port that no fault touches.
    let addresses = request(rig.app, "GET", "/control/addresses", &[], None).await.unwrap().json().await;
    assert_eq!(
        addresses,
        json!({ "app": format!("http://{}", rig.app), "control": format!("http://{}", rig.control) })
    );
    let control = request(rig.control, "GET", "/control/config", &[origin], None).await.unwrap();
    assert_eq!(control.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn cross_origin_use_can_be_forbidden() {
    let rig = Rig::start(json!({})).await;
    let status = format!("/bi-chat/stream/status?sessionId={SESSION}");
    let origin = ("Origin", "http://127.0.0.1:9");
    let allowed = |reply: crate::client::Reply| reply.headers.get("access-control-allow-origin").cloned();
    for (rule, answer) in [("none", None), ("*", Some("*")), ("http://a.example", Some("http://a.example"))] {
        rig.set("config", json!({ "cors": { "origin": rule } })).await;
        assert_eq!(allowed(rig.try_get(&status, &[origin]).await.unwrap()).as_deref(), answer);
    }
    rig.set("config", json!({ "cors": { "origin": "reflect", "onErrors": false } })).await;
    rig.script("status", json!([{ "status": { "code": 502 } }])).await;
    assert_eq!(allowed(rig.try_get(&status, &[origin]).await.unwrap()), None);
}
