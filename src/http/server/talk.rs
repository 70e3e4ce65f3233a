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
    /// The last bytes that came.
    came: Mutex<Last>,
    /// The last bytes of the request's body that were read, or the end of its head.
    body: Mutex<Last>,
}

/// The last bytes of some, enough to tell the end of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last([u8; 3]);

impl Last {
    const OF_HEAD: Self = Self(*b"\n\r\n");

    fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(self.0.len());
        self.0.rotate_left(kept);
        let at = self.0.len() - kept;
        self.0[at..].copy_from_slice(&bytes[bytes.len() - kept..]);
    }
}

impl Default for Last {
    fn default() -> Self {
        Self::OF_HEAD
    }
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
    Answering,
}

impl Default for Turn {
    fn default() -> Self {
        Self::Idle(Instant::now())
    }
}

impl Talk {
    /// A head is whole, and is about to be answered.
    pub(super) fn asked(&self) {
        self.0.is_used.store(true, Ordering::Relaxed);
        *self.0.turn.lock() = Turn::Answering;
        *self.0.body.lock() = Last::OF_HEAD;
    }

    /// A part of the request's body was read.
    pub(super) fn body(&self, bytes: &[u8]) {
        self.0.body.lock().push(bytes);
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
            Turn::Answering => None,
        }
    }

    fn answered(&self) {
        let mut turn = self.0.turn.lock();
        let Turn::Answering = *turn else {
            return;
        };
        // A body in chunks ends as a head does, any other with its own last bytes.
        let came = *self.0.came.lock();
        let is_at_end = came == Last::OF_HEAD || came == *self.0.body.lock();
        *turn = match is_at_end {
            true => Turn::Idle(Instant::now()),
            false => Turn::Asking(None),
        };
    }

    fn heard(&self, bytes: &[u8]) {
        self.0.came.lock().push(bytes);
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
