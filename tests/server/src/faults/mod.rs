//! What goes wrong, and when: scripts that requests consume step by step, the gate that every request passes, the pump
//! that every stream passes, and the weather that holds for everybody.

mod gate;
mod mangle;
mod pump;
mod script;
mod shape;
mod step;
mod streams;
mod weather;

pub use gate::{Exchange, gate};
pub use script::{Scope, Script, Scripts};
pub use step::{RetryAfter, Step};
pub use streams::Streams;
pub use weather::{Outage, Sky, Stall, Weather};

use serde::{Deserialize, Serialize};

/// A protocol route, as scripts and counters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// `POST stream`
    Stream,
    /// `GET stream/events`
    Events,
    /// `POST stream/resume`
    Resume,
    /// `GET stream/status`
    Status,
    /// `POST stream/stop`
    Stop,
    /// `POST rpc`
    Rpc,
    /// Any other path below the protocol's base.
    Other,
}

impl Route {
    /// The route of a path below `/bi-chat`.
    pub fn of(path: &str) -> Self {
        match path.strip_prefix("/bi-chat").unwrap_or(path) {
            "/stream" => Self::Stream,
            "/stream/events" => Self::Events,
            "/stream/resume" => Self::Resume,
            "/stream/status" => Self::Status,
            "/stream/stop" => Self::Stop,
            "/rpc" => Self::Rpc,
            _ => Self::Other,
        }
    }
}
