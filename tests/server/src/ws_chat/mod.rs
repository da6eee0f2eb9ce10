//! The server side of `ws-chat`, as `docs/ws-chat.md` has it: answers over a WebSocket, over SSE and by REST, each of them
//! a run with a log whose positions are its `seq`.

mod answer;
mod history;
mod outbound;
mod past;
pub(crate) mod payload;
mod request;
mod routes;
mod send;
mod socket;
mod subscriptions;
mod talk;

pub use past::{Change, Past};
pub(crate) use payload::Done;
pub use routes::router;
