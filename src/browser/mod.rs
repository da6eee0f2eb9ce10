//! Every call into the page: transports, timers, page signals. No policy: what to do is the engine's decision.
//!
//! Each value here is its registration: dropping it closes the connection, clears the timer, removes the listener.
//! Nothing here needs a document, so that a client also runs in a worker.

pub mod alarm;
pub mod clock;
pub mod driver;
pub mod event_source;
pub mod fetch_once;
pub mod fetch_stream;
pub mod frame;
pub mod http;
mod page;
pub mod signals;

#[cfg(test)]
pub mod testing;

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
