//! A server in this process and a raw HTTP client that sees what a browser hides: chunks, and how a response ended.

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use run_server::{Options, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Nothing here takes this long unless it hangs.
const LIMIT: Duration = Duration::from_secs(20);

pub const SESSION: &str = "11111111-1111-4111-8111-111111111111";
pub const OTHER_SESSION: &str = "22222222-2222-4222-8222-222222222222";
pub const REQUEST: &str = "33333333-3333-4333-8333-333333333333";

pub struct Rig {
    pub app: SocketAddr,
    pub control: SocketAddr,
}

impl Rig {
    /// A server whose runs say `recipe`.
    pub async fn start(recipe: Value) -> Self {
        let rig = Self::start_with(Options::default()).await;
        rig.set("runs", recipe).await;
        rig
    }

    /// The same, reached through its proxy.
    pub async fn behind_proxy(recipe: Value) -> Self {
        let server = Server::start(Options { proxy_port: Some(0), ..Options::default() }).await.unwrap();
        let rig = Self { app: server.proxy_address().unwrap(), control: server.control_address() };
        rig.set("runs", recipe).await;
        rig
    }

    pub async fn start_with(options: Options) -> Self {
        let server = Server::start(options).await.unwrap();
        Self { app: server.address(), control: server.control_address() }
    }

    /// `POST` to the control API, which must agree.
    pub async fn set(&self, path: &str, body: Value) -> Value {
        let reply = request(self.control, "POST", &format!("/control/{path}"), &[], Some(body)).await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        reply.json().await
    }

    /// `GET` from the control API.
    pub async fn ask(&self, path: &str) -> Value {
        request(self.control, "GET", &format!("/control/{path}"), &[], None).await.unwrap().json().await
    }

    /// A script for every request of `path`.
    pub async fn script(&self, path: &str, steps: Value) {
        self.set("faults", json!({ "scope": { "path": path }, "steps": steps })).await;
    }

    /// Waits until the control API gives an answer that `holds`.
    pub async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        tokio::time::timeout(LIMIT, async {
            loop {
                let answer = self.ask(path).await;
                if holds(&answer) {
                    return answer;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{path} never holds"))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.try_get(path, &[]).await.unwrap()
    }

    pub async fn try_get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, End> {
        request(self.app, "GET", path, headers, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        request(self.app, "POST", &format!("/bi-chat/{path}"), &[], Some(body)).await.unwrap()
    }

    /// Sends a message; the run's id and the stream after its first event.
    pub async fn send(&self) -> (String, Reply) {
        let mut reply = self.post("stream", message()).await;
        let started = reply.event().await.unwrap();
        assert_eq!(started.name, "stream_started");
        (started.data["runId"].as_str().unwrap().to_owned(), reply)
    }

    /// Starts a run that no request asked for; its id.
    pub async fn start_run(&self) -> String {
        let started = self.set("runs", json!({ "sessionId": SESSION, "start": true })).await;
        started["runId"].as_str().unwrap().to_owned()
    }

    /// A run that is over; its id and its truth.
    pub async fn finished_run(&self) -> (String, Value) {
        let run = self.start_run().await;
        let truth = self.truth(&run).await;
        assert_ne!(truth["terminal"], Value::Null);
        (run, truth)
    }

    /// The truth of a run once it has ended.
    pub async fn truth(&self, run: &str) -> Value {
        self.ask(&format!("truth?runId={run}&waitMs=15000")).await
    }

    /// Opens the event log after `cursor`.
    pub async fn events(&self, run: &str, cursor: Option<&str>) -> Reply {
        let headers: Vec<_> = cursor.map(|cursor| ("Last-Event-ID", cursor)).into_iter().collect();
        self.try_get(&events_path(run), &headers).await.unwrap()
    }
}

pub fn events_path(run: &str) -> String {
    format!("/bi-chat/stream/events?sessionId={SESSION}&runId={run}")
}

pub fn message() -> Value {
    json!({ "sessionId": SESSION, "content": "hello", "debugMode": false, "attachments": [], "requestId": REQUEST })
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As HTTP wants it.
    Clean,
    /// The connection was closed in the middle.
    Truncated,
    /// The connection was reset.
    Reset,
    /// The connection was refused.
    Refused,
}

pub fn judge(error: &std::io::Error) -> End {
    match error.kind() {
        ErrorKind::UnexpectedEof => End::Truncated,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => End::Reset,
        ErrorKind::ConnectionRefused => End::Refused,
        _ => panic!("{error}"),
    }
}

pub async fn in_time<T>(wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, wanted).await.expect("the server hangs")
}

/// One request on a connection of its own.
pub async fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Result<Reply, End> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    raw_request(to, method, path, headers, &body).await
}

pub async fn raw_request(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Reply, End> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    in_time(async {
        let mut stream = TcpStream::connect(to).await?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        Reply::read(BufReader::new(stream)).await
    })
    .await
    .map_err(|error| judge(&error))
}

pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    stream: BufReader<TcpStream>,
    /// Bytes left of a body that has a length; `None` if it is chunked.
    left: Option<usize>,
    text: Vec<u8>,
    events: VecDeque<Event>,
}

/// The rest of a body.
pub struct Whole {
    /// Events that came in one chunk with one that was read before.
    early: Vec<Event>,
    pub bytes: Vec<u8>,
    pub chunks: Vec<usize>,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

impl Whole {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn events(&self) -> Vec<Event> {
        [self.early.clone(), parse(&self.text())].concat()
    }
}

impl Reply {
    async fn read(mut stream: BufReader<TcpStream>) -> std::io::Result<Self> {
        let status = line(&mut stream).await?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        let mut headers = BTreeMap::new();
        loop {
            let header = line(&mut stream).await?;
            let Some((name, value)) = header.split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
        Ok(Self {
            status,
            headers,
            stream,
            left: (!chunked).then_some(length),
            text: Vec::new(),
            events: VecDeque::new(),
        })
    }

    /// The next HTTP chunk; `None` at the proper end.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, End> {
        in_time(self.read_chunk()).await.map_err(|error| judge(&error))
    }

    async fn read_chunk(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        if let Some(left) = self.left.replace(0).or_else(|| {
            self.left = None;
            None
        }) {
            let mut bytes = vec![0; left];
            self.stream.read_exact(&mut bytes).await?;
            return Ok((left > 0).then_some(bytes));
        }
        let size = line(&mut self.stream).await?;
        let mut bytes = vec![0; usize::from_str_radix(&size, 16).expect("a chunk size") + 2];
        self.stream.read_exact(&mut bytes).await?;
        bytes.truncate(bytes.len() - 2);
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// Everything to the end, whichever that is.
    pub async fn whole(mut self) -> Whole {
        let early = self.events.drain(..).collect();
        let mut whole = Whole { early, bytes: std::mem::take(&mut self.text), chunks: Vec::new(), end: End::Clean };
        loop {
            match self.chunk().await {
                Ok(Some(bytes)) => {
                    whole.chunks.push(bytes.len());
                    whole.bytes.extend(bytes);
                }
                Ok(None) => return whole,
                Err(end) => return Whole { end, ..whole },
            }
        }
    }

    pub async fn json(self) -> Value {
        serde_json::from_slice(&self.whole().await.bytes).expect("JSON")
    }

    /// The next event of a stream; `None` when it is over, however.
    pub async fn event(&mut self) -> Option<Event> {
        while self.events.is_empty() {
            let chunk = self.chunk().await.ok().flatten()?;
            self.text.extend(chunk);
            let whole = self.text.windows(2).rposition(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
            let text: Vec<u8> = self.text.drain(..whole).collect();
            self.events.extend(parse(&String::from_utf8(text).expect("whole frames are UTF-8")));
        }
        self.events.pop_front()
    }

    /// Fails if anything comes, or the end does, within a moment.
    pub async fn assert_silent(&mut self) {
        assert!(self.events.is_empty(), "{:?}", self.events);
        let moment = Duration::from_millis(60);
        if let Ok(came) = tokio::time::timeout(moment, self.read_chunk()).await {
            panic!("{:?}", came.map(|chunk| chunk.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())));
        }
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// The events of a text whose lines end in LF.
pub fn parse(text: &str) -> Vec<Event> {
    let field = |frame: &str, name: &str| {
        frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
    };
    let event = |frame: &str| {
        let lines: Vec<_> = frame.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let data = Some(lines.join("\n")).filter(|_| !lines.is_empty())?;
        let data = serde_json::from_str(&data).unwrap_or(Value::String(data));
        Some(Event { id: field(frame, "id"), name: field(frame, "event")?, data })
    };
    text.split("\n\n").filter_map(event).collect()
}

/// The text that these events say.
pub fn text(events: &[Event]) -> String {
    let content = |event: &Event| event.data["content"].as_str().unwrap_or_default().to_owned();
    events.iter().filter(|event| event.name == "content").map(content).collect()
}

/// The names of these events, heartbeats left out, repetitions joined.
pub fn outline(events: &[Event]) -> Vec<&str> {
    let mut names: Vec<_> = events.iter().map(|event| event.name.as_str()).filter(|name| *name != "ping").collect();
    names.dedup();
    names
}
