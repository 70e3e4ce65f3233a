//! Connections: each is served until it closes, says or takes nothing for too long, or the service
//! stops.
//!
//! `axum::serve` would wait for ever for a request that a caller began and does not finish, and
//! for a caller who does not read the answer.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

use super::router::Service;

/// The longest that the head of a request may take after the previous one, and so the longest that
/// an unused connection is kept. Clients give up unused ones after 90 seconds (Go's net/http,
/// reqwest), and better are the first to.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// The longest that a caller may take nothing of an answer. Networks that lose packets
/// take seconds; whoever has gone away without a word keeps an answer's memory.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// The most bytes that address and headers may have together; callers need a few hundred, and each
/// connection may take as much memory. The HTTP library refuses a larger head by itself.
const LARGEST_HEAD: usize = 64 * 1024;

/// A process without free file descriptors cannot do better than wait until some connection ends.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// Serves until `stop`, and then until the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LARGEST_HEAD);
    let service = service.map_request(|request: hyper::Request<_>| request.map(Body::new));
    let service = TowerToHyperService::new(service);
    let under_way = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_the_callers(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(AFTER_A_FAILURE).await;
                continue;
            }
        };
        // An answer is written whole, so there is nothing to wait for. Without it, it is slower.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(STALLED_AFTER));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = http.serve_connection(stream, service.clone());
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    under_way.shutdown().await;
    Ok(())
}

/// Whether an error is about the one connection only, which its caller has given up already.
fn is_the_callers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
