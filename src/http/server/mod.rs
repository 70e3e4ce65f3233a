//! Connections: each is served until it closes, says or takes nothing for too long, or the service
//! stops.
//!
//! `axum::serve` would wait for ever for a request that a caller began and does not finish, and
//! for a caller who does not read the answer.

mod connection;
mod descriptors;
mod places;
mod talk;
mod unread;

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use std::{io, iter};

use hyper::server::conn::http1;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::drain::Step;
use super::router::Service;

use places::Places;

/// The most bytes that address and headers may have together; callers need a few hundred, and each
/// connection may take as much memory. The HTTP library refuses a larger head by itself.
const LARGEST_HEAD: usize = 64 * 1024;

/// The part of an answer that the system keeps for a caller who does not read it; it would grow to
/// megabytes for each connection. Linux takes twice as much.
const SEND_BUFFER: usize = 32 * 1024;

/// The largest segment that is sent. On loopback one would fill the send buffer, and the caller's
/// system waits 40 ms for a second one before it acknowledges the first.
const LARGEST_SEGMENT: u32 = 8 * 1024;

/// A process without free file descriptors cannot do better than wait until some connection ends.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// The answer to whoever finds no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
                          connection: close\r\ncontent-length: 0\r\n\r\n";

/// How the service ends.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// The time in which callers are still let in, and told to go elsewhere.
    pub drain: Duration,
    /// The longest that requests under way may take after that.
    pub timeout: Duration,
}

/// Serves until `stop`, and then until the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    ending: Ending,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.max_buf_size(LARGEST_HEAD);
    bound_what_is_unread(&listener);
    let places = Places::for_descriptors(descriptors::raise());
    let (under_way, mut all_ended) = mpsc::channel::<()>(1);
    let serve_one = |stream: TcpStream, peer: SocketAddr| {
        let Some(place) = places.take(peer.ip()) else {
            service.shared().0.oracle.metrics().connection_refused();
            let _ = stream.try_write(NO_PLACE);
            return;
        };
        let served = connection::serve(http.clone(), stream, service.clone());
        let under_way = under_way.clone();
        tokio::spawn(async move {
            served.await;
            drop((place, under_way));
        });
    };
    let drain = &service.shared().0.drain;
    let mut drained = pin!(async {
        stop.await;
        drain.enter(Step::Draining);
        sleep(ending.drain).await;
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut drained => break,
        };
        match accepted {
            Ok((stream, peer)) => serve_one(stream, peer),
            Err(error) if is_the_callers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(AFTER_A_FAILURE).await;
            }
        }
    }
    for (stream, peer) in last_callers(listener) {
        serve_one(stream, peer);
    }
    drain.enter(Step::Closing);
    drop(under_way);
    let mut ended = pin!(all_ended.recv());
    // The rest of the time is for refusals to be sent.
    let answering = ending.timeout.mul_f64(0.75);
    if timeout(answering, &mut ended).await.is_ok() {
        return Ok(());
    }
    drain.enter(Step::Refusing);
    if timeout(ending.timeout - answering, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

/// Bounds what the system keeps of answers that are not read, on all connections to come.
fn bound_what_is_unread(listener: &TcpListener) {
    let socket = SockRef::from(listener);
    let bounded = socket.set_send_buffer_size(SEND_BUFFER);
    if let Err(error) = bounded.and_then(|()| socket.set_tcp_mss(LARGEST_SEGMENT)) {
        tracing::debug!(%error, "the system chooses the size of send buffers");
    }
}

/// Closes the listener; returns those who have connected already, and whom that would cut off.
fn last_callers(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    // tokio accepts only after its poller has told of a connection, which may be later.
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    // From here on the system lets at most one more wait.
    if let Err(error) = SockRef::from(&listener).listen(0) {
        tracing::debug!(%error, "the system lets others connect until the listener is closed");
    }
    let waiting = iter::from_fn(|| listener.accept().ok());
    let taken = waiting.filter_map(|(stream, peer)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    });
    taken.collect()
}

/// Whether an error is about the one connection only, which its caller has given up already.
fn is_the_callers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
