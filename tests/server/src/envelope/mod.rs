//! The server side of `envelope` (PROTOCOLS 2, docs/envelope.md): chats whose envelopes are numbered from message to message,
//! and a stream of each chat rather than of a run.

mod chat_feed;
mod fold;
mod form;
pub(crate) mod payload;
mod request;
mod routes;

pub(crate) use chat_feed::ChatFeed;
pub(crate) use fold::moment;
pub(crate) use request::{after_seq, ids_of_send, query_token};
pub use routes::router;

/// The name of every event.
pub(crate) const EVENT: &str = "stream";

/// Where the protocol's paths begin.
pub(crate) const BASE: &str = "/api/v1/chat";
