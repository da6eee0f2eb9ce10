//! One request and its whole reply.

use alloc::{boxed::Box, vec::Vec};
use core::cell::Cell;

use super::{
    fetch_stream::{FetchStream, StreamEvent},
    http::{Accept, Http},
    page,
};
use crate::engine::request::Request;

/// The longest reply, in bytes: a status reply carries the text of its run.
const LONGEST: usize = 16 << 20;

/// Takes a reply: its status and its body.
pub type Sink = Box<dyn Fn(u16, &[u8])>;

/// Makes `request` and calls `sink` once with its status and body, or with status 0 when no whole reply came or it is
/// longer than 16 MiB. Whoever was told drops the stream, which ends the rest of the reply.
pub fn open(http: &Http, request: &Request, sink: Sink) -> FetchStream {
    let status = Cell::new(0);
    let body = Cell::new(Vec::new());
    let sink = move |event: StreamEvent<'_>| match event {
        StreamEvent::Head(response) => status.set(response.status()),
        StreamEvent::Chunk(chunk) => {
            let mut held = body.take();
            let (at, len) = (held.len(), chunk.length() as usize);
            if at + len > LONGEST {
                return sink(0, b"");
            }
            held.resize(at + len, 0);
            page::copy_part(chunk, 0, held.get_mut(at..).unwrap_or_default());
            body.set(held);
        }
        StreamEvent::Ended => sink(status.get(), &body.take()),
        StreamEvent::Failed => sink(0, b""),
    };
    FetchStream::open(http, request, Accept::Json, Box::new(sink))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing::{Ledger, Network, Told, assert_quiet, blob_url, http, until};

    type Reply = (u16, Vec<u8>);

    fn ask(http: &Http) -> (FetchStream, Told<Reply>) {
        let told = Told::new();
        let of_sink = told.clone();
        let sink = move |status: u16, body: &[u8]| of_sink.push((status, body.to_vec()));
        (open(http, &Request::get(String::new()), Box::new(sink)), told)
    }

    #[wasm_bindgen_test]
    async fn the_whole_reply_is_told_once() {
        let body = "x".repeat(300_000);
        let ledger = Rc::new(Ledger::new());
        let (_stream, told) = ask(&http(&blob_url(&body, "application/json"), &ledger));
        told.count(1).await;
        assert_quiet().await;
        assert_eq!(told.all(), [(200, body.into_bytes())]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_refusal_is_told_with_its_status_and_body() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (_stream, told) = ask(&http("/", &ledger));
        until(|| network.count() == 1).await;
        assert_eq!(network.header(0, "accept"), "application/json");
        network.head(0, 503, "text/plain");
        network.send(0, "not ");
        network.send(0, "now");
        network.end(0);
        told.count(1).await;
        assert_eq!(told.all(), [(503, b"not now".to_vec())]);
    }

    #[wasm_bindgen_test]
    async fn half_a_reply_is_none() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (_stream, told) = ask(&http("/", &ledger));
        until(|| network.count() == 1).await;
        network.head(0, 200, "application/json");
        network.send(0, "{\"active\":");
        network.break_off(0);
        told.count(1).await;
        assert_eq!(told.all(), [(0, vec![])]);
        ledger.assert_balanced();
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn a_reply_without_end_is_none_and_takes_no_memory() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (stream, told) = ask(&http("/", &ledger));
        until(|| network.count() == 1).await;
        network.head(0, 200, "application/json");
        let megabyte = " ".repeat(1 << 20);
        for _ in 0..17 {
            network.send(0, &megabyte);
        }
        told.count(1).await;
        drop(stream);
        assert_eq!(told.all(), [(0, vec![])]);
        assert!(network.is_aborted(0));
        ledger.assert_balanced();
        assert_quiet().await;
    }
}
