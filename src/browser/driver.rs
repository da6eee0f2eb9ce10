//! The loop around the engine: feed one input, drain the outputs, release the borrow, act.
//!
//! User code runs in one place only: below [`Driver::wake`], the last act of an entry, with nothing borrowed. An entry
//! is a call by the page (a frame, a timer, a reader, a listener); calls by our own JS never wake, because that JS
//! flushes by itself.

use alloc::{
    boxed::Box,
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell, RefMut},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use wasm_bindgen::prelude::*;

use super::{
    alarm::Alarm,
    clock,
    event_source::{Gathered, NativeSource, SourceEvent},
    fetch_once,
    fetch_stream::{FetchStream, StreamEvent},
    frame::Frame,
    http::{Accept, Http},
    page::{self, Chunk, Response},
    signals::{self, Signals},
};
use crate::engine::{
    config::Config,
    delta::Delta,
    environment::Signal,
    http::{self, Head},
    inquiry::{Inquiries, Question, Ticket},
    link::Conn,
    request::Request,
    run::{Ask, Loss, Output, Run, Urgency, Wish},
    time::Instant,
    window::{CHUNK, Window},
};

/// How soon a run's content goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Nobody looks: the text stays where it is.
    Unwatched,
    /// With the frame.
    Frame,
    /// As soon as it was fed.
    Sync,
}

/// A client's runs, their connections and its one timer.
pub struct Driver {
    state: RefCell<State>,
    http: Http,
    alarm: Alarm,
    frame: Frame,
    signals: Cell<Option<Signals>>,
    me: Weak<Self>,
}

struct State {
    config: Config,
    // A slot's number is its place plus one, and is never used again.
    slots: Vec<Option<Box<Slot>>>,
    window: Window,
    inquiries: Inquiries,
    requests: Vec<(Ticket, FetchStream)>,
    delta: Delta,
    // The frame has come: flush even if nothing is urgent.
    frame_due: bool,
}

struct Slot {
    run: Run,
    session: String,
    // A low-level subscription stops by its signal alone.
    stoppable: bool,
    pace: Pace,
    dirty: Urgency,
    transport: Option<(Conn, Transport)>,
    asks: Vec<(Ask, FetchStream)>,
}

enum Transport {
    Fetch { _stream: FetchStream },
    Native(NativeSource),
}

/// Whom a request's events are for.
#[derive(Clone, Copy)]
enum To {
    /// A run's stream.
    Run(u32, Conn),
    /// The same, where only the status matters: why a native source was refused.
    Diagnosis(u32, Conn),
}

/// Who asked.
#[derive(Clone, Copy)]
enum Asker {
    Run(u32, Ask),
    Client(Ticket),
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;
}

static DEPTH: AtomicU32 = AtomicU32::new(0);

/// How many entries of the page are on the stack. After a trap it stays above zero.
pub fn depth() -> u32 {
    DEPTH.load(Relaxed)
}

impl Driver {
    /// A driver that has opened and armed nothing.
    pub fn new(config: Config, http: Http) -> Rc<Self> {
        Rc::new_cyclic(|me: &Weak<Self>| {
            let (of_alarm, of_frame) = (me.clone(), me.clone());
            Self {
                state: RefCell::new(State {
                    slots: Vec::new(),
                    window: Window::new(),
                    inquiries: Inquiries::new(&config),
                    requests: Vec::new(),
                    delta: Delta::new(),
                    frame_due: false,
                    config,
                }),
                http,
                alarm: Alarm::new(move || enter(&of_alarm, &mut Self::handle_timeout)),
                frame: Frame::new(move || enter(&of_frame, &mut Self::handle_frame)),
                signals: Cell::new(None),
                me: me.clone(),
            }
        })
    }

    // ---- calls of our own JS: they never wake ----

