//! Behind `ManagedEventSource`: bytes in, the events they hold out.

use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::to_js;
use crate::engine::{delta::Delta, event_stream::EventStream};

/// One event stream after another.
#[wasm_bindgen]
pub struct RawEventStream {
    held: RefCell<(EventStream, Delta)>,
}

#[wasm_bindgen]
impl RawEventStream {
    /// Events may have so many bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(max_event_bytes: f64) -> Self {
        Self { held: RefCell::new((EventStream::new(max_event_bytes as usize), Delta::new())) }
    }

    /// A new connection begins.
    pub fn restart(&self) {
        self.held().0.restart();
    }

    /// Where the next `len` bytes are to be written to, before `push`.
    pub fn room(&self, len: usize) -> usize {
        self.held().0.room(len).as_ptr() as usize
    }

    /// What the bytes in the room say: see the engine's `event_stream`.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn push(&self, len: usize) -> JsValue {
        let (stream, delta) = &mut *self.held();
        stream.push(len, delta);
        let events = to_js(delta.finish());
        delta.clear();
        events
    }
}

impl RawEventStream {
    fn held(&self) -> RefMut<'_, (EventStream, Delta)> {
        // Nothing is called while it is held that could come back here.
        self.held.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::{held, write};

    fn push(stream: &RawEventStream, bytes: &[u8]) -> JsValue {
        write(stream.room(bytes.len()), bytes);
        stream.push(bytes.len())
    }

    #[wasm_bindgen_test]
    fn bytes_become_events() {
        let stream = RawEventStream::new(f64::INFINITY);
        assert_eq!(push(&stream, "data: Grü".as_bytes()), "");
        assert_eq!(push(&stream, "ße 😀\n\nevent: x\nid: 1\ndata: a\n\n".as_bytes()), "[8,[1,\"x\",\"1\"]]\nGrüße 😀a");
        push(&stream, b"data: half");
        stream.restart();
        assert_eq!(push(&stream, b"data: b\n\n"), "[1]\nb");
        assert_eq!(stream.push(usize::MAX / 2), "");
    }

    #[wasm_bindgen_test]
    fn nothing_is_left_of_a_stream() {
        let before = held();
        let stream = RawEventStream::new(1e6);
        push(&stream, b"data: half");
        drop(stream);
        assert_eq!(held(), before);
    }
}
