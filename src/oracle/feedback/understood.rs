//! From the words of a report to the launch, and to the quota of the backend that it met.

use std::sync::Arc;

use crate::feedback::{Meaning, NamedQuota, classify};
use crate::model::{Demand, Market, QuotaKey, Region, Snapshot};
use crate::oracle::backend::BackendState;
use crate::oracle::offers::{CustomOffer, Launch};
use crate::oracle::state::OracleState;
use crate::oracle::unit::UnitState;
use crate::oracle::view::RegionView;

use super::report::LaunchReport;

/// A launch of a report, in a region that the backend has.
pub(super) struct Launched<'a> {
    pub(super) unit: &'a Arc<UnitState>,
    pub(super) region: Region,
    pub(super) view: RegionView,
    /// The type, named as the catalog does.
    pub(super) instance_type: Arc<str>,
    pub(super) market: Market,
    /// The quotas that one instance draws on.
    pub(super) demand: Demand,
}

impl<'a> Launched<'a> {
    /// The launch of a report, at this place and of this type in the place of its own.
    pub(super) fn new(
        oracle: &'a OracleState,
        backend: &'a BackendState,
        report: &LaunchReport<'_>,
        (region, instance_type, market): (&str, &str, Market),
    ) -> Option<Self> {
        let offer = CustomOffer {
            backend: report.backend,
            region,
            instance_type,
            market,
            cpus: None,
            memory_gb: None,
            gpu: report.gpu,
            disk_gb: None,
            public_ip: false,
        };
        let launch = Launch::new(oracle, backend, &offer, report.count).ok()?;
        let view = launch.view();
        Some(Self {
            demand: launch.demand(&view),
            unit: launch.unit,
            region: launch.region,
            view,
            instance_type: launch.instance.instance_type,
            market,
        })
    }

    /// The launch as the report has it.
    pub(super) fn of(
        oracle: &'a OracleState,
        backend: &'a BackendState,
        report: &LaunchReport<'_>,
    ) -> Option<Self> {
        let error = &report.error;
        let instance_type = error.instance_type.unwrap_or_default();
        let place = (error.region?, instance_type, error.market);
        Self::new(oracle, backend, report, place)
    }

    /// Returns the rows of the region, or their names where it was never read.
    pub(super) fn rows(&self) -> Arc<Snapshot> {
        self.view.rows_or_names()
    }

    fn name_of(&self, key: &QuotaKey) -> String {
        let rows = self.rows();
        let row = rows.quotas().iter().find(|row| row.key == *key);
        row.map_or(&*key.code, |row| &*row.name).to_owned()
    }

    /// Finds the quota that an error names: by code, or by the name as the cloud spells it.
    fn find(&self, named: &NamedQuota) -> Option<QuotaKey> {
        let plain = |text: &str| {
            let letters = text.chars().filter(|c| !c.is_whitespace());
            letters.flat_map(char::to_lowercase).collect::<String>()
        };
        let wanted = plain(named.code.as_deref().unwrap_or(&named.name));
        let is_named = |key: &QuotaKey| plain(&key.code) == wanted;
        // A cloud may name a whole group of quotas, of which a launch draws on one.
        let is_of_group = |key: &QuotaKey| plain(&key.code).starts_with(&format!("{wanted}/"));
        let drawn = self.demand.draws.iter().map(|draw| &draw.quota);
        let mut drawn = drawn.filter(|key| is_named(key) || is_of_group(key));
        let rows = self.rows();
        let known = rows.quotas().iter().map(|row| &row.key);
        let mut known = known.filter(|key| is_named(key));
        drawn.next().or_else(|| known.next()).cloned()
    }
}

/// An error with the quota of the backend that it is about.
pub(super) struct Understood {
    pub(super) meaning: Meaning,
    /// The quota, where the backend has it.
    pub(super) quota: Option<QuotaKey>,
}

impl Understood {
    /// The error of a report on this launch, if the backend has its region.
    pub(super) fn new(
        oracle: &OracleState,
        backend: &BackendState,
        report: &LaunchReport<'_>,
        launched: Option<&Launched<'_>>,
    ) -> Self {
        let launch_quota = oracle.settings.launch_quota;
        let kind = backend.backend.kind.as_str();
        let region = report.error.region.unwrap_or_default();
        let named = |instance_type: &str, market: Market| {
            let place = (region, instance_type, market);
            let launched = Launched::new(oracle, backend, report, place);
            let of_backend = launched.and_then(|launched| {
                let key = &launched.demand.draws.first()?.quota;
                Some(NamedQuota::coded(&*key.code, launched.name_of(key)))
            });
            of_backend.or_else(|| {
                let (code, name) = launch_quota(kind, instance_type, market)?;
                Some(NamedQuota::coded(code, name))
            })
        };
        let mut meaning = classify(kind, &report.error, &named);
        let quota = launched.zip(meaning.quota.as_ref());
        let quota = quota.and_then(|(launched, quota)| launched.find(quota));
        if let (Some(key), Some(named)) = (&quota, &mut meaning.quota) {
            named.code = Some(key.code.to_string());
        }
        Self { meaning, quota }
    }
}
