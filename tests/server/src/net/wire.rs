//! The socket under the HTTP layer: reports flushes, and dies the way its link was told to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::{Close, Link, Links};

/// A TCP stream bound to its [`Link`].
pub(super) struct Wire {
    stream: TcpStream,
    link: Arc<Link>,
    _seat: Seat,
}

/// A link's place on the roll. Declared behind the stream, so that whoever is counted out has really gone.
struct Seat(Arc<Link>, Arc<Links>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.1.release(&self.0);
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream, link: Arc<Link>, links: Arc<Links>) -> io::Result<Self> {
        let seat = Seat(Arc::clone(&link), links);
        // Without this the kernel would join what a fault took care to split.
        stream.set_nodelay(true)?;
        Ok(Self { stream, link, _seat: seat })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Neither call can leave the socket worse than the plain close that follows.
        let _ = match self.link.closing() {
            // Closing a socket that lingers for no time sends RST instead of FIN.
            Some(Close::Rst) => SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)),
            // A close with unread input would send RST; a shutdown first puts the FIN on the wire.
            Some(Close::Drop | Close::Fin) => SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write),
            None => Ok(()),
        };
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        // The HTTP layer flushes only once its own buffer is empty: all that it took has now been given to the kernel.
        self.link.handle_flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
