//! What run-server promises, checked from the other end of a socket by a client of a page's length.

mod active_runs;
mod chat;
mod chunks;
mod client;
mod command;
mod content;
mod cut;
mod envelope;
mod envelope_faults;
mod events;
mod generations;
mod live;
mod now;
mod pages;
mod proxy;
mod refusals;
mod requests;
mod shape;
mod socket;
mod sockets;
mod ui_faults;
mod ui_message;
