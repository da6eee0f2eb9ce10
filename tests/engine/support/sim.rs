//! One run between a page and the server, over a network that does what a schedule says.
//!
//! Time jumps from one happening to the next. After each, the run's outputs are drained and obeyed, the page is flushed,
//! and the invariants of PROTOCOLS 6.1 are asserted, whatever the test is about:
//!
//! * an unsettled run has a connection, a question or a deadline behind it (1);
//! * it settles once, and nothing but silence follows (1, 3);
//! * it has at most one connection (9), and a bounded number of attempts between two signs of progress;
//! * the page can apply every delta, and what it shows only ever grows (5, 16).
//!
//! Everything follows from the world's seed and schedule, so that a failure can be played again.

use std::collections::VecDeque;
use std::mem;

use steadystream::engine::config::Config;
use steadystream::engine::delta::Delta;
use steadystream::engine::environment::{Environment, Signal};
use steadystream::engine::http;
use steadystream::engine::inquiry::{Inquiries, Question as Inquiry};
use steadystream::engine::link::Conn;
use steadystream::engine::request::{Method, Request};
use steadystream::engine::rng::Rng;
use steadystream::engine::run::{Ask, Loss, Output, Run, Urgency, Wish};
use steadystream::engine::status::Status;
use steadystream::engine::time::{Instant, Millis};
use steadystream::engine::transport::Transport;
use steadystream::engine::window::{CHUNK, Window};

use super::page::Page;
use super::plan::{Answer, Chunks, Head, How, Incident, Plan};
use super::script::{Script, Shape, Transcript};
use super::server::{Body, EPOCH, Habits, Mischief, Server, StreamId};

pub const SESSION: &str = "5e551011-0000-4000-8000-000000000001";
pub const REQUEST: &str = "4e90e570-0000-4000-8000-000000000001";
const RETRY_REQUEST: &str = "4e90e570-0000-4000-8000-000000000002";

/// One way through the network, in ms; as much again by chance.
const LATENCY: u64 = 15;

/// No run may take longer than this to settle, whatever happens: six hours.
const PATIENCE: u64 = 6 * 3_600_000;

/// Everything that decides how a test goes.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub script: Script,
    pub habits: Habits,
    pub config: Config,
    /// What happens to the first, second … connection; later ones are clean.
    pub plans: VecDeque<Plan>,
    /// What happens to the connections after those.
    pub otherwise: Plan,
    /// What happens to the first, second … question; later ones are answered.
    pub answers: VecDeque<Answer>,
    /// What happens at which time.
    pub incidents: Vec<(u64, Incident)>,
    /// How late timers fire, at most, in ms.
    pub lateness: u64,
    /// How many of a hundred happenings are followed by a timer that fires for no reason.
    pub spurious: u64,
    pub environment: Environment,
    pub grace: Option<u64>,
    pub listen: bool,
    /// How long the run had been going when the page opened it, in ms.
    pub head_start: u64,
    /// Whether what the page shows must be a beginning of the truth at any time.
    pub is_exact: bool,
}

