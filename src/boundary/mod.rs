//! The `#[wasm_bindgen]` types behind the hand-written classes of the npm package: convert, forward, nothing else.
//!
//! All methods take `&self`, none throws, and none calls user code: what changed waits for `flush`. The JS side has
//! validated every argument.

mod client;
mod options;
mod run_core;

use alloc::vec::Vec;

use wasm_bindgen::prelude::*;

use crate::{
    browser::driver,
    engine::text_blocks::{self, Unit},
};

/// Where to cut `content` into text blocks: ascending UTF-16 positions strictly inside it (B-TB).
#[wasm_bindgen]
pub fn cut_points(content: &str, offsets: &[f64], bytes: bool) -> Vec<u32> {
    text_blocks::cut_points(content, offsets, if bytes { Unit::Bytes } else { Unit::Utf16 })
}

/// How many entries of the page are on the stack; above zero after a trap in one of them.
#[wasm_bindgen]
pub fn depth() -> u32 {
    driver::depth()
}
