//! What the page tells of its surroundings, as the engine's signals.

use wasm_bindgen::{JsCast, prelude::*};
use web_sys::EventTarget;

use super::listener::Listener;
use crate::engine::environment::{Environment, Signal};

#[wasm_bindgen]
extern "C" {
    type Surroundings;
    #[wasm_bindgen(method, getter)]
    fn navigator(this: &Surroundings) -> Option<Navigator>;
    #[wasm_bindgen(method, getter)]
    fn document(this: &Surroundings) -> Option<Document>;

    type Navigator;
    #[wasm_bindgen(method, getter, js_name = onLine)]
    fn on_line(this: &Navigator) -> Option<bool>;

    type Document;
    #[wasm_bindgen(method, getter)]
    fn hidden(this: &Document) -> bool;
}

fn surroundings() -> Surroundings {
    js_sys::global().unchecked_into()
}

/// Whether the browser believes that there is a network. Where it does not say, there is.
pub fn is_online() -> bool {
    surroundings().navigator().and_then(|navigator| navigator.on_line()).unwrap_or(true)
}

/// The surroundings as they are now.
pub fn environment() -> Environment {
    let hidden = surroundings().document().is_some_and(|document| document.hidden());
    Environment { online: is_online(), visible: !hidden, frozen: false }
}

/// Reports signals while it exists.
#[derive(Debug)]
pub struct Signals {
    _listeners: [Option<Listener>; 2],
}

impl Signals {
    /// Calls `report` for every signal.
    pub fn new(report: impl Fn(Signal) + Clone + 'static) -> Self {
        let global: EventTarget = js_sys::global().unchecked_into();
        let of_page = report.clone();
        let page = Listener::new(&global, &["online", "offline", "pagehide", "pageshow"], move |event| {
            match event.type_().as_str() {
                "online" => of_page(Signal::Online),
                "offline" => of_page(Signal::Offline),
                "pagehide" => of_page(Signal::PageHidden),
                _ => of_page(Signal::PageShown),
            }
        });
        let document = surroundings().document().map(|document| {
            let target: &EventTarget = document.unchecked_ref();
            Listener::new(target, &["visibilitychange", "freeze", "resume"], move |event| {
                match event.type_().as_str() {
                    "freeze" => report(Signal::Frozen),
                    "resume" => report(Signal::Thawed),
                    _ if surroundings().document().is_some_and(|document| document.hidden()) => report(Signal::Hidden),
                    _ => report(Signal::Visible),
                }
            })
        });
        Self { _listeners: [Some(page), document] }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing::{
        Told, assert_quiet, live_listeners, set_hidden, set_online, tell_document, tell_window,
    };

    #[wasm_bindgen_test]
    async fn what_the_page_tells_becomes_a_signal_until_it_is_dropped() {
        let before = live_listeners();
        let told = Told::new();
        let of_signals = told.clone();
        let signals = Signals::new(move |signal| of_signals.push(signal));
        for name in ["online", "offline", "pagehide", "pageshow"] {
            tell_window(name);
        }
        for name in ["freeze", "resume"] {
            tell_document(name);
        }
        for hidden in [true, false] {
            set_hidden(hidden);
            tell_document("visibilitychange");
        }
        let all = [
            Signal::Online,
            Signal::Offline,
            Signal::PageHidden,
            Signal::PageShown,
            Signal::Frozen,
            Signal::Thawed,
            Signal::Hidden,
            Signal::Visible,
        ];
        assert_eq!(told.all(), all);
        drop(signals);
        assert_eq!(live_listeners(), before);
        tell_window("online");
        tell_document("freeze");
        assert_eq!(told.len(), all.len());
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn the_surroundings_are_as_the_page_says() {
        assert_eq!(environment(), Environment::default());
        set_online(false);
        set_hidden(true);
        assert_eq!(environment(), Environment { online: false, visible: false, frozen: false });
        set_online(true);
        set_hidden(false);
        assert!(is_online());
    }
}