    /// Starts or follows a run; gives its slot.
    pub fn begin(&self, wish: Wish, stoppable: bool) -> u32 {
        let signals = self.signals.take().unwrap_or_else(|| {
            let me = self.me.clone();
            Signals::new(move |signal| {
                enter(&me, &mut |driver| driver.every_slot(&mut |run, now| run.handle_signal(signal, now)));
            })
        });
        self.signals.set(Some(signals));
        let now = clock::now();
        let slot = {
            let mut state = self.state();
            let state = &mut *state;
            let session = wish.session.clone();
            let seed = (random() * 9_007_199_254_740_992.0) as u64;
            let run = Run::new(wish, state.config.clone(), signals::environment(), seed, now);
            state.slots.push(Some(Box::new(Slot {
                run,
                session,
                stoppable,
                pace: Pace::Unwatched,
                dirty: Urgency::None,
                transport: None,
                asks: Vec::new(),
            })));
            state.slots.len() as u32
        };
        self.turn(slot, &mut |_, _, _| {});
        slot
    }

    /// Feeds a command to a run.
    pub fn command(&self, slot: u32, command: &mut dyn FnMut(&mut Run, Instant)) {
        self.turn(slot, &mut |run, _, now| command(run, now));
    }

    /// Sets how soon a run's content goes out.
    pub fn watch(&self, slot: u32, pace: Pace) {
        if let Some(slot) = self.state().slot(slot) {
            slot.pace = pace;
        }
    }

    /// Asks the server about a session; the answer comes with a flush.
    pub fn inquire(&self, question: Question, session: &str) -> u32 {
        let now = clock::now();
        let (ticket, request) = self.state().inquiries.ask(question, session, now);
        if question == Question::Stop {
            self.every_stoppable(session, &mut |run| run.stop(now));
        }
        let stream = self.ask(Asker::Client(ticket), &request);
        self.state().requests.push((ticket, stream));
        self.arm(now);
        ticket.0
    }

    /// Forgets a run and whatever it holds.
    pub fn release(&self, slot: u32) {
        let place = (slot as usize).wrapping_sub(1);
        let gone = self.state().slots.get_mut(place).and_then(Option::take);
        drop(gone);
    }

