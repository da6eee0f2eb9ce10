//! Which run of which session is active: the rules by which rows count (PROTOCOLS 1.8, 6.1 no. 12).
//!
//! Of one session the newest row counts; within a millisecond the same run only goes forward, and another run's end is nobody's
//! but its own. What is over stays known for a while, unseen, so that a row that comes late does not bring it back. Rows of a
//! snapshot change what is true at once, and what is shown when their batch is through.
//!
//! What goes out are numbers: sessions keep theirs, and strings go with them once. The grammar of [`Board::write`]:
//!
//! ```jsonc
//! "since": 1712345678000,             // the times below count from here, in ms
//! "rows": [0,25,1, 3,1,20, 4,5,0],    // number, code, time, three each
//! "names": ["s1","r1"]                // what the codes ask for, in their order
//! // code: the status by its number, 5 for none; 8 more: its run's id is new; 16 more: its session's is, too, and comes first
//! ```

use alloc::{collections::VecDeque, vec::Vec};

use super::{
    names::{Names, is_same},
    row::{Row, RunStatus},
};
use crate::engine::{
    delta::Delta,
    time::{Instant, Millis},
};

/// The most sessions that are known at once; the oldest make room.
pub const MOST_ROWS: usize = 100_000;

/// The most of them that are over: a row that comes this late is not expected.
const MOST_OVER: usize = 4_096;

const GONE: u64 = 5;
const NEW_RUN: u64 = 8;
const NEW_SESSION: u64 = 16;

/// Which kind of event a row came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of the index as it was when the connection began.
    Snapshot,
    /// News.
    Update,
}

impl Kind {
    /// The one that an event of this name is of.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"snapshot" => Some(Self::Snapshot),
            b"update" => Some(Self::Update),
            _ => None,
        }
    }
}

/// What a session's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nobody's: the number may be given again.
    Free,
    /// Its run is active.
    Live,
    /// Its run is over, and is shown until then.
    Ended { until: Instant },
    /// Its run is over. `is_inferred`: no row said so, a batch did not have it.
    Over { is_inferred: bool },
}

struct Entry {
    session: Vec<u8>,
    run: Vec<u8>,
    hash: u32,
    status: RunStatus,
    standing: Standing,
    at: u64,
    // The run's newest row that was no end: another one may have begun before the end of this was told.
    alive_at: u64,
    // The connection that spoke of it last.
    connection: u32,
    // Another run of the session that has ended, and when: its start may come behind its end.
    past: Option<(Vec<u8>, u64)>,
    // When it was heard of last, and how often it was confirmed since.
    heard: Instant,
    confirmed: u32,
    // What the page has: its session's id, its run's, a row.
    knows_session: bool,
    knows_run: bool,
    shown: Option<(RunStatus, u64)>,
    // Which lists it is in.
    is_changed: bool,
    is_staged: bool,
    is_buried: bool,
}

/// A session whose run has been silent for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// The session's number.
    pub number: u32,
    /// When it is time to ask.
    pub due: Instant,
}

/// What was asked about, to be known again when the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    number: u32,
    run: Vec<u8>,
    at: u64,
}

impl Asked {
    /// Whether it was asked about this run.
    pub fn is_of(&self, run: &[u8]) -> bool {
        self.run == run
    }
}

/// The map. See the module's description.
pub struct Board {
    entries: Vec<Entry>,
    names: Names,
    retain: Millis,
    most_rows: usize,
    free: Vec<u32>,
    // In the order of their ends.
    over: VecDeque<u32>,
    // The next to make room when nothing is free and nothing over: the oldest.
    hand: usize,
    connection: u32,
    staged: Vec<u32>,
    changed: Vec<u32>,
    // No entry has to leave before this.
    next_prune: Option<Instant>,
    live: usize,
}

impl Board {
    /// An empty one. A run's end is shown for `retain`; the seed as in the link: any.
    pub fn new(retain: Millis, seed: u64) -> Self {
        Self {
            entries: Vec::new(),
            names: Names::new(seed),
            retain,
            most_rows: MOST_ROWS,
            free: Vec::new(),
            over: VecDeque::new(),
            hand: 0,
            connection: 0,
            staged: Vec::new(),
            changed: Vec::new(),
            next_prune: None,
            live: 0,
        }
    }

    /// The same with another bound, for tests.
    pub fn with_most_rows(mut self, most: usize) -> Self {
        self.most_rows = most.max(1);
        self
    }

    /// A new connection: what it does not tell again is over, as of [`Board::sweep`].
    pub fn begin(&mut self) {
        self.connection = self.connection.wrapping_add(1);
    }

