//! The leases of one backend, and what they hold together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::SignedDuration;

use super::holders::Holders;
use super::{Commitment, Hold, Lease, LeaseId, QuotaPlace, shown_until};
use crate::model::{Amount, Leased, Moment, Quota, Region, Snapshot};

/// The leases of one backend.
///
/// The held amounts are right once the clock was heeded ([`Ledger::pass`]).
#[derive(Debug, Default)]
pub struct Ledger {
    leases: HashMap<LeaseId, Lease>,
    holders: HashMap<QuotaPlace, Holders>,
    committed: HashSet<LeaseId>,
    /// When the clock alone changes what is held: leases end, and launches are shown.
    due: BTreeSet<(SignedDuration, LeaseId)>,
    /// How many leases each region has.
    in_region: BTreeMap<Region, usize>,
    /// How many hold a quota that is one for all regions.
    global: usize,
}

/// The leases that the clock has changed.
#[derive(Debug, Default)]
pub struct Passed {
    /// Those that have ended, as they were.
    pub ended: Vec<Lease>,
    /// Those whose launches count no longer where usage is unknown.
    pub shown: Vec<LeaseId>,
}

impl Ledger {
    /// Returns a lease.
    pub fn get(&self, id: &LeaseId) -> Option<&Lease> {
        self.leases.get(id)
    }

    /// Returns all leases, in no order.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// Returns how many leases there are.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Whether any lease concerns the region.
    pub fn concerns(&self, region: &Region) -> bool {
        self.global > 0 || self.in_region.contains_key(region)
    }

    /// Adds a lease, in place of the one of the same identity.
    pub fn insert(&mut self, lease: Lease) {
        self.remove(&lease.id);
        *self.in_region.entry(lease.region.clone()).or_default() += 1;
        self.global += usize::from(lease.is_global());
        self.due
            .insert((lease.expires_at.since_start, lease.id.clone()));
        if let Some(commitment) = lease.commitment {
            self.committed.insert(lease.id.clone());
            self.due
                .insert((commitment.shown_from.since_start, lease.id.clone()));
        }
        for Hold { place, amount } in &lease.holds {
            let holders = self.holders.entry(place.clone()).or_default();
            match lease.commitment {
                None => holders.hold(*amount),
                Some(Commitment { shown_from, .. }) => {
                    holders.commit(lease.id.clone(), shown_from.since_start, *amount);
                }
            }
        }
        self.leases.insert(lease.id.clone(), lease);
    }

    /// Removes a lease, which holds nothing from then on.
    pub fn remove(&mut self, id: &LeaseId) -> Option<Lease> {
        let lease = self.leases.remove(id)?;
        if let Some(count) = self.in_region.get_mut(&lease.region) {
            *count -= 1;
            if *count == 0 {
                self.in_region.remove(&lease.region);
            }
        }
        self.global -= usize::from(lease.is_global());
        self.committed.remove(id);
        self.due.remove(&(lease.expires_at.since_start, id.clone()));
        if let Some(Commitment { shown_from, .. }) = lease.commitment {
            self.due.remove(&(shown_from.since_start, id.clone()));
        }
        for Hold { place, amount } in &lease.holds {
            let Some(holders) = self.holders.get_mut(place) else {
                continue;
            };
            match lease.commitment {
                None => holders.let_go(*amount),
                Some(Commitment { shown_from, .. }) => {
                    holders.forget(id.clone(), shown_from.since_start);
                }
            }
            if holders.is_empty() {
                self.holders.remove(place);
            }
        }
        Some(lease)
    }

    /// Notes that the launch has happened; see [`Lease::committed`].
    pub fn commit(&mut self, id: &LeaseId, commitment: Commitment, ends_at: Moment) {
        if let Some(lease) = self.leases.get(id) {
            self.insert(lease.committed(commitment, ends_at));
        }
    }

