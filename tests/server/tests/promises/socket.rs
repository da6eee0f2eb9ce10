//! A raw WebSocket client: it sees every frame and how the connection ended. It shares no code with the server.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::client::{End, Rig, SESSION, in_time, judge};

/// A handshake that was answered, if not with 101.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
}

pub struct Socket {
    stream: BufReader<TcpStream>,
    pub headers: BTreeMap<String, String>,
    /// Bytes since the upgrade.
    pub bytes: usize,
}

/// A frame as it is on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub fin: bool,
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Json(Value),
    /// A text that is no JSON.
    Text(String),
    Binary,
    Pong,
    Close(Option<u16>, String),
    End(End),
}

impl Rig {
    /// Opens a socket that must be accepted.
    pub async fn socket(&self) -> Socket {
        self.socket_with(&[]).await.unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    pub async fn socket_with(&self, headers: &[(&str, &str)]) -> Result<Socket, Refused> {
        Socket::open(self.app, headers).await.unwrap()
    }
}

impl Socket {
    pub async fn open(to: std::net::SocketAddr, headers: &[(&str, &str)]) -> Result<Result<Self, Refused>, End> {
        let mut head = format!(
            "GET /ws/chat HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        in_time(async {
            let mut stream = BufReader::new(TcpStream::connect(to).await?);
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                if line == "\r\n" {
                    break;
                }
                lines.push(line);
            }
            let status = lines[0].split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
            let header = |line: &String| {
                let (name, value) = line.trim_end().split_once(": ").expect("a header");
                (name.to_ascii_lowercase(), value.to_owned())
            };
            let headers: BTreeMap<_, _> = lines[1..].iter().map(header).collect();
            Ok(if status == 101 { Ok(Self { stream, headers, bytes: 0 }) } else { Err(Refused { status, headers }) })
        })
        .await
        .map_err(|error: std::io::Error| judge(&error))
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_raw(1, frame.to_string().as_bytes()).await;
    }

    /// Sends a masked frame.
    pub async fn send_raw(&mut self, opcode: u8, payload: &[u8]) {
        let mut out = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..=125 => out.push(0x80 | short as u8),
            long => {
                out.push(0xFE);
                out.extend(u16::try_from(long).expect("a short message").to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        in_time(self.stream.write_all(&out)).await.unwrap();
    }

    pub async fn close(&mut self, code: u16) {
        self.send_raw(8, &code.to_be_bytes()).await;
    }

    /// Sends a message under a request id.
    pub async fn ask(&mut self, request: &str) {
        let frame = json!({ "type": "send", "session_id": SESSION, "request_id": request, "content": "hello" });
        self.send(frame).await;
    }

    pub async fn resume(&mut self, answer: &str, after: u64) {
        let frame = json!({ "type": "resume", "session_id": SESSION, "pending_message_id": answer, "after": after });
        self.send(frame).await;
    }

    pub async fn frame(&mut self) -> Result<Frame, End> {
        in_time(self.read_frame()).await.map_err(|error| judge(&error))
    }

    async fn read_frame(&mut self) -> std::io::Result<Frame> {
        let mut head = [0; 2];
        self.read(&mut head).await?;
        assert_eq!(head[1] & 0x80, 0, "a server does not mask");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.read(&mut length).await?;
                usize::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.read(&mut length).await?;
                usize::try_from(u64::from_be_bytes(length)).unwrap()
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.read(&mut payload).await?;
        Ok(Frame { fin: head[0] & 0x80 != 0, opcode: head[0] & 0x0F, payload })
    }

    async fn read(&mut self, out: &mut [u8]) -> std::io::Result<()> {
        for slot in out {
            *slot = self.stream.read_u8().await?;
            self.bytes += 1;
        }
        Ok(())
    }

    /// The next message, fragments joined.
    pub async fn next(&mut self) -> Next {
        let mut whole = Vec::new();
        loop {
            let frame = match self.frame().await {
                Ok(frame) => frame,
                Err(end) => return Next::End(end),
            };
            match frame.opcode {
                2 => return Next::Binary,
                8 => {
                    let code = frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    let reason = String::from_utf8(frame.payload.get(2..).unwrap_or_default().to_vec()).unwrap();
                    return Next::Close(code, reason);
                }
                10 => return Next::Pong,
                _ => whole.extend(frame.payload),
            }
            if frame.fin {
                let text = String::from_utf8(whole).expect("text is UTF-8");
                return serde_json::from_str(&text).map_or(Next::Text(text), Next::Json);
            }
        }
    }

    /// The next message, which must be JSON.
    pub async fn json(&mut self) -> Value {
        match self.next().await {
            Next::Json(value) => value,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a message, sees it accepted; the answer's id.
    pub async fn accepted(&mut self, request: &str) -> String {
        self.ask(request).await;
        let accepted = self.json().await;
        assert_eq!((&accepted["type"], &accepted["request_id"]), (&json!("accepted"), &json!(request)));
        accepted["pending_message_id"].as_str().unwrap().to_owned()
    }

    /// Everything up to the end of an answer.
    pub async fn answer(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.json().await;
            let over = frame["type"] == "done" || frame["type"] == "error";
            frames.push(frame);
            if over {
                return frames;
            }
        }
    }

    /// Everything up to the end of the connection or its close frame, and that.
    pub async fn rest(&mut self) -> (Vec<Value>, Next) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Next::Json(value) => frames.push(value),
                end => return (frames, end),
            }
        }
    }

    /// Fails if anything comes, or the end does, within a moment.
    pub async fn assert_silent(&mut self) {
        let moment = std::time::Duration::from_millis(60);
        if let Ok(came) = tokio::time::timeout(moment, self.read_frame()).await {
            panic!("{came:?}");
        }
    }
}

/// The text that these frames say.
pub fn said(frames: &[Value]) -> String {
    frames.iter().filter(|frame| frame["type"] == "token").filter_map(|frame| frame["content"].as_str()).collect()
}

/// Their `seq`s.
pub fn seqs(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect()
}
