//! What `POST /control/proxy` takes.

use serde::{Deserialize, Serialize};

/// Members combine; each holds for `ms`, or until `clear`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Order {
    /// Ends connections at once.
    pub cut: Option<Cut>,
    /// Bytes of both directions are swallowed.
    pub blackhole: Option<Nothing>,
    /// Bytes of one direction are.
    pub half_open: Option<HalfOpen>,
    /// Bytes come later.
    pub delay: Option<Delay>,
    /// Bytes come slowly.
    pub throttle: Option<Throttle>,
    /// The listener is closed; open connections stay.
    pub refuse: Option<Nothing>,
    /// The rest of the order waits until this many more bytes went towards clients.
    pub after: Option<After>,
    /// How long it holds.
    pub ms: Option<u64>,
    /// First ends everything that was ordered before.
    pub clear: bool,
}

/// A member that needs no more words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// See [`Order::cut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cut {
    /// Which end both sides see.
    pub how: Hang,
    /// Only connections through which nothing passed for this long.
    pub idle_ms: Option<u64>,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hang {
    /// FIN to both sides.
    Fin,
    /// RST to both sides.
    Rst,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// From the server.
    ToClient,
    /// From the client.
    ToServer,
}

/// See [`Order::half_open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfOpen {
    /// The one that is silent.
    pub direction: Direction,
}

/// See [`Order::delay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delay {
    /// At least so much.
    pub ms: u64,
    /// And at most so much more; which, the connection's number decides.
    #[serde(default)]
    pub jitter_ms: u64,
    /// Only this way.
    pub direction: Option<Direction>,
}

/// See [`Order::throttle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Of each connection.
    pub bytes_per_second: u64,
    /// Only this way.
    pub direction: Option<Direction>,
}

/// See [`Order::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Counted over all connections from now on.
    pub bytes: u64,
}
