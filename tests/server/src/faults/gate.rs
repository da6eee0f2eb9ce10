//! What every request of a protocol passes: it is recorded, refused or let in, and its response is spoiled as its step says.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::app::App;
use crate::auth;
use crate::bichat::{Feed, LOG_UNAVAILABLE, RUN_NOT_FOUND, RUN_NOT_FOUND_PLAIN};
use crate::counters::{Record, SocketRecord};
use crate::net::Link;
use crate::reply::Refusal;
use crate::runs::{Protocol, Run};
use crate::sse::Frame;
use crate::ui_message;
use crate::websocket::Handshake;
use crate::{chunks, envelope};

use super::pump::{Pump, Sink, pipe};
use super::step::{RetryAfter, Status};
use super::{Outage, Route, Step};

/// The largest body of any request.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// What a broken proxy shows instead of the answer.
const HTML_PAGE: &str = "<!doctype html>\n<html><head><title>Bad gateway</title></head>\n<body><h1>Bad gateway</h1>\n\
    <p>data: this is not an event</p>\n\n</body></html>\n";

/// One request between its arrival and the end of its response. Handlers find it among the request's extensions.
#[derive(Debug)]
pub struct Exchange {
    app: Arc<App>,
    link: Arc<Link>,
    route: Route,
    step: Step,
    record: u64,
    session_id: Option<String>,
}

/// Marks a response whose body the pump already feeds.
#[derive(Clone, Copy)]
struct Pumped;

/// Members of queries and bodies that scripts and records go by; whatever else a request holds, these are read leniently.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    session_id: Option<String>,
    run_id: Option<String>,
    request_id: Option<String>,
    params: Option<Box<Target>>,
}

/// The same in `ws-chat`, where the path names the session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChatTarget {
    pending_message_id: Option<String>,
    request_id: Option<String>,
}

/// The same in `ui-message`, where the path names the chat, or the body does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UiTarget {
    id: Option<String>,
    request_id: Option<String>,
}

/// The middleware.
pub async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let link = parts.extensions.get::<Arc<Link>>().cloned().unwrap_or_else(|| Link::new(0));
    let route = Route::of(&parts.method, parts.uri.path());
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "more than 32 MiB").into_response();
    };
    let chat_of = |id: &str| app.runs.find_ever(id).map(|run| run.session_id.clone());
    let target = Target::read(route, &parts, &body, chat_of);
    let in_query = || envelope::query_token(&parts.uri).filter(|_| route == Route::EnvStream);
    let token = auth::token(&parts.headers).or_else(in_query);
    let record = app.counters.handle_request(Record {
        connection: link.id(),
        method: parts.method.to_string(),
        path: Some(route),
        session_id: target.session_id.clone(),
        run_id: target.run_id.clone(),
        request_id: target.request_id.clone(),
        last_event_id: header(&parts, HeaderName::from_static("last-event-id")),
        after_seq: match route.protocol() {
            Protocol::Envelope => envelope::after_seq(&parts.uri),
            Protocol::Chunks => chunks::offset(&parts.uri),
            _ => None,
        },
        token: token.clone(),
        socket: (route == Route::Ws)
            .then(|| SocketRecord { protocols: Handshake::protocols(&parts.headers), ..SocketRecord::default() }),
        ..Record::default()
    });
    // A socket says who it is later on, and is then closed rather than refused.
    let checked = match route {
        Route::Ws => Ok(()),
        _ => auth::check(&app.config().auth, &parts.method, &parts.headers, token.as_deref()),
    };
    let response = match checked {
        Err(refusal) => refusal.into_response(),
        Ok(()) => {
            let step = match app.weather.outage() {
                Some(outage) => Step { status: Some(outage.into()), ..Step::default() },
                None => app.scripts.take(route, target.session_id.as_deref(), target.run_id.as_deref()),
            };
            let step = match route.protocol() {
                Protocol::UiMessage if !app.config().ui_cursor => step.in_order(),
                _ => step,
            };
            let session_id = target.session_id;
            let exchange = Arc::new(Exchange { app: Arc::clone(&app), link, route, step, record, session_id });
            parts.extensions.insert(Arc::clone(&exchange));
            exchange.answer(Request::from_parts(parts, Body::from(body)), next).await
        }
    };
    app.counters.handle_answered(record, response.status().as_u16());
    response
}

