//! The browser's own `EventSource`: GET only, its cursor and its HTTP status hidden (W-6, W-10).
//!
//! Its events are strings already. They are gathered in JS, written out again as the frames they came from, and fed to
//! the same reader as bytes of a `fetch`, once per flush: crossing per event would cost more than parsing it.
//!
//! The browser's own reconnection is not used: it hides the status, knows no budget and ends at the first HTTP error
//! (B-ES-10). On an error the source is closed, and the engine decides.

use wasm_bindgen::prelude::*;

use super::{
    http::Http,
    page::{self, Source, Tell},
};
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
const NAMES: &str = "open error message chunk content thinking tool_start tool_end text_block_end snapshot interrupt citation \
     usage ping stream_started done cancelled failed";
const TERMINAL: &str = "done cancelled error failed";

/// A live source. Dropping it closes it, and nothing is told any more.
#[must_use = "dropping the source closes it"]
pub struct NativeSource {
    source: Source,
    _tell: Tell,
}

impl NativeSource {
    /// Connects, and tells `sink` what comes; `None` where the browser would not even begin.
    pub fn open(http: &Http, request: &Request, sink: impl Fn(SourceEvent) + 'static) -> Option<Self> {
        let tell = Closure::new(move |what: u32, _: JsValue| {
            sink(match what {
                0 => SourceEvent::Opened,
                1 | 2 => SourceEvent::Message { terminal: what == 2 },
                _ => SourceEvent::Failed { refused: what == 4 },
            });
        });
        let source = page::open_source(&http.options, &http.hooks, &request.path, NAMES, TERMINAL, tell.as_ref())?;
        Some(Self { source, _tell: tell })
    }

    /// What was gathered so far, and will be.
    pub fn gathered(&self) -> Gathered {
        Gathered(self.source.clone())
    }
}

impl Drop for NativeSource {
    fn drop(&mut self) {
        page::stop_source(&self.source);
    }
}

/// The messages of a source as the text of an event stream; it outlives the source.
pub struct Gathered(Source);

