//! The runs of all sessions, as one feed tells them (PROTOCOLS 1.8): what a sidebar shows.
//!
//! [`board`] has the rules: which row counts, which session is over. [`feed`] has the batches, `connection` what becomes of its
//! connections, `checks` the look for runs whose end was never told. [`solo`] is a board that gets its bytes from somebody else.

pub mod board;
mod checks;
mod connection;
pub mod feed;
mod names;
pub mod row;
pub mod solo;
mod stencil;
mod write;
