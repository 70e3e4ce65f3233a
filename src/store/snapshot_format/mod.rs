//! How a snapshot is written down: the format of the files, apart from the model.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    AccountId, Amount, Container, Failure, FailureKind, Incomplete, Limit, LimitSource, Native,
    Quota, QuotaKey, QuotaMarket, Reading, Region, Scope, Snapshot, Unit, UnitKey, Usage,
};
use crate::store::StoredSnapshot;

/// The version of the format; files of another version are ignored.
const FORMAT: u32 = 2;

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredReading {
    format: u32,
    backend: String,
    settings: String,
    unit: String,
    taken_at: Timestamp,
    account: Option<String>,
    gaps: Vec<StoredFailure>,
    regions: BTreeMap<String, Vec<StoredQuota>>,
}

#[derive(Serialize, Deserialize)]
struct StoredFailure {
    kind: String,
    detail: String,
    advice: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredQuota {
    service: Arc<str>,
    code: Arc<str>,
    name: Arc<str>,
    unit: String,
    market: String,
    scope: String,
    container: Option<(Arc<str>, Arc<str>)>,
    limit: StoredLimit,
    limit_source: String,
    usage: Option<f64>,
    usage_as_of: Option<Timestamp>,
    adjustable: Option<bool>,
    default: Option<f64>,
    increase_url: Option<Arc<str>>,
    native: Option<StoredNative>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredLimit {
    Known(f64),
    Unlimited,
    Inherited,
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct StoredNative {
    unit_size: f64,
    members: BTreeMap<String, String>,
}

/// A decoded snapshot, and the fingerprint of the settings by which it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decoded {
    pub(super) snapshot: StoredSnapshot,
    pub(super) fingerprint: String,
}

/// The bytes of a snapshot's file.
pub(super) fn encode(snapshot: &StoredSnapshot, fingerprint: &str) -> io::Result<Vec<u8>> {
    let StoredSnapshot { key, reading, .. } = snapshot;
    let stored = StoredReading {
        format: FORMAT,
        backend: key.backend.to_string(),
        settings: fingerprint.to_owned(),
        unit: key.unit.to_string(),
        taken_at: snapshot.taken_at,
        account: reading.account.as_ref().map(ToString::to_string),
        gaps: reading.gaps.iter().map(store_failure).collect(),
        regions: reading
            .regions
            .iter()
            .map(|(region, snapshot)| {
                let quotas = snapshot.quotas().iter().map(store_quota).collect();
                (region.to_string(), quotas)
            })
            .collect(),
    };
    serde_json::to_vec(&stored).map_err(io::Error::other)
}

/// What a snapshot's file says, or why it says nothing.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let say = |error: serde_json::Error| error.to_string();
    let Version { format } = serde_json::from_slice(bytes).map_err(say)?;
    if format != FORMAT {
        return Err(format!(
            "its format is {format}, this version reads {FORMAT}"
        ));
    }
    let stored: StoredReading = serde_json::from_slice(bytes).map_err(say)?;
    let mut regions = BTreeMap::new();
    for (region, quotas) in stored.regions {
        let quotas: Option<Vec<_>> = quotas.into_iter().map(recall_quota).collect();
        let quotas = quotas.ok_or_else(|| format!("a quota of {region} makes no sense"))?;
        regions.insert(Region::new(region), Arc::new(Snapshot::new(quotas)));
    }
    let gaps: Option<Vec<_>> = stored.gaps.into_iter().map(recall_failure).collect();
    let key = UnitKey {
        backend: stored.backend.as_str().into(),
        unit: stored.unit.as_str().into(),
    };
    let reading = Reading {
        account: stored.account.map(AccountId::new),
        regions,
        // What there was room for before a restart says nothing about now.
        capacity: BTreeMap::new(),
        restrictions: BTreeMap::new(),
        gaps: gaps.ok_or("a gap makes no sense")?,
        // What was to be kept was kept before it was stored.
        incomplete: Incomplete::default(),
    };
    Ok(Decoded {
        snapshot: StoredSnapshot {
            key,
            reading: Arc::new(reading),
            taken_at: stored.taken_at,
        },
        fingerprint: stored.settings,
    })
}

fn store_failure(failure: &Failure) -> StoredFailure {
    StoredFailure {
        kind: failure.kind.as_str().to_owned(),
        detail: failure.detail.clone(),
        advice: failure.hint.clone(),
    }
}

fn recall_failure(stored: StoredFailure) -> Option<Failure> {
    let mut failure = Failure::new(FailureKind::parse(&stored.kind)?, stored.detail);
    failure.hint = stored.advice;
    Some(failure)
}

fn store_quota(quota: &Quota) -> StoredQuota {
    let (usage, usage_as_of) = match quota.usage {
        Usage::Known { amount, as_of } => (Some(amount.get()), as_of),
        Usage::Unknown => (None, None),
    };
    StoredQuota {
        service: Arc::clone(&quota.key.service),
        code: Arc::clone(&quota.key.code),
        name: Arc::clone(&quota.name),
        unit: quota.unit.as_str().to_owned(),
        market: quota.market.as_str().to_owned(),
        scope: quota.scope.as_str().to_owned(),
        container: quota
            .container
            .as_ref()
            .map(|c| (Arc::clone(&c.kind), Arc::clone(&c.id))),
        limit: match quota.limit {
            Limit::Known(amount) => StoredLimit::Known(amount.get()),
            Limit::Unlimited => StoredLimit::Unlimited,
            Limit::Inherited => StoredLimit::Inherited,
            Limit::Unknown => StoredLimit::Unknown,
        },
        limit_source: quota.limit_source.as_str().to_owned(),
        usage,
        usage_as_of,
        adjustable: quota.adjustable,
        default: quota.default.map(Amount::get),
        increase_url: quota.increase_url.clone(),
        native: quota.native.as_ref().map(|native| StoredNative {
            unit_size: native.unit_size,
            members: native.members.clone(),
        }),
    }
}

fn recall_quota(stored: StoredQuota) -> Option<Quota> {
    Some(Quota {
        observed_at: None,
        key: QuotaKey::new(stored.service, stored.code),
        name: stored.name,
        unit: Unit::parse(&stored.unit)?,
        market: QuotaMarket::parse(&stored.market)?,
        scope: Scope::parse(&stored.scope)?,
        container: stored.container.map(|(kind, id)| Container { kind, id }),
        limit: match stored.limit {
            StoredLimit::Known(amount) => Limit::Known(Amount::new(amount)?),
            StoredLimit::Unlimited => Limit::Unlimited,
            StoredLimit::Inherited => Limit::Inherited,
            StoredLimit::Unknown => Limit::Unknown,
        },
        limit_source: LimitSource::parse(&stored.limit_source)?,
        usage: match stored.usage {
            Some(amount) => Usage::Known {
                amount: Amount::new(amount)?,
                as_of: stored.usage_as_of,
            },
            None => Usage::Unknown,
        },
        adjustable: stored.adjustable,
        default: match stored.default {
            Some(amount) => Some(Amount::new(amount)?),
            None => None,
        },
        increase_url: stored.increase_url,
        native: stored.native.map(|native| {
            Arc::new(Native {
                unit_size: native.unit_size,
                members: native.members,
            })
        }),
    })
}

#[cfg(test)]
mod tests;
