//! The orderly end: which of its steps the service has reached.

use tokio::sync::watch;

/// A step of the end, each after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Not ending.
    Serving,
    /// Balancers are told to go elsewhere: `/readyz` refuses, and answers close their connection.
    Draining,
    /// Nobody is let in any more; what is under way ends.
    Closing,
    /// Requests still under way are refused while their connections are there.
    Refusing,
}

/// The step that the service is at.
#[derive(Debug)]
pub(super) struct Drain(watch::Sender<Step>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(Step::Serving))
    }
}

impl Drain {
    pub(super) fn enter(&self, step: Step) {
        self.0.send_replace(step);
    }

    pub(super) fn is_ending(&self) -> bool {
        *self.0.borrow() > Step::Serving
    }

    /// Waits for a step.
    pub(super) async fn reached(&self, step: Step) {
        let mut steps = self.0.subscribe();
        // The sender is here, so waiting does not fail.
        let _ = steps.wait_for(|at| *at >= step).await;
    }
}
