//! Word of changes: the events of the service, or else the time.

use std::time::Duration;

use reqwest::Response;
use tokio::time::{Instant, sleep, timeout_at};

use super::service::Service;

/// Changes are collected for so long: a read of a cloud changes many regions at once.
const GATHER: Duration = Duration::from_millis(500);

/// After so long without an event the service is asked nevertheless, since a new catalog is none.
const LONGEST: Duration = Duration::from_secs(60);

/// A line of more is no line of this service.
const LONGEST_LINE: usize = 1024 * 1024;

/// Tells when to ask again.
pub(super) struct Changes<'a> {
    service: &'a Service,
    /// The time between two looks without events.
    every: Duration,
    events: Option<Events>,
}

impl<'a> Changes<'a> {
    /// Follows the events, if the service has any for this caller.
    pub(super) async fn follow(service: &'a Service, every: Duration) -> Self {
        Self {
            service,
            every,
            events: Events::open(service).await,
        }
    }

    /// Whether changes are told as they happen.
    pub(super) fn are_told(&self) -> bool {
        self.events.is_some()
    }

    /// Waits until something may have changed.
    pub(super) async fn next(&mut self) {
        let Some(events) = &mut self.events else {
            sleep(self.every).await;
            // Older services have none, and proxies may hold them back.
            self.events = Events::open(self.service).await;
            return;
        };
        let lives = match timeout_at(Instant::now() + LONGEST, events.change()).await {
            // The next look tells whether the service is there.
            Ok(Change::Ended) => false,
            Ok(Change::Happened) => events.gather().await,
            Err(_) => true,
        };
        if !lives {
            self.events = None;
        }
    }
}

/// A stream of server-sent events.
struct Events {
    response: Response,
    unread: Vec<u8>,
}

enum Change {
    Happened,
    Ended,
}

impl Events {
    async fn open(service: &Service) -> Option<Self> {
        let response = service.stream(&["events"]).await.ok()?;
        Some(Self {
            response,
            unread: Vec::new(),
        })
    }

    /// Waits for the next event. Nothing is lost if this is dropped before it ends.
    async fn change(&mut self) -> Change {
        loop {
            while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                // Lines without data keep the connection, or say where it begins.
                let has_data = self.unread.starts_with(b"data:");
                self.unread.drain(..=end);
                if has_data {
                    return Change::Happened;
                }
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) if self.unread.len() < LONGEST_LINE => {
                    self.unread.extend_from_slice(&bytes);
                }
                _ => return Change::Ended,
            }
        }
    }

    /// Takes what comes together with a change; returns whether the stream goes on.
    async fn gather(&mut self) -> bool {
        let until = Instant::now() + GATHER;
        loop {
            match timeout_at(until, self.change()).await {
                Ok(Change::Happened) => {}
                Ok(Change::Ended) => return false,
                Err(_) => return true,
            }
        }
    }
}
