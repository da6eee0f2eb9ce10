//! One connection and the one behind it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::content::Chance;

use super::Proxy;
use super::order::{Direction, Hang};
use super::state::Passed;

/// Bytes read at once, and how many such pieces may be on their way.
const PIECE: usize = 8 * 1024;
const PIECES: usize = 32;

/// How long what a peer still says after FIN is read: closing over it would make an RST of it.
const DRAIN: Duration = Duration::from_secs(1);

/// Forwards until either side or an order ends it.
pub(super) async fn serve(client: TcpStream, target: SocketAddr, proxy: Arc<Proxy>) {
    let (id, closed) = proxy.state.enter();
    let relay = Relay { id, proxy, client: Arc::new(client), closed };
    let (server, hang) = relay.live(target).await;
    let sides = [Some(Arc::clone(&relay.client)), server];
    for side in sides.iter().flatten() {
        // Neither call can leave the socket worse than the plain close that follows.
        let _ = match hang {
            Hang::Rst => SockRef::from(&**side).set_linger(Some(Duration::ZERO)),
            Hang::Fin => SockRef::from(&**side).shutdown(std::net::Shutdown::Write),
        };
    }
    if hang == Hang::Rst {
        let Relay { id, proxy, client, .. } = relay;
        drop((client, sides));
        return proxy.state.leave(id);
    }
    relay.proxy.state.leave(id);
    let drained = async {
        for side in sides.iter().flatten() {
            while matches!(read(side).await, Ok(bytes) if !bytes.is_empty()) {}
        }
    };
    // Whoever says more than that is cut off after all.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

struct Relay {
    id: u64,
    proxy: Arc<Proxy>,
    client: Arc<TcpStream>,
    closed: watch::Receiver<Option<Hang>>,
}

impl Relay {
    /// The connection to the server, if it came to one, and how both are to end.
    async fn live(&self, target: SocketAddr) -> (Option<Arc<TcpStream>>, Hang) {
        let mut closed = self.closed.clone();
        let mut server = None;
        let ordered = async {
            // Fails only when the connection was taken off the list, which is done last of all.
            closed.wait_for(Option::is_some).await.ok().and_then(|hang| *hang).unwrap_or(Hang::Rst)
        };
        let hang = tokio::select! {
            biased;
            hang = ordered => hang,
            hang = self.forward(target, &mut server) => hang,
        };
        (server, hang)
    }

    async fn forward(&self, target: SocketAddr, server: &mut Option<Arc<TcpStream>>) -> Hang {
        if self.wait_for_light().await.is_err() {
            return Hang::Fin;
        }
        let Ok(stream) = TcpStream::connect(target).await else { return Hang::Rst };
        let stream = Arc::new(stream);
        *server = Some(Arc::clone(&stream));
        for side in [&self.client, &stream] {
            // Without this the kernel would join what somebody took care to split.
            if side.set_nodelay(true).is_err() {
                return Hang::Rst;
            }
        }
        let up = self.copy(&self.client, &stream, Direction::ToServer);
        let down = self.copy(&stream, &self.client, Direction::ToClient);
        match tokio::try_join!(up, down) {
            Ok(_) => Hang::Fin,
            Err(_) => Hang::Rst,
        }
    }

    /// Waits while newcomers are ignored; for good if the client said something meanwhile. Fails when it goes.
    async fn wait_for_light(&self) -> io::Result<()> {
        let mut changes = self.proxy.state.changes();
        let mut deaf = false;
        loop {
            changes.mark_unchanged();
            let until = match self.proxy.state.dark() {
                None if !deaf => return Ok(()),
                None => None,
                Some(until) => until,
            };
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = sleep_until(until) => {}
                ready = self.client.readable() => {
                    ready?;
                    // A timer may be later than the bytes that it was to let through.
                    if deaf || self.proxy.state.dark().is_some() {
                        // Being ready is a guess.
                        match self.client.try_read(&mut [0; PIECE]) {
                            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                            Ok(_) => deaf = true,
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
            }
        }
    }

    /// One direction, to its end. An error ends the other one too; an end that nobody may hear of does not.
    async fn copy(&self, from: &TcpStream, to: &TcpStream, direction: Direction) -> io::Result<()> {
        let (sender, pieces) = mpsc::channel(PIECES);
        let (read, ()) = tokio::try_join!(
            async { Ok(self.read(from, direction, sender).await) },
            self.write(to, direction, pieces)
        )?;
        if self.proxy.state.swallows(self.id, direction) {
            return Ok(());
        }
        read?;
        // Fails if that side is gone, and then has nothing to hear.
        let _ = SockRef::from(to).shutdown(std::net::Shutdown::Write);
        Ok(())
    }

    async fn read(
        &self,
        from: &TcpStream,
        direction: Direction,
        pieces: mpsc::Sender<(Instant, Bytes)>,
    ) -> io::Result<()> {
        let mut chance = Chance::seeded(self.id * 2 + direction as u64);
        let mut last = Instant::now();
        loop {
            let bytes = read(from).await?;
            if bytes.is_empty() {
                return Ok(());
            }
            let mut due = Instant::now();
            if let Some(delay) = self.proxy.state.delay(direction) {
                let jitter = chance.between(0, usize::try_from(delay.jitter_ms).unwrap_or(usize::MAX));
                due += Duration::from_millis(delay.ms + jitter as u64);
            }
            // What was said first is heard first, whatever the jitter.
            last = last.max(due);
            if pieces.send((last, bytes)).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn write(
        &self,
        to: &TcpStream,
        direction: Direction,
        mut pieces: mpsc::Receiver<(Instant, Bytes)>,
    ) -> io::Result<()> {
        while let Some((due, mut bytes)) = pieces.recv().await {
            tokio::time::sleep_until(due).await;
            while !bytes.is_empty() {
                to.writable().await?;
                let state = &self.proxy.state;
                let passed = state.pass(self.id, direction, bytes.len(), |most| to.try_write(&bytes[..most]));
                match passed {
                    Ok((Passed::Swallowed, _)) => bytes.clear(),
                    Ok((Passed::Written(written, pause), fired)) => {
                        bytes.advance(written);
                        if let Some(order) = fired {
                            self.proxy.fired(order);
                        }
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// What the peer says next; empty at its end.
async fn read(from: &TcpStream) -> io::Result<Bytes> {
    let mut buffer = vec![0; PIECE];
    loop {
        from.readable().await?;
        match from.try_read(&mut buffer) {
            Ok(count) => {
                buffer.truncate(count);
                return Ok(buffer.into());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
