//! What the client of a socket says, and what it is told.

use std::sync::Arc;

use bytes::Bytes;

use crate::auth;
use crate::counters::Transport;
use crate::runs::{Protocol, Run};
use crate::websocket::Opcode;

use super::outbound::End;
use super::payload::{self, Subject};
use super::request::ClientFrame;
use super::send::{self, Send};
use super::socket::{Socket, Standing};

impl Socket<'_> {
    /// A text frame of the client.
    pub(super) async fn handle_text(&mut self, text: &str) -> Result<(), End> {
        let Ok(frame) = serde_json::from_str::<ClientFrame>(text) else {
            return Err(End::Close(Some(4400), "a frame that is no object of the protocol".to_owned()));
        };
        self.app.counters.handle_frame(self.exchange.record(), &frame.kind);
        if frame.kind == "auth" {
            return self.handle_auth(&frame.token.unwrap_or_default());
        }
        if self.standing != Standing::Known {
            return Err(unauthorized());
        }
        match frame.kind.as_str() {
            "send" => self.handle_send(frame).await,
            "resume" => self.handle_resume(frame).await,
            "leave" => {
                self.subscriptions.leave(&frame.pending_message_id.unwrap_or_default());
                Ok(())
            }
            // A plain server does not know pings.
            "ping" if !self.plain => {
                let pong = payload::pong(&frame.id);
                self.pong(Opcode::Text, &pong).await
            }
            _ => Ok(()),
        }
    }

    fn handle_auth(&mut self, token: &str) -> Result<(), End> {
        self.app.counters.handle_token(self.exchange.record(), token);
        if !auth::is_accepted(&self.app.config().auth, token) {
            return Err(unauthorized());
        }
        self.standing = Standing::Known;
        Ok(())
    }

    async fn handle_send(&mut self, frame: ClientFrame) -> Result<(), End> {
        let subject = Subject::Request(frame.request_id.clone());
        if let Some(refusal) = &self.step.refuse_send {
            return self.refuse(&refusal.code, &refusal.message, &subject).await;
        }
        let (Some(content), Some(request_id)) = (frame.content, frame.request_id) else {
            return self.refuse("bad-request", "content or request_id is missing", &subject).await;
        };
        let session_id = frame.session_id.unwrap_or_default();
        let request_id = Some(request_id);
        let send = Send { session_id, request_id, content, transport: Transport::Websocket };
        match send::take(&self.app, send) {
            Ok(run) => self.handle_accepted(&run).await,
            Err((code, sentence)) => self.refuse(code, sentence, &subject).await,
        }
    }

    async fn handle_accepted(&mut self, run: &Arc<Run>) -> Result<(), End> {
        self.cut_here(|cut| cut.after_send)?;
        self.close_here(|close| close.after_send)?;
        self.follow(run, 0);
        if !self.plain {
            self.say(payload::accepted(run)).await?;
        }
        self.cut_here(|cut| cut.after_accepted)?;
        self.close_here(|close| close.after_accepted)
    }

    async fn handle_resume(&mut self, frame: ClientFrame) -> Result<(), End> {
        if self.plain {
            return Ok(());
        }
        let subject = Subject::Answer(frame.pending_message_id.clone());
        let Some(id) = frame.pending_message_id else {
            return self.refuse("bad-request", "pending_message_id is missing", &subject).await;
        };
        let known = |run: &Arc<Run>| run.protocol == Protocol::WsChat && !self.step.unknown_run;
        match self.app.runs.find(&id).filter(known) {
            None => self.refuse("unknown-run", "no such answer", &subject).await,
            Some(run) if frame.session_id.is_some_and(|session| session != run.session_id) => {
                self.refuse("forbidden", "the answer belongs to another session", &subject).await
            }
            Some(run) => {
                self.follow(&run, self.step.position(frame.after));
                Ok(())
            }
        }
    }

    fn follow(&mut self, run: &Arc<Run>, position: u64) {
        if self.sessions.insert(run.session_id.clone()) {
            self.line.place.add_session(&run.session_id);
        }
        self.subscriptions.follow(run, position);
    }

    async fn refuse(&mut self, code: &str, message: &str, subject: &Subject) -> Result<(), End> {
        let frame: Bytes = payload::refused(code, message, subject);
        self.say(frame).await
    }

    fn cut_here(&self, here: impl FnOnce(&crate::faults::Cut) -> bool) -> Result<(), End> {
        match &self.step.cut {
            Some(cut) if here(cut) => Err(End::Cut(cut.how)),
            _ => Ok(()),
        }
    }
}

fn unauthorized() -> End {
    End::Close(Some(4401), "unauthorized".to_owned())
}
