//! `ui-message`: the AI SDK's UI message stream (PROTOCOLS 4.4-4.6).

mod decode;
mod fields;
pub mod requests;

pub(in crate::engine) use decode::decode;
pub(in crate::engine) use fields::{Field, Fields};