    /// Takes a row. Whether it is news.
    pub fn take(&mut self, kind: Kind, row: &Row<'_>, now: Instant) -> bool {
        let hash = self.names.hash(&row.session);
        let entries = &self.entries;
        let found = self.names.find(hash, |number| {
            entries
                .get(number as usize)
                .is_some_and(|entry| entry.hash == hash && is_same(&entry.session, &row.session))
        });
        let number = match found {
            Some(number) => number,
            None => self.admit(row, hash, now),
        };
        let connection = self.connection;
        let Some(entry) = self.entries.get_mut(number as usize) else { return false };
        let is_news = found.is_none() || entry.yields_to(kind, row);
        let was_live = entry.standing == Standing::Live;
        if is_news || kind == Kind::Snapshot {
            entry.connection = connection;
            entry.heard = now;
            entry.confirmed = 0;
        }
        if is_news {
            if !is_same(&entry.run, &row.run) {
                entry.run.clear();
                entry.run.extend_from_slice(&row.run);
                entry.knows_run = false;
            }
            (entry.status, entry.at) = (row.status, row.at);
            if !row.status.is_terminal() {
                entry.alive_at = row.at;
            }
            entry.standing = match (row.status.is_terminal(), self.retain) {
                (false, _) => Standing::Live,
                (true, Millis::ZERO) => Standing::Over { is_inferred: false },
                (true, retain) => Standing::Ended { until: now + retain },
            };
        } else if entry.repeats_end(row)
            && let Standing::Ended { until } = &mut entry.standing
        {
            *until = now + self.retain;
        } else {
            entry.note_past(row);
        }
        let standing = entry.standing;
        self.recount(was_live, standing == Standing::Live);
        match standing {
            Standing::Over { .. } => self.bury(number),
            Standing::Ended { until } => {
                self.next_prune = Some(self.next_prune.map_or(until, |next| next.min(until)));
            }
            Standing::Live | Standing::Free => {}
        }
        if is_news && kind == Kind::Update {
            self.change(number);
        } else if is_news {
            self.stage(number);
        }
        is_news
    }

    /// The batch is through: what it said is shown.
    pub fn flush_staged(&mut self) {
        let mut staged = core::mem::take(&mut self.staged);
        for number in staged.drain(..) {
            if let Some(entry) = self.entries.get_mut(number as usize) {
                entry.is_staged = false;
            }
            self.change(number);
        }
        self.staged = staged;
    }

    /// What this connection has not spoken of is over.
    pub fn sweep(&mut self) {
        for number in 0..self.entries.len() as u32 {
            let Some(entry) = self.entries.get(number as usize) else { return };
            if entry.standing == Standing::Live && entry.connection != self.connection {
                self.end(number, true);
            }
        }
    }