impl Gathered {
    /// Takes as much as `space` can hold, which must be a few bytes at least; zero when nothing is left.
    pub fn take(&self, space: &mut [u8]) -> usize {
        page::take(&self.0, space) as usize
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::browser::testing::{
        EVENT_STREAM, Ledger, Told, assert_quiet, blob_url, held, http, revoke, settle, timer, until,
    };

    const LOST: SourceEvent = SourceEvent::Failed { refused: false };
    const REFUSED: SourceEvent = SourceEvent::Failed { refused: true };

    fn message(terminal: bool) -> SourceEvent {
        SourceEvent::Message { terminal }
    }

    fn open(http: &Http) -> (NativeSource, Told<SourceEvent>) {
        let told = Told::new();
        let of_source = told.clone();
        (NativeSource::open(http, &Request::get(String::new()), move |event| of_source.push(event)).unwrap(), told)
    }

    fn text(source: &NativeSource) -> String {
        let mut space = [0; 4096];
        let len = source.gathered().take(&mut space);
        assert_eq!(source.gathered().take(&mut [0; 16]), 0);
        str::from_utf8(&space[..len]).unwrap().into()
    }

    async fn over(told: &Told<SourceEvent>) -> Vec<SourceEvent> {
        let of_until = told.clone();
        until(move || matches!(of_until.all().last(), Some(SourceEvent::Failed { .. }))).await;
        told.all()
    }

    /// What is taken after the whole of `body` has come.
    async fn taken(body: &str) -> String {
        let ledger = Ledger::new();
        let (source, told) = open(&http(&blob_url(body, EVENT_STREAM), &ledger));
        over(&told).await;
        text(&source)
    }

    #[wasm_bindgen_test]
    async fn frames_of_all_names_come_out_as_they_went_in() {
        let body = "id: 1-0\nevent: content\ndata: {\"content\":\"ж😀\"}\n\nid: 2-0\nevent: tool_start\ndata: {}\n\n\
                    id: 3-0\nevent: message\ndata: plain\n\n";
        assert_eq!(taken(body).await, body);
    }

    #[wasm_bindgen_test]
    async fn data_of_several_lines_stays_so() {
        let body = "id: 1\nevent: content\ndata: {\ndata: \ndata:  \"a\": 1\ndata: }\n\n";
        assert_eq!(taken(body).await, body);
    }

    #[wasm_bindgen_test]
    async fn an_id_is_written_where_the_server_wrote_it() {
        // The browser repeats the last id on messages that have none.
        let body = "event: content\ndata: a\n\nid: 1\nevent: content\ndata: b\n\nevent: content\ndata: c\n\n\
                    id: 2\nevent: content\ndata: d\n\n";
        assert_eq!(taken(body).await, body);
    }

    #[wasm_bindgen_test]
    async fn a_frame_that_comes_twice_keeps_the_id_that_tells() {
        let body = "id: 7-0\nevent: content\ndata: a\n\nid: 7-0\nevent: content\ndata: a\n\n";
        assert_eq!(taken(body).await, body);
    }

    #[wasm_bindgen_test]
    async fn an_open_source_tells_its_messages_and_which_may_be_the_last() {
        let body = "event: content\ndata: {}\n\nevent: done\ndata: {}\n\n";
        let ledger = Ledger::new();
        let (source, told) = open(&http(&blob_url(body, EVENT_STREAM), &ledger));
        assert_eq!(ledger.live(), 1);
        assert_eq!(over(&told).await, [SourceEvent::Opened, message(false), message(true), LOST]);
        drop(source);
        ledger.assert_balanced();
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn an_error_that_the_server_wrote_is_a_message() {
        let body = "event: error\ndata: out of tokens\n\n";
        let ledger = Ledger::new();
        let (source, told) = open(&http(&blob_url(body, EVENT_STREAM), &ledger));
        assert_eq!(over(&told).await, [SourceEvent::Opened, message(true), LOST]);
        assert_eq!(text(&source), body);
    }

    #[wasm_bindgen_test]
    async fn after_an_error_the_browser_does_not_reconnect() {
        let ledger = Ledger::new();
        // Its own reconnection would come at once, and bring the message again.
        let (_source, told) = open(&http(&blob_url("retry: 0\ndata: a\n\n", EVENT_STREAM), &ledger));
        let all = over(&told).await;
        timer(50).await.unwrap();
        assert_eq!(told.all(), all);
    }

    #[wasm_bindgen_test]
    async fn an_answer_that_is_no_event_stream_is_a_refusal() {
        let ledger = Ledger::new();
        for url in ["/nothing-is-here", &blob_url("<html>", "text/html")] {
            let (source, told) = open(&http(url, &ledger));
            assert_eq!(over(&told).await, [REFUSED]);
            drop(source);
            ledger.assert_balanced();
        }
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn a_url_that_is_none_opens_nothing() {
        let ledger = Ledger::new();
        let opened = NativeSource::open(&http("http://[", &ledger), &Request::get(String::new()), |_| {});
        assert!(opened.is_none());
        ledger.assert_balanced();
    }

    #[wasm_bindgen_test]
    async fn a_server_that_is_not_there_is_a_loss() {
        let url = blob_url("", EVENT_STREAM);
        revoke(&url);
        let ledger = Ledger::new();
        let (source, told) = open(&http(&url, &ledger));
        assert_eq!(over(&told).await.len(), 1);
        drop(source);
        ledger.assert_balanced();
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn dropped_it_closes_and_tells_nothing_more() {
        let ledger = Ledger::new();
        let http = http(&blob_url(&"data: a\n\n".repeat(10_000), EVENT_STREAM), &ledger);
        let (source, told) = open(&http);
        drop(source);
        // The ledger looks at its state, too.
        ledger.assert_balanced();
        timer(50).await.unwrap();
        assert_eq!(told.len(), 0);
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn its_own_sink_may_drop_it() {
        let ledger = Ledger::new();
        let http = http(&blob_url("data: a\n\ndata: b\n\nevent: done\ndata: {}\n\n", EVENT_STREAM), &ledger);
        for last in [SourceEvent::Opened, message(false), message(true), LOST] {
            let told = Told::new();
            let own = Rc::new(RefCell::new(None::<NativeSource>));
            let (of_sink, of_source) = (told.clone(), own.clone());
            let sink = move |event| {
                if event == last {
                    drop(of_source.take());
                }
                of_sink.push(event);
            };
            own.replace(Some(NativeSource::open(&http, &Request::get(String::new()), sink).unwrap()));
            until(|| own.borrow().is_none()).await;
            let count = told.len();
            timer(20).await.unwrap();
            assert_eq!((told.all().last(), told.len()), (Some(&last), count));
            ledger.assert_balanced();
        }
        assert_quiet().await;
    }

    #[wasm_bindgen_test]
    async fn nothing_is_left_of_a_hundred_sources() {
        let ledger = Ledger::new();
        let http = http(&blob_url("event: content\ndata: a\n\n", EVENT_STREAM), &ledger);
        let round = async |count: u32| {
            for at in 0..count {
                let (source, told) = open(&http);
                told.count(at as usize % 4).await;
                text(&source);
            }
            settle().await;
            held()
        };
        let before = round(8).await;
        let after = round(100).await;
        assert_eq!((after.0 - before.0, after.1 - before.1), (0, 0), "bytes, JS values");
        ledger.assert_balanced();
        assert_quiet().await;
    }
}
