//! Options by hand: a flat object that JS has validated and filled in.

use alloc::string::String;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use crate::{
    browser::http::Http,
    engine::{
        backoff::{self, Jitter},
        config::Config,
        liveness,
        time::Millis,
    },
};

struct Options<'a>(&'a JsValue);

impl Options<'_> {
    fn get(&self, name: &str) -> JsValue {
        Reflect::get(self.0, &JsValue::from_str(name)).unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        self.get(name).as_string().unwrap_or_default()
    }

    /// `Infinity` saturates: a span that never ends.
    fn millis(&self, name: &str) -> Millis {
        Millis(self.get(name).as_f64().unwrap_or_default() as u64)
    }

    fn count(&self, name: &str) -> u32 {
        self.get(name).as_f64().unwrap_or_default() as u32
    }
}

/// The engine's policies.
pub fn config(options: &JsValue) -> Config {
    let options = Options(options);
    let some = |span: Millis| (span != Millis::ZERO).then_some(span);
    let stall = options.millis("stallMs");
    let defaults = Config::default();
    Config {
        backoff: backoff::Policy {
            base: options.millis("retryBaseMs"),
            cap: options.millis("retryCapMs"),
            jitter: if options.get("retryJitter").is_truthy() { Jitter::Full } else { Jitter::None },
            stable_after: options.millis("retryStableMs"),
        },
        liveness: liveness::Policy { stall, floor: options.millis("livenessFloorMs"), ..defaults.liveness },
        give_up_after: options.millis("retryBudgetMs"),
        max_attempts: options.count("retryMaxAttempts"),
        send_timeout: some(options.millis("connectTimeoutMs")),
        status_timeout: options.millis("statusTimeoutMs"),
        stop_timeout: options.millis("stopTimeoutMs"),
        native: options.text("transport") == "eventsource",
        event_log: options.get("eventLog").is_truthy(),
        max_event_bytes: options.count("maxEventBytes") as usize,
        ..defaults
    }
}

/// The connect grace, if there is one.
pub fn grace(options: &JsValue) -> Option<Millis> {
    let grace = Options(options).millis("connectGraceMs");
    (grace != Millis::ZERO).then_some(grace)
}

/// What all requests share.
pub fn http(options: &JsValue, hooks: &JsValue) -> Http {
    Http { options: options.clone(), hooks: hooks.clone() }
}

/// The function that flushes.
pub fn wake(hooks: &JsValue) -> JsValue {
    Options(hooks).get("wake")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing;

    #[wasm_bindgen_test]
    fn every_option_arrives() {
        let options = testing::options(
            "https://example.org",
            r#"{"streamEndpoint":"/stream","transport":"eventsource","eventLog":false,"credentials":"omit","retryBaseMs":1,
                "retryCapMs":2,"retryJitter":true,"retryStableMs":3,"retryBudgetMs":4,"retryMaxAttempts":5,"stallMs":6,
                "livenessFloorMs":7,"connectGraceMs":8,"connectTimeoutMs":9,"statusTimeoutMs":10,"stopTimeoutMs":11,
                "maxEventBytes":12}"#,
        );
        let config = config(&options);
        assert_eq!(
            (config.backoff.base, config.backoff.cap, config.backoff.stable_after),
            (Millis(1), Millis(2), Millis(3))
        );
        assert!(matches!(config.backoff.jitter, Jitter::Full));
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(4), 5));
        assert_eq!((config.liveness.stall, config.liveness.floor), (Millis(6), Millis(7)));
        assert_eq!((grace(&options), config.send_timeout), (Some(Millis(8)), Some(Millis(9))));
        assert_eq!((config.status_timeout, config.stop_timeout), (Millis(10), Millis(11)));
        assert_eq!((config.max_event_bytes, config.native, config.event_log), (12, true, false));
    }

    #[wasm_bindgen_test]
    fn without_limits_nothing_overflows() {
        let options = testing::options(
            "",
            r#"{"retryBudgetMs":1e999,"retryMaxAttempts":1e999,"stallMs":1e999,"connectGraceMs":0,"connectTimeoutMs":0}"#,
        );
        let config = config(&options);
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(u64::MAX), u32::MAX));
        assert_eq!((config.liveness.stall, config.send_timeout, grace(&options)), (Millis(u64::MAX), None, None));
    }
}
