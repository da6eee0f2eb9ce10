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

#[cfg(test)]
mod tests {
    use std::{cell::OnceCell, rc::Rc};

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing::{Told, assert_quiet, live_frames, live_timers, stop_frames, timer};

    /// Cancels first when it fires, as the driver does.
    fn frame() -> (Rc<OnceCell<Frame>>, Told<()>) {
        let told = Told::new();
        let cell = Rc::new(OnceCell::<Frame>::new());
        let (of_frame, back) = (told.clone(), Rc::downgrade(&cell));
        let fire = move || {
            if let Some(cell) = back.upgrade() {
                cell.get().unwrap().cancel();
            }
            of_frame.push(());
        };
        assert!(cell.set(Frame::new(fire)).is_ok());
        (cell, told)
    }

    #[wasm_bindgen_test]
    async fn any_number_of_requests_makes_one_call() {
        let before = (live_frames(), live_timers());
        let (frame, told) = frame();
        let frame = frame.get().unwrap();
        for _ in 0..100 {
            frame.request();
        }
        assert_eq!((live_frames(), live_timers()), (before.0 + 1, before.1 + 1));
        told.count(1).await;
        timer(LATE as u32 + 20).await.unwrap();
        assert_eq!((told.len(), live_frames(), live_timers()), (1, before.0, before.1));
        frame.request();
        told.count(2).await;
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn on_a_page_without_frames_the_timer_takes_over() {
        let before = (live_frames(), live_timers());
        let (frame, told) = frame();
        stop_frames(true);
        frame.get().unwrap().request();
        told.count(1).await;
        stop_frames(false);
        timer(50).await.unwrap();
        assert_eq!((told.len(), live_frames(), live_timers()), (1, before.0, before.1));
    }

    #[wasm_bindgen_test]
    async fn what_was_cancelled_does_not_happen() {
        let before = (live_frames(), live_timers());
        let (frame, told) = frame();
        let frame = frame.get().unwrap();
        frame.request();
        frame.cancel();
        assert_eq!((live_frames(), live_timers()), before);
        timer(LATE as u32 + 20).await.unwrap();
        assert_eq!(told.len(), 0);
        frame.request();
        told.count(1).await;
    }

    #[wasm_bindgen_test]
    async fn dropping_it_cancels() {
        let before = (live_frames(), live_timers());
        let (frame, told) = frame();
        frame.get().unwrap().request();
        drop(frame);
        assert_eq!((live_frames(), live_timers()), before);
        timer(LATE as u32 + 20).await.unwrap();
        assert_eq!(told.len(), 0);
        assert_quiet().await;
    }
}
