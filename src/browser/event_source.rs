//! The browser's own `EventSource`: GET only, its cursor and its HTTP status hidden (W-6, W-10).
//!
//! Its events are strings already. They are gathered in JS, written out again as the frames they came from, and fed to
//! the same reader as bytes of a `fetch`, once per flush: crossing per event would cost more than parsing it.
//!
//! The browser's own reconnection is not used: it hides the status, knows no budget and ends at the first HTTP error
//! (B-ES-10). On an error the source is closed, and the engine decides.

use alloc::{rc::Rc, string::String};

use core::cell::RefCell;

use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Event, EventSource, EventSourceInit, MessageEvent, RequestCredentials};

use super::{http::Http, listener::Listener};
use crate::engine::request::Request;

/// What a source tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceEvent {
    /// The response head was good (W-7).
    Opened,
    /// A message was gathered: take it with the next flush, or, if it may end the run, at once.
    Message {
        /// Its event name is a terminal one.
        terminal: bool,
    },
    /// A transport error. `refused`: the server answered, and not with an event stream (W-1); its status is hidden.
    Failed {
        /// Whether the browser gave up for good.
        refused: bool,
    },
}

/// A listener per event name is needed: a named frame reaches no other (W-5, B-ES-1).
const NAMES: &[&str] = &[
    "open",
    "error",
    "message",
    "chunk",
    "content",
    "thinking",
    "tool_start",
    "tool_end",
    "text_block_end",
    "snapshot",
    "interrupt",
    "citation",
    "usage",
    "ping",
    "stream_started",
    "done",
    "cancelled",
    "failed",
];

/// A live source. Dropping it closes it, and nothing is told any more.
#[must_use = "dropping the source closes it"]
pub struct NativeSource {
    source: EventSource,
    http: Http,
    gathered: Rc<Gathered>,
    _listener: Listener,
}

#[derive(Default)]
struct Gathered {
    frames: RefCell<Array>,
    last: RefCell<(String, JsString)>,
}

impl NativeSource {
    /// Connects, and tells `sink` what comes.
    pub fn open(http: &Http, request: &Request, sink: impl Fn(SourceEvent) + 'static) -> Result<Self, JsValue> {
        let init = EventSourceInit::new();
        init.set_with_credentials(matches!(http.credentials, RequestCredentials::Include));
        let source = EventSource::new_with_event_source_init_dict(&http.url(request), &init)?;
        http.registry.opened(&source);
        let gathered = Rc::new(Gathered::default());
        let (of_listener, target) = (gathered.clone(), source.clone());
        let listener = Listener::new(&source, NAMES, move |event| {
            let name = event.type_();
            // Only a frame of the server has string data: an `error` without it is the transport's own (W-3, B-ES-9).
            match event.dyn_ref::<MessageEvent>().and_then(|message| message.data().dyn_into::<JsString>().ok()) {
                Some(data) => {
                    of_listener.push(&name, &event, &data);
                    sink(SourceEvent::Message { terminal: is_terminal(&name) });
                }
                None if name == "open" => sink(SourceEvent::Opened),
                None => {
                    let refused = target.ready_state() == EventSource::CLOSED;
                    target.close();
                    sink(SourceEvent::Failed { refused });
                }
            }
        });
        Ok(Self { source, http: http.clone(), gathered, _listener: listener })
    }

    /// Takes what was gathered, as the text of an event stream; `None` when there is nothing.
    pub fn take(&self) -> Option<JsString> {
        let frames = &self.gathered.frames;
        if frames.borrow().length() == 0 {
            return None;
        }
        Some(frames.replace(Array::new()).join(""))
    }
}

impl Drop for NativeSource {
    fn drop(&mut self) {
        self.source.close();
        self.http.registry.closed(&self.source);
    }
}

impl Gathered {
    fn push(&self, name: &str, event: &Event, data: &JsString) {
        let frames = self.frames.borrow();
        let message: &MessageEvent = event.unchecked_ref();
        // The browser repeats the last id on every later message. It was this frame's own if it is new, or if the whole
        // message is the last one again: a duplicate, which its id gives away.
        let id = message.last_event_id();
        let mut head = String::with_capacity(64);
        let mut last = self.last.borrow_mut();
        if last.0 != id || (!id.is_empty() && last.1 == *data) {
            head.push_str("id: ");
            head.push_str(&id);
            head.push('\n');
        }
        *last = (id, data.clone());
        head.push_str("event: ");
        head.push_str(name);
        head.push_str("\ndata: ");
        frames.push(&JsValue::from_str(&head));
        if data.includes("\n", 0) {
            frames.push(&data.split("\n").join("\ndata: "));
        } else {
            frames.push(data);
        }
        frames.push(&JsValue::from_str("\n\n"));
    }
}

fn is_terminal(name: &str) -> bool {
    matches!(name, "done" | "cancelled" | "error" | "failed")
}
