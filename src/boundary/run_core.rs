//! Behind the `RunCore` class.

use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::to_js;
use crate::engine::{
    delta::Delta,
    fold::Fold,
    protocol::Protocol,
    window::{CHUNK, Window},
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
        self.held().window.chunk_ptr() as usize
    }

    /// How large a chunk may be, in bytes.
    pub fn chunk_size(&self) -> usize {
        CHUNK
    }

    /// The first `len` bytes of the window are input.
    pub fn push(&self, len: usize) {
        let Held { fold, window, .. } = &mut *self.held();
        fold.handle_chunk(window, len);
    }

    /// No more bytes.
    pub fn end(&self) {
        self.held().fold.handle_ended();
    }

    /// What changed since the last flush.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn flush(&self) -> JsValue {
        let Held { fold, delta, .. } = &mut *self.held();
        fold.write_delta(delta);
        let flush = to_js(delta.finish());
        delta.clear();
        flush
    }
}

impl RawRunCore {
    fn held(&self) -> RefMut<'_, Held> {
        // Nothing is called while it is held that could come back here.
        self.held.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use serde_json::Value;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::{held, write};

    const LOG: &str = "id: 1-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"Grüße, \"}\n\n\
                       id: 2-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"😀\"}\n\n";
    const DONE: &str = "id: 3-0\nevent: done\ndata: {\"type\":\"done\"}\n\n";

    fn core() -> RawRunCore {
        RawRunCore::new("bichat", 1e6)
    }

    /// As the package does it: written from outside into wasm memory, then announced.
    fn push(core: &RawRunCore, bytes: &[u8]) {
        write(core.chunk_ptr(), bytes);
        core.push(bytes.len());
    }

    /// The slot's delta and the text behind it.
    fn flush(core: &RawRunCore) -> (Value, String) {
        let flush = core.flush().as_string().unwrap();
        let Some((head, tail)) = flush.split_once('\n') else { return (Value::Null, String::new()) };
        let deltas: Value = serde_json::from_str(head).unwrap();
        assert_eq!((deltas.as_array().unwrap().len(), &deltas[0]["slot"]), (1, &0.into()));
        (deltas[0].clone(), tail.to_string())
    }

    #[wasm_bindgen_test]
    fn the_window_lies_where_copies_are_fast_and_stays_there() {
        let core = core();
        let at = core.chunk_ptr();
        assert_eq!((at % 4096, core.chunk_size()), (2048, 65_536));
        let others: Vec<_> = (0..8).map(|_| self::core()).collect();
        assert!(others.iter().all(|other| other.chunk_ptr() % 4096 == 2048));
        // Memory that grows moves no address.
        let pages = core::arch::wasm32::memory_grow(0, 1);
        assert_ne!(pages, usize::MAX);
        for byte in LOG.as_bytes() {
            push(&core, &[*byte]);
        }
        assert_eq!((core.chunk_ptr(), flush(&core).1.as_str()), (at, "Grüße, 😀"));
    }

    #[wasm_bindgen_test]
    fn what_changed_is_flushed_once() {
        let core = core();
        push(&core, LOG.as_bytes());
        let (delta, text) = flush(&core);
        assert_eq!((&delta["state"]["status"], &delta["state"]["cursor"]), (&"streaming".into(), &"2-0".into()));
        assert_eq!(text, "Grüße, 😀");
        assert_eq!(core.flush(), "");
        push(&core, DONE.as_bytes());
        let (delta, text) = flush(&core);
        assert_eq!((&delta["state"]["status"], text.as_str()), (&"completed".into(), ""));
        assert_eq!(core.flush(), "");
    }

    #[wasm_bindgen_test]
    fn a_frame_may_end_in_a_later_use_of_the_window() {
        let log = [LOG, DONE].concat();
        for cut in 0..=log.len() {
            let core = core();
            push(&core, &log.as_bytes()[..cut]);
            // What lay in the window before means nothing.
            write(core.chunk_ptr(), &[b'x'; 65_536]);
            push(&core, &log.as_bytes()[cut..]);
            let (delta, text) = flush(&core);
            assert_eq!((&delta["state"]["status"], text.as_str()), (&"completed".into(), "Grüße, 😀"), "{cut}");
        }
    }

    #[wasm_bindgen_test]
    fn an_end_before_the_terminal_event_is_a_truncation() {
        let core = core();
        push(&core, LOG.as_bytes());
        core.end();
        let (delta, _) = flush(&core);
        assert_eq!(delta["state"]["status"], "interrupted");
        assert_eq!(delta["state"]["error"]["code"], "truncated");
        let core = self::core();
        push(&core, DONE.as_bytes());
        core.end();
        assert_eq!(flush(&core).0["state"]["status"], "completed");
    }

    #[wasm_bindgen_test]
    fn behind_the_terminal_event_nothing_counts() {
        let core = core();
        push(&core, DONE.as_bytes());
        flush(&core);
        push(&core, LOG.replace("1-0", "4-0").replace("2-0", "5-0").as_bytes());
        core.end();
        assert_eq!(core.flush(), "");
    }

    #[wasm_bindgen_test]
    fn a_length_beyond_the_window_is_cut_to_it() {
        let core = core();
        write(core.chunk_ptr(), &[b'\n'; 65_536]);
        core.push(65_537);
        core.push(usize::MAX);
        push(&core, LOG.as_bytes());
        assert_eq!(flush(&core).1, "Grüße, 😀");
    }

    #[wasm_bindgen_test]
    fn what_is_freed_is_given_back() {
        let before = held();
        let core = core();
        let empty = core.held().fold.held_bytes();
        push(&core, LOG.as_bytes());
        assert!(core.held().fold.held_bytes() > empty);
        flush(&core);
        drop(core);
        assert_eq!(held(), before);
    }
}
