//! Requests whose head is too large or no HTTP at all.
//!
//! The HTTP library answers them itself, with an empty body, before any of our code is asked. On
//! its way out through the connection that answer becomes a problem document like all others.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::to_bytes;
use axum::http::{HeaderMap, StatusCode};
use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutWriter;

use crate::telemetry::Metrics;

use crate::http::error::{Kind, Problem};
use crate::http::middleware::request_id::{self, REQUEST_ID};

/// The most bytes that address and headers may have together; callers need a few hundred, and each
/// connection may take as much memory.
pub(super) const LARGEST_HEAD: usize = 64 * 1024;

/// A connection on which the HTTP library's own answers are problem documents.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Pin<Box<TimeoutWriter<TcpStream>>>,
    metrics: Metrics,
    /// What is left to write in place of an answer of the library's own.
    instead: Bytes,
}

impl Connection {
    pub(super) fn new(stream: TimeoutWriter<TcpStream>, metrics: Metrics) -> Self {
        Self {
            stream: Box::pin(stream),
            metrics,
            instead: Bytes::new(),
        }
    }

    /// Writes something else, if `written` is an answer of the library's own; true once that is
    /// done, so that `written` counts as written.
    fn write_instead(&mut self, cx: &mut Context<'_>, written: &[u8]) -> Poll<io::Result<bool>> {
        if self.instead.is_empty()
            && let Some((status, instead)) = document(written)
        {
            self.instead = instead;
            let counted = self.metrics.http_requests("unknown", status.as_u16());
            counted.answered(std::time::Duration::ZERO);
        }
        if self.instead.is_empty() {
            return Poll::Ready(Ok(false));
        }
        while !self.instead.is_empty() {
            let count = ready!(self.stream.as_mut().poll_write(cx, &self.instead))?;
            self.instead.advance(count);
        }
        Poll::Ready(Ok(true))
    }
}

/// The problem document in place of an answer that is the library's own: an error without a body,
/// written at once, and without the request id that every answer of ours has.
fn document(written: &[u8]) -> Option<(StatusCode, Bytes)> {
    if !written.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let text = str::from_utf8(written).ok()?;
    let mut lines = text.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = lines.next()?;
    let headers: Vec<&str> = lines.collect();
    let is_ours = headers
        .iter()
        .any(|line| line.starts_with(REQUEST_ID.as_str()));
    if is_ours || !headers.contains(&"content-length: 0") {
        return None;
    }
    let (kind, detail) = match status.get(9..12)? {
        // It tells an address alone that is too large by a status of its own.
        "431" | "414" => (
            Kind::HeadTooLarge,
            format!(
                "address and headers are larger than {LARGEST_HEAD} bytes, or over 100 headers"
            ),
        ),
        "400" => (
            Kind::BadRequest,
            "this is no request of HTTP/1.1".to_owned(),
        ),
        _ => return None,
    };
    let (head, body) = Problem::new(kind, detail).render("/").into_parts();
    let body = to_bytes(body, usize::MAX).now_or_never()?.ok()?;

    let mut answer = format!("HTTP/1.1 {}", head.status).into_bytes();
    let mut add = |line: &[&[u8]]| answer.extend([b"\r\n", &line.concat()[..]].concat());
    for line in headers.iter().filter(|line| **line != "content-length: 0") {
        add(&[line.as_bytes()]);
    }
    for (name, value) in &head.headers {
        add(&[name.as_str().as_bytes(), b": ", value.as_bytes()]);
    }
    let id = request_id::choose(&HeaderMap::new());
    add(&[REQUEST_ID.as_str().as_bytes(), b": ", id.as_bytes()]);
    add(&[b"content-length: ", body.len().to_string().as_bytes()]);
    answer.extend_from_slice(b"\r\n\r\n");
    answer.extend_from_slice(&body);
    Some((head.status, answer.into()))
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.write_instead(cx, bytes))? {
            true => Poll::Ready(Ok(bytes.len())),
            false => self.stream.as_mut().poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // An answer without a body is one part.
        if let [only] = parts
            && ready!(self.write_instead(cx, only))?
        {
            return Poll::Ready(Ok(only.len()));
        }
        self.stream.as_mut().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, into)
    }
}
