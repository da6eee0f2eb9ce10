//! What the chunks of a UI message do to its parts (PROTOCOLS 4.6, U-R-2 … U-R-19).
//!
//! Texts and stretches of reasoning have names, and several may be open at once. Of a tool call the last word counts: each
//! chunk says anew what is known of it. A chunk that speaks of what was never begun changes nothing, and says so.

use alloc::{boxed::Box, vec::Vec};
use core::num::NonZeroU64;

use super::{
    Body, Stream, Transcript,
    call::{Call, CallState, Known, Object},
    same_string,
    stored::member,
};
use crate::engine::{
    delta::Delta,
    event::{ChunkKind, JsonStr},
    merge::merge,
    protocol::ui_message::{Field, Fields},
};

/// An open text or stretch of reasoning.
pub(super) struct Open {
    /// A raw JSON string; empty while it is not known: the next name that is not known either is its own.
    pub name: Box<[u8]>,
    pub is_reasoning: bool,
    pub index: usize,
}

/// What is known of a text or a stretch of reasoning besides its words.
#[derive(Default)]
pub(super) struct About {
    /// The name of a stretch of reasoning; raw JSON, as are the next two.
    pub id: Option<Box<[u8]>>,
    pub provider: Option<Box<[u8]>>,
    pub citations: Option<Box<[u8]>>,
    /// When the first and the last of it came, in unix ms by the server's clock.
    pub began: Option<NonZeroU64>,
    pub ended: Option<NonZeroU64>,
}

impl About {
    /// As further members of the part. When it ended is told when it has.
    pub fn write_members(&self, is_done: bool, out: &mut Delta) {
        for (name, raw) in [("id", &self.id), ("providerMetadata", &self.provider), ("citations", &self.citations)] {
            if let Some(raw) = raw {
                out.key(name);
                out.raw(raw);
            }
        }
        for (name, at) in [("startedAt", self.began), ("endedAt", self.ended.filter(|_| is_done))] {
            if let Some(at) = at {
                out.key(name);
                out.number(at.get());
            }
        }
    }
}

impl Transcript {
    /// More of a text or a stretch of reasoning that has a name.
    #[inline(never)]
    pub(super) fn continue_part(&mut self, name: &[u8], is_reasoning: bool, text: JsonStr<'_>) -> bool {
        let Some(at) = self.claim_open(name, is_reasoning) else { return false };
        let Some(index) = self.open.get(at).map(|open| open.index) else { return false };
        self.extend(index, is_reasoning, text);
        true
    }

    fn extend(&mut self, index: usize, is_reasoning: bool, text: JsonStr<'_>) {
        if is_reasoning {
            return self.append(index, text);
        }
        let before = self.stream_units(Some(index));
        self.append(index, text);
        self.closed_units += self.stream_units(Some(index)) - before;
    }

    /// One chunk. False where it makes no sense here.
    #[inline(never)]
    pub(super) fn take_chunk(&mut self, kind: ChunkKind, raw: &[u8]) -> bool {
        let Ok(fields) = Fields::read(raw, raw.len()) else { return false };
        match kind {
            ChunkKind::TextStart => self.begin_part(&fields, false),
            ChunkKind::ReasoningStart => self.begin_part(&fields, true),
            ChunkKind::TextDelta | ChunkKind::TextEnd => {
                return self.change_part(&fields, false, kind == ChunkKind::TextEnd);
            }
            ChunkKind::ReasoningDelta | ChunkKind::ReasoningEnd => {
                return self.change_part(&fields, true, kind == ChunkKind::ReasoningEnd);
            }
            ChunkKind::ToolInputStart => self.begin_input(&fields),
            ChunkKind::ToolInputAvailable => {
                let is_dynamic = fields.is_true(Field::Dynamic);
                self.renew_call(&fields, is_dynamic, CallState::InputAvailable);
            }
            ChunkKind::ToolInputError => {
                // The call is of the kind that it was begun as, whatever this says.
                let known =
                    self.call_of_step(&fields, None).and_then(|index| self.call(index)).map(|call| call.is_dynamic);
                let is_dynamic = known.unwrap_or(fields.is_true(Field::Dynamic));
                self.renew_call(&fields, is_dynamic, CallState::OutputError);
            }
            ChunkKind::ToolOutputAvailable => return self.end_call_by(&fields, CallState::OutputAvailable),
            ChunkKind::ToolOutputError => return self.end_call_by(&fields, CallState::OutputError),
            ChunkKind::ToolOutputDenied => return self.with_call(&fields, |call| call.stand(CallState::OutputDenied)),
            ChunkKind::ToolApprovalRequest => return self.with_call(&fields, |call| call.ask(&fields)),
            ChunkKind::ToolApprovalResponse => return self.answer(&fields),
            ChunkKind::Whole => self.push(Body::Raw { raw: raw.into() }),
            ChunkKind::Data => self.put_data(&fields, raw),
            ChunkKind::StepStart => {
                self.push(Body::Raw { raw: b"{\"type\":\"step-start\"}".as_slice().into() });
                self.step = self.parts.len();
            }
            ChunkKind::StepReset => self.reset_step(),
            ChunkKind::Metadata => self.merge_metadata(fields.present(Field::MessageMetadata)),
        }
        true
    }

