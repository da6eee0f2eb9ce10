//! Sans-IO machines: everything that is hard, decided without a clock, a socket, chance or a callback.
//!
//! A machine takes inputs (`handle_*`, past tense, `now` last), is drained through `poll_*` (imperative outputs, then the
//! next deadline), and promises: a late or spurious timeout is harmless; the same seed and the same inputs give the same
//! outputs; nothing that the network says can make it panic.

pub mod active_runs;
pub mod backoff;
pub mod batcher;
pub mod config;
pub mod cursor;
pub mod delta;
mod envelope;
pub mod environment;
pub mod error;
pub mod event;
pub mod event_stream;
pub mod fold;
pub mod host;
pub mod http;
pub mod inquiry;
pub mod json;
pub mod ladder;
pub mod link;
pub mod liveness;
pub mod merge;
pub mod outbox;
pub mod partial_json;
pub mod protocol;
pub mod reader;
pub mod request;
pub mod rng;
mod rows;
pub mod run;
mod simd;
pub mod socket;
pub mod solo;
mod sse;
pub mod status;
pub mod tabs;
pub mod text;
pub mod text_blocks;
pub mod time;
pub mod timer;
pub mod trace;
pub mod transcript;
pub mod transport;
pub mod watchdog;
mod whole_json;
pub mod window;
