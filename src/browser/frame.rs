//! When to flush: with the next animation frame, and by a timer where frames do not come.
//!
//! A hidden page gets no frames, and neither does an occluded window or a worker. So both are armed, and whichever
//! fires first disarms the other.

use core::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;

use super::alarm::{clear_timeout, set_timeout};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = requestAnimationFrame)]
    static REQUEST: Option<js_sys::Function>;
    #[wasm_bindgen(thread_local_v2, js_name = cancelAnimationFrame)]
    static CANCEL: Option<js_sys::Function>;
}

/// How long to wait for a frame before the timer takes over, in ms.
const LATE: i32 = 100;
/// The flush interval where there are no frames at all, in ms.
const FRAMELESS: i32 = 16;

/// At most one flush is scheduled at any time.
pub struct Frame {
    pending: Cell<bool>,
    frame: RefCell<JsValue>,
    timer: RefCell<JsValue>,
    on_fire: Closure<dyn Fn(JsValue)>,
}

impl Frame {
    /// Calls `on_fire` once per [`Frame::request`].
    pub fn new(on_fire: impl Fn() + 'static) -> Self {
        Self {
            pending: Cell::new(false),
            frame: RefCell::new(JsValue::UNDEFINED),
            timer: RefCell::new(JsValue::UNDEFINED),
            on_fire: Closure::new(move |_| on_fire()),
        }
    }

    /// Schedules a flush unless one is scheduled.
    pub fn request(&self) {
        if self.pending.replace(true) {
            return;
        }
        let framed = REQUEST.with(|request| {
            request.as_ref().and_then(|request| request.call1(&JsValue::UNDEFINED, self.on_fire.as_ref()).ok())
        });
        let delay = if framed.is_some() { LATE } else { FRAMELESS };
        self.frame.replace(framed.unwrap_or(JsValue::UNDEFINED));
        self.timer.replace(set_timeout(self.on_fire.as_ref(), delay));
    }

    /// Drops the scheduled flush, because it happens now.
    pub fn cancel(&self) {
        if !self.pending.replace(false) {
            return;
        }
        clear_timeout(&self.timer.replace(JsValue::UNDEFINED));
        let frame = self.frame.replace(JsValue::UNDEFINED);
        if !frame.is_undefined() {
            CANCEL.with(|cancel| cancel.as_ref().map(|cancel| cancel.call1(&JsValue::UNDEFINED, &frame)));
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.cancel();
    }
}
