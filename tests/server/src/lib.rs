//! `run-server`: the real server that steadystream is tested against. It speaks the protocols, and it really breaks
//! connections: what a fault names (a reset, a silent stall, a refused connect) happens on the socket.
//!
//! The map:
//!
//! * [`net`] owns the sockets: the door that can be shut, one [`net::Link`] a connection, and the wire that cuts it.
//! * [`sse`] is the framing both sides of a fault agree on.
//! * [`runs`] go on whether or not anybody watches; each keeps the exact log of its events.
//! * [`active_runs`] is the index of what runs, and the feed of its rows.
//! * [`bichat`] is the server side of that protocol: routes, and the feeds that read its runs.
//! * [`ws_chat`] is the server side of that one, over sockets, SSE and REST.
//! * [`ui_message`] is the server side of that one, over POST and a stream that replays.
//! * [`envelope`] is the server side of that one, over a stream for each chat.
//! * [`chunks`] is the server side of that one, over a stream for each session.
//! * [`content`] writes what a run says, the same for the same seed; [`truth`] folds it to what a client must end up with.
//! * [`faults`] stands between the feeds and the sockets: scripts, the gate every request passes, the pump every stream
//!   passes, and the weather that holds for everybody.
//! * [`proxy`] stands before the app's port and does to connections what networks do.
//! * [`control`] is the HTTP API that sets all this and answers what really happened ([`counters`]).
//! * [`calm`] waits until a busy machine has caught up, before what was written is taken back.
//! * [`assets`], [`cors`], [`auth`]: pages for the browser, and what a browser checks before it lets a page read.

#![warn(missing_docs)]

pub mod active_runs;
pub mod app;
pub mod assets;
pub mod auth;
pub mod bichat;
pub mod calm;
pub mod chunks;
pub mod clock;
pub mod config;
pub mod content;
pub mod control;
pub mod cors;
pub mod counters;
pub mod envelope;
pub mod faults;
pub mod net;
pub mod proxy;
pub mod reply;
pub mod runs;
pub mod sse;
pub mod truth;
pub mod ui_message;
mod websocket;
pub mod ws_chat;

pub use app::{Options, Server};