impl World {
    /// A world without trouble.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            script: Script::seeded(seed, Shape::default()),
            habits: Habits::default(),
            config: Config::default(),
            plans: VecDeque::new(),
            otherwise: Plan::CLEAN,
            answers: VecDeque::new(),
            incidents: Vec::new(),
            lateness: 0,
            spurious: 0,
            environment: Environment::default(),
            grace: None,
            listen: false,
            head_start: 0,
            is_exact: true,
        }
    }

    /// A world without trouble and in no hurry: the run takes about two minutes.
    pub fn slow(seed: u64) -> Self {
        Self::seeded(seed).script(Script::seeded(seed, Shape::slow()))
    }

    pub fn script(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The next connection goes like this.
    pub fn then(mut self, plan: Plan) -> Self {
        self.plans.push_back(plan);
        self
    }

    /// All connections after the planned ones go like this.
    pub fn forever(self, plan: Plan) -> Self {
        Self { otherwise: plan, ..self }
    }

    /// The next question goes like this.
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answers.push_back(answer);
        self
    }

    /// This happens at `at` ms.
    pub fn at(mut self, at: u64, incident: Incident) -> Self {
        self.incidents.push((at, incident));
        self
    }

    pub fn habits(mut self, change: impl FnOnce(&mut Habits)) -> Self {
        change(&mut self.habits);
        self
    }

    /// The user sends a message.
    pub fn send(self) -> Sim {
        let body =
            format!(r#"{{"sessionId":"{SESSION}","content":"hello","requestId":"{REQUEST}","debugMode":false}}"#);
        let wish = Wish { request_id: Some(REQUEST.into()), body: Some(body), ..Wish::default() };
        Sim::new(self, |_| wish)
    }

    /// The page opens a run that began elsewhere.
    pub fn open(self) -> Sim {
        self.open_after(None)
    }

    /// The page opens a run of which it holds the first `held` events already.
    pub fn open_after(self, held: Option<usize>) -> Sim {
        let start = self.head_start;
        Sim::new(self, |server| {
            let run = server.start_run(SESSION);
            server.advance(start);
            let cursor = held.and_then(|held| server.id_of(held.checked_sub(1)?));
            Wish { run: Some(run), cursor, ..Wish::default() }
        })
    }

    /// The page was loaded anew: it knows the session alone (B-RES-5).
    pub fn resume(self) -> Sim {
        let start = self.head_start;
        Sim::new(self, |server| {
            server.start_run(SESSION);
            server.advance(start);
            Wish::default()
        })
    }

    /// The page opens a run that the server does not know.
    pub fn open_unknown(self) -> Sim {
        Sim::new(self, |_| Wish { run: Some("9b2e4c1a-0000-4000-8000-00000000dead".into()), ..Wish::default() })
    }
}

/// A world in motion.
pub struct Sim {
    pub run: Run,
    pub server: Server,
    pub page: Page,
    /// What was asked for, and when: every connection and question.
    pub requests: Vec<(u64, Request)>,
    /// Everything the run put out, in words, for comparing two plays.
    pub trace: Vec<String>,
    pub now: u64,
    truth: Transcript,
    true_text: String,
    world: World,
    rng: Rng,
    window: Window,
    delta: Delta,
    conns: Vec<Carrier>,
    /// Numbers of connections that are gone, for callbacks that come too late.
    gone: Vec<Conn>,
    asks: Vec<Question>,
    answered: Vec<Ask>,
    incidents: Vec<(u64, Incident)>,
    is_offline: bool,
    is_down: bool,
    asleep_until: u64,
    /// The deadline that is armed, and when its timer really fires.
    alarm: Option<(Instant, u64)>,
    attempts_without_progress: u32,
    shown_before: String,
}

/// One connection on its way.
struct Carrier {
    conn: Conn,
    request: Request,
    plan: Plan,
    /// When the request reaches the server; `None` once it has.
    arrives: Option<u64>,
    stream: Option<StreamId>,
    parcels: VecDeque<(u64, Parcel)>,
    last_parcel: u64,
    carried: usize,
    is_over: bool,
}

enum Parcel {
    Head { status: u16, content_type: Option<String>, retry_after: Option<String> },
    Bytes(Vec<u8>),
    End(Loss),
}

/// One question on its way: the run's own, or, without a number, the stop that its user asked for.
struct Question {
    ask: Option<Ask>,
    request: Request,
    answer: Answer,
    arrives: Option<u64>,
    reply: Option<(u64, u16, Vec<u8>)>,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Incident,
    Server,
    Alarm,
    Request(usize),
    Parcel(usize),
    Question(usize),
    Reply(usize),
}

impl Sim {
    fn new(mut world: World, wish: impl FnOnce(&mut Server) -> Wish) -> Self {
        let mut server = Server::new(world.script.clone(), world.habits.clone(), world.seed);
        let wish =
            Wish { session: SESSION.into(), grace: world.grace.map(Millis), listen: world.listen, ..wish(&mut server) };
        let mut incidents = mem::take(&mut world.incidents);
        incidents.sort_by_key(|&(at, _)| at);
        let now = world.head_start;
        let mut sim = Self {
            run: Run::new(wish, world.config.clone(), world.environment, world.seed, Instant::from_millis(now)),
            true_text: server.truth().text(),
            truth: server.truth(),
            server,
            page: Page::default(),
            requests: Vec::new(),
            trace: Vec::new(),
            now,
            rng: Rng::seeded(world.seed ^ 0x5EED),
            window: Window::new(),
            delta: Delta::new(),
            conns: Vec::new(),
            gone: Vec::new(),
            asks: Vec::new(),
            answered: Vec::new(),
            incidents,
            is_offline: false,
            is_down: false,
            asleep_until: 0,
            alarm: None,
            attempts_without_progress: 0,
            shown_before: String::new(),
            world,
        };
        sim.drain();
        sim
    }

