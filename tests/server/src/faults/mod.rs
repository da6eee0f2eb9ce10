//! What goes wrong, and when: scripts that requests consume step by step, the gate that every request passes, the pump
//! that every stream passes, and the weather that holds for everybody.

mod gate;
mod mangle;
mod pump;
mod script;
mod shape;
mod step;
mod streams;
mod weather;

pub use gate::{Exchange, gate};
pub(crate) use mangle::Mangle;
pub use script::{Path, Scope, Script, Scripts};
pub(crate) use shape::{Shape, Stop};
pub(crate) use step::{CloseAt, Cut};
pub use step::{RetryAfter, Step};
pub use streams::Streams;
pub(crate) use streams::{CutOrder, Place};
pub use weather::{Outage, Sky, Stall, Weather};

use axum::http::Method;
use serde::{Deserialize, Serialize};

use crate::runs::Protocol;
use crate::{chunks, envelope};

/// A protocol route, as scripts and counters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// `POST stream`
    Stream,
    /// `GET stream/events`
    Events,
    /// `POST stream/resume`
    Resume,
    /// `GET stream/status`
    Status,
    /// `POST stream/stop`
    Stop,
    /// `GET stream/active-runs`
    ActiveRuns,
    /// `POST rpc`
    Rpc,
    /// `GET /ws/chat`
    Ws,
    /// `POST …/messages`
    Messages,
    /// `GET …/messages`
    ChatHistory,
    /// `GET …/events`
    ChatEvents,
    /// `GET …/status`
    ChatStatus,
    /// `POST …/stop`
    ChatStop,
    /// `GET /api/chat/sessions`
    ChatSessions,
    /// `POST /api/chat`
    UiSend,
    /// `GET /api/chat/…/stream`
    UiStream,
    /// `POST /api/chat/…/stop`
    UiStop,
    /// `POST …/chat/chat`
    EnvSend,
    /// `GET …/chats/…/stream`
    EnvStream,
    /// `DELETE …/chats/…/stream`
    EnvStop,
    /// `GET …/chats/…/status`
    EnvStatus,
    /// `GET …/messages/…/events`
    EnvEvents,
    /// `GET …/chats/active-streams`
    EnvActive,
    /// `POST …/permissions/…/respond`
    EnvRespond,
    /// `POST /v1/sessions/…/messages`
    ChunksSend,
    /// `GET /v1/stream/sessions/…`
    ChunksStream,
    /// `POST /v1/sessions/…/stop`
    ChunksStop,
    /// `GET /v1/sessions/…`
    ChunksStatus,
    /// `PUT /v1/sessions/…`
    ChunksCreate,
    /// `POST /v1/sessions/…/chunks`
    ChunksWrite,
    /// `POST /v1/sessions/…/chunks/batch`
    ChunksBatch,
    /// `POST /v1/sessions/…/generations/finish`
    ChunksFinish,
    /// `POST /v1/sessions/…/reset`
    ChunksReset,
    /// `DELETE /v1/sessions/…`
    ChunksDelete,
    /// Any other path below the protocol's base.
    Other,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::Stream,
        Self::Events,
        Self::Resume,
        Self::Status,
        Self::Stop,
        Self::ActiveRuns,
        Self::Rpc,
        Self::Ws,
        Self::Messages,
        Self::ChatHistory,
        Self::ChatEvents,
        Self::ChatStatus,
        Self::ChatStop,
        Self::ChatSessions,
        Self::UiSend,
        Self::UiStream,
        Self::UiStop,
        Self::EnvSend,
        Self::EnvStream,
        Self::EnvStop,
        Self::EnvStatus,
        Self::EnvEvents,
        Self::EnvActive,
        Self::EnvRespond,
        Self::ChunksSend,
        Self::ChunksStream,
        Self::ChunksStop,
        Self::ChunksStatus,
        Self::ChunksCreate,
        Self::ChunksWrite,
        Self::ChunksBatch,
        Self::ChunksFinish,
        Self::ChunksReset,
        Self::ChunksDelete,
        Self::Other,
    ];

    /// The route of a request.
    pub fn of(method: &Method, path: &str) -> Self {
        if let Some((_, call)) = chat_call(path) {
            return match call {
                "messages" if method == Method::POST => Self::Messages,
                "messages" => Self::ChatHistory,
                "events" => Self::ChatEvents,
                "status" => Self::ChatStatus,
                "stop" => Self::ChatStop,
                _ => Self::Other,
            };
        }
        match path {
            "/ws/chat" => return Self::Ws,
            "/api/chat/sessions" => return Self::ChatSessions,
            "/api/chat" => return Self::UiSend,
            _ => {}
        }
        match ui_call(path) {
            Some((_, "stream")) => return Self::UiStream,
            Some((_, "stop")) => return Self::UiStop,
            _ => {}
        }
        if let Some(call) = path.strip_prefix(envelope::BASE) {
            return match *call.split('/').collect::<Vec<_>>() {
                ["", "chat"] => Self::EnvSend,
                ["", "chats", "active-streams"] => Self::EnvActive,
                ["", "chats", _, "stream"] if method == Method::DELETE => Self::EnvStop,
                ["", "chats", _, "stream"] => Self::EnvStream,
                ["", "chats", _, "status"] => Self::EnvStatus,
                ["", "chats", _, "permissions", _, "respond"] => Self::EnvRespond,
                ["", "messages", _, "events"] => Self::EnvEvents,
                _ => Self::Other,
            };
        }
        match session_call(path) {
            Some((_, "stream")) => return Self::ChunksStream,
            Some((_, "messages")) => return Self::ChunksSend,
            Some((_, "stop")) => return Self::ChunksStop,
            Some((_, "chunks")) => return Self::ChunksWrite,
            Some((_, "chunks/batch")) => return Self::ChunksBatch,
            Some((_, "generations/finish")) => return Self::ChunksFinish,
            Some((_, "reset")) => return Self::ChunksReset,
            Some((_, "")) if method == Method::PUT => return Self::ChunksCreate,
            Some((_, "")) if method == Method::DELETE => return Self::ChunksDelete,
            Some((_, "")) => return Self::ChunksStatus,
            _ => {}
        }
        match path.strip_prefix("/bi-chat").unwrap_or(path) {
            "/stream" => Self::Stream,
            "/stream/events" => Self::Events,
            "/stream/resume" => Self::Resume,
            "/stream/status" => Self::Status,
            "/stream/stop" => Self::Stop,
            "/stream/active-runs" => Self::ActiveRuns,
            "/rpc" => Self::Rpc,
            _ => Self::Other,
        }
    }

    /// The protocol that it belongs to.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Stream
            | Self::Events
            | Self::Resume
            | Self::Status
            | Self::Stop
            | Self::ActiveRuns
            | Self::Rpc
            | Self::Other => Protocol::Bichat,
            Self::UiSend | Self::UiStream | Self::UiStop => Protocol::UiMessage,
            Self::EnvSend
            | Self::EnvStream
            | Self::EnvStop
            | Self::EnvStatus
            | Self::EnvEvents
            | Self::EnvActive
            | Self::EnvRespond => Protocol::Envelope,
            Self::ChunksSend
            | Self::ChunksStream
            | Self::ChunksStop
            | Self::ChunksStatus
            | Self::ChunksCreate
            | Self::ChunksWrite
            | Self::ChunksBatch
            | Self::ChunksFinish
            | Self::ChunksReset
            | Self::ChunksDelete => Protocol::Chunks,
            _ => Protocol::WsChat,
        }
    }
}

/// The chat and the call of a path like `/api/chat/C/stream`.
fn ui_call(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/api/chat/")?.split_once('/')
}

/// What a path of `envelope` names: `chats` or `messages`, and which.
fn envelope_target(path: &str) -> Option<(&str, &str)> {
    let (kind, rest) = path.strip_prefix(envelope::BASE)?.strip_prefix('/')?.split_once('/')?;
    let (id, _) = rest.split_once('/')?;
    Some((kind, id))
}

/// The session and the call of a path of `chunks`, like `/v1/sessions/S/messages`.
fn session_call(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix(chunks::BASE)?;
    match path.strip_prefix("/stream/sessions/") {
        Some(id) => Some((id, "stream")),
        None => path.strip_prefix("/sessions/").map(|rest| rest.split_once('/').unwrap_or((rest, ""))),
    }
}

/// The session and the call of a path like `/api/chat/sessions/S/events`.
fn chat_call(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/api/chat/sessions/")?.split_once('/')
}
