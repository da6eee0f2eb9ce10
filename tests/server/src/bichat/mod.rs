//! The server side of the `bichat` protocol (PROTOCOLS 1.1 to 1.8): runs that go on whether or not anybody watches, an
//! exact event log for each, and lossy live streams.

mod feed;
pub(crate) mod payload;
mod request;
mod routes;
mod rpc;

pub use feed::Feed;
pub use routes::router;

/// What a refused reader of the event log is told (B-ES-12), and in plain text one of `resume` (B-RES-2).
pub(crate) const LOG_UNAVAILABLE: &str = "run event log unavailable";
pub(crate) const RUN_NOT_FOUND: &str = "run not found or already finished";
pub(crate) const RUN_NOT_FOUND_PLAIN: &str = "Run not found or already finished";
/// The text for everything the server will not explain.
pub(crate) const SANITIZED: &str = "An error occurred while processing your request";
