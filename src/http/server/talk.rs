//! The exchange on a connection, as far as it decides how long the connection is kept.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

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
    turn: Mutex<Turn>,
    /// The last bytes that came, as far as they may end a head.
    last_bytes: Mutex<[u8; 3]>,
}

/// The side whose turn it is.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// The caller may ask.
    Idle(Instant),
    /// The first bytes of a head have come, whose last are missing; since when, is noted when
    /// somebody asks for it.
    Asking(Option<Instant>),
    /// A request is being answered.
    Answering { has_body: bool },
}

impl Default for Turn {
    fn default() -> Self {
        Self::Idle(Instant::now())
    }
}

impl Talk {
    /// A head is whole, and is about to be answered.
    pub(super) fn asked(&self, has_body: bool) {
        self.0.is_used.store(true, Ordering::Relaxed);
        *self.0.turn.lock() = Turn::Answering { has_body };
    }

    /// Whether any request has come.
    pub(super) fn is_used(&self) -> bool {
        self.0.is_used.load(Ordering::Relaxed)
    }

    /// When the caller must have gone on; never while the turn is ours.
    pub(super) fn due(&self, patience: Patience) -> Option<Instant> {
        match &mut *self.0.turn.lock() {
            Turn::Idle(since) => Some(*since + patience.idle),
            Turn::Asking(since) => {
                let since = since.get_or_insert_with(Instant::now);
                Some(*since + patience.head)
            }
            Turn::Answering { .. } => None,
        }
    }

    fn answered(&self) {
        let mut turn = self.0.turn.lock();
        let Turn::Answering { has_body } = *turn else {
            return;
        };
        // After a body the end of the request is not seen here.
        let is_at_end = has_body || matches!(*self.0.last_bytes.lock(), [b'\n', b'\r', b'\n']);
        *turn = match is_at_end {
            true => Turn::Idle(Instant::now()),
            false => Turn::Asking(None),
        };
    }

    fn heard(&self, bytes: &[u8]) {
        let mut last = self.0.last_bytes.lock();
        let kept = bytes.len().min(last.len());
        last.rotate_left(kept);
        let at = last.len() - kept;
        last[at..].copy_from_slice(&bytes[bytes.len() - kept..]);
        let mut turn = self.0.turn.lock();
        if let Turn::Idle(_) = *turn {
            *turn = Turn::Asking(None);
        }
    }
}

/// The longest that a caller is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Between requests.
    pub(super) idle: Duration,
    /// For a head, from its first byte to its last.
    pub(super) head: Duration,
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
        if let Some(new @ [_, ..]) = bytes.filled().get(before..) {
            self.talk.heard(new);
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
