//! The waiting calls of one limiter, and which is next. Priorities are read when a decision is
//! made, because a caller who joins a background read makes it more urgent while it waits.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::source::{Priority, Urgency};

/// The waiting calls, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    arrived: u64,
}

/// Identifies a waiting call; a lower one has arrived earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WaiterId(u64);

#[derive(Debug)]
struct Waiting {
    waiter_id: WaiterId,
    urgency: Urgency,
    notify: Arc<Notify>,
}

impl Queue {
    /// Joins the queue; the returned `Notify` is notified when it is time to decide again.
    pub(super) fn join(&mut self, urgency: Urgency) -> (WaiterId, Arc<Notify>) {
        let waiter_id = WaiterId(self.arrived);
        self.arrived += 1;
        let notify = Arc::new(Notify::new());
        self.waiting.push(Waiting {
            waiter_id,
            urgency,
            notify: Arc::clone(&notify),
        });
        (waiter_id, notify)
    }

    /// Leaves the queue; leaving twice changes nothing.
    pub(super) fn leave(&mut self, waiter_id: WaiterId) {
        self.waiting
            .retain(|waiting| waiting.waiter_id != waiter_id);
    }

    /// Returns this waiter's present priority, and how many are before it.
    pub(super) fn place(&self, waiter_id: WaiterId) -> Option<(Priority, usize)> {
        let own = self
            .waiting
            .iter()
            .find(|it| it.waiter_id == waiter_id)?
            .rank();
        let before = self.waiting.iter().filter(|it| it.rank() < own).count();
        Some((own.0, before))
    }

    /// Notifies the waiter that is next.
    pub(super) fn notify_first(&self) {
        if let Some(first) = self.waiting.iter().min_by_key(|it| it.rank()) {
            first.notify.notify_one();
        }
    }
}

impl Waiting {
    fn rank(&self) -> (Priority, WaiterId) {
        (self.urgency.priority(), self.waiter_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_urgent_go_first_and_equals_in_order_of_arrival() {
        let mut queue = Queue::default();
        let mut join = |priority| queue.join(Urgency::new(priority)).0;
        let background = join(Priority::Background);
        let first = join(Priority::Request);
        let second = join(Priority::Request);
        let verify = join(Priority::Verify);
        let before = |queue: &Queue, waiter_id| queue.place(waiter_id).map(|(_, before)| before);
        let order = [verify, first, second, background];
        assert_eq!(order.map(|it| before(&queue, it)), [0, 1, 2, 3].map(Some));
        queue.leave(first);
        queue.leave(first);
        assert_eq!(before(&queue, first), None);
        assert_eq!(before(&queue, second), Some(1));
    }

    #[test]
    fn a_place_follows_the_urgency_as_it_rises() {
        let mut queue = Queue::default();
        queue.join(Urgency::new(Priority::Request));
        let urgency = Urgency::new(Priority::Background);
        let (waiter_id, _) = queue.join(urgency.clone());
        assert_eq!(queue.place(waiter_id), Some((Priority::Background, 1)));
        urgency.raise(Priority::Verify);
        assert_eq!(queue.place(waiter_id), Some((Priority::Verify, 0)));
    }
}
