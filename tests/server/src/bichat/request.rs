//! The bodies and queries of requests, read strictly: an unknown field, a second value, an id that is no UUID is refused.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::reply::Refusal;

/// The most attachments a message may have.
const MAX_ATTACHMENTS: usize = 10;
/// The largest body of a stop request.
pub(super) const MAX_STOP_BYTES: usize = 4096;

/// `POST stream`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read for their types: a wrong one is refused")]
pub(super) struct SendBody {
    pub(super) session_id: String,
    content: String,
    #[serde(default)]
    debug_mode: bool,
    replace_from_message_id: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    pub(super) request_id: Option<String>,
    reasoning_effort: Option<String>,
    model: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read for its type: a wrong one is refused")]
struct Attachment {
    upload_id: serde_json::Value,
}

/// `POST stream/resume`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResumeBody {
    pub(super) session_id: String,
    pub(super) run_id: String,
}

/// `POST stream/stop`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StopBody {
    pub(super) session_id: String,
}

/// `GET stream/status` and `GET stream/events`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(super) struct Query {
    pub(super) session_id: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) last_event_id: Option<String>,
}

impl SendBody {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_uuid("sessionId", &self.session_id)?;
        if let Some(id) = &self.request_id {
            check_uuid("requestId", id)?;
        }
        if self.attachments.len() > MAX_ATTACHMENTS {
            return Err(Refusal::bad_request("more than 10 attachments"));
        }
        Ok(())
    }
}

/// Reads JSON; anything after the value is refused too.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::bad_request)
}

/// Refuses what is no UUID.
pub(super) fn check_uuid(name: &str, id: &str) -> Result<(), Refusal> {
    match Uuid::try_parse(id) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::bad_request(format!("{name} is not a UUID"))),
    }
}

/// A member of the query that must be there and a UUID.
pub(super) fn need_uuid(name: &str, id: Option<String>) -> Result<String, Refusal> {
    let Some(id) = id else {
        return Err(Refusal::bad_request(format!("{name} is missing")));
    };
    check_uuid(name, &id)?;
    Ok(id)
}
