//! The listening socket, which can really be shut: connects are then refused by the kernel, on the same port.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Let a crowd of reconnecting clients wait rather than be refused while the accept loop is busy.
const BACKLOG: u32 = 1024;

/// A port of the loopback interface with a listener that comes and goes.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    wanted: watch::Sender<bool>,
    open: watch::Sender<bool>,
}

impl Door {
    /// Listens on 127.0.0.1; port 0 takes a free one.
    pub fn bind(port: u16) -> io::Result<(Self, TcpListener)> {
        let listener = hold(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((Self { address, wanted: watch::Sender::new(true), open: watch::Sender::new(true) }, listener))
    }

    /// Where the door is; the same whether it is open or shut.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether connects are accepted.
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Shuts the door and waits until connects are refused.
    pub async fn shut(&self) {
        self.turn(false).await;
    }

    /// Opens the door and waits until connects are accepted.
    pub async fn open(&self) {
        self.turn(true).await;
    }

    async fn turn(&self, open: bool) {
        let mut now = self.open.subscribe();
        self.wanted.send_replace(open);
        until(&mut now, open).await;
    }

    /// Accepts connections for as long as the server lives.
    pub async fn keep<F: Future<Output = ()> + Send + 'static>(
        &self,
        mut listener: TcpListener,
        serve: impl Fn(TcpStream) -> F,
    ) {
        let mut wanted = self.wanted.subscribe();
        loop {
            loop {
                tokio::select! {
                    biased;
                    () = until(&mut wanted, false) => break,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => drop(tokio::spawn(serve(stream))),
                        // Out of descriptors, most likely: they come back as connections end.
                        Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                    }
                }
            }
            drop(listener);
            // A socket that is bound but does not listen keeps the port ours and lets the kernel refuse.
            let mut held = hold(self.address);
            self.open.send_replace(false);
            until(&mut wanted, true).await;
            listener = loop {
                match held.and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => break listener,
                    Err(error) => {
                        eprintln!("cannot listen on {} again yet: {error}", self.address);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        held = hold(self.address);
                    }
                }
            };
            self.open.send_replace(true);
        }
    }
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of before, some of them in TIME_WAIT, still name this port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn until(flag: &mut watch::Receiver<bool>, value: bool) {
    // Fails only if the sender is gone, and the door that owns it is borrowed for as long as anybody waits.
    let _ = flag.wait_for(|now| *now == value).await;
}
