//! Heavy requests, apart from the light ones.
//!
//! A light request is answered within a millisecond by the thread that has read it. A heavy one, all
//! offers of a catalog for example, takes thousands of times as much, of time and of memory. It
//! waits for its share of a bounded memory, which no one caller may have the whole of, and then for
//! its turn on a part of the processors, a piece at a time. Whoever finds the queue full, or waits
//! past the deadline, gets a 503 that says when to ask again.

pub(super) mod answers;
mod counted;
mod pieces;

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::auth::Caller;
use super::error::{Kind, Problem};

/// Memory that heavy requests may hold together, their answers included until they are written.
const HEAVY_KIB: u32 = 64 * 1024;

/// Memory that all other answers may hold together until they are written.
const LIGHT_KIB: u32 = 48 * 1024;

/// Memory of an answer that is written in pieces: its rows, a compressor, and some pieces.
pub(super) const STREAMED_KIB: u32 = 2560;

/// The most heavy requests that wait for their share.
const MOST_WAITING: usize = 256;

/// When a caller who was turned away may ask again; most heavy answers take less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The bounds of heavy requests, and of the answers that are held.
#[derive(Debug)]
pub(super) struct Heavy {
    memory: Arc<Semaphore>,
    /// The part of it that the bearer of each token may have.
    shares: HashMap<String, Arc<Semaphore>>,
    answers: Arc<Semaphore>,
    processors: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The share of a heavy request; it ends with the last byte of its answer.
#[derive(Clone, Debug)]
pub(super) struct Admission(Arc<Held>);

#[derive(Debug)]
struct Held {
    permits: Mutex<Vec<OwnedSemaphorePermit>>,
}

impl Heavy {
    /// The bounds, with shares for the bearers of tokens with these names.
    pub(super) fn new<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        let share = |name: &str| (name.to_owned(), semaphore(HEAVY_KIB / 2));
        let processors = available_parallelism().map_or(1, |all| all.get() / 2);
        Self {
            memory: semaphore(HEAVY_KIB),
            shares: tokens.into_iter().map(share).collect(),
            answers: semaphore(LIGHT_KIB),
            processors: Arc::new(Semaphore::new(processors.max(1))),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits until there is room for a request of this caller that takes so much memory.
    pub(super) async fn admit(
        &self,
        caller: &Caller,
        kib: u32,
        deadline: Instant,
    ) -> Result<Admission, Problem> {
        // Whatever takes more takes all of it.
        let kib = kib.min(HEAVY_KIB / 2);
        let _waiting = Waiting::among(&self.waiting).ok_or_else(overloaded)?;
        let mut permits = Vec::new();
        let semaphores = self.shares.get(caller.name()).into_iter();
        for semaphore in semaphores.chain([&self.memory]) {
            let permit = Arc::clone(semaphore).acquire_many_owned(kib);
            let permit = timeout_at(deadline, permit).await;
            // No semaphore is ever closed.
            permits.push(permit.ok().and_then(Result::ok).ok_or_else(overloaded)?);
        }
        Ok(Admission(Arc::new(Held {
            permits: Mutex::new(permits),
        })))
    }

    /// Room for an answer that is whole in memory already, if there is any.
    fn hold(&self, kib: u32) -> Result<OwnedSemaphorePermit, Problem> {
        let kib = kib.min(LIGHT_KIB);
        let answers = Arc::clone(&self.answers);
        answers
            .try_acquire_many_owned(kib)
            .map_err(|_| overloaded())
    }

    /// Does some work on one of the processors of heavy requests.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let processors = Arc::clone(&self.processors);
        let processor = processors.acquire_owned().await;
        let span = Span::current();
        let done = spawn_blocking(move || {
            // Work goes on after its caller has hung up, and so does the use of the processor.
            let _processor = processor;
            span.in_scope(work)
        });
        match done.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                // The panic is the request's, as if it had happened there.
                Ok(panic) => resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Admission {
    /// Gives back all but so much: the work is done, and some of the answer is not written yet.
    fn shrink_to(&self, kib: u32) {
        for permit in &mut *self.0.permits.lock() {
            let rest = permit.num_permits().saturating_sub(kib as usize);
            drop(permit.split(rest));
        }
    }
}

/// A place in the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        (before < MOST_WAITING).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> Problem {
    let detail = "too many large answers are under way; ask again in a moment";
    Problem::new(Kind::Overloaded, detail).retry_after(RETRY_AFTER)
}
