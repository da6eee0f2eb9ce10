//! An event listener that lives as long as the value.

use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Event, EventTarget};

/// Registered while it exists.
#[derive(Debug)]
#[must_use = "a listener is removed when it is dropped"]
pub struct Listener {
    target: EventTarget,
    names: &'static [&'static str],
    // `dyn Fn`: an event may be dispatched while the same listener runs.
    handler: Closure<dyn Fn(JsValue)>,
}

impl Listener {
    /// Listens on `target` for all of `names` with one handler.
    pub fn new(target: &EventTarget, names: &'static [&'static str], handler: impl Fn(Event) + 'static) -> Self {
        let handler = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| handler(event.unchecked_into::<Event>()));
        for name in names {
            // Adding a function as a listener cannot throw.
            let _ = target.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
        }
        Self { target: target.clone(), names, handler }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for name in self.names {
            let _ = self.target.remove_event_listener_with_callback(name, self.handler.as_ref().unchecked_ref());
        }
    }
}
