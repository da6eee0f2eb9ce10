//! The `#[wasm_bindgen]` types behind the hand-written classes of the npm package: convert, forward, nothing else.
