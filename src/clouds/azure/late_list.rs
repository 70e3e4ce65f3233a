//! A list that takes longer than a read should: it is read beside it, and taken up when it is there.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;

use crate::clouds::kit::hourly::Hourly;
use crate::model::{Failure, FailureKind};

/// A list that is read in the background, one read at a time.
#[derive(Debug)]
pub(super) struct LateList<T> {
    list: Arc<Hourly<T>>,
    state: Arc<Mutex<Vec<Failure>>>,
    under_way: Mutex<Option<UnderWay>>,
}

/// A read in the background; it goes on whoever waits for it.
pub(super) type UnderWay = Shared<BoxFuture<'static, ()>>;

impl<T: PartialEq + Send + Sync + 'static> LateList<T> {
    /// A list that is read anew when it is older than this.
    pub(super) fn new(every: Duration) -> Self {
        Self {
            list: Arc::new(Hourly::new(every)),
            state: Arc::default(),
            under_way: Mutex::default(),
        }
    }

    /// Starts reading the list if that is due; returns the read that is under way, if there is one.
    pub(super) fn start<F>(&self, read: impl FnOnce() -> F) -> Option<UnderWay>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        if !self.list.is_due() {
            return None;
        }
        let mut under_way = self.under_way.lock();
        if let Some(read) = under_way.as_ref().filter(|read| read.peek().is_none()) {
            return Some(read.clone());
        }
        let (list, state, read) = (Arc::clone(&self.list), Arc::clone(&self.state), read());
        let read = async move {
            let read = AssertUnwindSafe(read).catch_unwind();
            let kept = list.get(|_| async {
                match read.await.unwrap_or_else(|_| Err(panicked())) {
                    Ok(value) => (Some(value), Vec::new()),
                    Err(failure) => (None, vec![failure]),
                }
            });
            let failures = kept.await.failures;
            *state.lock() = failures;
        };
        let read = read.boxed().shared();
        tokio::spawn(read.clone());
        *under_way = Some(read.clone());
        Some(read)
    }

    /// Returns the list as it was last read, unless that is longer ago than `at_most`.
    pub(super) fn last(&self, at_most: Duration) -> Option<Arc<T>> {
        let is_young = self.list.age().is_some_and(|age| age < at_most);
        self.list.last().filter(|_| is_young)
    }

    /// Returns the failures of the last read.
    pub(super) fn failures(&self) -> Vec<Failure> {
        self.state.lock().clone()
    }
}

fn panicked() -> Failure {
    let detail = "reading the list failed inside quota-oracle; its log has the panic";
    Failure::new(FailureKind::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    const EVERY: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_list_is_read_once_for_all_who_come_meanwhile_and_goes_on_without_them() {
        let list = LateList::new(EVERY);
        let reads = Arc::new(Mutex::new(0));
        let start = || {
            let reads = Arc::clone(&reads);
            list.start(|| async move {
                *reads.lock() += 1;
                sleep(Duration::from_secs(30)).await;
                Ok(7)
            })
        };
        drop(start());
        sleep(Duration::from_secs(10)).await;
        let under_way = start().unwrap();
        assert_eq!(list.last(EVERY), None);
        under_way.await;
        assert_eq!(list.last(EVERY).as_deref(), Some(&7));
        assert!(start().is_none());
        assert_eq!(*reads.lock(), 1);
        advance(EVERY).await;
        assert!(start().is_some());
        assert_eq!(list.last(EVERY), None, "too old to say anything");
        assert_eq!(list.last(EVERY * 2).as_deref(), Some(&7));
    }

    fn fault() -> Failure {
        panic!("a fault of ours")
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_kept_until_the_next_read_which_may_follow_at_once() {
        let list: LateList<u32> = LateList::new(EVERY);
        let denied = || Failure::new(FailureKind::Denied, "no");
        let read = list.start(|| async move { Err(denied()) });
        read.unwrap().await;
        assert_eq!(list.failures(), [denied()]);
        list.start(|| async { Err(fault()) }).unwrap().await;
        assert_eq!(list.failures()[0].kind, FailureKind::Malformed);
        list.start(|| async { Ok(1) }).unwrap().await;
        assert_eq!(
            (list.failures(), list.last(EVERY).as_deref()),
            (vec![], Some(&1))
        );
    }
}
