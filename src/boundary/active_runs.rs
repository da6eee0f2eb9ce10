//! Behind the `ActiveRunsCore` class.

use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::to_js;
use crate::engine::{
    active_runs::solo::Solo,
    delta::Delta,
    window::{CHUNK, Window},
};

/// The active runs of a feed without a transport.
#[wasm_bindgen]
pub struct RawActiveRuns {
    held: RefCell<Held>,
}

struct Held {
    solo: Solo,
    window: Window,
    delta: Delta,
}

#[wasm_bindgen]
impl RawActiveRuns {
    /// `seed` from 0 to 1.
    #[wasm_bindgen(constructor)]
    pub fn new(max_event_bytes: f64, seed: f64) -> Self {
        let seed = (seed * 9_007_199_254_740_992.0) as u64;
        let held = Held { solo: Solo::new(max_event_bytes as usize, seed), window: Window::new(), delta: Delta::new() };
        Self { held: RefCell::new(held) }
    }

    /// Where chunks are written to.
    pub fn chunk_ptr(&self) -> usize {
        self.held().window.chunk_ptr() as usize
    }

    /// How large a chunk may be, in bytes.
    pub fn chunk_size(&self) -> usize {
        CHUNK
    }

    /// The first `len` bytes of the window are input.
    pub fn push(&self, len: usize) {
        let Held { solo, window, .. } = &mut *self.held();
        solo.handle_chunk(window, len);
    }

    /// A new connection begins.
    pub fn restart(&self) {
        self.held().solo.handle_restart();
    }

    /// What changed since the last flush.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn flush(&self) -> JsValue {
        let Held { solo, delta, .. } = &mut *self.held();
        solo.write_delta(delta);
        let flush = to_js(delta.finish());
        delta.clear();
        flush
    }
}

impl RawActiveRuns {
    fn held(&self) -> RefMut<'_, Held> {
        // Nothing is called while it is held that could come back here.
        self.held.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::{held, write};

    #[wasm_bindgen_test]
    fn rows_go_in_and_numbers_come_out_and_nothing_is_left() {
        let before = held();
        for _ in 0..20 {
            let core = RawActiveRuns::new(1e7, 0.5);
            let row = b"event: snapshot\ndata: {\"sessionId\":\"s\",\"runId\":\"r\",\"status\":\"queued\",\"updatedAt\":7}\n\n";
            write(core.chunk_ptr(), row);
            core.push(row.len());
            let flush = core.flush().as_string().unwrap();
            assert_eq!(flush, "[{\"slot\":1,\"since\":7,\"rows\":[0,24,0],\"names\":[\"s\",\"r\"],\"ready\":true}]\n");
            core.restart();
            assert_eq!(core.flush().as_string().unwrap(), "");
        }
        assert_eq!(held(), before);
    }
}
