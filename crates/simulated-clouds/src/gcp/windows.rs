//! Limits on calls, in windows that begin with the minute: whoever has used one up waits for the
//! next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::controls::Method;

/// Calls that each group of methods accepts in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLimits {
    /// Lists of Compute Engine.
    pub list_requests: u32,
    /// Reads of Compute Engine.
    pub read_requests: u32,
    /// Reads of Cloud Quotas.
    pub quotas: u32,
    /// Reads of Cloud Monitoring.
    pub monitoring: u32,
}

impl WindowLimits {
    /// The limits of Google's documentation; that of Cloud Monitoring is as seen.
    pub const fn documented() -> Self {
        Self {
            list_requests: 1500,
            read_requests: 1500,
            quotas: 1200,
            monitoring: 6000,
        }
    }
}

/// A group of methods that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    ListRequests,
    ReadRequests,
    Quotas,
    Monitoring,
}

impl Group {
    pub(super) fn of(method: Method) -> Option<Self> {
        Some(match method {
            Method::ListRegions => Self::ListRequests,
            Method::GetRegion | Method::GetProject => Self::ReadRequests,
            Method::GetQuotaInfo | Method::ListQuotaInfos => Self::Quotas,
            Method::ListTimeSeries => Self::Monitoring,
            Method::ExchangeToken | Method::MetadataToken => return None,
        })
    }

    /// The service, the metric and the limit, as refusals name them.
    pub(super) fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ListRequests => (
                "compute.googleapis.com",
                "list_requests",
                "ListRequestsPerMinutePerProject",
            ),
            Self::ReadRequests => (
                "compute.googleapis.com",
                "read_requests",
                "ReadRequestsPerMinutePerProject",
            ),
            Self::Quotas => (
                "cloudquotas.googleapis.com",
                "read_requests",
                "ReadRequestsPerMinutePerProject",
            ),
            Self::Monitoring => (
                "monitoring.googleapis.com",
                "time_series_queries",
                "TimeSeriesQueriesPerMinutePerProject",
            ),
        }
    }
}

/// The calls of the present minute.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) limits: WindowLimits,
    minute: i64,
    used: BTreeMap<Group, u32>,
}

impl Windows {
    pub(super) fn new(limits: WindowLimits) -> Self {
        Self {
            limits,
            minute: 0,
            used: BTreeMap::new(),
        }
    }

    /// The calls that a group accepts in a minute.
    pub(super) fn limit(&self, group: Group) -> u32 {
        match group {
            Group::ListRequests => self.limits.list_requests,
            Group::ReadRequests => self.limits.read_requests,
            Group::Quotas => self.limits.quotas,
            Group::Monitoring => self.limits.monitoring,
        }
    }

    /// Whether another call is accepted.
    pub(super) fn take(&mut self, group: Group, now: Timestamp) -> bool {
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.used.clear();
        }
        let limit = self.limit(group);
        let used = self.used.entry(group).or_default();
        let accepted = *used < limit;
        if accepted {
            *used += 1;
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_its_minute_and_not_a_minute_after_its_first_call() {
        let mut windows = Windows::new(WindowLimits {
            list_requests: 2,
            ..WindowLimits::documented()
        });
        let mut take = |second| {
            let now = Timestamp::from_second(second).unwrap();
            windows.take(Group::ListRequests, now)
        };
        assert!(take(115) && take(116));
        assert!(!take(117) && !take(119));
        assert!(take(120) && take(120) && !take(179));
        assert!(take(180));
    }
}
