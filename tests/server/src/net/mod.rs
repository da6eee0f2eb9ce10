//! Sockets: who may come in, which connections live, and how each of them dies.

mod door;
mod link;
mod serve;
mod wire;

pub use door::Door;
pub use link::{Close, Connections, Link, Links};
pub use serve::serve_connection;