    /// Takes away what was shown long enough.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next_prune.is_none_or(|next| now < next) {
            return;
        }
        self.next_prune = None;
        for number in 0..self.entries.len() as u32 {
            let Some(entry) = self.entries.get(number as usize) else { return };
            match entry.standing {
                Standing::Ended { until } if until <= now => self.end(number, false),
                Standing::Ended { until } => {
                    self.next_prune = Some(self.next_prune.map_or(until, |next| next.min(until)));
                }
                _ => {}
            }
        }
    }

    /// When to call [`Board::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_prune
    }

    /// Forgets everything, what the page has included: what goes out next begins anew.
    pub fn clear(&mut self) {
        let connection = self.connection;
        let names = core::mem::replace(&mut self.names, Names::new(0));
        *self = Self { names, ..Self::new(self.retain, 0).with_most_rows(self.most_rows) };
        self.names.clear();
        self.connection = connection;
    }

    /// Whether something has changed that the page does not have.
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whether rows wait for the end of their batch.
    pub fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// How many runs are active.
    pub fn live(&self) -> usize {
        self.live
    }

    // ---- runs that may be over, unknown to us (B-AR-9) ----

    /// The session whose run has been silent for the longest beyond `after`, which doubles with every confirmation, or will be
    /// next.
    pub fn most_silent(&self, after: Millis) -> Option<Silent> {
        // Not doubled for ever: a run that was confirmed all day may still end unheard.
        const MOST_DOUBLED: u32 = 3;
        let of = |(number, entry): (usize, &Entry)| Silent {
            number: number as u32,
            due: entry.heard + after.times(1 << entry.confirmed.min(MOST_DOUBLED)),
        };
        let live = self.entries.iter().enumerate().filter(|(_, entry)| entry.standing == Standing::Live);
        live.map(of).min_by_key(|silent| silent.due)
    }

    /// What to ask about, and the session's id.
    pub fn ask(&self, number: u32) -> Option<(Asked, &[u8])> {
        let entry = self.entries.get(number as usize)?;
        Some((Asked { number, run: entry.run.clone(), at: entry.at }, &entry.session))
    }

    /// No answer, or that the run is active: it is asked about again, later.
    pub fn handle_confirmed(&mut self, asked: &Asked, now: Instant) {
        if let Some(entry) = self.of(asked) {
            entry.heard = now;
            entry.confirmed = entry.confirmed.saturating_add(1);
        }
    }

    /// The run is over, and perhaps another one active. Whether that is news.
    pub fn handle_refuted(&mut self, asked: &Asked, active: Option<&[u8]>, now: Instant) -> bool {
        let Some(entry) = self.of(asked) else { return false };
        match active {
            // Nothing newer is known of it than that it is under way: any row of its own says more.
            Some(run) => {
                entry.run.clear();
                entry.run.extend_from_slice(run);
                entry.knows_run = false;
                entry.status = RunStatus::Streaming;
                entry.heard = now;
                entry.confirmed = 0;
                self.change(asked.number);
            }
            None => self.end(asked.number, false),
        }
        true
    }

    // Unless something was heard of the session since.
    fn of(&mut self, asked: &Asked) -> Option<&mut Entry> {
        let is_same =
            |entry: &&mut Entry| entry.standing == Standing::Live && entry.run == asked.run && entry.at == asked.at;
        self.entries.get_mut(asked.number as usize).filter(is_same)
    }

    // ---- what goes out ----

    /// Writes what has changed as members of the object that is open.
    pub fn write(&mut self, out: &mut Delta) {
        let mut changed = core::mem::take(&mut self.changed);
        // What came and went between two flushes is nobody's business.
        changed.retain(|&number| {
            self.entries.get_mut(number as usize).is_some_and(|entry| {
                entry.is_changed = false;
                !entry.is_as_shown()
            })
        });
        if changed.is_empty() {
            self.changed = changed;
            return;
        }
        let shown =
            changed.iter().filter_map(|&number| self.entries.get(number as usize)).filter(|entry| entry.is_visible());
        let since = shown.map(|entry| entry.at).min().unwrap_or(0);
        out.key("since");
        out.number(since);
        out.key("rows");
        let mut names = Delta::new();
        let mut mark = b'[';
        for &number in &changed {
            let Some(entry) = self.entries.get_mut(number as usize) else { continue };
            let code = entry.tell(&mut names);
            let at = if entry.is_visible() { entry.at.saturating_sub(since) } else { 0 };
            out.numbers(mark, [u64::from(number), code, at]);
            mark = b',';
        }
        out.literal("]");
        if !names.is_empty() {
            out.key("names");
            out.splice(&mut names);
            out.literal("]");
        }
        self.changed = changed;
        self.changed.clear();
    }

    /// The active runs as the events of a feed that begins now.
    pub fn retell(&self, out: &mut Delta) {
        for entry in self.entries.iter().filter(|entry| entry.standing == Standing::Live) {
            out.literal("event: snapshot\ndata: {\"sessionId\":");
            out.string(&entry.session);
            out.key("runId");
            out.string(&entry.run);
            out.key("status");
            out.string(entry.status.as_str().as_bytes());
            out.key("updatedAt");
            out.number(entry.at);
            out.literal("}\n\n");
        }
    }

    // ---- small helpers ----

    /// A number for a session that has none, its entry filled in.
    fn admit(&mut self, row: &Row<'_>, hash: u32, now: Instant) -> u32 {
        let number = self.room();
        let blank = Entry {
            session: row.session.to_vec(),
            run: Vec::new(),
            hash,
            status: row.status,
            standing: Standing::Over { is_inferred: true },
            at: 0,
            alive_at: 0,
            connection: self.connection,
            past: None,
            heard: now,
            confirmed: 0,
            knows_session: false,
            knows_run: false,
            shown: None,
            is_changed: false,
            is_staged: false,
            is_buried: false,
        };
        match self.entries.get_mut(number as usize) {
            // What is in a list, or on the page, stays so under the same number.
            Some(entry) => {
                *entry =
                    Entry { shown: entry.shown, is_changed: entry.is_changed, is_staged: entry.is_staged, ..blank };
            }
            None => self.entries.push(blank),
        }
        let entries = &self.entries;
        self.names.add(number, |number| entries.get(number as usize).map_or(0, |entry| entry.hash));
        number
    }

    fn room(&mut self) -> u32 {
        if let Some(number) = self.free.pop() {
            return number;
        }
        if self.entries.len() < self.most_rows {
            return self.entries.len() as u32;
        }
        while let Some(number) = self.over.pop_front() {
            if self.exhume(number) {
                self.forget(number);
                return self.free.pop().unwrap_or(number);
            }
        }
        let oldest = self.hand as u32;
        self.hand = (self.hand + 1) % self.entries.len().max(1);
        self.forget(oldest);
        self.free.pop().unwrap_or(oldest)
    }

    fn change(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        if !entry.is_as_shown() && !core::mem::replace(&mut entry.is_changed, true) {
            self.changed.push(number);
        }
    }

    fn stage(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        if !core::mem::replace(&mut entry.is_staged, true) {
            self.staged.push(number);
        }
    }

    fn end(&mut self, number: u32, is_inferred: bool) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        let was_live = entry.standing == Standing::Live;
        entry.standing = Standing::Over { is_inferred };
        self.recount(was_live, false);
        self.bury(number);
        self.change(number);
    }

    fn recount(&mut self, was_live: bool, is_live: bool) {
        self.live += usize::from(is_live);
        self.live = self.live.saturating_sub(usize::from(was_live));
    }

    /// It is over; the one that has been for the longest is forgotten.
    fn bury(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        if core::mem::replace(&mut entry.is_buried, true) {
            return;
        }
        self.over.push_back(number);
        while self.over.len() > MOST_OVER {
            let Some(oldest) = self.over.pop_front() else { return };
            if self.exhume(oldest) {
                self.forget(oldest);
            }
        }
    }

    /// It is in the list of the dead no longer. Whether it belonged there.
    fn exhume(&mut self, number: u32) -> bool {
        self.entries.get_mut(number as usize).is_some_and(|entry| {
            entry.is_buried = false;
            matches!(entry.standing, Standing::Over { .. })
        })
    }

    fn forget(&mut self, number: u32) {
        let entries = &self.entries;
        self.names.remove(number, |number| entries.get(number as usize).map_or(0, |entry| entry.hash));
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        let was_live = entry.standing == Standing::Live;
        entry.standing = Standing::Free;
        entry.knows_session = false;
        entry.past = None;
        (entry.session, entry.run) = (Vec::new(), Vec::new());
        self.recount(was_live, false);
        self.free.push(number);
        self.change(number);
    }
}

