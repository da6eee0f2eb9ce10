//! Behind the `RunClient` class.

use alloc::{rc::Rc, string::String};

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::options;
use crate::{
    browser::{
        clock,
        driver::{Driver, Pace},
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
        let driver = Driver::new(options::config(options), options::http(options, hooks), options::wake(hooks));
        Self { driver, grace: options::grace(options) }
    }

    /// Sends a message, once.
    pub fn send(&self, session: String, request_id: String, body: String) -> u32 {
        let wish = Wish { session, request_id: Some(request_id), body: Some(body), ..Wish::default() };
        self.driver.begin(wish, true)
    }

    /// Follows a run; without `run`, whatever runs in the session.
    pub fn open(&self, session: String, run: Option<String>, cursor: Option<String>) -> u32 {
        self.driver.begin(Wish { session, run, cursor, ..Wish::default() }, true)
    }

    /// Follows a run's events for `subscribeRunEvents`: listened to from the start, with a connect grace (B-ES-7).
    pub fn subscribe(&self, session: String, run: String, last_event_id: Option<String>) -> u32 {
        let wish =
            Wish { session, run: Some(run), cursor: last_event_id, grace: self.grace, listen: true, ..Wish::default() };
        self.driver.begin(wish, false)
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
    pub fn read(&self, slot: u32) -> JsString {
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
    pub fn flush(&self) -> JsString {
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

#[cfg(test)]
mod tests;
