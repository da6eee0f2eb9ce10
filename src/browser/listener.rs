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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing::{Told, Witness, assert_quiet, live_listeners, tell_window};

    fn window() -> EventTarget {
        js_sys::global().unchecked_into()
    }

    #[wasm_bindgen_test]
    async fn it_hears_all_its_names_until_it_is_dropped() {
        let before = live_listeners();
        let told = Told::new();
        let of_listener = told.clone();
        let listener = Listener::new(&window(), &["one", "two"], move |event| of_listener.push(event.type_()));
        assert_eq!(live_listeners(), before + 2);
        tell_window("one");
        tell_window("three");
        tell_window("two");
        drop(listener);
        assert_eq!(live_listeners(), before);
        tell_window("one");
        assert_eq!(told.all(), ["one", "two"]);
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn an_event_dispatched_by_its_own_handler_is_heard() {
        let told = Told::new();
        let of_listener = told.clone();
        let _listener = Listener::new(&window(), &["again"], move |_| {
            of_listener.push(());
            if of_listener.len() < 5 {
                tell_window("again");
            }
        });
        tell_window("again");
        assert_eq!(told.len(), 5);
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn its_handler_may_drop_it_and_still_has_what_it_holds() {
        let dropped = Rc::default();
        let witness = Witness(Rc::clone(&dropped));
        let told = Told::new();
        let of_listener = told.clone();
        let own = Rc::new(RefCell::new(None::<Listener>));
        let back = Rc::downgrade(&own);
        let listener = Listener::new(&window(), &["last", "more"], move |_| {
            let own = back.upgrade().unwrap();
            drop(own.borrow_mut().take());
            tell_window("more");
            of_listener.push(witness.0.get());
        });
        own.borrow_mut().replace(listener);
        tell_window("last");
        tell_window("last");
        assert_eq!((told.all(), dropped.get()), (vec![0], 1));
        assert_quiet().await;
    }
}
