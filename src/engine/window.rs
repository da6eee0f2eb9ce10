//! The one input window of a client: where every network chunk enters wasm memory, once.
//!
//! A chunk lands behind a headroom into which a [`Reader`](super::reader::Reader) puts the part of a frame that an earlier
//! chunk began, so that a frame's bytes are contiguous however the network cut them.

use alloc::{boxed::Box, vec::Vec};

/// The most bytes of one chunk; a longer read is fed in pieces.
pub const CHUNK: usize = 64 * 1024;

/// Room in front of the chunk for the frame that the last chunk left unfinished.
pub(super) const HEADROOM: usize = 2 * 1024;

/// Empties a buffer that is used again, and gives its memory back where it grew beyond what is common.
pub(super) fn recycle(buffer: &mut Vec<u8>) {
    const KEPT: usize = 64 * 1024;
    buffer.clear();
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}

// Behind the chunk, so that a wide load near its end stays inside the allocation.
const SLACK: usize = 2 * 1024;

// The alignment puts the chunk at 2 KiB mod 4 KiB: at a bad offset the copy of 64 KiB into wasm memory took 15 times as
// long, because the source and the target of such copies then alias in the processor's store buffer.
#[repr(align(4096))]
struct Buffer([u8; HEADROOM + CHUNK + SLACK]);

/// A buffer for one chunk at a time, shared by all connections of a client.
pub struct Window {
    buffer: Box<Buffer>,
}

impl Window {
    /// An empty window; its one allocation lives as long as it does.
    pub fn new() -> Self {
        Self { buffer: Box::new(Buffer([0; HEADROOM + CHUNK + SLACK])) }
    }

    /// Where a chunk's first byte belongs, for the writer on the JS side. Stable for the window's lifetime.
    pub fn chunk_ptr(&self) -> *const u8 {
        self.buffer.0[HEADROOM..].as_ptr()
    }

    /// The [`CHUNK`] bytes that a chunk may take; the writer fills the first `len` of them before
    /// [`Reader::feed`](super::reader::Reader::feed).
    pub fn chunk_mut(&mut self) -> &mut [u8] {
        &mut self.buffer.0[HEADROOM..HEADROOM + CHUNK]
    }

    pub(super) fn headroom_mut(&mut self) -> &mut [u8] {
        &mut self.buffer.0[..HEADROOM]
    }

    /// Puts a line feed behind the chunk's first `len` bytes: every scanner stops at it, and none runs on into older bytes.
    pub(super) fn end_chunk(&mut self, len: usize) {
        if let Some(behind) = self.buffer.0.get_mut(HEADROOM + len) {
            *behind = b'\n';
        }
    }

    /// Headroom, chunk and slack.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer.0
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_starts_in_the_middle_of_a_4_kib_page() {
        let mut window = Window::new();
        assert_eq!(window.chunk_ptr() as usize % 4096, 2048);
        assert_eq!(window.chunk_mut().len(), CHUNK);
        assert_eq!(window.chunk_mut().as_ptr(), window.chunk_ptr());
    }
}
