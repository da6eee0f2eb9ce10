//! steadystream keeps a streamed AI run alive in the user's page: every run ends in exactly one visible outcome, no
//! character is lost or doubled, and the page never waits.
//!
//! The house, from the inside out; dependencies flow one way, `pkg/lib -> boundary -> engine`:
//!
//! * [`engine`] decides. Pure Rust: no JS, clock, entropy, callback or I/O. Bytes and inputs in, decisions and deltas out.
//! * `boundary` translates. The `#[wasm_bindgen]` types behind the hand-written JavaScript of the npm package.
//! * `pkg/lib/browser` acts. Every call into the page's APIs: transports, timers, page signals. No policy, and no Rust: a
//!   web call made from Rust costs an import, a shim and glue for each.
//!
//! On a host target only the engine exists, so that `cargo check` proves its purity and `cargo test` needs no browser.

#![warn(missing_docs)]
#![cfg_attr(all(target_arch = "wasm32", feature = "lean"), no_std)]

extern crate alloc;

pub mod engine;

#[cfg(target_arch = "wasm32")]
mod boundary;
#[cfg(all(target_arch = "wasm32", feature = "lean"))]
mod lean;
