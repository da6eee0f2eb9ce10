//! Frames: masked ones in, unmasked ones out.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The largest message that is taken.
const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong]
            .into_iter()
            .find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// Writes one frame.
pub(crate) fn encode(fin: bool, opcode: Opcode, payload: &[u8], out: &mut BytesMut) {
    out.put_u8(if fin { 0x80 } else { 0 } | opcode as u8);
    match payload.len() {
        short @ 0..=125 => out.put_u8(short as u8),
        middle @ 126..=0xFFFF => {
            out.put_u8(126);
            out.put_u16(middle as u16);
        }
        long => {
            out.put_u8(127);
            out.put_u64(long as u64);
        }
    }
    out.put_slice(payload);
}

/// Writes a text as frames of at most `size` bytes each. A fragment may end inside a character: only the whole is UTF-8.
pub(crate) fn encode_fragments(text: &[u8], size: usize, out: &mut BytesMut) {
    let count = text.len().div_ceil(size.max(1)).max(1);
    for (index, part) in text.chunks(size.max(1)).enumerate() {
        let opcode = if index == 0 { Opcode::Text } else { Opcode::Continuation };
        encode(index + 1 == count, opcode, part, out);
    }
}

/// Writes a close frame; without a code an empty one, which browsers report as 1005.
pub(crate) fn encode_close(code: Option<u16>, reason: &str, out: &mut BytesMut) {
    let mut payload = BytesMut::new();
    if let Some(code) = code {
        payload.put_u16(code);
        // A control frame holds 125 bytes; what is too long is cut between characters.
        let fits = reason.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= 123).last();
        payload.put_slice(&reason.as_bytes()[..fits.unwrap_or(0)]);
    }
    encode(true, Opcode::Close, &payload, out);
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(String),
    Binary,
    Ping(Bytes),
    Pong,
    Close(Option<u16>, String),
}

/// A peer that does not keep to the protocol: the close code it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) u16);

/// Bytes in, messages out.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub(crate) buffer: BytesMut,
    begun: Option<Opcode>,
    message: BytesMut,
}

impl Decoder {
    /// The next message; `None` if more bytes are needed.
    pub(crate) fn poll_message(&mut self) -> Result<Option<Message>, Broken> {
        while let Some((fin, opcode, payload)) = self.frame()? {
            match opcode {
                Opcode::Close => {
                    let code = (payload.len() >= 2).then(|| u16::from_be_bytes([payload[0], payload[1]]));
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                    return Ok(Some(Message::Close(code, reason)));
                }
                Opcode::Ping => return Ok(Some(Message::Ping(payload))),
                Opcode::Pong => return Ok(Some(Message::Pong)),
                Opcode::Continuation if self.begun.is_none() => return Err(Broken(1002)),
                Opcode::Text | Opcode::Binary if self.begun.is_some() => return Err(Broken(1002)),
                Opcode::Continuation => {}
                first => self.begun = Some(first),
            }
            if self.message.len() + payload.len() > MAX_MESSAGE {
                return Err(Broken(1009));
            }
            self.message.extend_from_slice(&payload);
            if fin {
                let whole = self.message.split().to_vec();
                return match self.begun.take() {
                    Some(Opcode::Text) => String::from_utf8(whole).map(|text| Some(Message::Text(text))),
                    _ => Ok(Some(Message::Binary)),
                }
                .map_err(|_| Broken(1007));
            }
        }
        Ok(None)
    }

    /// Reads on to a close frame, past whatever comes before it.
    pub(crate) fn has_close(&mut self) -> bool {
        loop {
            match self.poll_message() {
                Ok(Some(Message::Close(..))) | Err(_) => return true,
                Ok(Some(_)) => {}
                Ok(None) => return false,
            }
        }
    }

