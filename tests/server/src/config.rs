//! Switches of the server as a whole, set over `POST /control/config`. What a single run does is its recipe; what goes
//! wrong is a fault.

use serde::{Deserialize, Serialize};

/// The switches; a member left out of a request keeps its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// How long an event log outlives its terminal event, in ms.
    pub log_retention_ms: u64,
    /// The most events a log holds; older ones fall out. 0 is no limit.
    pub log_max_len: usize,
    /// Whether `GET stream/events` honours `?lastEventId=`. The real server does not (B-ES-11).
    pub cursor_query: bool,
    /// Whether chunks of `ui-message` have ids and a reader may begin behind one. The AI SDK's servers know no such thing (U-T-5).
    pub ui_cursor: bool,
    /// Whether an ended message of `envelope` keeps nothing but its last envelope, and an error not even that (A-SRV-6).
    pub prune: bool,
    /// Whether `requestId` is deduplicated. The real server does not while its store is down (B-SEND-3).
    pub dedupe: bool,
    /// Whether there is a feed of active runs; older servers have none, and answer 404.
    pub active_runs: bool,
    /// Whether `ws-chat` is spoken by a plain server, which knows only `token`, `done` and `error`.
    pub plain: bool,
    /// The terminal event of a stopped run: today's servers send `error` (B-EVT-1), older ones `cancelled`.
    pub stop_ends_with: StopEnding,
    /// The unit of `text_block_offsets` (B-TB-5).
    pub offset_unit: OffsetUnit,
    /// Who may call the protocol's routes.
    pub auth: Auth,
    /// What a page of another origin may do.
    pub cors: Cors,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log_retention_ms: 300_000,
            log_max_len: 0,
            cursor_query: false,
            ui_cursor: false,
            prune: false,
            dedupe: true,
            active_runs: true,
            plain: false,
            stop_ends_with: StopEnding::Error,
            offset_unit: OffsetUnit::Utf16,
            auth: Auth::default(),
            cors: Cors::default(),
        }
    }
}

/// See [`Config::stop_ends_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopEnding {
    /// `error`, with the text for everything the server will not explain.
    Error,
    /// `cancelled`.
    Cancelled,
}

/// See [`Config::offset_unit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

/// Credentials that the protocol's routes ask for. By default none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Auth {
    /// Accepted tokens, as `Authorization: Bearer` or as the cookie `token`; without one of them: 401. Empty asks for none.
    pub tokens: Vec<String>,
    /// The value that every POST must carry as `X-CSRF-Token`; without it: 403.
    pub csrf: Option<String>,
}

/// Cross-origin rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Cors {
    /// `reflect` allows every origin by name, `*` all without credentials, `none` no other; or one origin.
    pub origin: String,
    /// Whether cookies may come along. Browsers refuse this together with `*`.
    pub credentials: bool,
    /// The value of `Access-Control-Expose-Headers`; empty leaves it out.
    pub expose: String,
    /// Whether replies of 400 and more carry the headers too; a proxy's own error pages do not.
    pub on_errors: bool,
}

impl Default for Cors {
    fn default() -> Self {
        Self { origin: "reflect".to_owned(), credentials: true, expose: "Retry-After".to_owned(), on_errors: true }
    }
}
