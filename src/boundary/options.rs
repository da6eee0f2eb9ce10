//! Options by hand: a flat object that JS has validated and filled in.

use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use crate::engine::{
    backoff::{self, Jitter},
    config::Config,
    liveness,
    time::Millis,
};

#[wasm_bindgen(module = "/src/boundary/options.js")]
extern "C" {
    #[wasm_bindgen(js_name = numbersOf)]
    fn numbers_of(options: &JsValue) -> Vec<f64>;
}

/// The engine's policies, and the connect grace, if there is one.
pub fn read(options: &JsValue) -> (Config, Option<Millis>) {
    let numbers = numbers_of(options);
    let mut numbers = numbers.iter();
    let mut next = || *numbers.next().unwrap_or(&0.0);
    // `Infinity` saturates: a span that never ends.
    let mut millis = || Millis(next() as u64);
    let some = |span: Millis| (span != Millis::ZERO).then_some(span);
    let defaults = Config::default();
    let (base, cap, stable_after, give_up_after) = (millis(), millis(), millis(), millis());
    let max_attempts = millis().0.min(u32::MAX.into()) as u32;
    let liveness = liveness::Policy { stall: millis(), floor: millis(), ..defaults.liveness };
    let (grace, send_timeout, status_timeout, stop_timeout) = (millis(), millis(), millis(), millis());
    let max_event_bytes = millis().0.min(u32::MAX.into()) as usize;
    let jitter = if millis() == Millis::ZERO { Jitter::None } else { Jitter::Full };
    let config = Config {
        backoff: backoff::Policy { base, cap, jitter, stable_after },
        liveness,
        give_up_after,
        max_attempts,
        send_timeout: some(send_timeout),
        status_timeout,
        stop_timeout,
        max_event_bytes,
        event_log: millis() != Millis::ZERO,
        native: millis() != Millis::ZERO,
        ..defaults
    };
    (config, some(grace))
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
        let (config, grace) = read(&options);
        assert_eq!(
            (config.backoff.base, config.backoff.cap, config.backoff.stable_after),
            (Millis(1), Millis(2), Millis(3))
        );
        assert!(matches!(config.backoff.jitter, Jitter::Full));
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(4), 5));
        assert_eq!((config.liveness.stall, config.liveness.floor), (Millis(6), Millis(7)));
        assert_eq!((grace, config.send_timeout), (Some(Millis(8)), Some(Millis(9))));
        assert_eq!((config.status_timeout, config.stop_timeout), (Millis(10), Millis(11)));
        assert_eq!((config.max_event_bytes, config.native, config.event_log), (12, true, false));
    }

    #[wasm_bindgen_test]
    fn without_limits_nothing_overflows() {
        let options = testing::options(
            "",
            r#"{"retryBudgetMs":1e999,"retryMaxAttempts":1e999,"stallMs":1e999,"connectGraceMs":0,"connectTimeoutMs":0}"#,
        );
        let (config, grace) = read(&options);
        assert_eq!((config.give_up_after, config.max_attempts), (Millis(u64::MAX), u32::MAX));
        assert_eq!((config.liveness.stall, config.send_timeout, grace), (Millis(u64::MAX), None, None));
    }
}
