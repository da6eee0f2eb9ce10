//! What a run says: moments, which most protocols put into words of their own, the chunks of a UI message stream, or
//! envelopes of some kind.

use serde_json::Value;

use crate::chunks::{self, Row};
use crate::content::{Chunk, Ending, JsonStyle, Kind, Moment, Recipe, chunks as ui_chunks, kinds, plan};
use crate::truth::Truth;
use crate::{envelope, ui_message};

use super::Protocol;

/// One event of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Saying {
    Moment(Moment),
    Chunk(Chunk),
    Kind(Kind),
    Row(Row),
}

/// The fold of what a run has said so far.
#[derive(Debug)]
pub(super) enum Told {
    Moments(Truth),
    Chunks(ui_message::Fold),
}

impl Saying {
    /// All that a run is to say.
    pub(super) fn script(protocol: Protocol, recipe: &Recipe, seed: u64) -> Vec<Self> {
        match protocol {
            Protocol::UiMessage => ui_chunks(recipe, seed).into_iter().map(Self::Chunk).collect(),
            Protocol::Envelope => kinds(recipe, seed).into_iter().map(Self::Kind).collect(),
            Protocol::Chunks => chunks::script(recipe, seed).into_iter().map(Self::Row).collect(),
            Protocol::Bichat | Protocol::WsChat => {
                plan(&protocol.sayable(recipe), seed).into_iter().map(Self::Moment).collect()
            }
        }
    }

    /// The event that ends a run at once.
    pub(super) fn end(protocol: Protocol, ending: Ending, text: Option<String>) -> Self {
        match protocol {
            Protocol::UiMessage => Self::Chunk(Chunk::end(ending, text)),
            Protocol::Envelope => Self::Kind(Kind::End(ending, text)),
            Protocol::Chunks => Self::Row(Row::end(ending, text)),
            Protocol::Bichat | Protocol::WsChat => Self::Moment(Moment::End(ending, text)),
        }
    }

    /// Whether the run ends with it.
    pub(super) fn ends_run(&self) -> bool {
        match self {
            Self::Moment(moment) => matches!(moment, Moment::End(..)),
            Self::Chunk(chunk) => chunk.ending().is_some(),
            Self::Kind(kind) => kind.ends_message(),
            Self::Row(row) => matches!(row.moment, Some(Moment::End(..))),
        }
    }

    /// The id of the request that the run asks the user with it, where that can be answered.
    pub(super) fn asks(&self) -> Option<&str> {
        match self {
            Self::Kind(Kind::Permission(payload)) => payload.get("request_id")?.as_str(),
            _ => None,
        }
    }

    /// Whether a server that collects holds it back.
    pub(super) fn is_buffered(&self) -> bool {
        matches!(self, Self::Kind(kind) if kind.is_buffered())
    }

    /// Whether the run gives way to another with it.
    pub(super) fn hands_over(&self) -> bool {
        matches!(self, Self::Kind(Kind::HandOver(_)))
    }
}

impl Told {
    pub(super) fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::UiMessage => Self::Chunks(ui_message::Fold::default()),
            Protocol::Bichat | Protocol::WsChat | Protocol::Envelope | Protocol::Chunks => {
                Self::Moments(Truth::default())
            }
        }
    }

    /// Takes the next event, whose strings went out in `style`.
    /// `at`: when it was made, in unix ms, if its event says so.
    pub(super) fn apply(&mut self, saying: &Saying, at: Option<u64>, style: JsonStyle) {
        match (self, saying) {
            (Self::Moments(truth), Saying::Moment(moment)) => truth.apply_at(moment, at),
            (Self::Chunks(fold), Saying::Chunk(chunk)) => fold.apply(chunk),
            (Self::Moments(truth), Saying::Kind(kind)) => {
                envelope::moment(kind, style).iter().for_each(|moment| truth.apply(moment));
            }
            (Self::Moments(truth), Saying::Row(row)) => {
                if row.is_reset() {
                    *truth = Truth::default();
                }
                row.moment.iter().for_each(|moment| truth.apply(moment));
            }
            // A run has one protocol from its beginning to its end.
            _ => {}
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Moments(truth) => truth.text(),
            Self::Chunks(fold) => fold.text(),
        }
    }

    pub(super) fn end(&self) -> Option<&(Ending, Option<String>)> {
        match self {
            Self::Moments(truth) => truth.end(),
            Self::Chunks(fold) => fold.end(),
        }
    }

    /// The state that snapshots tell; a UI message stream has none.
    pub(super) fn snapshot(&self, byte_offsets: bool) -> Value {
        match self {
            Self::Moments(truth) => truth.snapshot(byte_offsets),
            Self::Chunks(_) => Value::Null,
        }
    }

    pub(super) fn report(&self) -> Value {
        match self {
            Self::Moments(truth) => truth.report(),
            Self::Chunks(fold) => fold.report(),
        }
    }
}
