//! Runs, whatever the protocol: they go on whether or not anybody watches, and each keeps an exact log of what it said.

mod bursts;
mod heart;
mod log;
mod log_feed;
mod protocol;
mod run;
mod saying;
mod table;

pub(crate) use heart::Heart;
pub(crate) use log::Entry;
pub(crate) use log_feed::LogFeed;
pub use protocol::Protocol;
pub use run::{Ask, Run, RunState};
pub(crate) use run::{Outline, Read};
pub use table::{Runs, Started};
