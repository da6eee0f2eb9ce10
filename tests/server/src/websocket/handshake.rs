//! The upgrade: what the client asks, and the 101 that it gets.

use axum::body::Body;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha1::{Digest, Sha1};

use crate::reply::Refusal;

/// A client that asks for a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    key: String,
    /// The subprotocols it offers.
    pub(crate) protocols: Vec<String>,
}

impl Handshake {
    /// Reads a request's headers; refuses with 400 or 426 what is no upgrade.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let has = |name, word: &str| text(name).split(',').any(|item| item.trim().eq_ignore_ascii_case(word));
        if !has(UPGRADE, "websocket") || !has(CONNECTION, "upgrade") || text(SEC_WEBSOCKET_VERSION) != "13" {
            return Err(Refusal::new(StatusCode::UPGRADE_REQUIRED, "only WebSocket, version 13"));
        }
        let key = text(SEC_WEBSOCKET_KEY);
        if STANDARD.decode(key).map_or(true, |bytes| bytes.len() != 16) {
            return Err(Refusal::bad_request("Sec-WebSocket-Key is not 16 bytes"));
        }
        Ok(Self { key: key.to_owned(), protocols: Self::protocols(headers) })
    }

    /// The subprotocols that headers name, upgrade or not.
    pub(crate) fn protocols(headers: &HeaderMap) -> Vec<String> {
        let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(|item| item.trim().to_owned()).collect()
    }

    /// 101, with the subprotocol that the server speaks if the client offered it; `wrong` spoils the proof.
    pub(crate) fn response(&self, speaks: &'static str, wrong: bool) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let proof = if wrong { accept("") } else { accept(&self.key) };
        if let Ok(proof) = HeaderValue::from_str(&proof) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
        }
        if self.protocols.iter().any(|offered| offered == speaks) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(speaks));
        }
        response
    }
}

fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize())
}

/// The text that base64url without padding hides.
pub(crate) fn base64_url(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_one_of_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_token_comes_back_out_of_its_subprotocol() {
        assert_eq!(base64_url("dMO2a2Vu").as_deref(), Some("töken"));
        assert_eq!(base64_url("dMO2a2V="), None);
    }
}
