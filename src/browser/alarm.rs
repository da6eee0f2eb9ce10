//! The client's one timer.

use core::cell::Cell;

use wasm_bindgen::prelude::*;

use crate::engine::time::Instant;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(handler: &JsValue, ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(id: &JsValue);
}

/// One `setTimeout`, armed for the earliest deadline it was told.
///
/// A deadline that moves later leaves the armed timer alone: it fires early, which is harmless, and is then armed
/// anew. So a busy stream, whose silence deadline moves with every chunk, costs no timer calls.
pub struct Alarm {
    armed: Cell<Option<Instant>>,
    id: Cell<JsValue>,
    on_fire: Closure<dyn Fn(JsValue)>,
}

impl Alarm {
    /// An unarmed timer that calls `on_fire`.
    pub fn new(on_fire: impl Fn() + 'static) -> Self {
        Self { armed: Cell::new(None), id: Cell::new(JsValue::UNDEFINED), on_fire: Closure::new(move |_| on_fire()) }
    }

    /// Fires at `deadline` or before.
    pub fn set(&self, deadline: Option<Instant>, now: Instant) {
        let Some(deadline) = deadline else { return };
        if self.armed.get().is_some_and(|armed| armed <= deadline) {
            return;
        }
        clear_timeout(&self.id.take());
        // Beyond 2^31-1 ms browsers fire at once: wake earlier and look again.
        let delay = deadline.since(now).0.min(i32::MAX as u64);
        self.armed.set(Some(deadline));
        self.id.set(set_timeout(self.on_fire.as_ref(), delay as i32));
    }

    /// To be called first when it fires: it is not armed any more.
    pub fn fired(&self) {
        self.armed.set(None);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        clear_timeout(&self.id.take());
    }
}
