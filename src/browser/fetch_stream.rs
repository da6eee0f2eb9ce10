//! A stream over `fetch`: any method, own headers, the status in sight, a cursor on the first connection too.

use alloc::boxed::Box;

use wasm_bindgen::{JsCast, prelude::*};

use super::{
    http::{Accept, Http},
    page::{Chunk, Registration, Response},
};
use crate::engine::request::Request;

/// What a stream tells, in this order: at most one head, chunks, at most one end.
#[derive(Debug)]
pub enum StreamEvent<'a> {
    /// The response head.
    Head(&'a Response),
    /// Bytes of the body.
    Chunk(&'a Chunk),
    /// The body came to its end.
    Ended,
    /// The network failed, or the head could not be had.
    Failed,
}

/// A running request. Dropping it aborts the request, and nothing is told any more.
#[must_use = "dropping the stream aborts it"]
pub struct FetchStream {
    _request: Registration,
}

impl FetchStream {
    /// Starts `request` and tells `sink` what comes. The sink is never called before this returns.
    pub fn open(http: &Http, request: &Request, accept: Accept, sink: Box<dyn Fn(StreamEvent<'_>)>) -> Self {
        let tell = Closure::new(move |what: u32, value: JsValue| {
            sink(match what {
                0 => StreamEvent::Head(value.unchecked_ref()),
                1 => StreamEvent::Chunk(value.unchecked_ref()),
                2 => StreamEvent::Ended,
                _ => StreamEvent::Failed,
            });
        });
        Self { _request: http.start(request, accept, tell) }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use std::{cell::RefCell, rc::Rc, string::ToString};

    use super::*;
    use crate::browser::testing::{
        EVENT_STREAM, Ledger, Network, Told, answer_headers, assert_quiet, blob_url, bodyless, collect, headers, held,
        http, read_already, revoke, settle, until,
    };

    fn get() -> Request {
        Request::get(String::new())
    }

    fn note(event: &StreamEvent<'_>) -> String {
        match event {
            StreamEvent::Head(response) => format!("head {}", response.status()),
            StreamEvent::Chunk(chunk) => {
                String::from_utf8(chunk.unchecked_ref::<js_sys::Uint8Array>().to_vec()).unwrap()
            }
            StreamEvent::Ended => "ended".into(),
            StreamEvent::Failed => "failed".into(),
        }
    }

    fn open(http: &Http, request: Request) -> (FetchStream, Told<String>) {
        let told = Told::new();
        let of_stream = told.clone();
        let sink = move |event: StreamEvent<'_>| of_stream.push(note(&event));
        (FetchStream::open(http, &request, Accept::EventStream, Box::new(sink)), told)
    }

    /// A stream that its own sink drops as soon as it tells `last`.
    fn open_until(http: &Http, last: &'static str) -> Told<String> {
        let told = Told::new();
        let own = Rc::new(RefCell::new(None::<FetchStream>));
        let (of_sink, of_stream) = (told.clone(), own.clone());
        let sink = move |event: StreamEvent<'_>| {
            let line = note(&event);
            if line == last {
                drop(of_stream.take());
            }
            of_sink.push(line);
        };
        own.replace(Some(FetchStream::open(http, &get(), Accept::EventStream, Box::new(sink))));
        told
    }

    fn with_headers(http: &Http, kind: &str) -> Http {
        let hooks = js_sys::Object::assign(&js_sys::Object::new(), http.hooks.unchecked_ref());
        js_sys::Reflect::set(&hooks, &"headers".into(), &headers(kind)).unwrap();
        Http { hooks: hooks.into(), ..http.clone() }
    }

    #[wasm_bindgen_test]
    async fn a_stream_tells_its_head_its_bytes_and_its_end() {
        let body = "data: 1\n\n".repeat(1 << 20);
        let ledger = Ledger::new();
        let (_stream, told) = open(&http(&blob_url(&body, EVENT_STREAM), &ledger), get());
        assert_eq!(told.len(), 0, "nothing is told before it is opened");
        let of_until = told.clone();
        until(move || of_until.all().iter().any(|line| line == "ended")).await;
        let all = told.all();
        let (head, rest) = all.split_first().unwrap();
        let (end, chunks) = rest.split_last().unwrap();
        assert_eq!((head.as_str(), end.as_str()), ("head 200", "ended"));
        assert!(chunks.len() > 1, "such a body comes in pieces");
        assert!(chunks.concat() == body);
        ledger.assert_balanced();
        assert_quiet().await;
        assert_eq!(told.len(), all.len());
    }

    #[wasm_bindgen_test]
    async fn a_blob_that_is_gone_is_a_failure() {
        let url = blob_url("", EVENT_STREAM);
        revoke(&url);
        let ledger = Ledger::new();
        let (_stream, told) = open(&http(&url, &ledger), get());
        assert_eq!(ledger.live(), 1);
        told.count(1).await;
        assert_quiet().await;
        assert_eq!(told.all(), ["failed"]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_url_that_is_none_is_a_failure() {
        let ledger = Ledger::new();
        let (_stream, told) = open(&http("http://[", &ledger), get());
        told.count(1).await;
        assert_quiet().await;
        assert_eq!(told.all(), ["failed"]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_refusal_shows_its_status() {
        let ledger = Ledger::new();
        let (_stream, told) = open(&http("/nothing-is-here", &ledger), get());
        told.count(1).await;
        assert_eq!(told.all()[0], "head 404");
    }

    #[wasm_bindgen_test]
    async fn a_response_without_a_body_ends() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (_stream, told) = open(&http("/", &ledger), get());
        network.respond(0, &bodyless(204));
        told.count(2).await;
        assert_quiet().await;
        assert_eq!(told.all(), ["head 204", "ended"]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_response_that_somebody_has_read_is_a_failure() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (_stream, told) = open(&http("/", &ledger), get());
        network.respond(0, &read_already());
        told.count(2).await;
        assert_quiet().await;
        assert_eq!(told.all(), ["head 200", "failed"]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_body_that_breaks_off_fails_after_what_came() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (_stream, told) = open(&http("/", &ledger), get());
        network.head(0, 200, EVENT_STREAM);
        network.send(0, ": hello\n\n");
        told.count(2).await;
        network.break_off(0);
        told.count(3).await;
        assert_quiet().await;
        assert_eq!(told.all(), ["head 200", ": hello\n\n", "failed"]);
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn dropped_at_any_point_it_aborts_and_tells_nothing_more() {
        let ledger = Ledger::new();
        let network = Network::new();
        for (at, before) in [0, 1, 2, 3].into_iter().enumerate() {
            let (stream, told) = open(&http("/", &ledger), get());
            if before > 0 {
                network.head(at as u32, 200, EVENT_STREAM);
            }
            if before > 1 {
                network.send(at as u32, "one");
            }
            told.count(before.min(2)).await;
            if before > 2 {
                // On its way already when the stream is dropped.
                network.send(at as u32, "two");
            }
            drop(stream);
            assert!(network.is_aborted(at as u32));
            ledger.assert_balanced();
            assert_quiet().await;
            assert_eq!(told.len(), before.min(2));
        }
    }

    #[wasm_bindgen_test]
    async fn its_own_sink_may_drop_it() {
        let ledger = Ledger::new();
        let http = http(&blob_url("one", EVENT_STREAM), &ledger);
        for (last, all) in [
            ("head 200", vec!["head 200"]),
            ("one", vec!["head 200", "one"]),
            ("ended", vec!["head 200", "one", "ended"]),
        ] {
            let told = open_until(&http, last);
            told.count(all.len()).await;
            ledger.assert_balanced();
            assert_quiet().await;
            assert_eq!(told.all(), all);
        }
    }

    #[wasm_bindgen_test]
    async fn what_was_asked_is_what_was_meant() {
        let ledger = Ledger::new();
        let network = Network::new();
        let http = http("https://example.org/api", &ledger);
        let cursor = Request { last_event_id: Some("17-0".into()), ..Request::get("/events?runId=r".into()) };
        let _get = open(&http, cursor);
        let _post = open(&http, Request::post("/stop", "{}".into()));
        assert_eq!(network.url(0), "https://example.org/api/events?runId=r");
        assert_eq!(network.header(0, "last-event-id"), "17-0");
        assert_eq!(network.header(0, "accept"), EVENT_STREAM);
        assert_eq!((network.method(1), network.text(1)), ("POST".into(), "{}".into()));
        assert_eq!(network.header(1, "content-type"), "application/json");
        assert_eq!(network.header(1, "last-event-id"), "");
    }

    #[wasm_bindgen_test]
    async fn a_cursor_that_no_header_can_hold_still_goes_with_the_query() {
        let ledger = Ledger::new();
        let network = Network::new();
        let cursor = Request { last_event_id: Some("жж".into()), ..Request::get("?lastEventId=x".into()) };
        let (_stream, told) = open(&http("/", &ledger), cursor);
        until(|| network.count() == 1 || told.len() > 0).await;
        assert_eq!((network.count(), told.len()), (1, 0));
    }

    #[wasm_bindgen_test]
    async fn headers_are_asked_for_each_attempt_and_sent() {
        let ledger = Ledger::new();
        let network = Network::new();
        let http = with_headers(&http("/", &ledger), "counting");
        for attempt in 0..2 {
            let _stream = open(&http, get());
            until(|| network.count() == attempt + 1).await;
            assert_eq!(network.header(attempt, "x-attempt"), (attempt + 1).to_string());
            assert_eq!(network.header(attempt, "accept"), EVENT_STREAM);
        }
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn headers_that_cannot_be_had_are_a_failure() {
        let ledger = Ledger::new();
        let network = Network::new();
        for kind in ["rejecting", "throwing"] {
            let (_stream, told) = open(&with_headers(&http("/", &ledger), kind), get());
            told.count(1).await;
            assert_quiet().await;
            assert_eq!((told.all(), network.count()), (vec!["failed".into()], 0));
            ledger.assert_balanced();
        }
    }

    #[wasm_bindgen_test]
    async fn headers_that_come_after_the_drop_start_nothing() {
        let ledger = Ledger::new();
        let network = Network::new();
        let (stream, told) = open(&with_headers(&http("/", &ledger), "late"), get());
        settle().await;
        drop(stream);
        ledger.assert_balanced();
        answer_headers();
        assert_quiet().await;
        assert_eq!((told.len(), network.count()), (0, 0));
    }

    #[wasm_bindgen_test]
    async fn nothing_is_left_of_headers_that_never_come() {
        let ledger = Ledger::new();
        let http = with_headers(&http("/", &ledger), "late");
        let round = async || {
            for _ in 0..100 {
                drop(open(&http, get()));
            }
            // The page still holds the last one.
            answer_headers();
            for _ in 0..5 {
                collect();
                settle().await;
            }
            held()
        };
        let before = round().await;
        assert_eq!(round().await, before, "bytes, JS values");
        ledger.assert_balanced();
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn nothing_is_left_of_a_thousand_streams() {
        let ledger = Ledger::new();
        let network = Network::new();
        let http = http("/", &ledger);
        let round = async |from: u32, to: u32| {
            for at in from..to {
                let (stream, told) = open(&http, get());
                if at % 4 > 0 {
                    network.head(at, 200, EVENT_STREAM);
                    told.count(1).await;
                }
                if at % 4 > 1 {
                    network.send(at, "data: 1\n\n");
                    told.count(2).await;
                }
                if at % 4 > 2 {
                    network.end(at);
                    told.count(3).await;
                }
                drop(stream);
            }
            settle().await;
            held()
        };
        let before = round(0, 40).await;
        let after = round(40, 1_040).await;
        assert_eq!((after.0 - before.0, after.1 - before.1), (0, 0), "bytes, JS values");
        ledger.assert_balanced();
        assert_quiet().await;
    }
}
