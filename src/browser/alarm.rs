//! The client's one timer.

use core::cell::Cell;

use wasm_bindgen::prelude::*;

use super::page::Tell;
use crate::engine::time::Instant;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(tell: &JsValue, ms: i32, what: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// One `setTimeout`, armed for the earliest deadline it was told.
///
/// A deadline that moves later leaves the armed timer alone: it fires early, which is harmless, and is then armed
/// anew. So a busy stream, whose silence deadline moves with every chunk, costs no timer calls.
pub struct Alarm {
    armed: Cell<Option<Instant>>,
    id: Cell<JsValue>,
    on_fire: Tell,
}

impl Alarm {
    /// An unarmed timer that calls `on_fire`.
    pub fn new(on_fire: impl Fn() + 'static) -> Self {
        Self {
            armed: Cell::new(None),
            id: Cell::new(JsValue::UNDEFINED),
            on_fire: Closure::new(move |_: u32, _: JsValue| on_fire()),
        }
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
        self.id.set(set_timeout(self.on_fire.as_ref(), delay as i32, 0));
    }

    /// To be called first when it fires: it is not armed any more.
    pub fn fired(&self) {
        self.armed.set(None);
    }

    /// Disarms it.
    pub fn clear(&self) {
        self.armed.set(None);
        clear_timeout(&self.id.take());
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        browser::{
            clock,
            testing::{Told, assert_quiet, live_timers, take_delays, timer},
        },
        engine::time::Millis,
    };

    fn alarm() -> (Rc<Alarm>, Told<Instant>) {
        let told = Told::new();
        let of_alarm = told.clone();
        let alarm = Rc::new(Alarm::new(move || of_alarm.push(clock::now())));
        (alarm, told)
    }

    #[wasm_bindgen_test]
    async fn it_fires_at_its_deadline_once() {
        let timers = live_timers();
        let (alarm, told) = alarm();
        let now = clock::now();
        let deadline = now + Millis(20);
        alarm.set(Some(deadline), now);
        told.count(1).await;
        // The page's clock is coarse: the last millisecond may be missing.
        assert!(told.all()[0] + Millis(1) >= deadline);
        timer(30).await.unwrap();
        assert_eq!((told.len(), live_timers()), (1, timers));
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn a_later_deadline_leaves_the_armed_timer_alone() {
        let timers = live_timers();
        let (alarm, told) = alarm();
        let now = clock::now();
        alarm.set(Some(now + Millis(10)), now);
        take_delays();
        for later in 10..1_000 {
            alarm.set(Some(now + Millis(later)), now);
        }
        assert_eq!((take_delays(), live_timers()), (vec![], timers + 1));
        told.count(1).await;
    }

    #[wasm_bindgen_test]
    async fn an_earlier_deadline_replaces_the_armed_timer() {
        let timers = live_timers();
        let (alarm, told) = alarm();
        let now = clock::now();
        alarm.set(Some(now + Millis(60_000)), now);
        alarm.set(Some(now + Millis(5)), now);
        assert_eq!(live_timers(), timers + 1);
        told.count(1).await;
        assert!(told.all()[0] < now + Millis(60_000));
        assert_eq!(live_timers(), timers);
    }

    #[wasm_bindgen_test]
    async fn no_deadline_leaves_what_is_armed() {
        let (alarm, told) = alarm();
        let now = clock::now();
        alarm.set(Some(now + Millis(1)), now);
        alarm.set(None, now);
        told.count(1).await;
    }

    #[wasm_bindgen_test]
    async fn once_fired_it_can_be_set_anew() {
        let (alarm, told) = alarm();
        let now = clock::now();
        alarm.set(Some(now + Millis(1)), now);
        told.count(1).await;
        alarm.fired();
        let now = clock::now();
        alarm.set(Some(now + Millis(100_000)), now);
        alarm.set(Some(now), now);
        told.count(2).await;
    }

    #[wasm_bindgen_test]
    async fn a_deadline_further_away_than_browsers_can_wait_does_not_fire_at_once() {
        let (alarm, told) = alarm();
        let now = clock::now();
        for span in [i32::MAX as u64, i32::MAX as u64 + 1, u64::from(u32::MAX) + 1, u64::MAX] {
            take_delays();
            alarm.set(Some(now + Millis(span)), now);
            alarm.fired();
            assert_eq!(take_delays(), [f64::from(i32::MAX)]);
        }
        timer(20).await.unwrap();
        assert_eq!(told.len(), 0);
    }

    #[wasm_bindgen_test]
    async fn dropping_it_disarms_it() {
        let timers = live_timers();
        let (alarm, told) = alarm();
        let now = clock::now();
        alarm.set(Some(now + Millis(5)), now);
        drop(alarm);
        assert_eq!(live_timers(), timers);
        timer(20).await.unwrap();
        assert_eq!(told.len(), 0);
        assert_quiet().await;
    }
}
