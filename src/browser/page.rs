//! What `page.js` beside this file offers, and the one kind of closure that it calls.

use alloc::string::String;

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/page.js")]
extern "C" {
    #[wasm_bindgen(js_name = openStream)]
    pub(super) fn open_stream(
        options: &JsValue,
        hooks: &JsValue,
        path: &str,
        accept: &str,
        body: Option<&str>,
        cursor: Option<&str>,
        tell: &JsValue,
    ) -> JsValue;

    /// The browser's own type.
    #[derive(Debug)]
    pub type Response;
    #[wasm_bindgen(method, getter)]
    pub(super) fn status(this: &Response) -> u16;
    pub(super) fn header(response: &Response, name: &str) -> Option<String>;

    /// A `Uint8Array`.
    #[derive(Debug)]
    pub type Chunk;
    #[wasm_bindgen(method, getter)]
    pub(super) fn length(this: &Chunk) -> u32;
    #[wasm_bindgen(js_name = copyPart)]
    pub(super) fn copy_part(chunk: &Chunk, at: u32, space: &mut [u8]);

    #[derive(Clone)]
    pub(super) type Source;
    #[wasm_bindgen(js_name = openSource)]
    pub(super) fn open_source(
        options: &JsValue,
        hooks: &JsValue,
        path: &str,
        names: &str,
        terminal: &str,
        tell: &JsValue,
    ) -> Option<Source>;
    pub(super) fn take(source: &Source, space: &mut [u8]) -> u32;
    #[wasm_bindgen(js_name = stopSource)]
    pub(super) fn stop_source(source: &Source);

    pub(super) fn wake(hooks: &JsValue);
    pub(super) fn call(it: &JsValue);
    pub(super) fn weather() -> u32;
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(tell: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = requestFrame)]
    pub(super) fn request_frame(tell: &JsValue, late: i32, frameless: i32) -> JsValue;
}

/// What JS calls, for whatever there is to tell: every kind of closure costs code on both sides.
pub(super) type Tell = Closure<dyn Fn(u32, JsValue)>;

/// A registration: it ends when this is dropped, and then nothing is told any more.
pub(super) struct Registration {
    stop: JsValue,
    _tell: Tell,
}

impl Registration {
    /// `open` gives what stops it.
    pub fn new(tell: Tell, open: impl FnOnce(&JsValue) -> JsValue) -> Self {
        Self { stop: open(tell.as_ref()), _tell: tell }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        call(&self.stop);
    }
}
