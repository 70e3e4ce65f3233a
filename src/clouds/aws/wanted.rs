//! The quotas that a backend reads, by its settings.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{QuotaKey, Region, Snapshot};
use crate::upstream::Upstream;

use super::known_codes::{ELASTIC_IPS, GP3_STORAGE};
use super::operations::{GET_SERVICE_QUOTA, LIST_SERVICE_QUOTAS};
use super::quotas;
use super::service_and_code::ServiceAndCode;
use super::settings::{MoreQuotas, Settings};
use super::vcpu_quotas::{EC2, VCPU_QUOTAS};

/// EC2's elastic IP addresses, and EBS's storage for gp3 volumes: besides vCPUs the two that a
/// launch meets first.
const ALSO_READ: [(&str, &str); 2] = [ELASTIC_IPS, GP3_STORAGE];

/// The expected pages of a listing: EC2's dozen and some more.
const EXPECTED_PAGES: u32 = 20;

/// The quotas that a backend reads.
#[derive(Clone, Debug)]
pub(super) struct WantedQuotas {
    /// The quotas that verdicts rest on; a region without them is not read.
    pub(super) needed: BTreeSet<QuotaKey>,
    /// The quotas whose failure leaves a gap.
    pub(super) optional: BTreeSet<QuotaKey>,
    /// The services that are listed whole.
    pub(super) listed: BTreeSet<String>,
}

impl WantedQuotas {
    /// The vCPU quotas; besides them elastic IPs, gp3 storage, what the operator asks for, and what
    /// the operator says that launches draw on.
    pub(super) fn new(settings: &Settings) -> Self {
        let needed: BTreeSet<_> = VCPU_QUOTAS
            .iter()
            .map(|quota| QuotaKey::new(EC2, quota.code))
            .collect();
        let mut optional: BTreeSet<_> = ALSO_READ
            .map(|(service, code)| QuotaKey::new(service, code))
            .into_iter()
            .chain(settings.quota_overrides.quotas().cloned())
            .collect();
        let mut listed = BTreeSet::new();
        match &settings.quotas {
            MoreQuotas::All => {
                listed.extend([EC2, GP3_STORAGE.0].map(str::to_owned));
            }
            MoreQuotas::Listed(quotas) => {
                for ServiceAndCode { service, code } in quotas {
                    match code {
                        Some(code) => {
                            optional.insert(QuotaKey::new(service.as_str(), code.as_str()));
                        }
                        None => {
                            listed.insert(service.clone());
                        }
                    }
                }
            }
        }
        optional.retain(|key| !needed.contains(key));
        Self {
            needed,
            optional,
            listed,
        }
    }

    /// Whether a full read asks for this quota.
    pub(super) fn includes(&self, key: &QuotaKey) -> bool {
        self.needed.contains(key)
            || self.optional.contains(key)
            || self.listed.contains(&*key.service)
    }

    /// Returns the quotas of a region as they are known before it is read.
    pub(super) fn placeholder_quotas(&self, region: &Region) -> Snapshot {
        let keys = self.needed.iter().chain(&self.optional);
        Snapshot::new(
            keys.map(|key| quotas::placeholder_quotas(key, region))
                .collect(),
        )
    }

    /// Returns a quota that every account has, to try credentials with.
    pub(super) fn sample() -> QuotaKey {
        QuotaKey::new(EC2, VCPU_QUOTAS[0].code)
    }

    /// Returns how long reading all of it takes within the rate, when nothing goes wrong.
    pub(super) fn estimated_duration(&self, upstream: &Upstream) -> Duration {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let singles = count(self.needed.len() + self.optional.len());
        let pages = count(self.listed.len()).saturating_mul(EXPECTED_PAGES);
        upstream
            .estimated_duration(&GET_SERVICE_QUOTA, singles)
            .saturating_add(upstream.estimated_duration(&LIST_SERVICE_QUOTAS, pages))
    }
}
