//! What the tests in Chromium share: the page's side in `tests/browser/page.js`, conditions to wait for, and a heap that
//! counts.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    panic::Location,
    rc::Rc,
    sync::atomic::{AtomicIsize, Ordering::Relaxed},
};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::http::Http;

#[wasm_bindgen(module = "/tests/browser/page.js")]
extern "C" {
    #[wasm_bindgen(js_name = liveTimers)]
    pub fn live_timers() -> u32;
    #[wasm_bindgen(js_name = liveFrames)]
    pub fn live_frames() -> u32;
    #[wasm_bindgen(js_name = liveListeners)]
    pub fn live_listeners() -> u32;
    #[wasm_bindgen(js_name = takeDelays)]
    pub fn take_delays() -> Vec<f64>;
    #[wasm_bindgen(js_name = stopFrames)]
    pub fn stop_frames(stop: bool);
    #[wasm_bindgen(js_name = takeUncaught)]
    fn take_uncaught() -> String;

    pub fn collect();
    #[wasm_bindgen(js_name = thrown)]
    pub fn catch(call: &JsValue) -> String;

    pub fn turn() -> Promise;
    pub fn timer(ms: u32) -> Promise;

    #[wasm_bindgen(js_name = setHidden)]
    pub fn set_hidden(hidden: bool);
    #[wasm_bindgen(js_name = setOnline)]
    pub fn set_online(online: bool);
    #[wasm_bindgen(js_name = tellWindow)]
    pub fn tell_window(name: &str);
    #[wasm_bindgen(js_name = tellDocument)]
    pub fn tell_document(name: &str);

    pub type Ledger;
    #[wasm_bindgen(constructor)]
    pub fn new() -> Ledger;
    #[wasm_bindgen(method, getter)]
    pub fn opened(this: &Ledger) -> Function;
    #[wasm_bindgen(method, getter)]
    pub fn closed(this: &Ledger) -> Function;
    #[wasm_bindgen(method, getter)]
    pub fn live(this: &Ledger) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn count(this: &Ledger) -> u32;
    #[wasm_bindgen(method, getter)]
    fn complaints(this: &Ledger) -> String;

    #[wasm_bindgen(js_name = blobUrl)]
    pub fn blob_url(body: &str, content_type: &str) -> String;
    pub fn revoke(url: &str);
    pub fn bodyless(status: u16) -> Response;
    #[wasm_bindgen(js_name = readAlready)]
    pub fn read_already() -> Response;

    #[wasm_bindgen(js_name = Network)]
    pub type ScriptedNetwork;
    #[wasm_bindgen(constructor, js_class = "Network")]
    fn new() -> ScriptedNetwork;
    #[wasm_bindgen(method)]
    fn restore(this: &ScriptedNetwork);
    #[wasm_bindgen(method, setter, js_name = onAbort)]
    pub fn set_on_abort(this: &ScriptedNetwork, call: &JsValue);
    #[wasm_bindgen(method, getter)]
    pub fn count(this: &ScriptedNetwork) -> u32;
    #[wasm_bindgen(method)]
    pub fn url(this: &ScriptedNetwork, at: u32) -> String;
    #[wasm_bindgen(method)]
    pub fn method(this: &ScriptedNetwork, at: u32) -> String;
    #[wasm_bindgen(method)]
    pub fn text(this: &ScriptedNetwork, at: u32) -> String;
    #[wasm_bindgen(method)]
    pub fn header(this: &ScriptedNetwork, at: u32, name: &str) -> String;
    #[wasm_bindgen(method, js_name = isAborted)]
    pub fn is_aborted(this: &ScriptedNetwork, at: u32) -> bool;
    #[wasm_bindgen(method)]
    pub fn refuse(this: &ScriptedNetwork, at: u32);
    #[wasm_bindgen(method)]
    pub fn respond(this: &ScriptedNetwork, at: u32, response: &Response);
    #[wasm_bindgen(method)]
    pub fn head(this: &ScriptedNetwork, at: u32, status: u16, content_type: &str);
    #[wasm_bindgen(method)]
    pub fn send(this: &ScriptedNetwork, at: u32, text: &str);
    #[wasm_bindgen(method)]
    pub fn end(this: &ScriptedNetwork, at: u32);
    #[wasm_bindgen(method, js_name = break)]
    pub fn break_off(this: &ScriptedNetwork, at: u32);

    pub fn headers(kind: &str) -> Function;
    #[wasm_bindgen(js_name = answerHeaders)]
    pub fn answer_headers();

    pub fn options(base: &str, changes: &str) -> JsValue;
    pub fn hooks(wake: &JsValue, ledger: &Ledger) -> JsValue;
    pub fn write(memory: &JsValue, at: usize, bytes: &[u8]);
}

pub const EVENT_STREAM: &str = "text/event-stream";

/// `fetch` answered by the test, until it is dropped.
pub struct Network(ScriptedNetwork);

impl Network {
    pub fn new() -> Self {
        Self(ScriptedNetwork::new())
    }
}

impl core::ops::Deref for Network {
    type Target = ScriptedNetwork;

    fn deref(&self) -> &ScriptedNetwork {
        &self.0
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.0.restore();
    }
}

impl Ledger {
    /// Nothing lives, and nothing was told twice.
    #[track_caller]
    pub fn assert_balanced(&self) {
        assert_eq!((self.live(), self.complaints().as_str()), (0, ""));
    }
}

/// Everything at `base`, without headers.
pub fn http(base: &str, ledger: &Ledger) -> Http {
    Http { options: options(base, r#"{"credentials":"same-origin"}"#), hooks: hooks(&JsValue::UNDEFINED, ledger) }
}

/// Waits until `condition` holds; ten seconds are for ever.
#[track_caller]
pub fn until(mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let limit = js_sys::Date::now() + 10_000.0;
        while !condition() {
            assert!(js_sys::Date::now() < limit, "it never came: {caller}");
            turn().await.unwrap();
        }
    }
}

/// Lets everything run out that a turn or two of the event loop can bring: settled promises, rejections nobody caught.
pub async fn settle() {
    for _ in 0..3 {
        turn().await.unwrap();
        timer(0).await.unwrap();
    }
}

/// The end of every test: nothing was thrown at the page.
#[track_caller]
pub fn assert_quiet() -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        settle().await;
        let uncaught = take_uncaught();
        assert!(uncaught.is_empty(), "{uncaught}, before {caller}");
    }
}

/// What was told, in order.
pub struct Told<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Told<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Told<T> {
    pub fn new() -> Self {
        Self(Rc::default())
    }

    pub fn push(&self, item: T) {
        self.0.borrow_mut().push(item);
    }

    pub fn all(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits until `count` were told.
    #[track_caller]
    pub fn count(&self, count: usize) -> impl Future<Output = ()> {
        let told = self.clone();
        until(move || told.len() >= count)
    }
}

static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counted;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static HEAP: Counted = Counted;

/// What Rust holds right now: bytes of its heap, and JS values.
pub fn held() -> (isize, isize) {
    (LIVE.load(Relaxed), wasm_bindgen::externref_heap_live_count() as isize)
}