    /// More about the whole run.
    pub(super) fn merge_metadata(&mut self, news: Option<&[u8]>) {
        let Some(news) = news else { return };
        let merged = self.metadata.as_deref().filter(|old| *old != b"null").map(|old| merge(old, news));
        self.metadata = Some(merged.map_or_else(|| news.into(), Vec::into_boxed_slice));
        self.metadata_changed = true;
    }

    /// Nothing more comes: what is open is complete as it is.
    pub(super) fn close_parts(&mut self) {
        self.open.clear();
        let is_open =
            |body: &Body| matches!(body, Body::Text { stream, .. } | Body::Reasoning { stream } if !stream.done);
        for index in 0..self.parts.len() {
            if self.parts.get(index).is_some_and(|part| is_open(&part.body)) {
                self.finish_part(index);
            }
        }
    }

    // ---- texts and reasoning ----

    /// The open one of this name.
    fn find_open(&self, name: &[u8], is_reasoning: bool) -> Option<usize> {
        self.open.iter().position(|open| open.is_reasoning == is_reasoning && same_string(&open.name, name))
    }

    /// The same, or the one whose name nobody knew.
    fn claim_open(&mut self, name: &[u8], is_reasoning: bool) -> Option<usize> {
        self.find_open(name, is_reasoning).or_else(|| {
            let at = self.open.iter().position(|open| open.is_reasoning == is_reasoning && open.name.is_empty())?;
            self.open.get_mut(at)?.name = name.into();
            Some(at)
        })
    }

    fn begin_part(&mut self, fields: &Fields<'_>, is_reasoning: bool) {
        let name = fields.raw(Field::Id).unwrap_or(&[]);
        if let Some(at) = self.find_open(name, is_reasoning) {
            // Its name is another's from here on; as it says nothing of its end, none is shown.
            self.open.remove(at);
        }
        let about = About {
            id: is_reasoning.then(|| name.into()),
            provider: fields.present(Field::ProviderMetadata).map(Into::into),
            ..About::default()
        };
        let about = (about.id.is_some() || about.provider.is_some()).then(|| Box::new(about));
        let stream = Stream { about, ..Stream::default() };
        self.open.push(Open { name: name.into(), is_reasoning, index: self.parts.len() });
        if is_reasoning {
            self.push(Body::Reasoning { stream });
        } else {
            let seq = self.blocks;
            self.blocks += 1;
            self.push(Body::Text { seq, stream });
        }
    }

    fn change_part(&mut self, fields: &Fields<'_>, is_reasoning: bool, is_end: bool) -> bool {
        let name = fields.raw(Field::Id).unwrap_or(&[]);
        let Some(at) = self.claim_open(name, is_reasoning) else { return false };
        let Some(index) = self.open.get(at).map(|open| open.index) else { return false };
        if let Some(text) = fields.string(Field::Delta).filter(|_| !is_end) {
            self.extend(index, is_reasoning, text);
        }
        let provider = fields.present(Field::ProviderMetadata);
        let citations = fields.present(Field::Citations).filter(|_| is_end && !is_reasoning);
        if (provider.is_some() || citations.is_some())
            && let Some(part) = self.touch(index)
        {
            part.has_news = true;
            if let Some(stream) = part.body.stream_mut() {
                let about = stream.about.get_or_insert_default();
                about.provider = provider.map(Into::into).or(about.provider.take());
                about.citations = citations.map(Into::into).or(about.citations.take());
            }
        }
        if is_end {
            self.finish_part(index);
            self.open.remove(at);
        }
        true
    }

    fn finish_part(&mut self, index: usize) {
        // Half a character that waited for the rest of it is a whole one now.
        let before = self.stream_units(Some(index));
        self.finish_stream(Some(index));
        self.closed_units += self.stream_units(Some(index)) - before;
    }

    // ---- tool calls ----

