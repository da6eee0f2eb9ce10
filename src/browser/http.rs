//! From the engine's description of a request to the browser's `fetch`.

use alloc::string::String;

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{AbortController, Headers, RequestCache, RequestCredentials, RequestInit};

use crate::engine::request::{Method, Request};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

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
    /// The base URL and the stream endpoint.
    pub base: String,
    /// Which requests carry cookies.
    pub credentials: RequestCredentials,
    /// `() => Promise<Headers>`: asked anew for every attempt. Absent when the user gave no headers.
    pub headers: Option<Function>,
    /// The crash registry: told of every abort controller and event source that lives.
    pub registry: Registry,
}

/// Functions of ours, not of the user, that keep a set of live transports on the JS side: after a trap no Rust runs to
/// close them.
#[derive(Clone, Debug)]
pub struct Registry {
    /// A transport was made.
    pub opened: Function,
    /// It is over.
    pub closed: Function,
}

impl Registry {
    /// Notes that `transport` lives.
    pub fn opened(&self, transport: &JsValue) {
        // The registry's functions only touch a set.
        let _ = self.opened.call1(&JsValue::UNDEFINED, transport);
    }

    /// Notes that `transport` is over.
    pub fn closed(&self, transport: &JsValue) {
        let _ = self.closed.call1(&JsValue::UNDEFINED, transport);
    }
}

impl Http {
    /// The absolute or page-relative URL of `request`.
    pub fn url(&self, request: &Request) -> String {
        let mut url = self.base.clone();
        url.push_str(&request.path);
        url
    }

    /// Asks for the headers of one attempt: `None` where the user gave none, so that no turn of the event loop is lost.
    pub fn ask_headers(&self) -> Option<Promise> {
        let headers = self.headers.as_ref()?;
        match headers.call0(&JsValue::UNDEFINED) {
            Ok(promise) => Some(Promise::resolve(&promise)),
            Err(error) => Some(Promise::reject(&error)),
        }
    }

    /// Starts the request.
    pub fn fetch(
        &self,
        request: &Request,
        headers: Option<Headers>,
        accept: Accept,
        abort: &AbortController,
    ) -> Result<Promise, JsValue> {
        let headers = match headers {
            Some(headers) => headers,
            None => Headers::new()?,
        };
        headers.set(
            "Accept",
            match accept {
                Accept::EventStream => "text/event-stream",
                Accept::Json => "application/json",
            },
        )?;
        if let Some(cursor) = &request.last_event_id {
            // A header takes no character beyond Latin-1. The cursor is in the query, too.
            let _ = headers.set("Last-Event-ID", cursor);
        }
        let init = RequestInit::new();
        if request.method == Method::Post {
            headers.set("Content-Type", "application/json")?;
            init.set_method("POST");
            init.set_body(&JsValue::from_str(&request.body));
        }
        init.set_headers_headers(&headers);
        init.set_credentials(self.credentials);
        init.set_cache(RequestCache::NoStore);
        init.set_signal(Some(&abort.signal()));
        fetch(&self.url(request), &init)
    }
}

/// The headers that a promise of [`Http::ask_headers`] gave; anything else counts as none.
pub fn headers_of(value: JsValue) -> Option<Headers> {
    value.dyn_into().ok()
}
