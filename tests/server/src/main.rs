//! The command: reads its line, starts the server, prints where it is, and ends when it is told to.

use std::io::{self, Read};
use std::process::ExitCode;

use run_server::{Options, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

const USAGE: &str = "\
run-server: the server that steadystream is tested against

  --port N             port of the app, 0 takes a free one (default 0)
  --control-port N     port of the control API, 0 takes a free one (default 0)
  --proxy-port N       port of a TCP proxy before the app, 0 takes a free one (default: no proxy)
  --www DIR            folder served at /
  --pkg DIR            folder served at /pkg/
  --tests DIR          folder served at /tests/
  --exit-with-parent   end when the standard input closes
  --help               this text

It listens on 127.0.0.1 only and prints where: `app URL`, `control URL`, `proxy URL`, a line each.
";

struct Line {
    options: Options,
    exit_with_parent: bool,
}

fn main() -> ExitCode {
    let line = match read(std::env::args().skip(1)) {
        Ok(Some(line)) => line,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(serve(line));
    // Nothing that still runs is worth waiting for.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(line: Line) -> io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let server = Server::start(line.options).await?;
    println!("app http://{}", server.address());
    println!("control http://{}", server.control_address());
    if let Some(address) = server.proxy_address() {
        println!("proxy http://{address}");
    }
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        () = parent_gone(line.exit_with_parent) => {}
    }
    Ok(())
}

/// Returns when the standard input closes, if anybody cares.
async fn parent_gone(cares: bool) {
    let (gone, told) = oneshot::channel();
    if cares {
        // A thread of its own: a read of the standard input cannot be cancelled, and must not keep the runtime.
        std::thread::spawn(move || {
            // An error is an end as well.
            let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
            let _ = gone.send(());
        });
        if told.await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}

/// Reads the command line; `None` asks for help.
fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Line>, String> {
    let mut line = Line { options: Options::default(), exit_with_parent: false };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let port = |text: String| text.parse::<u16>().map_err(|_| format!("{text} is no port"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => line.options.port = port(value()?)?,
            "--control-port" => line.options.control_port = port(value()?)?,
            "--proxy-port" => line.options.proxy_port = Some(port(value()?)?),
            "--www" => line.options.www = Some(value()?.into()),
            "--pkg" => line.options.pkg = Some(value()?.into()),
            "--tests" => line.options.tests = Some(value()?.into()),
            "--exit-with-parent" => line.exit_with_parent = true,
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(Some(line))
}
