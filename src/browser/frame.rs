//! When to flush: with the next animation frame, and by a timer where frames do not come.
//!
//! A hidden page gets no frames, and neither does an occluded window or a worker. So both are armed, and whichever
//! fires first disarms the other.

use core::cell::Cell;

use wasm_bindgen::prelude::*;

use super::page::{self, Tell};

/// How long to wait for a frame before the timer takes over, in ms.
const LATE: i32 = 100;
/// The flush interval where there are no frames at all, in ms.
const FRAMELESS: i32 = 16;

/// At most one flush is scheduled at any time.
pub struct Frame {
    // What stops it, while one is scheduled.
    pending: Cell<Option<JsValue>>,
    tell: Tell,
}

impl Frame {
    /// Calls `on_fire` once per [`Frame::request`].
    pub fn new(on_fire: impl Fn() + 'static) -> Self {
        Self { pending: Cell::new(None), tell: Closure::new(move |_: u32, _: JsValue| on_fire()) }
    }

    /// Schedules a flush unless one is scheduled.
    pub fn request(&self) {
        let pending = self.pending.take();
        self.pending.set(Some(match pending {
            Some(stop) => stop,
            None => page::request_frame(self.tell.as_ref(), LATE, FRAMELESS),
        }));
    }

    /// Drops the scheduled flush, because it happens now.
    pub fn cancel(&self) {
        if let Some(stop) = self.pending.take() {
            page::call(&stop);
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