    /// Lets a lease end at another moment; see [`Lease::renewed`].
    pub fn renew(&mut self, id: &LeaseId, expires_at: Moment) {
        if let Some(lease) = self.leases.get(id) {
            self.insert(lease.renewed(expires_at));
        }
    }

    /// Lets the clock pass until `now`: what has expired ends.
    pub fn pass(&mut self, now: Moment) -> Passed {
        let mut passed = Passed::default();
        while let Some((due, id)) = self.due.first()
            && *due <= now.since_start
        {
            let id = id.clone();
            let has_ended = |lease: &Lease| {
                let is_over = !now.is_before(lease.expires_at);
                is_over || (lease.commitment.is_some() && lease.holds.is_empty())
            };
            if self.leases.get(&id).is_some_and(has_ended) {
                passed.ended.extend(self.remove(&id));
            } else {
                self.due.pop_first();
                passed.shown.push(id);
            }
        }
        passed
    }

    /// Returns when the clock alone changes what is held.
    pub fn next_change(&self) -> Option<SignedDuration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Ends the committed leases of which every quota shows the launch; `shown_until` tells until
    /// when launches are certain in what a quota's row states, if that is known.
    pub fn settle(&mut self, shown_until: impl Fn(&QuotaPlace) -> Option<Moment>) -> Vec<Lease> {
        let shown = self.shown(shown_until);
        shown.iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Returns the committed leases of which every quota shows the launch.
    pub fn shown(&self, shown_until: impl Fn(&QuotaPlace) -> Option<Moment>) -> Vec<LeaseId> {
        let is_shown = |id: &&LeaseId| {
            let lease = &self.leases[*id];
            let shown_from = lease.commitment.map(|commitment| commitment.shown_from);
            !lease.holds.is_empty()
                && lease.holds.iter().all(|hold| {
                    let until = shown_until(&hold.place);
                    until
                        .zip(shown_from)
                        .is_some_and(|(until, from)| !until.is_before(from))
                })
        };
        self.committed.iter().filter(is_shown).cloned().collect()
    }

    /// Whether any launch has happened and is not known to be shown yet.
    pub fn has_committed(&self) -> bool {
        !self.committed.is_empty()
    }

    /// Returns how much counts of the rows that a region shows, beside the usage that they state;
    /// the lease `except` is left out.
    pub fn leased(
        &self,
        region: &Region,
        rows: &Snapshot,
        observed_at: impl Fn(&Quota) -> Option<Moment>,
        now: Moment,
        except: Option<&LeaseId>,
    ) -> Leased {
        let mut leased = Leased::NOTHING;
        if self.concerns(region) {
            for row in rows.quotas() {
                let place = QuotaPlace::of(row, region);
                let shown_until = shown_until(row, observed_at(row), now);
                leased.add(row, self.counted(&place, shown_until, except));
            }
        }
        leased
    }

    /// Returns how much counts of a quota beside a usage in which launches are certain until
    /// `shown_until`; the lease `except` is left out.
    pub fn counted(
        &self,
        place: &QuotaPlace,
        shown_until: Moment,
        except: Option<&LeaseId>,
    ) -> Amount {
        let Some(holders) = self.holders.get(place) else {
            return Amount::ZERO;
        };
        let all = holders.counted(shown_until.since_start);
        let own = except.and_then(|id| self.leases.get(id));
        let own = own.filter(|lease| match lease.commitment {
            None => true,
            Some(Commitment { shown_from, .. }) => shown_until.is_before(shown_from),
        });
        let own = own.into_iter().flat_map(|lease| &lease.holds);
        let own = own
            .filter(|hold| hold.place == *place)
            .map(|hold| hold.amount);
        all.saturating_sub(own.sum())
    }

    /// Returns how much is held of each quota, committed launches included whether or not usage
    /// shows them.
    pub fn held(&self) -> impl Iterator<Item = (&QuotaPlace, Amount)> {
        let places = self.holders.iter();
        places.map(|(place, holders)| (place, holders.counted(SignedDuration::MIN)))
    }
}
