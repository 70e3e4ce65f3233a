//! Answers in pieces, each made when the caller has taken those before.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use bytes::BytesMut;
use futures_util::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;
use tracing::Instrument;

use crate::http::state::Shared;

use super::Admission;
use super::counted::counted;

/// A piece is about as large; connections hold as much again.
const PIECE: usize = 48 * 1024;

/// The longest that a caller may take for a piece. A network that loses packets takes seconds;
/// whoever takes less has others wait for its memory.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// Memory that an answer keeps once its last piece is made.
const LAST_PIECES_KIB: u32 = 256;

/// A body whose frames are made elsewhere.
pub(super) fn apart(shared: Shared, body: Body, admission: Option<Admission>) -> Body {
    let (pieces, taken) = channel(1);
    let making = make(shared, body, admission, pieces);
    tokio::spawn(making.in_current_span());
    let taken = stream::unfold(Some(taken), async |taken| {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Made::Piece(piece)) => Some((Ok(piece), Some(taken))),
            Some(Made::All) => None,
            // Seen to be cut, not taken for the whole.
            None => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None)),
        }
    });
    Body::from_stream(taken.boxed())
}

/// A part of an answer, or its end.
enum Made {
    Piece(Bytes),
    /// There are no more pieces.
    All,
}

async fn make(shared: Shared, mut body: Body, admission: Option<Admission>, pieces: Sender<Made>) {
    // However it ends, no more than the last pieces is held from then on.
    let _shrinking = Shrinking(admission.clone());
    let heavy = &shared.0.heavy;
    loop {
        let step = heavy.run(move || {
            let piece = Handle::current().block_on(next_piece(&mut body));
            (body, piece)
        });
        let made = tokio::select! {
            made = step => made,
            () = pieces.closed() => return,
        };
        body = made.0;
        let made = match (made.1, &admission) {
            (Ok(Some(piece)), Some(admission)) => Made::Piece(counted(piece, admission.clone())),
            (Ok(Some(piece)), None) => Made::Piece(piece),
            (Ok(None), _) => Made::All,
            (Err(error), _) => {
                tracing::error!(%error, "an answer could not be written to its end");
                return;
            }
        };
        let is_last = matches!(made, Made::All);
        let taken = timeout(TAKEN_WITHIN, pieces.send(made)).await;
        if is_last || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

struct Shrinking(Option<Admission>);

impl Drop for Shrinking {
    fn drop(&mut self) {
        if let Some(admission) = &self.0 {
            admission.shrink_to(LAST_PIECES_KIB);
        }
    }
}

/// Some frames of a body together, until it ends.
async fn next_piece(body: &mut Body) -> io::Result<Option<Bytes>> {
    let mut piece = BytesMut::new();
    while piece.len() < PIECE {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx));
        let Some(frame) = frame.await else { break };
        let frame = frame.map_err(io::Error::other)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if piece.is_empty() && data.len() >= PIECE {
            return Ok(Some(data));
        }
        piece.extend_from_slice(&data);
    }
    Ok((!piece.is_empty()).then(|| piece.freeze()))
}