    /// Everything that changed since the last flush, as one string (see `engine::delta`); empty when nothing did.
    pub fn flush(&self) -> JsValue {
        self.drain_native();
        self.frame.cancel();
        let mut state = self.state();
        let State { slots, delta, inquiries, .. } = &mut *state;
        for (place, slot) in slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let urgency = core::mem::take(&mut slot.dirty);
            if urgency == Urgency::Content && slot.pace == Pace::Unwatched {
                slot.dirty = urgency;
            } else if urgency != Urgency::None {
                slot.run.write_delta(place as u32 + 1, delta, slot.pace != Pace::Unwatched);
            }
        }
        inquiries.write_answers(delta);
        take(delta)
    }

    /// Everything of one run that has not gone out, its content too.
    pub fn read(&self, slot: u32) -> JsValue {
        self.drain_native();
        let mut state = self.state();
        let State { slots, delta, .. } = &mut *state;
        if let Some(Some(held)) = slots.get_mut((slot as usize).wrapping_sub(1)) {
            held.dirty = Urgency::None;
            held.run.write_delta(slot, delta, true);
        }
        take(delta)
    }

    /// Ends everything: runs as if closed, questions answered, transports and timers gone.
    pub fn shutdown(&self) {
        drop(self.signals.take());
        self.every_slot(&mut |run, now| run.close(now));
        let requests = {
            let mut state = self.state();
            state.inquiries.close();
            core::mem::take(&mut state.requests)
        };
        drop(requests);
        self.alarm.clear();
        self.frame.cancel();
    }

    // ---- the turn ----

    /// Feeds a run, then does what it asks for.
    fn turn(&self, number: u32, feed: &mut dyn FnMut(&mut Run, &mut Window, Instant)) {
        let now = clock::now();
        let mut outputs = Vec::new();
        let deadline = {
            let mut state = self.state();
            let State { slots, window, .. } = &mut *state;
            let Some(Some(slot)) = slots.get_mut((number as usize).wrapping_sub(1)) else { return };
            feed(&mut slot.run, window, now);
            while let Some(output) = slot.run.poll_output() {
                outputs.push(output);
            }
            slot.dirty = slot.dirty.max(slot.run.take_urgency());
            slot.run.poll_timeout()
        };
        for output in outputs {
            self.act(number, output);
        }
        self.alarm.set(deadline, now);
        self.schedule(number);
    }

    fn act(&self, slot: u32, output: Output) {
        match output {
            Output::Connect { conn, request, native } => self.connect(slot, conn, request, native),
            Output::Disconnect { conn } => {
                let gone = self.with_slot(slot, |slot| match &slot.transport {
                    Some((current, _)) if *current == conn => slot.transport.take(),
                    _ => None,
                });
                drop(gone);
            }
            Output::Ask { ask, request } => {
                let stream = self.ask(Asker::Run(slot, ask), &request);
                self.with_slot(slot, |slot| slot.asks.push((ask, stream)));
            }
            Output::Forget { ask } => self.forget(slot, ask),
            Output::Look => {
                let signal = if signals::environment().online { Signal::Online } else { Signal::Offline };
                self.turn(slot, &mut |run, _, now| run.handle_signal(signal, now));
            }
        }
    }

    fn connect(&self, slot: u32, conn: Conn, request: Request, native: bool) {
        if !native {
            return self.open(To::Run(slot, conn), &request);
        }
        let me = self.me.clone();
        let again = request.clone();
        let source = NativeSource::open(&self.http, &request, move |event| {
            enter(&me, &mut |driver| driver.take_source_event(slot, conn, event, &again));
        });
        match source {
            Some(source) => self.replace_transport(slot, conn, Transport::Native(source)),
            None => self.lose(slot, conn, Loss::Failed),
        }
    }

    /// Opens a stream in the place of what the slot had.
    fn open(&self, to: To, request: &Request) {
        let me = self.me.clone();
        let sink = move |event: StreamEvent<'_>| enter(&me, &mut |driver| driver.take_stream_event(to, &event));
        let stream = FetchStream::open(&self.http, request, Accept::EventStream, Box::new(sink));
        let (To::Run(slot, conn) | To::Diagnosis(slot, conn)) = to;
        self.replace_transport(slot, conn, Transport::Fetch { _stream: stream });
    }

    fn ask(&self, asker: Asker, request: &Request) -> FetchStream {
        let me = self.me.clone();
        let sink = move |status: u16, body: &[u8]| {
            enter(&me, &mut |driver| match asker {
                Asker::Run(slot, ask) => {
                    driver.forget(slot, ask);
                    driver.turn(slot, &mut |run, _, now| run.handle_reply(ask, status, body, now));
                }
                Asker::Client(ticket) => driver.take_answer(ticket, status, body),
            });
        };
        fetch_once::open(&self.http, request, Box::new(sink))
    }

    fn lose(&self, slot: u32, conn: Conn, loss: Loss) {
        self.turn(slot, &mut |run, _, now| run.handle_lost(conn, loss, now));
    }

    fn replace_transport(&self, slot: u32, conn: Conn, transport: Transport) {
        // The old one closes outside the borrow.
        let old = self.with_slot(slot, |slot| slot.transport.replace((conn, transport)));
        drop(old);
    }

    fn forget(&self, slot: u32, ask: Ask) {
        let gone = self.with_slot(slot, |slot| {
            let at = slot.asks.iter().position(|(asked, _)| *asked == ask)?;
            Some(slot.asks.swap_remove(at))
        });
        drop(gone);
    }

    // ---- entries of the page ----

    fn take_stream_event(&self, to: To, event: &StreamEvent<'_>) {
        match (to, event) {
            (To::Run(slot, conn), StreamEvent::Head(response)) => self.take_head(slot, conn, response),
            (To::Run(slot, conn), StreamEvent::Chunk(chunk)) => self.take_chunk(slot, conn, chunk),
            (To::Run(slot, conn), StreamEvent::Ended) => self.lose(slot, conn, Loss::Ended),
            (To::Diagnosis(slot, conn), StreamEvent::Head(response)) if !is_stream(response) => {
                self.take_head(slot, conn, response);
            }
            // What was refused to the source is there now: let the next attempt have it.
            (To::Run(slot, conn) | To::Diagnosis(slot, conn), _) => self.lose(slot, conn, Loss::Failed),
        }
    }

    fn take_chunk(&self, slot: u32, conn: Conn, chunk: &Chunk) {
        let len = chunk.length();
        let mut at = 0;
        while at < len {
            let size = (len - at).min(CHUNK as u32);
            self.turn(slot, &mut |run, window, now| {
                if let Some(space) = window.chunk_mut().get_mut(..size as usize) {
                    page::copy_part(chunk, at, space);
                    run.handle_chunk(conn, window, size as usize, now);
                }
            });
            at += size;
        }
    }

    fn take_head(&self, slot: u32, conn: Conn, response: &Response) {
        let (content_type, retry_after) =
            (page::header(response, "content-type"), page::header(response, "retry-after"));
        let head = Head {
            status: response.status(),
            content_type: content_type.as_deref(),
            retry_after: retry_after.as_deref(),
            now_unix_ms: Some(clock::unix_ms()),
        };
        self.turn(slot, &mut |run, _, now| run.handle_response(conn, &head, now));
    }

    fn take_source_event(&self, slot: u32, conn: Conn, event: SourceEvent, request: &Request) {
        match event {
            SourceEvent::Opened => {
                let head =
                    Head { status: 200, content_type: Some("text/event-stream"), retry_after: None, now_unix_ms: None };
                self.turn(slot, &mut |run, _, now| run.handle_response(conn, &head, now));
            }
            SourceEvent::Message { terminal } => {
                let sync = self.with_slot(slot, |slot| slot.pace == Pace::Sync).unwrap_or(false);
                if terminal || sync {
                    self.drain_native();
                } else {
                    self.frame.request();
                }
            }
            SourceEvent::Failed { refused } => {
                self.drain_native();
                if refused {
                    self.open(To::Diagnosis(slot, conn), request);
                } else {
                    self.lose(slot, conn, Loss::Failed);
                }
            }
        }
    }

    /// Feeds what native sources have gathered.
    fn drain_native(&self) {
        let mut all: Vec<(u32, Conn, Gathered)> = Vec::new();
        for (place, slot) in self.state().slots.iter().enumerate() {
            if let Some(slot) = slot
                && let Some((conn, Transport::Native(source))) = &slot.transport
            {
                all.push((place as u32 + 1, *conn, source.gathered()));
            }
        }
        for (slot, conn, gathered) in all {
            let mut size = 1;
            while size > 0 {
                size = 0;
                self.turn(slot, &mut |run, window, now| {
                    size = gathered.take(window.chunk_mut());
                    if size > 0 {
                        run.handle_chunk(conn, window, size, now);
                    }
                });
            }
        }
    }

    fn take_answer(&self, ticket: Ticket, status: u16, body: &[u8]) {
        let now = clock::now();
        let (answered, gone) = {
            let mut state = self.state();
            let at = state.requests.iter().position(|(asked, _)| *asked == ticket);
            let gone = at.map(|at| state.requests.swap_remove(at));
            (state.inquiries.handle_reply(ticket, status, body), gone)
        };
        drop(gone);
        if let Some((Question::Stop, session)) = answered {
            self.every_stoppable(&session, &mut |run| run.handle_stop_reply(status, now));
        }
    }

    fn handle_timeout(&self) {
        let now = clock::now();
        self.alarm.fired();
        loop {
            let expired = self.state().inquiries.handle_timeout(now);
            let Some((ticket, question, session)) = expired else { break };
            let gone = {
                let mut state = self.state();
                let at = state.requests.iter().position(|(asked, _)| *asked == ticket);
                at.map(|at| state.requests.swap_remove(at))
            };
            drop(gone);
            if question == Question::Stop {
                self.every_stoppable(&session, &mut |run| run.handle_stop_reply(0, now));
            }
        }
        self.every_slot(&mut Run::handle_timeout);
        self.arm(now);
    }

    fn handle_frame(&self) {
        self.frame.cancel();
        self.drain_native();
        self.state().frame_due = true;
    }

    // ---- small helpers ----

    fn state(&self) -> RefMut<'_, State> {
        // Nothing is called while it is held that could come back here.
        self.state.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }

    fn every_slot(&self, feed: &mut dyn FnMut(&mut Run, Instant)) {
        let count = self.state().slots.len() as u32;
        for slot in 1..=count {
            self.turn(slot, &mut |run, _, now| feed(run, now));
        }
    }

    fn every_stoppable(&self, session: &str, feed: &mut dyn FnMut(&mut Run)) {
        let count = self.state().slots.len() as u32;
        for slot in 1..=count {
            if self.with_slot(slot, |slot| slot.stoppable && slot.session == session) == Some(true) {
                self.turn(slot, &mut |run, _, _| feed(run));
            }
        }
    }

    fn with_slot<T>(&self, slot: u32, act: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        self.state().slot(slot).map(act)
    }

    fn arm(&self, now: Instant) {
        let next = self.state().inquiries.poll_timeout();
        self.alarm.set(next, now);
    }

    /// Asks for a frame when something of this slot wants one.
    fn schedule(&self, slot: u32) {
        let wants = self.with_slot(slot, |slot| match slot.dirty {
            Urgency::None => false,
            Urgency::Content => slot.pace != Pace::Unwatched,
            Urgency::State | Urgency::Now => true,
        });
        if wants == Some(true) {
            self.frame.request();
        }
    }

    /// Whether a flush is due before the next frame.
    fn is_urgent(&self) -> bool {
        let mut state = self.state();
        if core::mem::take(&mut state.frame_due) || state.inquiries.has_answers() {
            return true;
        }
        state
            .slots
            .iter()
            .flatten()
            .any(|slot| slot.dirty == Urgency::Now || (slot.pace == Pace::Sync && slot.dirty != Urgency::None))
    }
}

