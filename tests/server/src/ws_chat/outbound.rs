//! The way out of a socket: frames become bytes, and bytes leave in the pieces and up to the place that the step wants.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::faults::{Place, Shape, Step, Stop};
use crate::net::{Close, Link};
use crate::websocket::{Decoder, Opcode, encode, encode_close, encode_fragments};

/// A client that talks on while nobody listens is read no further than this.
const UNREAD: usize = 1024 * 1024;

/// Why a socket ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A fault cuts the connection.
    Cut(Close),
    /// The server closes it with a close frame.
    Close(Option<u16>, String),
    /// The client closed it with a close frame.
    Closed(Option<u16>, String),
    /// The client is gone, or somebody closed the whole connection.
    Gone,
}

/// A silence that the step asked for.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    pub(super) until: Option<Instant>,
    pub(super) pongs: bool,
}

/// The connection below a socket.
pub(super) struct Outbound<'a> {
    pub(super) io: TokioIo<Upgraded>,
    pub(super) decoder: Decoder,
    pub(super) link: Arc<Link>,
    pub(super) place: Place,
    pub(super) shape: Shape,
    pub(super) silence: Option<Silence>,
    step: &'a Step,
}

impl<'a> Outbound<'a> {
    pub(super) fn new(io: Upgraded, link: Arc<Link>, place: Place, step: &'a Step) -> Self {
        Self {
            io: TokioIo::new(io),
            decoder: Decoder::default(),
            link,
            place,
            shape: Shape::new(step),
            silence: None,
            step,
        }
    }

    /// Sends a text; `event` if it is one that faults count.
    pub(super) async fn text(&mut self, text: &Bytes, event: bool) -> Result<(), End> {
        let mut out = BytesMut::with_capacity(text.len() + 14);
        match self.step.fragment {
            Some(size) => encode_fragments(text, size, &mut out),
            None => encode(true, Opcode::Text, text, &mut out),
        }
        self.bytes(out.freeze(), event).await
    }

    /// Sends a frame that is no text.
    pub(super) async fn frame(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), End> {
        let mut out = BytesMut::new();
        encode(true, opcode, payload, &mut out);
        self.bytes(out.freeze(), false).await
    }

    async fn bytes(&mut self, mut bytes: Bytes, event: bool) -> Result<(), End> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(self.shape.next_piece(bytes.len()).clamp(1, bytes.len()));
            self.write(&piece).await?;
            let between = bytes.is_empty();
            self.shape.handle_sent(piece.len(), event && between);
            if let Some(ms) = self.step.drip.as_ref().map(|drip| drip.every_ms).or(self.step.split_gap_ms) {
                self.wait(Some(after(ms))).await?;
            }
            self.stop_here(between).await?;
        }
        Ok(())
    }

    /// What the step wants to happen at this place.
    pub(super) async fn stop_here(&mut self, between: bool) -> Result<(), End> {
        while let Some(stop) = self.shape.poll_stop(between) {
            match stop {
                Stop::Cut(cut) => {
                    tokio::select! {
                        biased;
                        ended = self.wait(None) => ended?,
                        () = cut.linger() => {}
                    }
                    return Err(End::Cut(cut.how));
                }
                Stop::Stall(stall) if between => {
                    self.silence = Some(Silence { until: stall.ms.map(after), pongs: stall.heartbeats });
                }
                // Inside a frame nothing else can be said.
                Stop::Stall(stall) => self.wait(stall.ms.map(after)).await?,
            }
        }
        Ok(())
    }

    async fn write(&mut self, piece: &[u8]) -> Result<(), End> {
        let io = &mut self.io;
        let written = async {
            io.write_all(piece).await?;
            io.flush().await
        };
        tokio::select! {
            biased;
            order = self.place.cut() => Err(order.into()),
            () = self.link.closed() => Err(End::Gone),
            written = written => written.map_err(|_| End::Gone),
        }
    }

    /// Waits until then, or for good, for as long as the client is there and nobody cuts.
    pub(super) async fn wait(&mut self, until: Option<Instant>) -> Result<(), End> {
        loop {
            let room = self.decoder.buffer.len() < UNREAD;
            tokio::select! {
                biased;
                order = self.place.cut() => return Err(order.into()),
                () = self.link.closed() => return Err(End::Gone),
                () = sleep_until(until) => return Ok(()),
                read = self.io.read_buf(&mut self.decoder.buffer), if room => {
                    if !matches!(read, Ok(1..)) {
                        return Err(End::Gone);
                    }
                }
            }
        }
    }

    /// Sends a close frame, past every fault. Where it is the first one, the client has a moment for its own.
    pub(super) async fn close(&mut self, code: Option<u16>, reason: &str, first: bool) {
        let mut out = BytesMut::new();
        encode_close(code, reason, &mut out);
        let farewell = async {
            self.io.write_all(&out).await?;
            self.io.flush().await?;
            // Whatever comes now was said too late.
            while first && self.io.read_buf(&mut self.decoder.buffer).await? > 0 {
                if self.decoder.has_close() {
                    break;
                }
            }
            std::io::Result::Ok(())
        };
        // However it ends, the connection is over.
        let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
    }
}

impl From<crate::faults::CutOrder> for End {
    fn from(order: crate::faults::CutOrder) -> Self {
        match order.close {
            Some((code, reason)) => Self::Close(Some(code), reason),
            None => Self::Cut(order.how),
        }
    }
}

pub(super) fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

pub(super) async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
