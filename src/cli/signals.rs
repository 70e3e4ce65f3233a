//! The signals that the process is sent, listened for before it does anything else.
//!
//! As process 1 of a container it has no default handling: a signal that comes before its handler
//! is lost, and the container is killed after its grace period. So the handlers are there first,
//! for all commands, and commands that end by themselves end at a signal as they would without.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// The offset of a signal's number in the exit code of a process that it ends (POSIX shells).
const ENDED_BY: u8 = 128;

/// The signals that have come since the start.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A closed terminal, or a service manager's request to reload.
    hangup: Signal,
}

impl Signals {
    /// Begins to listen; a runtime has to be entered.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Splits into the first request to stop, the second, with the exit code of a process that it
    /// ends, and the hang-ups. The first one comes only while the second is waited for.
    pub(super) fn split(
        self,
    ) -> (
        impl Future<Output = ()> + Send + 'static,
        impl Future<Output = u8>,
        Signal,
    ) {
        let Self {
            mut terminate,
            mut interrupt,
            hangup,
        } = self;
        let mut next = async move || {
            let kind = tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            };
            exit_code(kind)
        };
        let (stop, stopped) = oneshot::channel();
        let again = async move {
            next().await;
            // Nobody waits any more where serving has already failed.
            let _ = stop.send(());
            next().await
        };
        let stopped = async move {
            // Without a sender nobody will ask.
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        (stopped, again, hangup)
    }

    /// Waits for any of them, and returns the exit code of a process that it ends.
    pub(super) async fn any(&mut self) -> u8 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.hangup.recv() => SignalKind::hangup(),
        };
        exit_code(kind)
    }
}

/// The exit code of a process that a signal ends.
fn exit_code(kind: SignalKind) -> u8 {
    let number = u8::try_from(kind.as_raw_value()).unwrap_or_default();
    ENDED_BY.saturating_add(number)
}
