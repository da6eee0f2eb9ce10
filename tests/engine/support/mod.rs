//! The simulated world: a page, a network and a server, in virtual time.

pub mod chat;
pub mod client;
pub mod frames;
pub mod page;
pub mod plan;
pub mod script;
pub mod server;
pub mod sim;
pub mod talk;
pub mod wire;

pub use chat::Chat;
pub use plan::{Answer, Chunks, Head, How, Incident, Plan};
pub use script::{Event, Script, Shape};
pub use server::Mischief;
pub use sim::{Sim, World};
pub use steadystream::engine::status::{By, Status};
pub use steadystream::engine::transport::Transport;
pub use talk::Talk;
pub use wire::Wire;
