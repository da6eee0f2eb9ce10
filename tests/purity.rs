//! The engine decides and nothing else: no wasm crate in its dependency graph, no clock, chance or I/O in its sources.

#![cfg(not(target_arch = "wasm32"))]

use std::{fs, path::Path, process::Command};

/// Crates that can only mean a browser.
const WASM_CRATES: [&str; 6] =
    ["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys", "gloo-timers", "serde-wasm-bindgen"];

/// What an engine file may not name outside its tests. Hash maps seed themselves from the system's entropy.
const IMPURE: [&str; 12] = [
    "std::time",
    "SystemTime",
    "std::thread",
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "HashMap",
    "HashSet",
    "println!",
    "wasm_bindgen",
    "web_sys",
];

/// The names in the graph of what is linked and built for `target`; dev-dependencies stay out.
fn crates_for(target: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "steadystream", "-e", "normal,build", "--prefix", "none", "--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    listing.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn host() -> String {
    let output = Command::new(option_env!("RUSTC").unwrap_or("rustc")).arg("-vV").output().expect("rustc starts");
    let listing = String::from_utf8(output.stdout).expect("rustc prints UTF-8");
    listing.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

/// Every `.rs` file under `folder`, with its text up to its unit tests.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the file is readable");
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path.display().to_string(), shipped));
        }
    }
}

#[test]
fn on_the_host_the_crate_depends_on_no_wasm_crate() {
    let crates = crates_for(&host());
    assert!(crates.iter().any(|name| name == "steadystream"), "{crates:?}");
    for name in WASM_CRATES {
        assert!(!crates.iter().any(|found| found == name), "{name} is in the host's graph: {crates:?}");
    }
}

#[test]
fn the_same_question_about_wasm32_finds_them() {
    let crates = crates_for("wasm32-unknown-unknown");
    assert!(crates.iter().any(|name| name == "wasm-bindgen"), "{crates:?}");
}

#[test]
fn no_engine_source_names_a_clock_a_socket_or_hidden_chance() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"), &mut files);
    assert!(!files.is_empty());
    for (path, text) in files {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for name in IMPURE {
                assert!(!line.contains(name), "{path}:{}: {name} has no place in the engine", number + 1);
            }
        }
    }
}
