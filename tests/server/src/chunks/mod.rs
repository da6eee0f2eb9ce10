//! The server side of `chunks` (PROTOCOLS 3, docs/chunks.md): sessions whose messages are rows of one durable stream.

mod feed;
mod generations;
mod request;
mod routes;
mod rows;
mod writing;

pub(crate) use feed::SessionFeed;
pub use generations::Generations;
pub(crate) use request::{message_id, offset};
pub use routes::router;
pub(crate) use rows::{Row, row, script};

/// Where the protocol's paths begin.
pub(crate) const BASE: &str = "/v1";

/// The name of an event that holds rows.
pub(crate) const DATA: &str = "data";
