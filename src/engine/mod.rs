//! Sans-IO machines: everything that is hard, decided without a clock, a socket, chance or a callback.
//!
//! A machine takes inputs (`handle_*`, past tense, `now` last), is drained through `poll_*` (imperative outputs, then the
//! next deadline), and promises: a late or spurious timeout is harmless; the same seed and the same inputs give the same
//! outputs; nothing that the network says can make it panic.

pub mod backoff;
pub mod cursor;
pub mod environment;
pub mod http;
pub mod liveness;
pub mod rng;
pub mod time;
pub mod timer;
