//! The way of every stream from its feed to its socket, with the faults of its step on the way.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::Body;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::bichat::Feed;
use crate::counters::Outcome;
use crate::net::{Close, Link};
use crate::sse::{Frame, LineEnd};

use super::mangle::Mangle;
use super::shape::{Shape, Stop};
use super::streams::Place;
use super::{Route, Sky, Step};

/// What is ready goes out together up to this size, unless a fault needs it apart.
const MOST: usize = 64 * 1024;

/// One stream on its way.
pub(super) struct Pump {
    pub(super) feed: Feed,
    pub(super) step: Step,
    pub(super) route: Route,
    /// The most events in one chunk; 0 is no limit but that of bytes.
    pub(super) chunk_events: usize,
    pub(super) sink: Sink,
}

/// Where a stream goes, and everybody who can interrupt it.
pub(super) struct Sink {
    pub(super) pieces: mpsc::Sender<Piece>,
    pub(super) link: Arc<Link>,
    pub(super) place: Place,
    pub(super) sky: watch::Receiver<Sky>,
    pub(super) session_id: Option<String>,
    /// Heartbeat interval while a fault keeps the feed silent.
    pub(super) heartbeat: Duration,
}

/// A numbered piece of a body: one HTTP chunk.
pub(super) struct Piece {
    number: u64,
    bytes: Bytes,
}

/// Why a stream ended before its feed did.
enum Break {
    Cut(Close),
    Gone,
}

/// What became of it.
pub(super) struct Report {
    pub(super) outcome: Outcome,
    pub(super) bytes: u64,
    pub(super) events: u64,
}

/// The body that hyper reads: pieces as they come.
pub(super) struct Pipe {
    pieces: mpsc::Receiver<Piece>,
    link: Arc<Link>,
}

/// A body and the sender that fills it.
pub(super) fn pipe(link: &Arc<Link>) -> (mpsc::Sender<Piece>, Pipe) {
    // One piece in waiting: the feed must not run ahead of the socket.
    let (sender, pieces) = mpsc::channel(1);
    (sender, Pipe { pieces, link: Arc::clone(link) })
}

impl Body for Pipe {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(cx).map(|piece| {
            piece.map(|piece| {
                self.link.handle_taken(piece.number);
                Ok(http_body::Frame::data(piece.bytes))
            })
        })
    }
}

impl Pump {
    /// Pumps until the feed is over, a fault ends the stream, or the client is gone. Tells `ended` before the client can
    /// see the end, so that whoever saw it finds it counted.
    pub(super) async fn run(mut self, ended: impl FnOnce(Report)) {
        let mut shape = Shape::new(&self.step);
        self.sink.link.set_streaming(true);
        let broken = self.flow(&mut shape).await.err();
        let outcome = match &broken {
            None => Outcome::Finished,
            Some(Break::Cut(_)) => Outcome::Cut,
            Some(Break::Gone) if self.sink.link.closing().is_some() => Outcome::Cut,
            Some(Break::Gone) => Outcome::Aborted,
        };
        let (bytes, events) = shape.sent();
        ended(Report { outcome, bytes, events });
        self.sink.link.set_streaming(false);
        match broken {
            Some(Break::Cut(how @ (Close::Drop | Close::Rst))) => {
                self.sink.link.close(how);
                // The sender stays until the connection is gone, or the body would end properly after all.
                self.sink.pieces.closed().await;
            }
            // Dropping the sender ends the body properly, which is what a clean cut looks like too.
            Some(Break::Cut(Close::Fin) | Break::Gone) | None => {}
        }
    }

    async fn flow(&mut self, shape: &mut Shape) -> Result<(), Break> {
        let Self { feed, step, route, chunk_events, sink } = self;
        let mut mangle = Mangle::new(step, *route);
        let mut opening = BytesMut::new();
        open(step, &mut opening);
        if step.buffer.is_some() {
            sink.send_flushed(Bytes::new()).await?;
            sink.gather(feed, &mut mangle, step.crlf, &mut opening).await?;
            // Whatever else the step wants of the bytes, it gets when they go out.
            sink.stop_here(true, feed, step, shape).await?;
            return sink.send_shaped(opening.freeze(), false, feed, step, shape).await;
        }
        if step.is_fine_grained() {
            // Headers on their way before anything else happens.
            sink.send_flushed(Bytes::new()).await?;
            sink.send_shaped(opening.freeze(), false, feed, step, shape).await?;
            sink.stop_here(true, feed, step, shape).await?;
            while let Some(frame) = sink.or_break(feed.next()).await? {
                let mangled = mangle.push(frame);
                for frame in &mangled.frames {
                    sink.send_shaped(encode(frame, step.crlf), frame.is_event(), feed, step, shape).await?;
                }
                if mangled.ends {
                    return Ok(());
                }
            }
            if let Some(frame) = mangle.finish() {
                sink.send_shaped(encode(&frame, step.crlf), true, feed, step, shape).await?;
            }
            return Ok(());
        }
        let mut batch = opening;
        loop {
            let mut events = 0;
            let mut over;
            let mut frame = sink.or_break(feed.next()).await?;
            loop {
                let Some(next) = frame else {
                    over = true;
                    break;
                };
                let mangled = mangle.push(next);
                for frame in &mangled.frames {
                    frame.encode(step.crlf, &mut batch);
                    events += u64::from(frame.is_event());
                }
                over = mangled.ends;
                if over || batch.len() >= MOST || (*chunk_events > 0 && events >= *chunk_events as u64) {
                    break;
                }
                match feed.next().now_or_never() {
                    Some(ready) => frame = ready,
                    None => break,
                }
            }
            if over && let Some(frame) = mangle.finish() {
                frame.encode(step.crlf, &mut batch);
                events += 1;
            }
            sink.wait_for_weather(true, feed, step.crlf).await?;
            let bytes = batch.split().freeze();
            shape.handle_sent_many(bytes.len(), events);
            sink.send(bytes).await?;
            if over {
                return Ok(());
            }
        }
    }
}

