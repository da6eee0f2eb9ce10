//! Single frames, for tests that need no whole script.

/// A frame of text.
pub fn content(id: &str, text: &str) -> String {
    format!("id: {id}\nevent: content\ndata: {}\n\n", serde_json::json!({ "type": "content", "content": text }))
}

/// The frame that ends a run well.
pub fn done(id: &str) -> String {
    format!("id: {id}\nevent: done\ndata: {{\"type\":\"done\"}}\n\n")
}
