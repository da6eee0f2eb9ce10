//! `chunks`: the messages of a session as rows of one durable stream (PROTOCOLS 3, docs/chunks.md).

mod decode;
pub mod requests;
mod row;
mod status;

pub(in crate::engine) use decode::{texts, usage};
pub(in crate::engine) use row::{Mark, Row, read_mark, read_row};
pub(in crate::engine) use status::{read_refusal, read_sent, read_status};

/// Where a session's stream begins.
pub(in crate::engine) const BEGINNING: &str = "-1";

#[cfg(test)]
mod tests;