impl Target {
    /// `chat_of` tells which chat a message is of.
    fn read(route: Route, parts: &Parts, body: &Bytes, chat_of: impl Fn(&str) -> Option<String>) -> Self {
        let text = |id| percent_decode_str(id).decode_utf8_lossy().into_owned();
        if let Some((session_id, _)) = super::chat_call(parts.uri.path()) {
            let query = axum::extract::Query::<ChatTarget>::try_from_uri(&parts.uri).map(|query| query.0);
            let ChatTarget { pending_message_id, request_id } = query.unwrap_or_default();
            let body = serde_json::from_slice::<ChatTarget>(body).unwrap_or_default();
            return Self {
                session_id: Some(text(session_id)),
                run_id: pending_message_id,
                request_id: request_id.or(body.request_id),
                params: None,
            };
        }
        if route == Route::EnvSend {
            let [session_id, request_id] = envelope::ids_of_send(&parts.headers, body);
            return Self { session_id, request_id, ..Self::default() };
        }
        if let Some((kind, id)) = super::envelope_target(parts.uri.path()) {
            // A message belongs to its chat, whoever asks for it.
            return match kind {
                "messages" => Self { session_id: chat_of(id), run_id: Some(text(id)), ..Self::default() },
                _ => Self { session_id: Some(text(id)), ..Self::default() },
            };
        }
        if let Some((session_id, _)) = super::session_call(parts.uri.path()) {
            let request_id = chunks::message_id(body).filter(|_| route == Route::ChunksSend);
            return Self { session_id: Some(text(session_id)), request_id, ..Self::default() };
        }
        if route.protocol() == Protocol::UiMessage {
            let UiTarget { id, request_id } = serde_json::from_slice(body).unwrap_or_default();
            let named = super::ui_call(parts.uri.path()).map(|(id, _)| text(id));
            return Self {
                session_id: named.or(id),
                request_id: ui_message::header_key(&parts.headers).or(request_id),
                ..Self::default()
            };
        }
        let query = axum::extract::Query::<Self>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();
        let body = serde_json::from_slice::<Self>(body).unwrap_or_default();
        // An RPC call names its session inside its params.
        let inner = body.params.map(|inner| *inner).unwrap_or_default();
        Self {
            session_id: query.session_id.or(body.session_id).or(inner.session_id),
            run_id: query.run_id.or(body.run_id).or(inner.run_id),
            request_id: body.request_id,
            params: None,
        }
    }
}