    // ---- for tests ----

    /// Plays until the run has settled.
    pub fn settle(mut self) -> Self {
        self.play_to_settled();
        self.knock();
        self
    }

    /// Plays until the run has settled; it may be retried afterwards.
    pub fn play_to_settled(&mut self) {
        while !self.run.status().is_settled() {
            assert!(self.now < PATIENCE, "the run never settles");
            assert!(self.step(), "nothing will ever happen any more");
        }
    }

    /// Plays everything up to `at`.
    pub fn play_until(&mut self, at: u64) {
        while self.next().is_some_and(|(next, _)| next <= at) {
            self.step();
        }
        self.now = self.now.max(at);
        self.server.advance(self.now);
        self.pump();
    }

    /// The user presses Retry.
    pub fn retry(&mut self) {
        self.happen(Incident::Retry);
        self.drain();
    }

    /// From now on, connections that are not planned go like this.
    pub fn forever(&mut self, plan: Plan) {
        self.world.otherwise = plan;
    }

    /// Does something now.
    pub fn now(&mut self, incident: Incident) {
        self.happen(incident);
        self.drain();
    }

    /// Asserts that the run was completed and shows exactly what a perfect connection would have shown.
    #[track_caller]
    pub fn assert_whole(&self) {
        assert_eq!(self.run.status(), Status::Completed, "{:?}", self.run.error());
        assert_eq!(self.page.transcript(), self.truth);
        assert!(!self.page.is_growing(), "a completed run has no open part");
        assert_eq!(self.page.state["status"], "completed");
    }

    /// What a perfect connection would have shown.
    pub fn truth(&self) -> &Transcript {
        &self.truth
    }

