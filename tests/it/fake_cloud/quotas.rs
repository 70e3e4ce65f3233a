//! The fake cloud's rows as quotas and restrictions of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quota_oracle::clouds::RegionChoice;
use quota_oracle::model::{
    Limit, LimitSource, Market, Quota, QuotaKey, QuotaMarket, QuotaState, Region, Restriction,
    RestrictionKind, Scope, Snapshot, Unit, Usage,
};
use quota_oracle::upstream::Answer;
use serde::Deserialize;

/// The codes of the quotas that launches draw on.
pub(super) const VCPUS: &str = "vcpus";
pub(super) const GPUS: &str = "gpus";
pub(super) const SPOT_GPUS: &str = "spot_gpus";
pub(super) const GPUS_EVERYWHERE: &str = "gpus_all_regions";

/// A quota as the cloud spells it.
#[derive(Debug, Deserialize)]
pub(super) struct QuotaRow {
    code: String,
    /// Absent where the quota is one for the whole project.
    region: Option<Region>,
    limit: Option<u32>,
    usage: Option<u32>,
}

/// A type in a region, as the cloud spells it.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct TypeRow {
    name: Arc<str>,
    region: Region,
    /// Whether the project may rent it at all.
    open: bool,
    spot: bool,
    every_zone: bool,
}

impl QuotaRow {
    /// Whether the row answers a question about this quota in this region.
    pub(super) fn answers(&self, code: &str, region: &Region) -> bool {
        self.code == code && self.is_shown_in(region)
    }

    fn is_shown_in(&self, region: &Region) -> bool {
        self.region.as_ref().is_none_or(|own| own == region)
    }
}

/// Returns the key of a quota; the fake cloud has one service.
pub(super) fn key(code: &str) -> QuotaKey {
    QuotaKey::new("compute", code)
}

/// Returns the regions that the rows name and that are to be read.
pub(super) fn regions(rows: &[Answer<QuotaRow>], choice: &RegionChoice) -> BTreeSet<Region> {
    let named = rows.iter().filter_map(|row| row.value.region.clone());
    let is_chosen = |region: &Region| match choice {
        RegionChoice::Default | RegionChoice::All => true,
        RegionChoice::Listed(listed) => listed.contains(region),
    };
    named.filter(is_chosen).collect()
}

/// Returns the quotas that these regions show: their own and those of the whole project.
pub(super) fn shown_in<'a>(
    regions: &'a BTreeSet<Region>,
    rows: &'a [Answer<QuotaRow>],
) -> impl Iterator<Item = (Region, Quota)> + 'a {
    regions.iter().flat_map(move |region| {
        let shown = rows.iter().filter(|row| row.value.is_shown_in(region));
        shown.map(|row| (region.clone(), quota(row)))
    })
}

/// Returns the quotas by region.
pub(super) fn snapshots(
    quotas: impl IntoIterator<Item = (Region, Quota)>,
) -> BTreeMap<Region, Arc<Snapshot>> {
    let mut by_region = BTreeMap::<Region, Vec<Quota>>::new();
    for (region, quota) in quotas {
        by_region.entry(region).or_default().push(quota);
    }
    let by_region = by_region.into_iter();
    by_region
        .map(|(region, quotas)| (region, Arc::new(Snapshot::new(quotas))))
        .collect()
}

/// Converts a row, observed when its call was sent.
pub(super) fn quota(
    Answer {
        value: row,
        sent_at,
    }: &Answer<QuotaRow>,
) -> Quota {
    let limit = row.limit.map(|limit| Limit::Known(limit.into()));
    let usage = row.usage.map(|usage| Usage::Known {
        amount: usage.into(),
        as_of: None,
        range: None,
    });
    Quota {
        key: key(&row.code),
        name: row.code.replace('_', " ").into(),
        unit: match &*row.code {
            VCPUS => Unit::Vcpu,
            _ => Unit::Gpu,
        },
        market: match &*row.code {
            SPOT_GPUS => QuotaMarket::Spot,
            _ => QuotaMarket::Any,
        },
        scope: match row.region {
            Some(_) => Scope::Region,
            None => Scope::Global,
        },
        container: None,
        // A row without a value is unknown, which is not zero.
        limit: limit.unwrap_or(Limit::Unknown),
        limit_source: LimitSource::Applied,
        state: QuotaState::Active,
        usage: usage.unwrap_or(Usage::Unknown),
        adjustable: None,
        default: None,
        increase_url: None,
        increase_command: None,
        native: None,
        observed_at: Some(*sent_at),
    }
}

/// Returns the restrictions on types in these regions.
pub(super) fn restrictions(
    types: Option<&Vec<TypeRow>>,
    regions: &BTreeSet<Region>,
) -> BTreeMap<Region, Vec<Restriction>> {
    let mut restrictions = BTreeMap::<Region, Vec<Restriction>>::new();
    let rows = types.into_iter().flatten();
    for row in rows.filter(|row| regions.contains(&row.region)) {
        let (name, region) = (&row.name, &row.region);
        let mut restrict = |market, kind, reason: String| {
            let list = restrictions.entry(region.clone()).or_default();
            list.push(Restriction {
                instance_type: Arc::clone(name),
                market,
                kind,
                reason: reason.into(),
            });
        };
        if !row.open {
            let reason = format!("{name} is closed to this project in {region}");
            restrict(None, RestrictionKind::Subscription, reason);
        }
        if !row.spot {
            let reason = format!("{name} is not offered as spot in {region}");
            restrict(Some(Market::Spot), RestrictionKind::NotOffered, reason);
        }
        if !row.every_zone {
            let reason = format!("some zones of {region} have no {name}");
            restrict(None, RestrictionKind::Zones, reason);
        }
    }
    restrictions
}
