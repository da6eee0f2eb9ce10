//! One send, over whichever transport it came: at most one run for a request id.

use std::sync::Arc;

use crate::app::App;
use crate::counters::Transport;
use crate::runs::{Ask, Protocol, Run, Started};

use super::request::is_request_id;

/// A message on its way in.
pub(super) struct Send {
    pub(super) session_id: String,
    pub(super) request_id: Option<String>,
    pub(super) content: String,
    pub(super) transport: Transport,
}

/// A send that has no run: the code that the client is told, and a sentence.
pub(super) type Refused = (&'static str, &'static str);

/// The run of this send: the one that its request id names, or a new one that writes from now on.
pub(super) fn take(app: &App, send: Send) -> Result<Arc<Run>, Refused> {
    if send.session_id.is_empty() {
        return Err(("bad-request", "session_id is missing"));
    }
    if let Some(id) = &send.request_id {
        if !is_request_id(id) {
            return Err(("bad-request", "request_id is not a UUID"));
        }
        app.counters.handle_send(&send.session_id, id, send.transport);
    }
    let ask = Ask {
        protocol: Protocol::WsChat,
        session_id: send.session_id.clone(),
        request_id: send.request_id,
        content: Some(send.content),
        ..Ask::default()
    };
    match app.runs.start(ask, &app.config()) {
        Started::New(run) => {
            app.begin(&run);
            Ok(run)
        }
        Started::Same(run) if run.session_id != send.session_id => {
            Err(("bad-request", "request_id belongs to another session"))
        }
        Started::Same(run) => {
            app.counters.handle_deduped(&run.session_id);
            Ok(run)
        }
    }
}
