//! `bichat`: run streams over SSE with an event log (PROTOCOLS 1).

mod decode;
pub mod requests;
mod status;

pub(in crate::engine) use decode::decode;
pub(in crate::engine) use status::read_status;
