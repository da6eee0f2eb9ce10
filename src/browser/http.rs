//! From the engine's description of a request to the browser's `fetch`.

use wasm_bindgen::JsValue;

use super::page::{self, Registration, Tell};
use crate::engine::request::{Method, Request};

/// What kind of reply a request asks for.
#[derive(Clone, Copy, Debug)]
pub enum Accept {
    /// A stream of server-sent events.
    EventStream,
    /// One JSON text.
    Json,
}

/// What all requests of a client share.
#[derive(Clone, Debug)]
pub struct Http {
    /// The client's options: `baseUrl`, `streamEndpoint`, and `credentials`, which says what requests carry cookies.
    pub options: JsValue,
    /// Functions of ours, not of the user. `opened` and `closed` keep a set of live transports on the JS side, because after
    /// a trap no Rust runs to close them. `headers: () => Promise<Headers>` is asked anew for every attempt; it is absent
    /// when the user gave no headers.
    pub hooks: JsValue,
}

impl Http {
    /// Starts the request. It is aborted when the registration is dropped.
    pub(super) fn start(&self, request: &Request, accept: Accept, tell: Tell) -> Registration {
        let accept = match accept {
            Accept::EventStream => "text/event-stream",
            Accept::Json => "application/json",
        };
        let body = (request.method == Method::Post).then_some(&*request.body);
        let cursor = request.last_event_id.as_deref();
        Registration::new(tell, |tell| {
            page::open_stream(&self.options, &self.hooks, &request.path, accept, body, cursor, tell)
        })
    }
}