fn header(parts: &Parts, name: HeaderName) -> Option<String> {
    parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

impl Exchange {
    /// What goes wrong with this request.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// Whether a plain server answers.
    pub(crate) fn is_plain(&self) -> bool {
        self.step.plain || self.app.config().plain
    }

    /// The connection.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The number of its record.
    pub(crate) fn record(&self) -> u64 {
        self.record
    }

    /// A response that goes out as it is: what follows it belongs to a socket.
    pub(crate) fn untouched(mut response: Response) -> Response {
        response.extensions_mut().insert(Pumped);
        response
    }

    /// An event stream from `feed`, of `run` if it is one's.
    pub fn stream(&self, feed: Feed, run: Option<&Arc<Run>>) -> Response {
        let content_type = HeaderValue::from_static("text/event-stream");
        self.pump(feed, content_type, run)
    }

    fn pump(&self, feed: Feed, content_type: HeaderValue, run: Option<&Arc<Run>>) -> Response {
        let session_id = run.map(|run| run.session_id.clone()).or_else(|| self.session_id.clone());
        let recipe = run.map_or_else(|| self.app.runs.recipe(None), |run| run.recipe.clone());
        let kind = feed.kind();
        let (pieces, body) = pipe(&self.link);
        let pump = Pump {
            feed,
            step: self.step.clone(),
            route: self.route,
            chunk_events: recipe.chunk_events,
            sink: Sink {
                pieces,
                link: Arc::clone(&self.link),
                place: self.app.streams.enter(self.route, session_id.clone()),
                sky: self.app.weather.watch(),
                session_id: session_id.clone(),
                heartbeat: Duration::from_millis(recipe.heartbeat_ms.max(1)),
            },
        };
        let run_id = run.map(|run| run.run_id.clone());
        let (app, record) = (Arc::clone(&self.app), self.record);
        app.counters.handle_stream_opened(record, kind, session_id.as_deref(), run_id.as_deref());
        tokio::spawn(async move {
            pump.run(|report| {
                app.counters.handle_stream_closed(record, kind, session_id.as_deref(), run_id.as_deref());
                app.counters.handle_ended(record, report.outcome, report.bytes, report.events);
            })
            .await;
        });
        let mut response = Response::new(Body::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response.extensions_mut().insert(Pumped);
        response
    }

    /// The answer, spoiled as the step says: instead of the handler, after it, or on its way.
    async fn answer(&self, request: Request, next: Next) -> Response {
        if self.step.blackhole {
            // The connection's end drops this request with it.
            return std::future::pending().await;
        }
        let mut response = match self.instead() {
            Some(response) => response,
            None => next.run(request).await,
        };
        if let Some(status) = self.step.status.as_ref().filter(|status| status.after_effect) {
            response = refused(status);
        }
        if let Some(ms) = self.step.delay_headers_ms {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        if let Some(cut) = self.step.cut.as_ref().filter(|cut| cut.before_headers) {
            self.link.close(cut.how);
            // The connection's end drops this request with it.
            return std::future::pending().await;
        }
        // A 204 has no body that could break.
        let whole = response.extensions().get::<Pumped>().is_none() && response.status() != StatusCode::NO_CONTENT;
        if self.step.is_fine_grained() && whole {
            response = self.repump(response).await;
        }
        if let Some(value) = self.step.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response
    }

    /// The answer of a step that keeps the request from having any effect.
    fn instead(&self) -> Option<Response> {
        let step = &self.step;
        if let Some(status) = step.status.as_ref().filter(|status| !status.after_effect) {
            return Some(refused(status));
        }
        if let Some(redirect) = &step.redirect {
            let status = StatusCode::from_u16(redirect.code.unwrap_or(307)).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
            return Some((status, [(LOCATION, redirect.to.clone())]).into_response());
        }
        let feed = match () {
            () if step.html_page => {
                let page = Feed::Fixed([Frame::Raw(Bytes::from_static(HTML_PAGE.as_bytes()))].into());
                return Some(self.pump(page, HeaderValue::from_static("text/html; charset=utf-8"), None));
            }
            () if step.empty => Feed::Fixed([].into()),
            () if step.unknown_run && self.route.protocol() == Protocol::Bichat => {
                Feed::Fixed([Frame::Raw(RUN_NOT_FOUND_PLAIN.into())].into())
            }
            () if step.run_not_found => Feed::refusal(RUN_NOT_FOUND),
            () if step.log_unavailable => Feed::refusal(LOG_UNAVAILABLE),
            () if step.index_unavailable => Feed::index_unavailable(),
            () if step.silent_close => Feed::silent_close(),
            () => return None,
        };
        Some(self.stream(feed, None))
    }

    /// A short answer through the pump, so that it can be cut and stalled too.
    async fn repump(&self, response: Response) -> Response {
        let (mut parts, body) = response.into_parts();
        let bytes = to_bytes(body, MAX_BODY).await.unwrap_or_default();
        let content_type = parts.headers.remove(CONTENT_TYPE).unwrap_or(HeaderValue::from_static("application/json"));
        let mut pumped = self.pump(Feed::Fixed([Frame::Raw(bytes)].into()), content_type, None);
        parts.headers.remove(CONTENT_LENGTH);
        pumped.headers_mut().extend(parts.headers);
        *pumped.status_mut() = parts.status;
        pumped
    }
}

impl From<Outage> for Status {
    fn from(outage: Outage) -> Self {
        Self { code: outage.code, retry_after: outage.retry_after, body: None, content_type: None, after_effect: false }
    }
}

fn refused(status: &Status) -> Response {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let bodiless = matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = match &status.body {
        _ if bodiless => code.into_response(),
        Some(text) => (code, text.clone()).into_response(),
        None => Refusal::new(code, code.canonical_reason().unwrap_or("refused")).into_response(),
    };
    let retry_after = status.retry_after.as_ref().and_then(|value| match value {
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(*seconds)),
        RetryAfter::Text(text) => HeaderValue::from_str(text).ok(),
    });
    let content_type = status.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
    for (name, value) in [(RETRY_AFTER, retry_after), (CONTENT_TYPE, content_type)] {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
