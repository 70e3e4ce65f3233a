//! The rest of a request that was answered before it was read.
//!
//! A caller who still sends would see the connection break and lose the answer, and the next
//! request on it. So a moderate rest is read and thrown away first; after any other the answer says
//! that the connection closes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::talk::Talk;

/// The most that is thrown away; no larger body is accepted unless `server.max_body` says so.
const MOST: usize = 4 * 1024 * 1024;

/// The longest that is waited for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A place for what is left of a body.
pub(super) type Rest = Arc<Mutex<Option<Incoming>>>;

/// A request's body, which leaves what nobody has read.
#[derive(Debug)]
pub(super) struct Leaving {
    body: Option<Incoming>,
    rest: Rest,
    talk: Talk,
}

impl Leaving {
    pub(super) fn new(body: Incoming, talk: Talk) -> (Self, Rest) {
        let rest = Rest::default();
        let body = Some(body);
        let leaving = Self {
            body,
            rest: Arc::clone(&rest),
            talk,
        };
        (leaving, rest)
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.talk.body(bytes);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map(Incoming::size_hint)
            .unwrap_or_default()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        *self.rest.lock() = self.body.take().filter(|body| !body.is_end_stream());
    }
}

/// Throws away the rest of a body; whether that was all of it.
pub(super) async fn discard(mut rest: Incoming, talk: &Talk) -> bool {
    if rest.size_hint().lower() > MOST as u64 {
        return false;
    }
    let reading = async {
        let mut read = 0;
        while read <= MOST {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx));
            match frame.await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => {
                    let bytes = frame.data_ref().map_or(&[][..], |bytes| bytes);
                    talk.body(bytes);
                    read += bytes.len();
                }
            }
        }
        false
    };
    timeout(PATIENCE, reading).await.unwrap_or(false)
}
