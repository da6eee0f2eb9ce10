//! The page's clocks.

use wasm_bindgen::prelude::*;

use crate::engine::time::Instant;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// The monotonic clock, in whole ms since the page began.
pub fn now() -> Instant {
    Instant::from_millis(performance_now() as u64)
}

/// The wall clock, in ms since 1970.
pub fn unix_ms() -> u64 {
    date_now() as u64
}
