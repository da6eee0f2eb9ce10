//! What to ask of the server: the engine's description of one HTTP request.
//!
//! The browser side adds what the engine must not know: the base URL, headers, credentials, the abort signal.

use alloc::string::String;

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// No body. Such a stream may also come through the browser's own `EventSource`.
    Get,
    /// A JSON body.
    Post,
    /// A body of form fields, the members of a JSON object: text as it is, anything else as JSON.
    Form,
    /// No body.
    Delete,
    /// No body.
    Put,
    /// A GET that belongs to no stream: its path is below the base URL itself.
    Page,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// What follows the base URL and the stream endpoint: path and query, percent-encoded.
    pub path: String,
    /// The JSON text of the body; empty where the method has none.
    pub body: String,
    /// The `Last-Event-ID` header (B-ES-11).
    pub last_event_id: Option<String>,
}

impl Request {
    /// A GET without a cursor.
    pub fn get(path: String) -> Self {
        Self { method: Method::Get, path, body: String::new(), last_event_id: None }
    }

    /// A POST of a JSON text.
    pub fn post(path: &str, body: String) -> Self {
        Self { method: Method::Post, path: path.into(), body, last_event_id: None }
    }
}

/// Appends `text` to a URL's query, percent-encoding all but RFC 3986's unreserved characters.
pub fn push_encoded(url: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(HEX[usize::from(byte >> 4)]);
            url.push(HEX[usize::from(byte & 15)]);
        }
    }
}

/// Appends `text` as a JSON string.
pub(in crate::engine) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            // Ids have no control characters; one that does is not worth its bytes as an escape.
            '\0'..='\x1f' => out.push(' '),
            _ => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_value_cannot_break_out_of_its_place() {
        let mut url = String::from("?a=");
        push_encoded(&mut url, "x&b=1#/ ж");
        assert_eq!(url, "?a=x%26b%3D1%23%2F%20%D0%B6");
    }
}
