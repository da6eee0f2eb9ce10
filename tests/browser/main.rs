//! What only a real browser can show: that the wasm instantiates and answers there.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_engine_runs_inside_a_page() {
    let mut rng = steadystream::engine::rng::Rng::seeded(7);
    let mut again = steadystream::engine::rng::Rng::seeded(7);
    assert_eq!(rng.next_u64(), again.next_u64());
}
