//! A TCP proxy before the app's port: what networks do to connections that both ends believe in. It knows nothing of HTTP.

mod order;
mod relay;
mod rules;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;

use crate::control::Timers;
use crate::net::Door;

pub use order::Order;
use state::State;

/// The purpose of the timer that lets newcomers in again.
const LISTEN: &str = "listen";

/// The proxy.
#[derive(Debug)]
pub struct Proxy {
    door: Arc<Door>,
    target: SocketAddr,
    state: Arc<State>,
    timers: Timers,
}

impl Proxy {
    /// Binds a port of 127.0.0.1 for what is meant for `target`.
    pub fn bind(port: u16, target: SocketAddr) -> io::Result<(Arc<Self>, TcpListener)> {
        let (door, listener) = Door::bind(port)?;
        let (door, state) = (Arc::new(door), Arc::default());
        Ok((Arc::new(Self { door, target, state, timers: Timers::default() }), listener))
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Forwards for as long as the server lives.
    pub async fn keep(self: Arc<Self>, listener: TcpListener) {
        let (target, proxy) = (self.target, Arc::clone(&self));
        self.door.keep(listener, move |stream| relay::serve(stream, target, Arc::clone(&proxy))).await;
    }

    /// Does what is asked, now or once the bytes have passed. Returns when it has happened; how many connections it cut.
    pub async fn obey(self: &Arc<Self>, order: Order) -> usize {
        if order.clear {
            self.timers.clear();
            self.state.clear();
            self.door.open().await;
        }
        if let Some(after) = order.after {
            self.state.arm(after.bytes, Order { after: None, clear: false, ..order });
            return 0;
        }
        let cut = self.state.apply(&order);
        if order.refuse.is_some() {
            self.refuse(order.ms).await;
        }
        self.state.gone(&cut).await;
        cut.len()
    }

    async fn refuse(&self, ms: Option<u64>) {
        self.timers.stop(LISTEN);
        self.door.shut().await;
        if let Some(ms) = ms {
            let door = Arc::clone(&self.door);
            self.timers.set(LISTEN, async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                door.open().await;
            });
        }
    }

    /// An armed order whose bytes have passed: its rules already hold; the listener goes as soon as may be.
    fn fired(self: &Arc<Self>, order: Order) {
        if order.refuse.is_some() {
            let proxy = Arc::clone(self);
            tokio::spawn(async move { proxy.refuse(order.ms).await });
        }
    }

    /// What `GET /control/proxy` answers.
    pub fn report(&self) -> Value {
        let mut report = self.state.report();
        report["listening"] = self.door.is_open().into();
        report
    }
}
