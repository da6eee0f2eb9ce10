//! The server side of `ui-message`, the AI SDK's UI message stream (PROTOCOLS 4.4 to 4.7): answers over `POST`, each of them
//! a run with a log that is replayed whole.

mod fold;
mod partial_json;
pub(crate) mod payload;
mod request;
mod routes;

pub(crate) use fold::Fold;
pub(crate) use request::header_key;
pub use routes::router;

/// The data behind the terminal chunk. No chunk itself.
pub(crate) const DONE: &str = "[DONE]";
