//! HTTP/1.1 over one accepted socket, until either side or its link ends it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::Links;
use super::wire::Wire;

/// Serves `router` on `stream`. Each request finds its [`Link`](super::Link) among its extensions. Returns when the connection is over.
pub async fn serve_connection(stream: TcpStream, links: Arc<Links>, router: Router) {
    let link = links.accept();
    // The wire takes the link off the roll when it goes, with the HTTP connection or with the socket that came of it.
    if let Ok(wire) = Wire::new(stream, Arc::clone(&link), links) {
        let tag = Arc::clone(&link);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&tag));
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Connections end when a client or a fault ends them, never for being idle: tests count them.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(wire), service)
            .with_upgrades();
        tokio::select! {
            // Whatever ends a connection here (the client left, a broken request) is that client's business.
            _ = connection => {}
            () = link.closed() => {}
        }
    }
}
