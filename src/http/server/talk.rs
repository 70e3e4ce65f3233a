//! The exchange on a connection, as far as it decides how long the connection is kept.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use hyper::body::{Bytes, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The state of the talk; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Talk(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether any request has come.
    is_used: AtomicBool,
    /// Whether a request is being answered.
    is_answering: AtomicBool,
    /// When the first bytes of a head came whose last are missing.
    head_began: Mutex<Option<Instant>>,
}

impl Talk {
    /// A head is whole, and is about to be answered.
    pub(super) fn asked(&self) {
        self.0.is_used.store(true, Ordering::Relaxed);
        self.0.is_answering.store(true, Ordering::Relaxed);
        *self.0.head_began.lock() = None;
    }

    /// Whether any request has come.
    pub(super) fn is_used(&self) -> bool {
        self.0.is_used.load(Ordering::Relaxed)
    }

    /// When a head began that is not whole yet.
    pub(super) fn head_began(&self) -> Option<Instant> {
        *self.0.head_began.lock()
    }

    fn answered(&self) {
        self.0.is_answering.store(false, Ordering::Relaxed);
    }

    fn heard(&self) {
        if !self.0.is_answering.load(Ordering::Relaxed) {
            self.0.head_began.lock().get_or_insert_with(Instant::now);
        }
    }
}

/// A stream whose reading is noted.
#[derive(Debug)]
pub(super) struct Heard<S> {
    pub(super) stream: S,
    pub(super) talk: Talk,
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = bytes.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, bytes);
        if bytes.filled().len() > before {
            self.talk.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of an answer, whose end is noted.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) body: Body,
    pub(super) talk: Talk,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.talk.answered();
    }
}
