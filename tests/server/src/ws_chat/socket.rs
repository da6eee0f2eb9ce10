//! One socket from its upgrade to its end.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::App;
use crate::auth;
use crate::counters::{CloseRecord, Outcome};
use crate::faults::{Exchange, Mangle, Route, Sky, Step};
use crate::net::Close;
use crate::reply::Refusal;
use crate::sse::{Event, Frame};
use crate::websocket::{Handshake, Message, Opcode, base64_url};

use super::outbound::{End, Outbound, after, sleep_until};
use super::payload;
use super::subscriptions::{Heard, Subscriptions};

/// The subprotocol that the server chooses if it is offered.
const SUBPROTOCOL: &str = "ws-chat.v1";
/// What a binary frame that a fault puts in holds.
const NOISE: &[u8] = b"\x00\x01\xFE\xFFnot text";

/// Answers the handshake; the socket lives on in a task of its own.
pub(super) fn upgrade(app: Arc<App>, exchange: Arc<Exchange>, mut request: Request) -> Result<Response, Refusal> {
    let handshake = Handshake::read(request.headers())?;
    let offered = handshake.protocols.iter().find_map(|name| base64_url(name.strip_prefix("bearer.")?));
    if let Some(token) = &offered {
        app.counters.handle_token(exchange.record(), token);
    }
    let accepts = |token: &String| auth::is_accepted(&app.config().auth, token);
    let standing = match (&offered, auth::token(request.headers())) {
        _ if app.config().auth.tokens.is_empty() => Standing::Known,
        (Some(token), _) if accepts(token) => Standing::Known,
        (Some(_), _) => Standing::Refused,
        (None, Some(token)) if accepts(&token) => Standing::Known,
        (None, _) => Standing::Unknown,
    };
    let response = handshake.response(SUBPROTOCOL, exchange.step().wrong_upgrade);
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // Fails if the connection ended before the answer had left.
        if let Ok(io) = upgraded.await {
            serve(app, &exchange, io, standing).await;
        }
    });
    Ok(Exchange::untouched(response))
}

/// What the server thinks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may do everything.
    Known,
    /// It has yet to say who it is.
    Unknown,
    /// Its token is wrong.
    Refused,
}

/// A socket that is open.
pub(super) struct Socket<'a> {
    pub(super) app: Arc<App>,
    pub(super) exchange: &'a Exchange,
    pub(super) step: &'a Step,
    pub(super) plain: bool,
    pub(super) standing: Standing,
    pub(super) line: Outbound<'a>,
    pub(super) subscriptions: Subscriptions,
    pub(super) sessions: BTreeSet<String>,
    mangle: Mangle<'a>,
    /// Events before faults.
    events: u64,
    /// What was said while the socket had to be silent.
    held: VecDeque<Bytes>,
    sky: watch::Receiver<Sky>,
    close_at: Option<Instant>,
}

/// What happens next.
enum Input {
    Message(Message),
    Heard(Heard),
    /// Time has come, or the weather changed.
    Look,
}

async fn serve(app: Arc<App>, exchange: &Exchange, io: Upgraded, standing: Standing) {
    let step = exchange.step();
    let link = Arc::clone(exchange.link());
    link.set_streaming(true);
    app.counters.handle_socket_opened();
    let (subscriptions, heard) = Subscriptions::new(&app);
    let place = app.streams.enter(Route::Ws, None);
    let mut socket = Socket {
        plain: exchange.is_plain(),
        exchange,
        step,
        standing,
        line: Outbound::new(io, Arc::clone(&link), place, step),
        subscriptions,
        sessions: BTreeSet::new(),
        mangle: Mangle::new(step, Route::Ws),
        events: 0,
        held: VecDeque::new(),
        sky: app.weather.watch(),
        close_at: step.close.as_ref().and_then(|close| close.after_ms).map(after),
        app: Arc::clone(&app),
    };
    let end = match socket.live(heard).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    let close = match &end {
        End::Close(code, reason) => {
            socket.line.close(*code, reason, true).await;
            Some(CloseRecord { by: "server", code: *code, reason: reason.clone() })
        }
        End::Closed(code, reason) => {
            socket.line.close(*code, "", false).await;
            Some(CloseRecord { by: "client", code: *code, reason: reason.clone() })
        }
        End::Cut(_) | End::Gone => None,
    };
    let outcome = match end {
        End::Closed(..) => Outcome::Finished,
        End::Cut(_) | End::Close(..) => Outcome::Cut,
        End::Gone if link.closing().is_some() => Outcome::Cut,
        End::Gone => Outcome::Aborted,
    };
    let (bytes, events) = socket.line.shape.sent();
    app.counters.handle_ended(exchange.record(), outcome, bytes, events);
    app.counters.handle_socket_closed(exchange.record(), close);
    // The wire dies with the socket, in the way that the link was told.
    link.close(if let End::Cut(how) = end { how } else { Close::Drop });
}

