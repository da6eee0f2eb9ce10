//! `bichat`: run streams over SSE with an event log (PROTOCOLS 1).

mod decode;

pub(in crate::engine) use decode::decode;
