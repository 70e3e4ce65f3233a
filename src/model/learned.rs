//! Limits and usage that a failed launch has stated, laid over what was read.

use super::{Amount, Limit, LimitSource, Moment, Quota, QuotaKey, Snapshot, Usage};

/// The numbers of a quota as a failed launch has stated them.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedNumbers {
    /// Which quota.
    pub quota: QuotaKey,
    /// Its limit.
    pub limit: Option<Amount>,
    /// Its usage.
    pub usage: Option<Amount>,
    /// When the launch failed.
    pub at: Moment,
}

impl Snapshot {
    /// Returns the rows with these numbers in place of the known ones.
    ///
    /// Where a quota has a limit in several containers, the lowest one is the one that a launch
    /// meets first. The usage of a row that `is_expired` is not known any more.
    #[must_use]
    pub fn with_learned<'a>(
        &self,
        learned: impl IntoIterator<Item = &'a LearnedNumbers>,
        is_expired: impl Fn(&Quota) -> bool,
    ) -> Self {
        let mut rows = self.quotas().to_vec();
        for numbers in learned {
            let of_quota = rows.iter_mut().filter(|row| row.key == numbers.quota);
            let tightest =
                of_quota.min_by_key(|row| (row.limit.known().is_none(), row.limit.known()));
            if let Some(row) = tightest {
                if is_expired(row) {
                    row.usage = Usage::Unknown;
                }
                numbers.lay_over(row);
            }
        }
        Self::new(rows)
    }
}

impl LearnedNumbers {
    fn lay_over(&self, row: &mut Quota) {
        if let Some(limit) = self.limit {
            row.limit = Limit::Known(limit);
            row.limit_source = LimitSource::Learned;
        }
        if let Some(amount) = self.usage {
            row.usage = Usage::Known {
                amount,
                as_of: Some(self.at.wall),
                range: None,
            };
        }
        row.observed_at = Some(self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, QuotaMarket, QuotaState, Scope, Unit};
    use jiff::{SignedDuration, Timestamp};

    fn row(container: Option<&str>, limit: Limit) -> Quota {
        Quota {
            key: QuotaKey::new("ec2", "L-1"),
            name: "One".into(),
            unit: Unit::Vcpu,
            market: QuotaMarket::OnDemand,
            scope: Scope::Region,
            container: container.map(|id| Container {
                kind: "project".into(),
                id: id.into(),
            }),
            limit,
            limit_source: LimitSource::Applied,
            usage: Usage::Unknown,
            adjustable: None,
            default: None,
            increase_url: None,
            increase_command: None,
            native: None,
            observed_at: None,
            state: QuotaState::Active,
        }
    }

    fn learned(limit: Option<u32>, usage: Option<u32>) -> LearnedNumbers {
        LearnedNumbers {
            quota: QuotaKey::new("ec2", "L-1"),
            limit: limit.map(Amount::from),
            usage: usage.map(Amount::from),
            at: Moment {
                wall: Timestamp::UNIX_EPOCH,
                since_start: SignedDuration::from_secs(5),
            },
        }
    }

    #[test]
    fn the_lowest_limit_is_the_one_that_a_launch_has_met() {
        let known = |limit: u32| Limit::Known(Amount::from(limit));
        let rows = [
            row(Some("a"), known(100)),
            row(Some("b"), Limit::Inherited),
            row(Some("c"), known(50)),
        ];
        let snapshot = Snapshot::new(rows.to_vec());
        let after = snapshot.with_learned(&[learned(Some(8), Some(7))], |_| false);
        let limits: Vec<_> = after.quotas().iter().map(|row| row.limit).collect();
        assert_eq!(limits, [known(100), Limit::Inherited, known(8)]);
        let met = &after.quotas()[2];
        assert_eq!(met.limit_source, LimitSource::Learned);
        assert_eq!(met.usage.known(), Some(Amount::from(7u32)));
        assert_eq!(met.observed_at, Some(learned(None, None).at));
    }

    #[test]
    fn a_number_that_was_not_stated_stays_as_it_was_read() {
        let limit = Limit::Known(Amount::from(9u32));
        let snapshot = Snapshot::new(vec![row(None, limit)]);
        let after = snapshot.with_learned(&[learned(None, Some(3))], |_| false);
        assert_eq!(after.quotas()[0].limit, limit);
        assert_eq!(after.quotas()[0].limit_source, LimitSource::Applied);
        let unchanged = Snapshot::new(vec![Quota {
            key: QuotaKey::new("ec2", "L-2"),
            ..row(None, limit)
        }]);
        assert_eq!(
            unchanged.with_learned(&[learned(Some(1), None)], |_| false),
            unchanged
        );
    }
}
