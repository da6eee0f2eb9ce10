//! A run without a transport: bytes in, transcript out.
//!
//! For workers, other runtimes, and streams that somebody else opened. The same reader, cursor and transcript as in
//! [`run`](super::run), and the same rules: the first terminal event wins, a replayed event changes nothing, and an end
//! without a terminal is no success.

use alloc::string::String;

use super::{
    cursor::{Cursor, Position, Verdict},
    delta::Delta,
    error::{Code, Failure},
    event::{JsonStr, RunEvent, Terminal},
    protocol::Protocol,
    reader::{Incoming, Item, Numbered, Reader},
    rows::{Place, Rows},
    status::Status,
    transcript::Transcript,
    window::Window,
};

/// The machine. It settles once; what comes after that is ignored.
pub struct Fold {
    reader: Reader,
    state: State,
}

struct State {
    transcript: Transcript,
    position: Position,
    rows: Rows,
    run: Option<String>,
    status: Status,
    error: Option<Failure>,
    // How the run ends, once its stream does.
    concluded: Option<Terminal>,
    // Since the last delta: the status, the error or the run's name changed; the cursor moved.
    is_dirty: bool,
    has_moved: bool,
}

impl Fold {
    /// Nothing read yet.
    pub fn new(protocol: Protocol, max_event_bytes: usize) -> Self {
        Self {
            reader: Reader::new(protocol, max_event_bytes),
            state: State {
                transcript: Transcript::new(),
                position: Position::new(),
                rows: Rows::default(),
                run: None,
                status: Status::Pending,
                error: None,
                concluded: None,
                is_dirty: true,
                has_moved: false,
            },
        }
    }

    /// The first `len` bytes of the window's chunk came.
    pub fn handle_chunk(&mut self, window: &mut Window, len: usize) {
        let Self { reader, state } = self;
        let mut feed = reader.feed(window, len);
        while !state.status.is_settled()
            // By reference: an item that is moved is a call to copy it.
            && let Some(item) = &feed.next()
        {
            let incoming = match item {
                Item::Event(incoming) => incoming,
                Item::Row(row) if state.admits(row) => &row.incoming,
                _ => {
                    state.take_aside(item);
                    continue;
                }
            };
            state.take(incoming);
        }
    }

    /// There will be no more bytes. Without a terminal event before it this is a truncation, never a success.
    pub fn handle_ended(&mut self) {
        let state = &mut self.state;
        if state.concluded.is_some() {
            state.conclude();
        } else if !state.status.is_settled() {
            state.settle(Status::Interrupted, Some(Failure::passing(Code::Truncated)));
        }
    }

    /// Where the run stands.
    pub fn status(&self) -> Status {
        self.state.status
    }

    /// What was built.
    pub fn transcript(&self) -> &Transcript {
        &self.state.transcript
    }

    /// Bytes of memory held for this run.
    pub fn held_bytes(&self) -> usize {
        self.state.transcript.held_bytes() + self.reader.held_bytes()
    }

    /// Writes what changed since the last call, as slot 0.
    pub fn write_delta(&mut self, out: &mut Delta) {
        let state = &mut self.state;
        out.begin(0);
        state.transcript.write_delta(out);
        let ahead = state.rows.cursor(&state.position);
        let cursor = ahead.as_deref().map_or(state.position.as_bytes(), str::as_bytes);
        let cursor = (!cursor.is_empty()).then_some(cursor);
        if core::mem::take(&mut state.is_dirty) {
            state.has_moved = false;
            out.key("state");
            out.literal("{\"runId\":");
            out.string_or_null(state.run.as_deref().map(str::as_bytes));
            out.key("status");
            out.string(state.status.as_str().as_bytes());
            out.key("cursor");
            out.string_or_null(cursor);
            out.key("error");
            Failure::write(state.error.as_ref(), out);
            out.literal("}");
        } else if core::mem::take(&mut state.has_moved) {
            out.key("state");
            out.literal("{\"cursor\":");
            out.string_or_null(cursor);
            out.literal("}");
        }
        out.end();
    }
}

impl State {
    fn take(&mut self, incoming: &Incoming<'_>) {
        let next = incoming.id.and_then(|id| self.position.glance(id));
        let id = incoming.id.filter(|_| next.is_none()).map(|id| (id, Cursor::parse(id)));
        if let Some((id, cursor)) = id
            && self.position.judge(id, cursor) == Verdict::Duplicate
        {
            return;
        }
        match &incoming.event {
            RunEvent::Heartbeat => return,
            RunEvent::Started { run_id: Some(run), .. } => {
                self.run = Some(run.decoded());
                self.is_dirty = true;
            }
            _ => {}
        }
        let is_timed = matches!(incoming.event, RunEvent::Reasoning { .. });
        self.transcript.apply_at(&incoming.event, is_timed.then(|| incoming.timestamp()).flatten());
        if let Some(next) = next {
            self.position.step(next);
        } else if let Some((id, cursor)) = id {
            self.position.advance_to(id, cursor);
        }
        self.has_moved |= incoming.id.is_some();
        match &incoming.event {
            RunEvent::Ended { how, error, .. } => {
                let status = match how {
                    Terminal::Completed => Status::Completed,
                    Terminal::Cancelled => Status::Cancelled,
                    Terminal::Failed => Status::Failed,
                };
                let failure = (status == Status::Failed).then(|| Failure {
                    detail: error.map(|text| text.decoded()),
                    ..Failure::passing(Code::ServerError)
                });
                self.settle(status, failure);
            }
            RunEvent::Concluded { how, .. } => self.concluded = Some(*how),
            RunEvent::Interrupted { .. } => self.stand(Status::Waiting),
            _ => self.stand(Status::Streaming),
        }
    }

    #[inline(never)]
    fn take_aside(&mut self, item: &Item<'_>) {
        match item {
            Item::Overflow => self.settle(Status::Interrupted, Some(Failure::lasting(Code::EventTooLarge))),
            Item::Done => self.conclude(),
            Item::Mark(mark) => self.has_moved |= self.rows.handle_mark(mark, &mut self.position),
            _ => {}
        }
    }

    /// Whether a row is to be applied: the first answer is the run. What is missing can be asked of nobody: what comes is taken.
    #[inline(never)]
    fn admits(&mut self, row: &Numbered<'_>) -> bool {
        let message = row.incoming.run;
        if matches!(row.incoming.event, RunEvent::Reset) {
            self.rows.handle_reset();
            return true;
        }
        if message.is_empty() || (self.run.is_none() && !row.is_answer) {
            return false;
        }
        let run = self.run.get_or_insert_with(|| JsonStr::stored(message).decoded());
        if !JsonStr::stored(message).equals(run.as_bytes()) || self.rows.place(row.seq) == Place::Behind {
            return false;
        }
        self.rows.advance(row.seq, &self.position);
        self.has_moved = true;
        self.is_dirty |= self.status == Status::Pending;
        row.fault.is_none()
    }

    /// The stream has come to its end, as the server meant it to.
    fn conclude(&mut self) {
        let how = self.concluded.take().unwrap_or(Terminal::Completed);
        self.settle(if how == Terminal::Cancelled { Status::Cancelled } else { Status::Completed }, None);
    }

    fn stand(&mut self, status: Status) {
        self.is_dirty |= self.status != status;
        self.status = status;
    }

    fn settle(&mut self, status: Status, error: Option<Failure>) {
        self.transcript.close();
        self.status = status;
        self.error = error;
        self.is_dirty = true;
    }
}
