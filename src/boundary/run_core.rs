//! Behind the `RunCore` class.

use core::cell::RefCell;

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use crate::{
    browser::driver,
    engine::{
        delta::Delta,
        fold::Fold,
        protocol::Protocol,
        window::{CHUNK, Window},
    },
};

/// One run without a transport.
#[wasm_bindgen]
pub struct RawRunCore {
    held: RefCell<Held>,
}

struct Held {
    fold: Fold,
    window: Window,
    delta: Delta,
}

#[wasm_bindgen]
impl RawRunCore {
    /// Reads `protocol`; the JS side knows that there is one of this name.
    #[wasm_bindgen(constructor)]
    pub fn new(protocol: &str, max_event_bytes: f64) -> Self {
        let protocol = Protocol::named(protocol).unwrap_or(Protocol::Bichat);
        let held =
            Held { fold: Fold::new(protocol, max_event_bytes as usize), window: Window::new(), delta: Delta::new() };
        Self { held: RefCell::new(held) }
    }

    /// Where chunks are written to.
    pub fn chunk_ptr(&self) -> usize {
        self.held.borrow().window.chunk_ptr() as usize
    }

    /// How large a chunk may be, in bytes.
    pub fn chunk_size(&self) -> usize {
        CHUNK
    }

    /// The first `len` bytes of the window are input.
    pub fn push(&self, len: usize) {
        let Held { fold, window, .. } = &mut *self.held.borrow_mut();
        fold.handle_chunk(window, len);
    }

    /// No more bytes.
    pub fn end(&self) {
        self.held.borrow_mut().fold.handle_ended();
    }

    /// What changed since the last flush.
    pub fn flush(&self) -> JsString {
        let Held { fold, delta, .. } = &mut *self.held.borrow_mut();
        fold.write_delta(delta);
        driver::take(delta)
    }

    /// Bytes of memory held for this run.
    pub fn held_bytes(&self) -> usize {
        self.held.borrow().fold.held_bytes()
    }
}
