//! `ws-chat`: answers over a WebSocket that several of them share, with REST and SSE behind it (PROTOCOLS 5,
//! docs/ws-chat.md).

mod about;
mod decode;
mod fields;
pub mod requests;
mod status;

pub(in crate::engine) use about::about;
pub(in crate::engine) use decode::decode;
pub(in crate::engine) use status::read_status;
