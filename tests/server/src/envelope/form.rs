//! The bodies of this protocol's requests: forms, multipart or not, and JSON objects with the same members.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The members of a body by name, as text; of files their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a body; what is wrong with it otherwise.
    pub(super) fn read(content_type: &str, body: &[u8]) -> Result<Self, &'static str> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "multipart/form-data" => {
                let boundary = parameters.split(';').find_map(|parameter| {
                    let (name, value) = parameter.trim().split_once('=')?;
                    name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
                });
                multipart(boundary.ok_or("the boundary is missing")?, body).ok_or("the form breaks off")
            }
            "application/x-www-form-urlencoded" => Ok(Self(urlencoded(&String::from_utf8_lossy(body)))),
            // Who says nothing of the type means JSON.
            "application/json" | "" => match serde_json::from_slice::<Map<String, Value>>(body) {
                Ok(members) => {
                    Ok(Self(members.into_iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect()))
                }
                Err(_) => Err("the body is no JSON object"),
            },
            _ => Err("the body is neither a form nor JSON"),
        }
    }

    /// A member that says something.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// A member of JSON as a form would have it; `null` is none.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        value => Some(value.to_string()),
    }
}

/// `None` if the closing boundary is missing or a part has no name.
fn multipart(boundary: &str, body: &[u8]) -> Option<Form> {
    let mark = format!("--{boundary}");
    let mut fields = BTreeMap::new();
    let mut rest = body.strip_prefix(mark.as_bytes())?;
    let mark = format!("\r\n{mark}");
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, mark.as_bytes())?;
        let (part, behind) = (part.get(..end)?, part.get(end + mark.len()..)?);
        let blank = find(part, b"\r\n\r\n")?;
        let (head, content) = (part.get(..blank)?, part.get(blank + 4..)?);
        let head = String::from_utf8_lossy(head).into_owned();
        let name = parameter(&head, "name")?;
        let text = parameter(&head, "filename").unwrap_or_else(|| String::from_utf8_lossy(content).into_owned());
        fields.insert(name, text);
        rest = behind;
    }
    Some(Form(fields))
}

/// A parameter of a part's `Content-Disposition`.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = line.split(';').find_map(|item| item.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn urlencoded(text: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &str) -> Result<Form, &'static str> {
        Form::read(content_type, body.as_bytes())
    }

    fn form(fields: &[(&str, &str)]) -> Form {
        Form(fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn every_way_to_write_a_body_means_the_same() {
        let wanted = form(&[("chat_id", "c 1"), ("prompt", "wie\r\n--x & 100 %?"), ("plan_mode", "true")]);
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\nc 1\r\n\
            --x\r\ncontent-disposition: form-data; name=\"prompt\"\r\nContent-Type: text/plain\r\n\r\nwie\r\n--x & 100 %?\r\n\
            --x\r\nContent-Disposition: form-data; name=\"plan_mode\"\r\n\r\ntrue\r\n--x--\r\n";
        let json = "{\"chat_id\":\"c 1\",\"prompt\":\"wie\\r\\n--x & 100 %?\",\"plan_mode\":true,\"model_id\":null}";
        // A boundary in the text is the client's mistake; it chooses another.
        assert!(read("multipart/form-data; boundary=x", multipart).is_err());
        let multipart = multipart.replace("--x\r\n", "--yz\r\n").replace("--x--", "--yz--");
        assert_eq!(read("multipart/form-data; charset=utf-8; boundary=\"yz\"", &multipart).as_ref(), Ok(&wanted));
        assert_eq!(read("application/json; charset=utf-8", json).as_ref(), Ok(&wanted));
        let urlencoded = "chat_id=c+1&prompt=wie%0D%0A--x+%26+100+%25%3F&plan_mode=true";
        assert_eq!(read("application/x-www-form-urlencoded", urlencoded).as_ref(), Ok(&wanted));
    }

    #[test]
    fn of_a_file_only_the_name_counts() {
        let body =
            "--x\r\nContent-Disposition: form-data; name=\"attached_files\"; filename=\"a.png\"\r\n\r\n\u{1}\r\n--x--";
        assert_eq!(read("multipart/form-data; boundary=x", body), Ok(form(&[("attached_files", "a.png")])));
    }

    #[test]
    fn a_body_that_is_no_form_is_refused() {
        for (content_type, body) in [
            ("multipart/form-data", "--x--"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Type: text/plain\r\n\r\nb\r\n--x--"),
            ("application/json", "[]"),
            ("text/plain", "a=b"),
        ] {
            assert!(read(content_type, body).is_err(), "{content_type} {body}");
        }
        assert_eq!(read("multipart/form-data; boundary=x", "--x--\r\n"), Ok(Form::default()));
    }
}
