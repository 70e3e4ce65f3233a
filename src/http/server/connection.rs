//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, header};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_io_timeout::TimeoutWriter;
use tower::Service as _;

use crate::http::drain::Step;
use crate::http::router::Service;

use super::talk::{Answering, Heard, Patience, Talk};
use super::unread::{self, Leaving};

/// The longest that a caller is waited for. Clients give up unused connections after 90 seconds
/// (Go's net/http, reqwest), and better are the first to.
const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(120),
    head: Duration::from_secs(10),
};

/// The longest that a caller may take nothing of an answer. Networks that lose packets
/// take seconds; whoever has gone away without a word keeps an answer's memory.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// The longest that a new connection may stay silent once nobody is let in any more: its first
/// request may be on its way.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// Serves a connection to its end.
pub(super) async fn serve(http: http1::Builder, stream: TcpStream, service: Service) {
    // An answer is written whole, so there is nothing to wait for. Without it, it is slower.
    let _ = stream.set_nodelay(true);
    let talk = Talk::default();
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(STALLED_AFTER));
    let stream = TokioIo::new(Heard {
        stream: Box::pin(stream),
        talk: talk.clone(),
    });
    let (drain, asked) = (service.shared().clone(), talk.clone());
    let answer = service_fn(move |request| answer(service.clone(), asked.clone(), request));
    let mut connection = pin!(http.serve_connection(stream, answer));

    // A timer of the HTTP library's would be set anew for each request.
    let mut alarm = pin!(sleep_until(Instant::now() + PATIENCE.idle));
    let mut is_closing = false;
    let mut closing = pin!(async {
        drain.0.drain.reached(Step::Closing).await;
        if !talk.is_used() {
            sleep(LAST_REQUEST).await;
        }
    });
    loop {
        // Polled after the connection, in whose polling the turn changes.
        let overdue = poll_fn(|cx| {
            loop {
                let Some(due) = talk.due(PATIENCE) else {
                    return Poll::Pending;
                };
                // Mostly it is later by now, which the alarm finds when it rings.
                if due < alarm.deadline() {
                    alarm.as_mut().reset(due);
                }
                ready!(alarm.as_mut().poll(cx));
                if due <= alarm.deadline() {
                    return Poll::Ready(());
                }
                alarm.as_mut().reset(due);
            }
        });
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = overdue => {
                tracing::debug!("a caller said nothing, or not all of a head, in time");
                return;
            }
            () = &mut closing, if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Answers one request.
async fn answer(
    mut service: Service,
    talk: Talk,
    request: Request<Incoming>,
) -> Result<hyper::Response<Answering>, Infallible> {
    talk.asked();
    let shared = service.shared().clone();
    let (response, is_rest_unread) = if request.body().is_end_stream() {
        (service.call(request.map(Body::new)).await?, false)
    } else {
        // Whoever waits for a word sends no body before it.
        let waits = request.headers().contains_key(header::EXPECT);
        let (head, body) = request.into_parts();
        let (body, rest) = Leaving::new(body, talk.clone());
        let request = Request::from_parts(head, Body::new(body));
        let response = service.call(request).await?;
        let rest = rest.lock().take();
        let is_unread = match rest {
            Some(_) if waits => true,
            Some(rest) => !unread::discard(rest, &talk).await,
            None => false,
        };
        (response, is_unread)
    };
    let mut response = response.map(|body| Answering { body, talk });
    if is_rest_unread || shared.0.drain.is_ending() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}