    /// The failure's public code.
    pub fn code(&self) -> Option<&'static str> {
        self.run.error().map(|failure| failure.code.as_str())
    }

    /// The requests whose path begins like this, with their times.
    pub fn requests_to<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a (u64, Request)> {
        self.requests.iter().filter(move |(_, request)| match path {
            "" => request.path.is_empty(),
            path => request.path.starts_with(path),
        })
    }

    // ---- time ----

    /// Lets the next thing happen. False if nothing ever will.
    fn step(&mut self) -> bool {
        let Some((at, happening)) = self.next() else { return false };
        self.now = self.now.max(at);
        self.server.advance(self.now);
        match happening {
            Happening::Incident => {
                let (_, incident) = self.incidents.remove(0);
                self.happen(incident);
            }
            Happening::Server => {}
            Happening::Alarm => {
                self.alarm = None;
                self.run.handle_timeout(self.instant());
            }
            Happening::Request(index) => self.arrive(index),
            Happening::Parcel(index) => self.deliver(index),
            Happening::Question(index) => self.answer(index),
            Happening::Reply(index) => {
                let question = self.asks.remove(index);
                self.answered.extend(question.ask);
                match (question.ask, question.reply) {
                    (Some(ask), Some((_, status, body))) => {
                        let now = self.instant();
                        self.run.handle_reply(ask, status, &body, &mut self.window, now);
                    }
                    (None, Some((_, status, _))) => self.run.handle_stop_reply(status, self.instant()),
                    (_, None) => {}
                }
            }
        }
        if self.rng.up_to(99) < self.world.spurious {
            self.run.handle_timeout(self.instant());
        }
        self.drain();
        self.pump();
        true
    }

    /// What happens next; among what happens at once, any.
    fn next(&mut self) -> Option<(u64, Happening)> {
        let awake = self.asleep_until;
        let mut candidates: Vec<(u64, Happening)> = Vec::new();
        candidates.extend(self.incidents.first().map(|&(at, _)| (at, Happening::Incident)));
        candidates.extend(self.server.next_wake().map(|at| (at, Happening::Server)));
        candidates.extend(self.alarm.map(|(_, fires)| (fires.max(awake), Happening::Alarm)));
        for (index, carrier) in self.conns.iter().enumerate() {
            candidates.extend(carrier.arrives.map(|at| (at, Happening::Request(index))));
            candidates.extend(carrier.parcels.front().map(|&(at, _)| (at.max(awake), Happening::Parcel(index))));
        }
        for (index, question) in self.asks.iter().enumerate() {
            candidates.extend(question.arrives.map(|at| (at, Happening::Question(index))));
            candidates.extend(question.reply.as_ref().map(|&(at, ..)| (at.max(awake), Happening::Reply(index))));
        }
        let first = candidates.iter().map(|&(at, _)| at.max(self.now)).min()?;
        candidates.retain(|&(at, _)| at.max(self.now) == first);
        let pick = self.rng.up_to(candidates.len() as u64 - 1) as usize;
        Some((first, candidates[pick].1))
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn travel(&mut self) -> u64 {
        LATENCY + self.rng.up_to(LATENCY)
    }

    // ---- the network ----

    /// A request reaches the server, or does not.
    fn arrive(&mut self, index: usize) {
        let is_dead = self.is_offline || self.is_down;
        let (back, now) = (self.travel(), self.now);
        let carrier = &mut self.conns[index];
        carrier.arrives = None;
        let at = now + back + carrier.plan.head_delay;
        if is_dead || carrier.plan.head == Head::Refused {
            return carrier.post(now + back, Parcel::End(Loss::Failed));
        }
        match carrier.plan.head.clone() {
            Head::Fake { status, content_type, retry_after, body } => {
                let (content_type, retry_after) = (content_type.map(Into::into), retry_after.map(Into::into));
                carrier.post(at, Parcel::Head { status, content_type, retry_after });
                carrier.post_body(body, at, &mut self.rng);
                carrier.end(Loss::Ended, at);
            }
            wanted => {
                let reply = self.server.handle(&carrier.request, carrier.plan.mischief, now);
                let stream = match reply.body {
                    Body::Stream(stream) => Some(stream),
                    Body::Whole(_) => None,
                };
                match wanted {
                    Head::Never | Head::Lost => {
                        stream.into_iter().for_each(|stream| self.server.forget(stream));
                        if wanted == Head::Lost {
                            carrier.post(at, Parcel::End(Loss::Failed));
                        }
                    }
                    _ => {
                        let content_type = Some(reply.content_type.into());
                        carrier.post(at, Parcel::Head { status: reply.status, content_type, retry_after: None });
                        carrier.stream = stream;
                        if let Body::Whole(body) = reply.body {
                            carrier.post_body(body, at, &mut self.rng);
                            carrier.end(Loss::Ended, at);
                        }
                    }
                }
            }
        }
    }

    /// Takes what the server has written onto the way.
    fn pump(&mut self) {
        for index in 0..self.conns.len() {
            let at = self.now + self.travel();
            let carrier = &mut self.conns[index];
            let Some(stream) = carrier.stream else { continue };
            let (bytes, ended) = self.server.read(stream);
            carrier.post_body(bytes, at, &mut self.rng);
            if ended {
                carrier.end(carrier.plan.end.into(), at);
            }
            if carrier.is_over {
                carrier.stream = None;
                self.server.forget(stream);
            }
        }
    }

    /// Hands the next parcel of a connection to the run.
    fn deliver(&mut self, index: usize) {
        let now = self.instant();
        let carrier = &mut self.conns[index];
        let conn = carrier.conn;
        let Some((_, parcel)) = carrier.parcels.pop_front() else { return };
        match parcel {
            Parcel::Head { status, content_type, retry_after } => {
                let head = http::Head {
                    status,
                    content_type: content_type.as_deref(),
                    retry_after: retry_after.as_deref(),
                    now_unix_ms: Some(EPOCH + self.now),
                };
                self.run.handle_response(conn, &head, now);
            }
            Parcel::Bytes(bytes) => self.feed(conn, &bytes),
            Parcel::End(loss) => {
                let carrier = self.conns.remove(index);
                carrier.stream.into_iter().for_each(|stream| self.server.forget(stream));
                self.gone.push(conn);
                self.run.handle_lost(conn, loss, now);
            }
        }
    }

    fn feed(&mut self, conn: Conn, bytes: &[u8]) {
        for chunk in bytes.chunks(CHUNK) {
            self.window.chunk_mut()[..chunk.len()].copy_from_slice(chunk);
            self.run.handle_chunk(conn, &mut self.window, chunk.len(), Instant::from_millis(self.now));
        }
    }

    /// A question reaches the server, or does not.
    fn answer(&mut self, index: usize) {
        let is_dead = self.is_offline || self.is_down;
        let (at, now) = (self.now + self.travel(), self.now);
        let question = &mut self.asks[index];
        question.arrives = None;
        question.reply = match &question.answer {
            Answer::Failed => Some((at, 0, Vec::new())),
            _ if is_dead => Some((at, 0, Vec::new())),
            Answer::Fake { status, body } => Some((at, *status, body.as_bytes().to_vec())),
            answer => {
                let reply = self.server.handle(&question.request, Mischief::default(), now);
                match reply.body {
                    Body::Whole(body) if *answer == Answer::Served => Some((at, reply.status, body)),
                    // A log that is asked for in one piece comes when it is complete: at once, of a run that is over.
                    Body::Stream(stream) if *answer == Answer::Served => {
                        let (body, is_whole) = self.server.read(stream);
                        self.server.forget(stream);
                        is_whole.then_some((at, reply.status, body))
                    }
                    _ => None,
                }
            }
        };
    }

    // ---- what happens at its own time ----

    fn happen(&mut self, incident: Incident) {
        let now = self.instant();
        match incident {
            Incident::Cut(how) => self.break_all(how),
            Incident::Offline { ms, told, resets } => {
                self.is_offline = true;
                if resets {
                    self.break_all(How::Rst);
                } else {
                    self.silence_all();
                }
                if told {
                    self.run.handle_signal(Signal::Offline, now);
                }
                self.schedule(self.now + ms, Incident::Online { told });
            }
            Incident::Online { told } => {
                self.is_offline = false;
                if told {
                    self.run.handle_signal(Signal::Online, now);
                }
            }
            Incident::Sleep { ms, told } => {
                if told {
                    self.run.handle_signal(Signal::Frozen, now);
                    self.schedule(self.now + ms, Incident::Signal(Signal::Thawed));
                }
                self.asleep_until = self.now + ms;
            }
            Incident::Restart { ms, keeps_log, keeps_workers } => {
                self.break_all(How::Rst);
                self.server.restart(keeps_log, keeps_workers);
                self.is_down = true;
                self.schedule(self.now + ms, Incident::Up);
            }
            Incident::Up => self.is_down = false,
            Incident::Log(works) => self.server.habits.has_log = works,
            Incident::Signal(signal) => self.run.handle_signal(signal, now),
            Incident::Stop => {
                if !self.run.status().is_settled() {
                    self.run.stop(now);
                    let mut inquiries = Inquiries::new(&self.world.config, 1);
                    let ticket = inquiries.ask(Inquiry::Stop, SESSION, now).expect("a stop can be asked for");
                    inquiries.go(ticket);
                    let Some((_, request)) = inquiries.poll_request() else { unreachable!() };
                    self.ask(None, request);
                }
            }
            Incident::Retry => {
                let was_settled = self.run.status().is_settled();
                let body = format!(r#"{{"sessionId":"{SESSION}","content":"hello","requestId":"{RETRY_REQUEST}"}}"#);
                if self.run.retry(RETRY_REQUEST, Some(&body), now) {
                    assert!(was_settled, "only a settled run can be retried");
                    self.page.ends = 0;
                    self.attempts_without_progress = 0;
                    self.shown_before.clear();
                }
            }
            Incident::Close => self.run.close(now),
            Incident::Spurious => self.run.handle_timeout(now),
        }
    }

    fn schedule(&mut self, at: u64, incident: Incident) {
        let place = self.incidents.partition_point(|&(other, _)| other <= at);
        self.incidents.insert(place, (at, incident));
    }

    fn break_all(&mut self, how: How) {
        let at = self.now + self.travel();
        for carrier in &mut self.conns {
            if carrier.arrives.is_some() {
                carrier.plan.head = Head::Refused;
            } else {
                // What is on the way is lost with the connection.
                carrier.parcels.clear();
                carrier.is_over = false;
                carrier.end(how.into(), at);
            }
            carrier.stream.take().into_iter().for_each(|stream| self.server.forget(stream));
        }
        for question in &mut self.asks {
            if question.arrives.take().is_some() || question.reply.is_some() {
                question.reply = Some((at, 0, Vec::new()));
            }
        }
    }

    fn silence_all(&mut self) {
        for carrier in &mut self.conns {
            carrier.parcels.clear();
            carrier.is_over = true;
            carrier.stream.take().into_iter().for_each(|stream| self.server.forget(stream));
        }
    }

    // ---- the run's wishes ----

    /// Obeys everything the run wants, shows the page what changed, and checks what must always hold.
    fn drain(&mut self) {
        while let Some(output) = self.run.poll_output() {
            self.trace.push(format!("{} {output:?}", self.now));
            self.obey(output);
        }
        self.flush();
        self.check();
        let deadline = self.run.poll_timeout();
        if self.alarm.map(|(armed, _)| armed) != deadline {
            let late = self.rng.up_to(self.world.lateness);
            self.alarm = deadline.map(|deadline| (deadline, deadline.as_millis().max(self.now).saturating_add(late)));
        }
    }

    fn obey(&mut self, output: Output) {
        let arrives = Some(self.now + self.travel());
        match output {
            Output::Connect { conn, mut request, via, .. } => {
                if via == Transport::EventSource {
                    // W-6, W-10: the browser's own EventSource cannot be told a header.
                    assert_eq!(request.method, Method::Get);
                    request.last_event_id = None;
                }
                self.requests.push((self.now, request.clone()));
                self.attempts_without_progress += 1;
                assert!(self.conns.iter().all(|other| other.conn != conn), "a connection's number is used once");
                let plan = self.world.plans.pop_front().unwrap_or_else(|| self.world.otherwise.clone());
                self.conns.push(Carrier {
                    conn,
                    request,
                    plan,
                    arrives,
                    stream: None,
                    parcels: VecDeque::new(),
                    last_parcel: 0,
                    carried: 0,
                    is_over: false,
                });
            }
            Output::Disconnect { conn } => {
                if let Some(index) = self.conns.iter().position(|carrier| carrier.conn == conn) {
                    let carrier = self.conns.remove(index);
                    self.gone.push(conn);
                    carrier.stream.into_iter().for_each(|stream| self.server.forget(stream));
                }
            }
            Output::Ask { ask, request } => self.ask(Some(ask), request),
            Output::Forget { ask } => {
                self.asks.retain(|question| question.ask != Some(ask));
                self.answered.push(ask);
            }
            Output::Join { .. } => unreachable!("bichat has no socket"),
            Output::Learned { .. } => {}
            Output::Look => {
                let signal = if self.is_offline { Signal::Offline } else { Signal::Online };
                self.schedule(self.now, Incident::Signal(signal));
            }
        }
    }

    fn ask(&mut self, ask: Option<Ask>, request: Request) {
        let arrives = Some(self.now + self.travel());
        self.requests.push((self.now, request.clone()));
        let answer = self.world.answers.pop_front().unwrap_or(Answer::Served);
        self.asks.push(Question { ask, request, answer, arrives, reply: None });
    }

    fn flush(&mut self) {
        if self.run.take_urgency() == Urgency::None {
            return;
        }
        self.run.write_delta(1, &mut self.delta, true);
        self.page.apply(std::str::from_utf8(self.delta.finish()).expect("a flush is valid UTF-8"));
        self.delta.clear();
        self.check_shown();
    }

    /// The invariants.
    fn check(&mut self) {
        let is_settled = self.run.status().is_settled();
        assert!(self.run.is_sustained(), "an unsettled run with nothing behind it");
        assert!(self.conns.len() <= 1, "more than one connection for one run");
        if is_settled {
            assert!(self.conns.is_empty(), "a settled run keeps no connection");
            assert!(self.asks.iter().all(|question| question.ask.is_none()), "a settled run has no question");
            assert_eq!(self.run.poll_timeout(), None, "a settled run waits for nothing");
        } else {
            // Stronger than the promise: even an open connection has a deadline behind it.
            assert!(self.run.poll_timeout().is_some(), "nothing bounds this state: {:?}", self.run.link().phase());
        }
        assert!(self.page.ends <= 1, "settled twice");
        assert_eq!(self.page.ends == 1, is_settled, "the page knows when it is over");
        assert!(
            self.attempts_without_progress <= 3 * self.world.config.max_attempts,
            "{} attempts in a row brought nothing",
            self.attempts_without_progress
        );
    }

    /// What the user sees grows, and is a beginning of the truth.
    fn check_shown(&mut self) {
        let shown = self.page.text();
        if shown.len() > self.shown_before.len() {
            self.attempts_without_progress = 0;
        }
        if self.world.is_exact {
            assert!(self.true_text.starts_with(&shown), "shown: {shown:?}\ntrue: {:?}", self.true_text);
            assert!(shown.len() >= self.shown_before.len(), "what was shown is gone: {:?}", self.shown_before);
        }
        self.shown_before = shown;
    }

    /// Everything that can come too late does; a settled run does not stir.
    fn knock(&mut self) {
        let (status, page, later) =
            (self.run.status(), self.page.transcript(), Instant::from_millis(self.now + 3_600_000));
        let head = http::Head { status: 200, content_type: Some("text/event-stream"), ..http::Head::default() };
        let late = b"id: 9999999999999-0\nevent: content\ndata: {\"type\":\"content\",\"content\":\"too late\"}\n\nevent: done\ndata: {}\n\n";
        for conn in self.gone.clone() {
            self.run.handle_response(conn, &head, later);
            self.feed(conn, late);
            self.run.handle_lost(conn, Loss::Failed, later);
        }
        for ask in self.answered.clone() {
            self.run.handle_reply(ask, 200, br#"{"active":true}"#, &mut self.window, later);
        }
        for signal in [Signal::Offline, Signal::Online, Signal::Frozen, Signal::Thawed, Signal::Hidden, Signal::Visible]
        {
            self.run.handle_signal(signal, later);
        }
        self.run.handle_timeout(later);
        self.run.stop(later);
        self.run.handle_stop_reply(200, later);
        self.run.close(later);
        assert_eq!(self.run.poll_output(), None, "no output after the end");
        self.flush();
        self.check();
        assert_eq!(self.run.status(), status);
        assert_eq!(self.page.transcript(), page);
    }
}

impl Carrier {
    fn post(&mut self, at: u64, parcel: Parcel) {
        self.last_parcel = self.last_parcel.max(at);
        self.parcels.push_back((self.last_parcel, parcel));
    }

    /// Cuts a piece of the body into chunks and puts them on the way, as far as the plan lets them come.
    fn post_body(&mut self, mut bytes: Vec<u8>, at: u64, rng: &mut Rng) {
        if self.is_over {
            return;
        }
        let room = |limit: usize| limit.saturating_sub(self.carried);
        let cut = self.plan.cut.filter(|&(after, _)| room(after) <= bytes.len());
        let stall = self.plan.stall.filter(|&after| room(after) <= bytes.len());
        if let Some(limit) = [cut.map(|(after, _)| after), stall].into_iter().flatten().min() {
            bytes.truncate(room(limit));
        }
        self.carried += bytes.len();
        let mut rest = bytes.as_slice();
        let mut at = at;
        while !rest.is_empty() {
            let length = match self.plan.chunks {
                Chunks::AsSent => rest.len(),
                Chunks::Of(length) => length,
                Chunks::Anywhere => 1 + rng.up_to(60) as usize,
                Chunks::Paced { bytes, .. } => bytes,
            };
            let (chunk, after) = rest.split_at(length.min(rest.len()));
            self.post(at, Parcel::Bytes(chunk.to_vec()));
            rest = after;
            at += match self.plan.chunks {
                Chunks::Paced { every, .. } => every,
                _ => rng.up_to(1),
            };
        }
        if stall.is_some() {
            self.is_over = true;
        } else if let Some((_, how)) = cut {
            self.end(how.into(), at);
        }
    }

    fn end(&mut self, loss: Loss, at: u64) {
        if !self.is_over {
            self.is_over = true;
            self.post(at, Parcel::End(loss));
        }
    }
}

impl From<How> for Loss {
    fn from(how: How) -> Self {
        match how {
            How::Fin => Self::Ended,
            How::Rst => Self::Failed,
        }
    }
}
