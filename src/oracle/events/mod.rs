//! Events: which regions' answers have changed, and which quotas have more room than before.
//!
//! A watcher compares the regions of a backend with what they were whenever the backend counts a
//! change, or the clock alone has made one. Events are kept in one bounded log that all subscribers
//! read, so that one who does not read holds no memory but its place.

mod event;
mod hub;
mod log;
mod subscription;
mod watch;
mod watcher;

pub use event::RegionEvent;
pub use log::{EventId, Missed};
pub use subscription::Subscription;

pub(super) use hub::Events;
pub(super) use watcher::run;
