//! The whole server: its state, its two ports, its start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::active_runs::Index;
use crate::bichat;
use crate::clock::lock;
use crate::config::Config;
use crate::counters::Counters;
use crate::faults::{Scripts, Streams, Weather, gate};
use crate::net::{Door, Links, serve_connection};
use crate::proxy::Proxy;
use crate::runs::{Protocol, Run, Runs};
use crate::ws_chat::Past;
use crate::{assets, chunks, control, cors, envelope, ui_message, ws_chat};

/// What the command line decides.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Port of the app; 0 takes a free one.
    pub port: u16,
    /// Port of the control API; 0 takes a free one.
    pub control_port: u16,
    /// Port of a TCP proxy before the app; 0 takes a free one, without one there is none.
    pub proxy_port: Option<u16>,
    /// Folder served at `/`.
    pub www: Option<PathBuf>,
    /// Folder served at `/pkg/`.
    pub pkg: Option<PathBuf>,
    /// Folder served at `/tests/`.
    pub tests: Option<PathBuf>,
}

/// The state that all parts share.
#[derive(Debug)]
pub struct App {
    /// The runs.
    pub runs: Arc<Runs>,
    /// Which of them are active.
    pub active_runs: Arc<Index>,
    /// Messages that their clients write.
    pub generations: chunks::Generations,
    /// What was before the server began.
    pub past: Past,
    /// Scripted faults.
    pub scripts: Scripts,
    /// Faults that hold for everybody.
    pub weather: Weather,
    /// Open streams.
    pub streams: Arc<Streams>,
    /// What happened.
    pub counters: Counters,
    /// Connections of the app port.
    pub links: Arc<Links>,
    /// The app port.
    pub door: Door,
    /// The TCP proxy before the app port.
    pub proxy: Option<Arc<Proxy>>,
    /// Where the control API is.
    pub control: SocketAddr,
    /// Timed changes of the weather that are under way.
    pub timers: control::Timers,
    config: Mutex<Config>,
}

impl App {
    /// The switches as they are now.
    pub fn config(&self) -> Config {
        lock(&self.config).clone()
    }

    /// Sets them.
    pub fn set_config(&self, config: Config) {
        *lock(&self.config) = config;
    }

    /// Lets a new run write.
    pub fn begin(&self, run: &Arc<Run>) {
        self.counters.handle_run_started(&run.session_id);
        if run.protocol == Protocol::Bichat {
            self.active_runs.follow(run);
        }
        self.runs.write(Arc::clone(run), Duration::from_millis(self.config().log_retention_ms));
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
}

impl Server {
    /// Binds both ports on 127.0.0.1 and serves for as long as the runtime lives.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (door, listener) = Door::bind(options.port)?;
        let (control_door, control_listener) = Door::bind(options.control_port)?;
        let (proxy, forwarding) = match options.proxy_port {
            Some(port) => Proxy::bind(port, door.address()).map(|(proxy, listener)| (Some(proxy), Some(listener)))?,
            None => (None, None),
        };
        let app = Arc::new(App {
            runs: Arc::default(),
            active_runs: Arc::default(),
            generations: chunks::Generations::default(),
            past: Past::default(),
            scripts: Scripts::default(),
            weather: Weather::default(),
            streams: Arc::default(),
            counters: Counters::default(),
            links: Arc::default(),
            door,
            proxy,
            control: control_door.address(),
            timers: control::Timers::default(),
            config: Mutex::default(),
        });
        let router = app_router(&app, &options);
        tokio::spawn({
            let app = Arc::clone(&app);
            async move {
                let serve = |stream| serve_connection(stream, Arc::clone(&app.links), router.clone());
                app.door.keep(listener, serve).await;
            }
        });
        if let (Some(proxy), Some(listener)) = (&app.proxy, forwarding) {
            tokio::spawn(Arc::clone(proxy).keep(listener));
        }
        let router = control_router(&app, &options);
        tokio::spawn(async move {
            // Connections of this port are nobody's fault and are not counted.
            let links = Arc::new(Links::default());
            control_door
                .keep(control_listener, |stream| serve_connection(stream, Arc::clone(&links), router.clone()))
                .await;
        });
        Ok(Self { app })
    }

    /// Where the app is.
    pub fn address(&self) -> SocketAddr {
        self.app.door.address()
    }

    /// Where the proxy is, if there is one.
    pub fn proxy_address(&self) -> Option<SocketAddr> {
        self.app.proxy.as_ref().map(|proxy| proxy.address())
    }

    /// Where the control API is, which no fault touches.
    pub fn control_address(&self) -> SocketAddr {
        self.app.control
    }
}

fn app_router(app: &Arc<App>, options: &Options) -> Router {
    let protocol = Router::new()
        .nest("/bi-chat", bichat::router(Arc::clone(app)))
        .merge(ws_chat::router(Arc::clone(app)))
        .merge(ui_message::router(Arc::clone(app)))
        .merge(envelope::router(Arc::clone(app)))
        .merge(chunks::router(Arc::clone(app)))
        .layer(from_fn_with_state(Arc::clone(app), gate))
        .layer(from_fn_with_state(Arc::clone(app), cors::configured));
    files(options).merge(protocol).merge(control_api(app))
}

fn control_router(app: &Arc<App>, options: &Options) -> Router {
    // The files here too: a page of this port is of another origin than the app.
    files(options).merge(control_api(app))
}

fn control_api(app: &Arc<App>) -> Router {
    Router::new().nest("/control", control::router(Arc::clone(app))).layer(from_fn(cors::open))
}

fn files(options: &Options) -> Router {
    let folder = |root: PathBuf| move |request: Request| assets::serve(root.clone(), request);
    let mut router = Router::new();
    for (path, root) in [("/pkg", &options.pkg), ("/tests", &options.tests)] {
        if let Some(root) = root.clone() {
            router = router.nest_service(path, Router::new().fallback(folder(root)));
        }
    }
    match options.www.clone() {
        Some(root) => router.fallback(folder(root)),
        None => router,
    }
}
