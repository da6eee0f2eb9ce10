//! `envelope`: the messages of a chat as one numbered sequence of envelopes over SSE (PROTOCOLS 2, docs/envelope.md).

mod decode;
mod page;
pub mod requests;
mod status;

pub(in crate::engine) use decode::decode;
pub(in crate::engine) use page::{Page, read_page};
pub(in crate::engine) use status::read_status;
