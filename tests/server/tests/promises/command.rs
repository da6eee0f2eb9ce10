//! The command itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

struct Running {
    child: Child,
    lines: Vec<String>,
}

fn start(words: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_run-server"));
    let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().take(2).map(Result::unwrap).collect();
    Running { child, lines }
}

#[test]
fn two_lines_say_where_it_is() {
    let mut running = start(&["--port", "0", "--control-port", "0", "--exit-with-parent"]);
    for (line, name) in running.lines.iter().zip(["app", "control"]) {
        let port = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(" http://127.0.0.1:")).unwrap();
        assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{line}");
    }
    drop(running.child.stdin.take());
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn a_third_line_says_where_the_proxy_is() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_run-server"));
    let mut child = command.args(["--proxy-port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let line = BufReader::new(child.stdout.as_mut().unwrap()).lines().nth(2).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("proxy http://127.0.0.1:"), "{line}");
}

#[test]
fn it_ends_on_a_signal_and_not_for_want_of_input() {
    for signal in ["TERM", "INT"] {
        let mut running = start(&[]);
        drop(running.child.stdin.take());
        assert!(running.child.try_wait().unwrap().is_none());
        let sent = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(running.child.wait().unwrap().success());
    }
}

#[test]
fn a_wrong_line_is_answered_with_the_right_one() {
    for words in [&["--prot", "1"][..], &["--port"], &["--port", "x"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_run-server"));
        let output = command.args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("--control-port N"));
    }
}
