//! What the page tells of its surroundings, as the engine's signals.

use wasm_bindgen::prelude::*;

use super::page::{self, Registration};
use crate::engine::environment::{Environment, Signal};

/// By the numbers of `page.js`.
const SIGNALS: [Signal; 8] = [
    Signal::Online,
    Signal::Offline,
    Signal::Visible,
    Signal::Hidden,
    Signal::Frozen,
    Signal::Thawed,
    Signal::PageHidden,
    Signal::PageShown,
];

/// The surroundings as they are now. Where the browser does not say, there is a network, and somebody looks.
pub fn environment() -> Environment {
    let weather = page::weather();
    Environment { online: weather & 1 == 0, visible: weather & 2 == 0, frozen: false }
}

/// Reports signals while it exists.
pub struct Signals {
    _listeners: Registration,
}

impl Signals {
    /// Calls `report` for every signal.
    pub fn new(report: impl Fn(Signal) + 'static) -> Self {
        let tell = Closure::new(move |number: u32, _: JsValue| {
            if let Some(signal) = SIGNALS.get(number as usize) {
                report(*signal);
            }
        });
        Self { _listeners: Registration::new(tell, page::watch_page) }
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
        assert!(environment().online);
    }
}
