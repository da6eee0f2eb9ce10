//! A board without a transport or a clock: the bytes of a feed in, what they amount to out. For workers and other runtimes.
//!
//! A look at it is its frame: what was staged is shown then, and the ends of runs are not retained.

use core::mem;

use super::{
    board::{Board, Kind},
    feed::words,
    row::{self, Row},
    stencil::Stencils,
};
use crate::engine::{
    delta::Delta,
    error::{Code, Failure},
    reader::{Incoming, Item, Reader},
    time::{Instant, Millis},
    window::Window,
};

const NEVER: Instant = Instant::from_millis(0);

/// See the module's description.
pub struct Solo {
    reader: Reader,
    stencils: Stencils,
    core: Core,
}

/// Everything but the reader, whose items borrow from it.
struct Core {
    board: Board,
    // A snapshot's row came since the last look.
    is_in_batch: bool,
    must_sweep: bool,
    is_ready: bool,
    was_ready: bool,
    // The server's own word that there is no index (B-AR-10), until a row comes.
    error: Option<Failure>,
    error_changed: bool,
}

impl Solo {
    /// One that has heard nothing.
    pub fn new(max_event_bytes: usize, seed: u64) -> Self {
        Self {
            reader: Reader::bare(max_event_bytes),
            stencils: Stencils::default(),
            core: Core {
                board: Board::new(Millis::ZERO, seed),
                is_in_batch: false,
                must_sweep: false,
                is_ready: false,
                was_ready: false,
                error: None,
                error_changed: false,
            },
        }
    }

    /// The first `len` bytes of the window come next.
    pub fn handle_chunk(&mut self, window: &mut Window, len: usize) {
        let Self { reader, stencils, core } = self;
        let mut feed = reader.feed(window, len);
        loop {
            if let Some((kind, row)) = stencils.take(&mut feed) {
                core.take_row(kind, &row);
                continue;
            }
            let Some(item) = feed.next() else { return };
            if let Item::Event(incoming) = &item {
                stencils.learn(incoming);
                core.take(incoming);
            }
        }
    }

    /// A new connection: what its snapshot does not tell again is over with the next look that finds one of its rows.
    pub fn handle_restart(&mut self) {
        let Self { reader, core, .. } = self;
        reader.restart();
        core.board.flush_staged();
        core.board.begin();
        core.is_in_batch = false;
        core.must_sweep = true;
    }

    /// Writes what changed since the last look as a delta of slot 1.
    pub fn write_delta(&mut self, out: &mut Delta) {
        let Self { reader, core, .. } = self;
        if core.is_in_batch {
            core.board.flush_staged();
            if !reader.is_mid_frame() {
                core.is_in_batch = false;
                if mem::take(&mut core.must_sweep) {
                    core.board.sweep();
                }
            }
        }
        out.begin(1);
        core.board.write(out);
        if core.is_ready && !mem::replace(&mut core.was_ready, true) {
            out.key("ready");
            out.literal("true");
        }
        if mem::take(&mut core.error_changed) {
            out.key("error");
            Failure::write(core.error.as_ref(), out);
        }
        out.end();
    }
}

impl Core {
    fn take(&mut self, incoming: &Incoming<'_>) {
        if let Some(kind) = Kind::named(incoming.name) {
            if let Some(row) = row::read(incoming.data) {
                self.take_row(kind, &row);
            }
        } else if incoming.name == b"error" {
            self.error = Some(Failure { detail: words(incoming.data), ..Failure::passing(Code::ConnectFailed) });
            self.error_changed = true;
        }
    }

    fn take_row(&mut self, kind: Kind, row: &Row<'_>) {
        self.is_ready = true;
        self.error_changed |= self.error.take().is_some();
        self.is_in_batch |= kind == Kind::Snapshot;
        self.board.take(kind, row, NEVER);
    }
}