    fn call(&self, index: usize) -> Option<&Call> {
        match &self.parts.get(index)?.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    fn call_mut(&mut self, index: usize) -> Option<&mut Call> {
        let part = self.touch(index)?;
        part.known = false;
        match &mut part.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The first call of this step with the chunk's id, and of that kind if one is asked for.
    fn call_of_step(&self, fields: &Fields<'_>, is_dynamic: Option<bool>) -> Option<usize> {
        let id = fields.raw(Field::ToolCallId)?;
        (self.step..self.parts.len()).find(|&index| {
            self.call(index)
                .is_some_and(|call| same_string(&call.id, id) && is_dynamic.is_none_or(|kind| kind == call.is_dynamic))
        })
    }

    /// The same of this step, else the last of any.
    fn call_of_run(&self, fields: &Fields<'_>) -> Option<usize> {
        let id = fields.raw(Field::ToolCallId)?;
        self.call_of_step(fields, None).or_else(|| {
            (0..self.step).rev().find(|&index| self.call(index).is_some_and(|call| same_string(&call.id, id)))
        })
    }

    /// What a chunk says of a call, in the place of what was known of it in this step.
    fn renew_call(&mut self, fields: &Fields<'_>, is_dynamic: bool, state: CallState) -> usize {
        let index = match self.call_of_step(fields, Some(is_dynamic)) {
            Some(index) => index,
            None => {
                self.push(Body::Call(Box::new(Call::begun(fields, is_dynamic))));
                self.parts.len() - 1
            }
        };
        if let Some(call) = self.call_mut(index) {
            call.renew(fields, state);
        }
        index
    }

    fn begin_input(&mut self, fields: &Fields<'_>) {
        // Words that are still to come belong to the call that begins now.
        if let Some(index) = fields.raw(Field::ToolCallId).and_then(|id| self.streaming_call(id))
            && let Some(call) = self.call_mut(index)
        {
            call.freeze_input();
        }
        let is_dynamic = fields.is_true(Field::Dynamic);
        let index = self.renew_call(fields, is_dynamic, CallState::InputStreaming);
        if let Some(call) = self.call_mut(index) {
            call.begin_input(fields);
        }
    }

    /// The call whose input streams under this id.
    fn streaming_call(&self, id: &[u8]) -> Option<usize> {
        let streams = |index: usize| self.call(index).is_some_and(|call| call.has_input() && same_string(&call.id, id));
        (0..self.parts.len()).rev().find(|&index| streams(index))
    }

    /// More of an input that streams. False where it makes no sense here.
    #[inline(never)]
    pub(super) fn continue_input(&mut self, id: &[u8], text: JsonStr<'_>) -> bool {
        let Some(mut index) = self.streaming_call(id) else { return false };
        if index < self.step
            && let Some(next) = self.call_mut(index).map(Call::split)
        {
            // A step began in the middle of it: what comes now is a part of that step, with all of the input.
            index = self.parts.len();
            self.push(Body::Call(Box::new(next)));
        }
        if let Some(Body::Call(call)) = self.touch(index).map(|part| &mut part.body) {
            call.extend(text);
        }
        true
    }

    fn end_call_by(&mut self, fields: &Fields<'_>, state: CallState) -> bool {
        self.with_call(fields, |call| call.end(fields, state))
    }

    fn with_call(&mut self, fields: &Fields<'_>, change: impl FnOnce(&mut Call)) -> bool {
        let call = self.call_of_run(fields).and_then(|index| self.call_mut(index));
        call.map(change).is_some()
    }

    /// Somebody has said whether a tool may run.
    fn answer(&mut self, fields: &Fields<'_>) -> bool {
        let Some(id) = fields.raw(Field::ApprovalId) else { return false };
        let asks = |index: &usize| {
            let approval = self.call(*index).and_then(|call| call.known(Known::Approval));
            approval.and_then(|raw| member(raw, b"id")).is_some_and(|(_, asked)| same_string(asked, id))
        };
        let index = (0..self.parts.len()).find(asks);
        index.and_then(|index| self.call_mut(index)).map(|call| call.answer(fields)).is_some()
    }

    // ---- the rest ----

    /// Data of a name that is known takes the place of what it was (U-R-19).
    fn put_data(&mut self, fields: &Fields<'_>, raw: &[u8]) {
        let kind = fields.raw(Field::Type).unwrap_or(&[]);
        let id = fields.present(Field::Id);
        let is_it = |body: &Body| match (body, id) {
            (Body::Data { kind: old, id: Some(known), .. }, Some(id)) => {
                same_string(old, kind) && same_string(known, id)
            }
            _ => false,
        };
        match self.parts.iter().position(|part| is_it(&part.body)) {
            Some(index) => {
                if let Some(part) = self.touch(index)
                    && let Body::Data { raw, .. } = &mut part.body
                {
                    part.known = false;
                    let mut renewed = Object::default();
                    renewed.members_of(raw, |name| *name != *b"data");
                    renewed.member("data", fields.raw(Field::Data));
                    *raw = renewed.end().into_boxed_slice();
                }
            }
            None => self.push(Body::Data { kind: kind.into(), id: id.map(Into::into), raw: raw.into() }),
        }
    }

    /// The step begins anew: what it has said is gone (U-R-15).
    fn reset_step(&mut self) {
        self.open.clear();
        self.resets = self.resets.saturating_add(1);
        for index in self.step..self.parts.len() {
            if let Some(Body::Text { .. }) = self.parts.get(index).map(|part| &part.body) {
                self.closed_units -= self.stream_units(Some(index));
                self.blocks -= 1;
            }
        }
        for index in 0..self.step {
            // What of it the page was not told yet goes with the whole part.
            if self.call(index).is_some_and(Call::has_input)
                && let Some(call) = self.call_mut(index)
            {
                call.freeze_input();
            }
        }
        if self.parts.len() > self.step {
            self.parts.truncate(self.step);
            self.changed.retain(|&index| index < self.step);
            self.cut = Some(self.cut.map_or(self.step, |cut| cut.min(self.step)));
        }
    }
}
