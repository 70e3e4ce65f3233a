//! The last events of a process, by their numbers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::event::RegionEvent;

/// The id of an event: the process that made it, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    instance: u64,
    number: u64,
}

/// Some events are not there: those of another process, or those that were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed;

/// At about two hundred bytes each, less than a megabyte; a hundred accounts of every AWS region
/// make so many in six minutes.
const MOST: usize = 4096;

/// The last events.
#[derive(Debug)]
pub(super) struct Log {
    instance: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Arc<RegionEvent>>,
    newest: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            instance: rand::random(),
            kept: Mutex::default(),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.instance, self.number)
    }
}

impl Log {
    pub(super) fn id(&self, number: u64) -> EventId {
        EventId {
            instance: self.instance,
            number,
        }
    }

    /// Returns the number of the newest event; 0 before the first.
    pub(super) fn newest(&self) -> u64 {
        self.kept.lock().newest
    }

    /// Adds events, which get their numbers here; returns the number of the newest.
    pub(super) fn add(&self, events: impl IntoIterator<Item = RegionEvent>) -> u64 {
        let mut kept = self.kept.lock();
        for event in events {
            kept.newest += 1;
            let number = kept.newest;
            kept.events
                .push_back(Arc::new(RegionEvent { number, ..event }));
            if kept.events.len() > MOST {
                kept.events.pop_front();
            }
        }
        kept.newest
    }

    /// Returns the number of an event by its id, as long as all events after it are kept.
    pub(super) fn place_of(&self, id: &str) -> Result<u64, Missed> {
        let (instance, number) = id.split_once('-').ok_or(Missed)?;
        let number: u64 = number.parse().map_err(|_| Missed)?;
        // One id has one spelling.
        if self.id(number).to_string() != id || instance.len() != 16 {
            return Err(Missed);
        }
        let kept = self.kept.lock();
        match number >= kept.oldest() - 1 && number <= kept.newest {
            true => Ok(number),
            false => Err(Missed),
        }
    }

    /// Returns the first events after a number, at most so many.
    pub(super) fn after(&self, number: u64, most: usize) -> Result<Vec<Arc<RegionEvent>>, Missed> {
        let kept = self.kept.lock();
        let oldest = kept.oldest();
        if number + 1 < oldest {
            return Err(Missed);
        }
        let passed = usize::try_from(number + 1 - oldest).unwrap_or(usize::MAX);
        let events = kept.events.iter().skip(passed).take(most);
        Ok(events.cloned().collect())
    }
}

impl Kept {
    /// Returns the number of the oldest event that is kept, or of the next one.
    fn oldest(&self) -> u64 {
        self.newest + 1 - self.events.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: usize) -> impl Iterator<Item = RegionEvent> {
        let event = RegionEvent {
            number: 0,
            backend: "aws".into(),
            region: "us-east-1".into(),
            revision: 1,
            quotas_freed: Vec::new(),
        };
        std::iter::repeat_n(event, count)
    }

    fn numbers(events: &[Arc<RegionEvent>]) -> Vec<u64> {
        events.iter().map(|event| event.number).collect()
    }

    #[test]
    fn events_follow_each_other_until_they_are_too_old() {
        let log = Log::default();
        assert_eq!(log.after(0, 10), Ok(Vec::new()));
        assert_eq!(log.place_of(&log.id(0).to_string()), Ok(0));
        log.add(some(3));
        assert_eq!(numbers(&log.after(0, 2).unwrap()), [1, 2]);
        assert_eq!(numbers(&log.after(2, 10).unwrap()), [3]);
        assert_eq!(log.place_of(&log.id(3).to_string()), Ok(3));
        assert_eq!(log.add(some(MOST)), MOST as u64 + 3);
        // The first three are gone, and whoever has taken them has missed nothing.
        assert_eq!(log.place_of(&log.id(3).to_string()), Ok(3));
        assert_eq!(log.place_of(&log.id(2).to_string()), Err(Missed));
        assert_eq!(log.after(2, 1), Err(Missed));
        assert_eq!(numbers(&log.after(3, 1).unwrap()), [4]);
    }

    #[test]
    fn an_id_of_another_process_or_of_none_is_refused() {
        let log = Log::default();
        log.add(some(3));
        let other = Log::default();
        for id in [&other.id(1).to_string(), "", "3", "-3", "x-3", "🦀-1"] {
            assert_eq!(log.place_of(id), Err(Missed), "{id}");
        }
        assert_eq!(log.place_of(&log.id(4).to_string()), Err(Missed));
        let padded = log.id(3).to_string().replace("-3", "-03");
        assert_eq!(log.place_of(&padded), Err(Missed));
    }
}