impl State {
    fn slot(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut((number as usize).wrapping_sub(1))?.as_deref_mut()
    }
}

/// The flush as a JS string: the one decoding of its text.
pub fn take(delta: &mut Delta) -> JsValue {
    // A delta is valid UTF-8 by construction.
    let text = JsValue::from_str(core::str::from_utf8(delta.finish()).unwrap_or_default());
    delta.clear();
    text
}

fn is_stream(response: &Response) -> bool {
    (200..300).contains(&response.status()) && http::is_event_stream(page::header(response, "content-type").as_deref())
}

/// One entry of the page: `act`, then, as the last thing and with nothing borrowed, the wake-up of JS if one is due.
fn enter(driver: &Weak<Driver>, act: &mut dyn FnMut(&Driver)) {
    let Some(driver) = driver.upgrade() else { return };
    DEPTH.fetch_add(1, Relaxed);
    act(&driver);
    DEPTH.fetch_sub(1, Relaxed);
    if driver.is_urgent() {
        // Our own JS catches what users' callbacks throw.
        page::wake(&driver.http.hooks);
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::browser::testing::{Ledger, catch, http};

    #[wasm_bindgen_test]
    fn a_trap_inside_an_entry_leaves_the_depth_above_zero() {
        let ledger = Ledger::new();
        // Nothing is due, so that nothing is woken.
        let driver = Driver::new(Config::default(), http("/", &ledger));
        let me = Rc::downgrade(&driver);
        enter(&me, &mut |_| assert_eq!(depth(), 1));
        assert_eq!(depth(), 0);
        let entry = Closure::<dyn Fn()>::new(move || enter(&me, &mut |_| core::arch::wasm32::unreachable()));
        assert!(catch(entry.as_ref()).contains("RuntimeError"));
        assert_eq!(depth(), 1);
        // The page's other tests live on.
        DEPTH.fetch_sub(1, Relaxed);
    }
}
