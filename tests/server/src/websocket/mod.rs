//! WebSocket (RFC 6455) below any library's comfort: a fault may cut inside a frame, split a message or spoil the handshake.

mod frame;
mod handshake;

pub(crate) use frame::{Decoder, Message, Opcode, encode, encode_close, encode_fragments};
pub(crate) use handshake::{Handshake, base64_url};
