//! Failures as the log and the answers tell them: those that all units of a backend share, once.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{Failure, Moment, UnitKey};

/// A failure that goes on is told again after this long, so that a log that is cut has it too.
const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// The failures that the log has, by backend and text.
#[derive(Debug, Default)]
pub(super) struct FailureLog(Mutex<BTreeMap<(String, String), Moment>>);

impl FailureLog {
    /// Whether the failure of a unit is news: no unit of its backend has failed alike lately.
    pub(super) fn is_news(&self, unit: &UnitKey, failure: &Failure, now: Moment) -> bool {
        let mut told = self.0.lock();
        let text = failure.without_name(unit.unit.as_str()).to_string();
        let key = (unit.backend.to_string(), text);
        let is_news = told
            .get(&key)
            .is_none_or(|at| at.age(now) >= TOLD_AGAIN_AFTER);
        if is_news {
            told.insert(key, now);
        }
        is_news
    }

    /// Forgets the failures of a backend that answers again: the next one is news.
    pub(super) fn forget(&self, unit: &UnitKey) {
        let mut told = self.0.lock();
        told.retain(|(backend, _), _| backend != unit.backend.as_str());
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::model::FailureKind;

    fn at(second: i64) -> Moment {
        Moment {
            wall: Timestamp::UNIX_EPOCH,
            since_start: SignedDuration::from_secs(second),
        }
    }

    fn unit(backend: &str, region: &str) -> UnitKey {
        UnitKey {
            backend: backend.into(),
            unit: region.into(),
        }
    }

    fn unreachable(region: &str) -> Failure {
        let detail = format!("servicequotas.{region}.amazonaws.com: no such host");
        Failure::new(FailureKind::Unavailable, detail)
    }

    #[test]
    fn regions_that_fail_alike_are_told_once() {
        let log = FailureLog::default();
        let is_news = |backend: &str, region: &str, second| {
            log.is_news(&unit(backend, region), &unreachable(region), at(second))
        };
        assert!(is_news("aws", "us-east-1", 0));
        assert!(!is_news("aws", "eu-west-1", 1));
        assert!(is_news("other", "eu-west-1", 1));
        let denied = Failure::new(FailureKind::Denied, "no");
        assert!(log.is_news(&unit("aws", "eu-west-1"), &denied, at(2)));
        assert!(is_news("aws", "us-east-1", 3600));

        log.forget(&unit("aws", "us-east-1"));
        assert!(is_news("aws", "us-east-1", 3600));
        assert!(!is_news("other", "us-east-1", 3600));
    }
}
