//! A stream over `fetch`: any method, own headers, the status in sight, a cursor on the first connection too.

use alloc::{boxed::Box, rc::Rc};

use core::cell::{Cell, RefCell};

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{AbortController, ReadableStreamDefaultReader, Response};

use super::http::{Accept, Http, headers_of};
use crate::engine::request::Request;

/// What a stream tells, in this order: at most one head, chunks, at most one end.
#[derive(Debug)]
pub enum StreamEvent<'a> {
    /// The response head.
    Head(&'a Response),
    /// Bytes of the body.
    Chunk(&'a Uint8Array),
    /// The body came to its end.
    Ended,
    /// The network failed, or the head could not be had.
    Failed,
}

#[wasm_bindgen]
extern "C" {
    // Typed by hand: one kind of closure serves promises, timers and listeners.
    type Thenable;
    #[wasm_bindgen(method)]
    fn then(this: &Thenable, on_value: &JsValue, on_error: &JsValue);

    type ReadResult;
    #[wasm_bindgen(method, getter)]
    fn done(this: &ReadResult) -> bool;
    #[wasm_bindgen(method, getter)]
    fn value(this: &ReadResult) -> Uint8Array;
}

/// A running request. Dropping it aborts the request, and nothing is told any more.
#[derive(Debug)]
#[must_use = "dropping the stream aborts it"]
pub struct FetchStream(Rc<Inner>);

#[derive(Clone, Copy, Debug)]
enum Stage {
    Headers,
    Head,
    Body,
    Over,
}

struct Inner {
    http: Http,
    request: Request,
    accept: Accept,
    abort: AbortController,
    stage: Cell<Stage>,
    reader: RefCell<Option<ReadableStreamDefaultReader>>,
    sink: Box<dyn Fn(StreamEvent<'_>)>,
    // One pair of closures serves every promise of the stream in turn. They hold the `Rc` until the last promise has
    // settled, which an abort brings about: a promise must never find its closure gone.
    steps: RefCell<Option<Steps>>,
}

struct Steps {
    on_value: Closure<dyn Fn(JsValue)>,
    on_error: Closure<dyn Fn(JsValue)>,
}

impl core::fmt::Debug for Inner {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("FetchStream")
    }
}

impl FetchStream {
    /// Starts `request` and tells `sink` what comes. The sink is never called before this returns.
    pub fn open(
        http: &Http,
        request: Request,
        accept: Accept,
        sink: impl Fn(StreamEvent<'_>) + 'static,
    ) -> Result<Self, JsValue> {
        let inner = Rc::new(Inner {
            http: http.clone(),
            request,
            accept,
            abort: AbortController::new()?,
            stage: Cell::new(Stage::Headers),
            reader: RefCell::new(None),
            sink: Box::new(sink),
            steps: RefCell::new(None),
        });
        let (of_value, of_error) = (inner.clone(), inner.clone());
        inner.steps.replace(Some(Steps {
            on_value: Closure::new(move |value| of_value.step(value)),
            on_error: Closure::new(move |_| of_error.end(StreamEvent::Failed)),
        }));
        inner.http.registry.opened(&inner.abort);
        match inner.http.ask_headers() {
            Some(promise) => inner.await_next(&promise),
            None => inner.start(None),
        }
        Ok(Self(inner))
    }
}

impl Drop for FetchStream {
    fn drop(&mut self) {
        if !matches!(self.0.stage.replace(Stage::Over), Stage::Over) {
            self.0.http.registry.closed(&self.0.abort);
            self.0.abort.abort();
        }
    }
}

impl Inner {
    fn await_next(&self, promise: &Promise) {
        if let Some(steps) = &*self.steps.borrow() {
            promise.unchecked_ref::<Thenable>().then(steps.on_value.as_ref(), steps.on_error.as_ref());
        }
    }

    fn start(&self, headers: Option<web_sys::Headers>) {
        self.stage.set(Stage::Head);
        let promise = self.http.fetch(&self.request, headers, self.accept, &self.abort);
        self.await_next(&promise.unwrap_or_else(|error| Promise::reject(&error)));
    }

    fn step(&self, value: JsValue) {
        match self.stage.get() {
            Stage::Headers => self.start(headers_of(value)),
            Stage::Head => self.take_head(value.unchecked_ref()),
            Stage::Body => self.take_chunk(value.unchecked_ref()),
            Stage::Over => self.release(),
        }
    }

    fn take_head(&self, response: &Response) {
        (self.sink)(StreamEvent::Head(response));
        if matches!(self.stage.get(), Stage::Over) {
            return self.release();
        }
        self.stage.set(Stage::Body);
        match response.body() {
            Some(body) => {
                // A fresh response's body is not locked, so that a reader can be had.
                let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
                let promise = reader.read();
                self.reader.replace(Some(reader));
                self.await_next(&promise);
            }
            None => self.end(StreamEvent::Ended),
        }
    }

    fn take_chunk(&self, result: &ReadResult) {
        if result.done() {
            return self.end(StreamEvent::Ended);
        }
        (self.sink)(StreamEvent::Chunk(&result.value()));
        if matches!(self.stage.get(), Stage::Over) {
            return self.release();
        }
        let promise = self.reader.borrow().as_ref().map(ReadableStreamDefaultReader::read);
        if let Some(promise) = promise {
            self.await_next(&promise);
        }
    }

    fn end(&self, event: StreamEvent<'_>) {
        if !matches!(self.stage.replace(Stage::Over), Stage::Over) {
            self.http.registry.closed(&self.abort);
            (self.sink)(event);
        }
        self.release();
    }

    /// No promise is pending: the closures, and with them this stream, may go.
    fn release(&self) {
        let steps = self.steps.take();
        // The closure that runs right now is among them; it may drop itself.
        drop(steps);
    }
}