impl Socket<'_> {
    async fn live(&mut self, mut heard: Receiver<Heard>) -> Result<std::convert::Infallible, End> {
        if self.standing == Standing::Refused {
            return Err(End::Close(Some(4401), "unauthorized".to_owned()));
        }
        self.line.stop_here(true).await?;
        self.close_here(|close| match close.after_events {
            Some(events) => events == 0,
            None => close.after_ms.is_none() && !close.after_send && !close.after_accepted,
        })?;
        loop {
            let silence = self.silence();
            if silence.is_none() {
                while let Some(text) = self.held.pop_front() {
                    self.line.text(&text, false).await?;
                }
            }
            let until = silence.as_ref().and_then(|(until, _)| *until);
            match self.next(&mut heard, silence.is_some(), earliest(until, self.close_at)).await? {
                Input::Message(message) => self.handle_message(message).await?,
                Input::Heard(heard) => {
                    if let Some(event) = self.subscriptions.take(heard) {
                        self.handle_event(event).await?;
                    }
                }
                Input::Look if self.close_at.is_some_and(|at| at <= Instant::now()) => {
                    return Err(self.ending());
                }
                Input::Look => {}
            }
        }
    }

    async fn next(&mut self, heard: &mut Receiver<Heard>, silent: bool, until: Option<Instant>) -> Result<Input, End> {
        let line = &mut self.line;
        loop {
            match line.decoder.poll_message() {
                Ok(Some(message)) => return Ok(Input::Message(message)),
                Err(broken) => return Err(End::Close(Some(broken.0), "broken frame".to_owned())),
                Ok(None) => {}
            }
            tokio::select! {
                biased;
                order = line.place.cut() => return Err(order.into()),
                () = line.link.closed() => return Err(End::Gone),
                _ = self.sky.changed() => return Ok(Input::Look),
                () = sleep_until(until) => return Ok(Input::Look),
                read = tokio::io::AsyncReadExt::read_buf(&mut line.io, &mut line.decoder.buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return Err(End::Gone);
                    }
                }
                Some(heard) = heard.recv(), if !silent => return Ok(Input::Heard(heard)),
            }
        }
    }

    /// Whether the socket has to be silent: until when, and whether pongs go on.
    fn silence(&mut self) -> Option<(Option<Instant>, bool)> {
        let now = Instant::now();
        self.line.silence.take_if(|silence| silence.until.is_some_and(|until| until <= now));
        let step = self.line.silence.as_ref().map(|silence| (silence.until, silence.pongs));
        let weather = self.sky.borrow().stall(|id| self.sessions.contains(id));
        step.or_else(|| weather.map(|stall| (stall.until, stall.heartbeats)))
    }

    /// Says something that is no event: now, or once the silence is over.
    pub(super) async fn say(&mut self, text: Bytes) -> Result<(), End> {
        if self.silence().is_some() {
            self.held.push_back(text);
            return Ok(());
        }
        self.line.text(&text, false).await
    }

    /// Answers a ping of either kind.
    pub(super) async fn pong(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), End> {
        let silent = self.silence().is_some_and(|(_, pongs)| !pongs);
        if silent || self.step.ignore_pings {
            return Ok(());
        }
        self.line.frame(opcode, payload).await
    }

    async fn handle_message(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => self.handle_text(&text).await,
            Message::Binary => Err(End::Close(Some(1003), "text only".to_owned())),
            Message::Ping(payload) => self.pong(Opcode::Pong, &payload).await,
            Message::Pong => Ok(()),
            Message::Close(code, reason) => Err(End::Closed(code, reason)),
        }
    }

    /// An event of an answer on its way out.
    async fn handle_event(&mut self, event: Event) -> Result<(), End> {
        self.events += 1;
        if self.step.binary_frame.as_ref().is_some_and(|fault| fault.at.max(1) == self.events) {
            self.line.frame(Opcode::Binary, NOISE).await?;
        }
        for frame in self.mangle.push(Frame::Event(event)).frames {
            let Frame::Event(event) = frame else { continue };
            let text = if self.plain { payload::plain(&event.data) } else { event.data };
            self.line.text(&text, true).await?;
            let sent = self.line.shape.sent().1;
            self.close_here(|close| close.after_events.is_some_and(|at| sent >= at))?;
        }
        Ok(())
    }

    /// Closes if the step wants it at this place.
    pub(super) fn close_here(&self, here: impl FnOnce(&crate::faults::CloseAt) -> bool) -> Result<(), End> {
        match &self.step.close {
            Some(close) if here(close) => Err(self.ending()),
            _ => Ok(()),
        }
    }

    fn ending(&self) -> End {
        let close = self.step.close.clone().unwrap_or_default();
        End::Close(close.code, close.reason)
    }
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    [a, b].into_iter().flatten().min()
}