impl Entry {
    /// Whether a row says more than is known.
    fn yields_to(&self, kind: Kind, row: &Row<'_>) -> bool {
        let is_same = is_same(&self.run, &row.run);
        let is_live = self.standing == Standing::Live;
        let is_terminal = row.status.is_terminal();
        let is_past = |(run, at): &(Vec<u8>, u64)| *run == *row.run && row.at <= *at;
        match (is_same, is_terminal) {
            // An old run's end is not the end of the session's new one.
            (false, true) => !is_live && row.at > self.at,
            (false, false) if self.past.as_ref().is_some_and(is_past) => false,
            // Of two runs in one millisecond the later word counts.
            (false, false) if is_live => row.at >= self.at,
            (false, false) => row.at >= self.alive_at,
            _ if row.at != self.at => row.at > self.at,
            _ => match self.standing {
                // Nothing but a batch without it has said that it is over.
                Standing::Over { is_inferred: true } => kind == Kind::Snapshot && !is_terminal,
                Standing::Over { .. } => false,
                _ => row.status.rank() > self.status.rank(),
            },
        }
    }

    fn repeats_end(&self, row: &Row<'_>) -> bool {
        row.status.is_terminal() && self.run == *row.run && row.at >= self.at
    }

    /// Remembers the end of a run that is not the session's present one.
    fn note_past(&mut self, row: &Row<'_>) {
        let is_older = self.past.as_ref().is_some_and(|(_, at)| row.at < *at);
        if row.status.is_terminal() && self.run != *row.run && !is_older {
            self.past = Some((row.run.to_vec(), row.at));
        }
    }

    fn is_visible(&self) -> bool {
        matches!(self.standing, Standing::Live | Standing::Ended { .. })
    }

    /// Whether the page has it as it is, or has not heard of what is nothing to show.
    fn is_as_shown(&self) -> bool {
        if self.is_visible() {
            self.knows_session && self.knows_run && self.shown == Some((self.status, self.at))
        } else {
            self.shown.is_none()
        }
    }

    /// Its code; what the page does not know goes into `names`.
    fn tell(&mut self, names: &mut Delta) -> u64 {
        self.shown = self.is_visible().then_some((self.status, self.at));
        if self.shown.is_none() {
            self.knows_run = false;
            return GONE;
        }
        let mut code = self.status as u64;
        let mut name = |id: &[u8]| {
            names.element("");
            names.string(id);
        };
        if !core::mem::replace(&mut self.knows_session, true) {
            code += NEW_SESSION;
            name(&self.session);
        }
        if !core::mem::replace(&mut self.knows_run, true) {
            code += NEW_RUN;
            name(&self.run);
        }
        code
    }
}