fn open(step: &Step, out: &mut BytesMut) {
    if step.bom {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    if let Some(ms) = step.retry {
        Frame::Retry(ms).encode(step.crlf, out);
    }
}

fn encode(frame: &Frame, end: LineEnd) -> Bytes {
    let mut out = BytesMut::new();
    frame.encode(end, &mut out);
    out.freeze()
}

impl Sink {
    /// Waits for `wanted`, unless somebody cuts the stream or the client goes.
    async fn or_break<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, Break> {
        tokio::select! {
            biased;
            order = self.place.cut() => Err(Break::Cut(order.how)),
            () = self.pieces.closed() => Err(Break::Gone),
            value = wanted => Ok(value),
        }
    }

    /// Hands a piece to the HTTP layer; its number.
    async fn send(&mut self, bytes: Bytes) -> Result<u64, Break> {
        let pieces = self.pieces.clone();
        let Ok(permit) = self.or_break(pieces.reserve()).await? else { return Err(Break::Gone) };
        let number = self.link.number_piece();
        permit.send(Piece { number, bytes });
        Ok(number)
    }

    /// Hands a piece over and waits until the kernel has it.
    async fn send_flushed(&mut self, bytes: Bytes) -> Result<(), Break> {
        let number = self.send(bytes).await?;
        let link = Arc::clone(&self.link);
        self.or_break(link.flushed(number)).await
    }

    /// The whole feed at once, as a proxy that collects has it.
    async fn gather(
        &mut self,
        feed: &mut Feed,
        mangle: &mut Mangle<'_>,
        end: LineEnd,
        out: &mut BytesMut,
    ) -> Result<(), Break> {
        while let Some(frame) = self.or_break(feed.next()).await? {
            let mangled = mangle.push(frame);
            mangled.frames.iter().for_each(|frame| frame.encode(end, out));
            if mangled.ends {
                return Ok(());
            }
        }
        mangle.finish().iter().for_each(|frame| frame.encode(end, out));
        Ok(())
    }

    /// Sends one frame in the pieces that the step wants.
    async fn send_shaped(
        &mut self,
        mut bytes: Bytes,
        event: bool,
        feed: &Feed,
        step: &Step,
        shape: &mut Shape,
    ) -> Result<(), Break> {
        let mut begun = false;
        while !bytes.is_empty() {
            self.wait_for_weather(!begun, feed, step.crlf).await?;
            begun = true;
            let piece = bytes.split_to(shape.next_piece(bytes.len()).clamp(1, bytes.len()));
            let size = piece.len();
            self.send_flushed(piece).await?;
            let between = bytes.is_empty();
            shape.handle_sent(size, event && between);
            if let Some(ms) = step.drip.as_ref().map(|drip| drip.every_ms).or(step.split_gap_ms) {
                self.or_break(tokio::time::sleep(Duration::from_millis(ms))).await?;
            }
            self.stop_here(between, feed, step, shape).await?;
        }
        Ok(())
    }

    /// What the step wants to happen at this place of the body.
    async fn stop_here(&mut self, between: bool, feed: &Feed, step: &Step, shape: &mut Shape) -> Result<(), Break> {
        while let Some(stop) = shape.poll_stop(between) {
            match stop {
                Stop::Cut(cut) => {
                    if cut.how != Close::Fin {
                        self.or_break(cut.linger()).await?;
                    }
                    return Err(Break::Cut(cut.how));
                }
                Stop::Stall(stall) => {
                    let until = stall.ms.map(|ms| Instant::now() + Duration::from_millis(ms));
                    self.stay_silent(until, stall.heartbeats, feed, step.crlf).await?;
                }
            }
        }
        Ok(())
    }

    /// Silence until then, or for good.
    async fn stay_silent(
        &mut self,
        until: Option<Instant>,
        beats: bool,
        feed: &Feed,
        end: LineEnd,
    ) -> Result<(), Break> {
        let mut heart = self.heart();
        loop {
            let beat = async {
                tokio::select! {
                    biased;
                    () = sleep_until(until) => false,
                    _ = heart.tick() => true,
                }
            };
            if !self.or_break(beat).await? {
                return Ok(());
            }
            if beats {
                self.send_flushed(encode(&feed.beat(), end)).await?;
            }
        }
    }

    /// Waits while the weather wants this session's streams silent. `between` is true where a heartbeat may go.
    async fn wait_for_weather(&mut self, between: bool, feed: &Feed, end: LineEnd) -> Result<(), Break> {
        let mut heart = self.heart();
        let mut sky = self.sky.clone();
        loop {
            let stall = sky.borrow_and_update().stall(|id| self.session_id.as_deref() == Some(id));
            let Some(stall) = stall else { return Ok(()) };
            let beat = async {
                tokio::select! {
                    biased;
                    _ = sky.changed() => false,
                    () = sleep_until(stall.until) => false,
                    _ = heart.tick() => true,
                }
            };
            if self.or_break(beat).await? && stall.heartbeats && between {
                self.send_flushed(encode(&feed.beat(), end)).await?;
            }
        }
    }

    fn heart(&self) -> tokio::time::Interval {
        let mut heart = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        heart.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heart
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