    fn frame(&mut self) -> Result<Option<(bool, Opcode, Bytes)>, Broken> {
        let Some(&[first, second]) = self.buffer.first_chunk::<2>() else { return Ok(None) };
        let Some(opcode) = Opcode::of(first & 0x0F) else { return Err(Broken(1002)) };
        let fin = first & 0x80 != 0;
        // Reserved bits without an extension, an unmasked frame, a control frame in pieces or too long.
        let short = usize::from(second & 0x7F);
        if first & 0x70 != 0 || second & 0x80 == 0 || (opcode.is_control() && (!fin || short > 125)) {
            return Err(Broken(1002));
        }
        let rest = &self.buffer[2..];
        let (length, head) = match short {
            126 => match rest.first_chunk::<2>() {
                Some(bytes) => (usize::from(u16::from_be_bytes(*bytes)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(bytes) => (usize::try_from(u64::from_be_bytes(*bytes)).unwrap_or(usize::MAX), 10),
                None => return Ok(None),
            },
            short => (short, 2),
        };
        if length > MAX_MESSAGE {
            return Err(Broken(1009));
        }
        if self.buffer.len() < head + 4 + length {
            return Ok(None);
        }
        self.buffer.advance(head);
        let mask = self.buffer.split_to(4);
        let mut payload = self.buffer.split_to(length);
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        Ok(Some((fin, opcode, payload.freeze())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame: the same, masked.
    fn masked(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut plain = BytesMut::new();
        encode(fin, opcode, payload, &mut plain);
        let head = plain.len() - payload.len();
        let mask = [7, 99, 0, 255];
        let mut out = plain[..head].to_vec();
        out[1] |= 0x80;
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out
    }

    fn decode(bytes: &[u8]) -> Result<Vec<Message>, Broken> {
        let mut decoder = Decoder::default();
        let mut messages = Vec::new();
        for byte in bytes {
            decoder.buffer.put_u8(*byte);
            while let Some(message) = decoder.poll_message()? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    #[test]
    fn messages_of_every_length_come_whole_byte_by_byte() {
        for length in [0, 1, 125, 126, 0xFFFF, 0x10000] {
            let text = "x".repeat(length);
            assert_eq!(decode(&masked(true, Opcode::Text, text.as_bytes())), Ok(vec![Message::Text(text)]));
        }
    }

    #[test]
    fn fragments_become_one_message_and_a_ping_may_come_between() {
        let bytes = [
            masked(false, Opcode::Text, &"é".as_bytes()[..1]),
            masked(true, Opcode::Ping, b"p"),
            masked(true, Opcode::Continuation, &"é".as_bytes()[1..]),
        ];
        let ping = Message::Ping(Bytes::from_static(b"p"));
        assert_eq!(decode(&bytes.concat()), Ok(vec![ping, Message::Text("é".to_owned())]));
    }

    #[test]
    fn a_peer_that_breaks_the_protocol_is_told_how() {
        let mut unmasked = BytesMut::new();
        encode(true, Opcode::Text, b"a", &mut unmasked);
        assert_eq!(decode(&unmasked), Err(Broken(1002)));
        assert_eq!(decode(&masked(true, Opcode::Continuation, b"a")), Err(Broken(1002)));
        assert_eq!(decode(&masked(false, Opcode::Ping, b"a")), Err(Broken(1002)));
        assert_eq!(decode(&masked(true, Opcode::Text, b"\xFF")), Err(Broken(1007)));
    }

    #[test]
    fn a_close_frame_tells_its_code_and_fits() {
        let close = masked(true, Opcode::Close, b"\x0F\xA0bye");
        assert_eq!(decode(&close), Ok(vec![Message::Close(Some(4000), "bye".to_owned())]));
        let mut out = BytesMut::new();
        encode_close(Some(1000), &"é".repeat(100), &mut out);
        assert_eq!(out.len(), 2 + 2 + 122);
    }

    #[test]
    fn fragments_hold_the_whole_text() {
        let mut out = BytesMut::new();
        encode_fragments(b"abcde", 2, &mut out);
        assert_eq!(&out[..], b"\x01\x02ab\x00\x02cd\x80\x01e");
    }
}
