//! Behind the `RunClient` class.

use alloc::{rc::Rc, string::String};

use wasm_bindgen::prelude::*;

use super::options;
use crate::{
    browser::{
        clock,
        driver::{Driver, Pace},
        http::Http,
    },
    engine::{inquiry::Question, run::Wish, time::Millis},
};

/// One client: its runs, by slot.
#[wasm_bindgen]
pub struct RawClient {
    driver: Rc<Driver>,
    grace: Option<Millis>,
}

#[wasm_bindgen]
impl RawClient {
    /// Opens and arms nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, hooks: &JsValue) -> Self {
        let (config, grace) = options::read(options);
        let http = Http { options: options.clone(), hooks: hooks.clone() };
        Self { driver: Driver::new(config, http), grace }
    }

    /// Sends a message, once.
    pub fn send(&self, session: String, request_id: String, body: String) -> u32 {
        self.begin(session, None, Some(request_id), Some(body), None, true)
    }

    /// Follows a run; without `run`, whatever runs in the session.
    pub fn open(&self, session: String, run: Option<String>, cursor: Option<String>) -> u32 {
        self.begin(session, run, None, None, cursor, true)
    }

    /// Follows a run's events for `subscribeRunEvents`: listened to from the start, with a connect grace (B-ES-7).
    pub fn subscribe(&self, session: String, run: String, last_event_id: Option<String>) -> u32 {
        self.begin(session, Some(run), None, None, last_event_id, false)
    }

    /// Raw events into deltas, or no longer.
    pub fn listen(&self, slot: u32, on: bool) {
        self.driver.command(slot, &mut |run, _| run.listen(on));
    }

    /// How soon content goes out: -1 unwatched, 0 at once, else with the frame.
    pub fn watch(&self, slot: u32, pace: f64) {
        let pace = if pace < 0.0 {
            Pace::Unwatched
        } else if pace == 0.0 {
            Pace::Sync
        } else {
            Pace::Frame
        };
        self.driver.watch(slot, pace);
    }

    /// Everything of one run that has not gone out.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn read(&self, slot: u32) -> JsValue {
        self.driver.read(slot)
    }

    /// Goes on with an interrupted run, or sends a failed one anew.
    pub fn retry(&self, slot: u32, request_id: &str, body: Option<String>) {
        self.driver.command(slot, &mut |run, now| {
            run.retry(request_id, body.as_deref(), now);
        });
    }

    /// Stops watching; the run goes on at the server.
    pub fn close(&self, slot: u32) {
        self.driver.command(slot, &mut |run, now| run.close(now));
    }

    /// Forgets a settled run.
    pub fn release(&self, slot: u32) {
        self.driver.release(slot);
    }

    /// Asks for a session's status; gives the ticket that the answer carries.
    pub fn status(&self, session: &str) -> u32 {
        self.driver.inquire(Question::Status, session)
    }

    /// Cancels what runs in a session; gives the ticket that the answer carries.
    pub fn stop(&self, session: &str) -> u32 {
        self.driver.inquire(Question::Stop, session)
    }

    /// What changed since the last flush.
    #[wasm_bindgen(unchecked_return_type = "string")]
    pub fn flush(&self) -> JsValue {
        self.driver.flush()
    }

    /// The engine's clock, in ms.
    pub fn now(&self) -> f64 {
        clock::now().as_millis() as f64
    }

    /// Ends everything.
    pub fn shutdown(&self) {
        self.driver.shutdown();
    }
}

impl RawClient {
    // Once, not once for each of its callers.
    #[inline(never)]
    fn begin(
        &self,
        session: String,
        run: Option<String>,
        request_id: Option<String>,
        body: Option<String>,
        cursor: Option<String>,
        is_run: bool,
    ) -> u32 {
        let grace = if is_run { None } else { self.grace };
        self.driver.begin(Wish { session, run, request_id, body, cursor, grace, listen: !is_run }, is_run)
    }
}

#[cfg(test)]
mod tests;
