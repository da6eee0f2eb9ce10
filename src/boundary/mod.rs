//! The `#[wasm_bindgen]` types behind the hand-written classes of the npm package: convert, forward, nothing else.
//!
//! All methods take `&self`, none throws, and none calls JS: what is to be done waits for `orders`, what changed for `flush`.
//! The JS side has validated every argument.

mod active_runs;
mod batcher;
mod event_stream;
mod host;
mod link;
mod options;
mod run_core;
#[cfg(test)]
mod testing;

use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use crate::engine::{
    text_blocks::{self, Unit},
    time::Instant,
};

/// Where to cut `content` into text blocks: ascending UTF-16 positions strictly inside it (B-TB).
#[wasm_bindgen]
pub fn cut_points(content: &str, offsets: &[f64], bytes: bool) -> Vec<u32> {
    text_blocks::cut_points(content, offsets, if bytes { Unit::Bytes } else { Unit::Utf16 })
}

fn instant(ms: f64) -> Instant {
    Instant::from_millis(ms as u64)
}

/// A flush as a JS string: the one decoding of its text.
fn to_js(utf8: &[u8]) -> JsValue {
    // Valid by construction.
    JsValue::from_str(core::str::from_utf8(utf8).unwrap_or_default())
}

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn cuts_are_counted_in_the_units_of_their_offsets() {
        assert_eq!(cut_points("😀ab", &[2.0, 3.0], false), [2, 3]);
        assert_eq!(cut_points("😀ab", &[4.0, 5.0], true), [2, 3]);
        assert_eq!(cut_points("ab", &[f64::NAN, -1.0, 1.5], false), [1]);
    }
}
