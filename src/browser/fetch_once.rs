//! One request and its whole reply.

use alloc::vec::Vec;

use core::cell::{Cell, RefCell};

use wasm_bindgen::JsValue;

use super::{
    fetch_stream::{FetchStream, StreamEvent},
    http::{Accept, Http},
};
use crate::engine::request::Request;

/// Makes `request` and calls `sink` once with its status and body, or with status 0 when no whole reply came.
pub fn open(http: &Http, request: Request, sink: impl Fn(u16, &[u8]) + 'static) -> Result<FetchStream, JsValue> {
    let status = Cell::new(0);
    let body = RefCell::new(Vec::new());
    FetchStream::open(http, request, Accept::Json, move |event| match event {
        StreamEvent::Head(response) => status.set(response.status()),
        StreamEvent::Chunk(chunk) => body.borrow_mut().extend(chunk.to_vec()),
        StreamEvent::Ended => sink(status.get(), &body.borrow()),
        StreamEvent::Failed => sink(0, b""),
    })
}
