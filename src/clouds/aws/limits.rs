//! Reading the limits of a region: one call per wanted quota, or a listing of a whole service.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use crate::model::{CallContext, Failure, FailureKind, LimitSource, Quota, QuotaKey};

use super::client::RegionClient;
use super::row;
use super::settings::{MoreQuotas, ServiceAndCode, Settings};
use super::vcpu_quotas::VCPU_QUOTAS;

/// EC2's elastic IP addresses, and EBS's storage for gp3 volumes: besides vCPUs the two that a
/// launch meets first.
const ALSO_READ: [(&str, &str); 2] = [("ec2", "L-0263D0A3"), ("ebs", "L-7A658B76")];

/// EC2 has well over a thousand quotas, a dozen pages; anything far beyond is a loop.
const MOST_PAGES: usize = 100;

/// Some services go on handing out tokens after their last row; two pages without a new row end
/// the listing, one does not, since an empty page in between is legal.
const BARREN_PAGES: usize = 2;

/// Which quotas a backend reads.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    single: BTreeSet<QuotaKey>,
    listed: BTreeSet<String>,
}

/// What was read of a region's limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) rows: BTreeMap<QuotaKey, Quota>,
    pub(super) gaps: Vec<Failure>,
}

impl Wanted {
    /// The vCPU quotas, elastic IPs, gp3 storage, what the operator asks for besides, and what the
    /// operator says that launches draw on.
    pub(super) fn new(settings: &Settings) -> Self {
        let vcpu = VCPU_QUOTAS.iter().map(|quota| ("ec2", quota.code));
        let mut wanted = Self {
            single: vcpu
                .chain(ALSO_READ)
                .map(|(service, code)| QuotaKey::new(service, code))
                .chain(settings.quota_overrides.quotas().cloned())
                .collect(),
            listed: BTreeSet::new(),
        };
        match &settings.quotas {
            MoreQuotas::All => {
                wanted.listed.extend(["ec2".to_owned(), "ebs".to_owned()]);
            }
            MoreQuotas::Listed(quotas) => {
                for ServiceAndCode { service, code } in quotas {
                    match code {
                        Some(code) => {
                            let key = QuotaKey::new(service.as_str(), code.as_str());
                            wanted.single.insert(key);
                        }
                        None => {
                            wanted.listed.insert(service.clone());
                        }
                    }
                }
            }
        }
        wanted
    }

    /// One quota that every account has, to try credentials with.
    pub(super) fn sample() -> QuotaKey {
        QuotaKey::new("ec2", VCPU_QUOTAS[0].code)
    }
}

/// Reads what is wanted of a region.
pub(super) async fn read(
    client: &RegionClient,
    wanted: &Wanted,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let listings = wanted
        .listed
        .iter()
        .map(|service| list(client, service, context));
    // What a listing brings is not asked for again one by one.
    let singles = wanted
        .single
        .iter()
        .filter(|key| !wanted.listed.contains(&*key.service))
        .map(|key| single(client, key, context));
    let (listings, singles) = try_join(try_join_all(listings), try_join_all(singles)).await?;

    let mut limits = Limits::default();
    for part in listings.into_iter().chain(singles) {
        limits.rows.extend(part.rows);
        limits.gaps.extend(part.gaps);
    }
    // A listing leaves out what has no applied value.
    let left_out: Vec<&QuotaKey> = wanted
        .single
        .iter()
        .filter(|key| wanted.listed.contains(&*key.service) && !limits.rows.contains_key(*key))
        .collect();
    let published = left_out
        .into_iter()
        .map(|key| published(client, key, context));
    for part in try_join_all(published).await? {
        limits.rows.extend(part.rows);
        limits.gaps.extend(part.gaps);
    }
    Ok(limits)
}

async fn single(
    client: &RegionClient,
    key: &QuotaKey,
    context: &CallContext,
) -> Result<Limits, Failure> {
    match client.applied(&key.service, &key.code, context).await? {
        Some(answer) => {
            let quota = row::quota(&answer, LimitSource::Applied, client.region())?;
            Ok(Limits::of(quota))
        }
        None => published(client, key, context).await,
    }
}

/// What AWS publishes for new accounts, in place of an applied value that it does not keep.
async fn published(
    client: &RegionClient,
    key: &QuotaKey,
    context: &CallContext,
) -> Result<Limits, Failure> {
    match client.published(&key.service, &key.code, context).await {
        Ok(Some(answer)) => {
            let quota = row::quota(&answer, LimitSource::Default, client.region())?;
            Ok(Limits::of(quota))
        }
        Ok(None) => Ok(Limits::missing(Failure::new(
            FailureKind::NotFound,
            format!("AWS knows no quota {key} in {}", client.region()),
        ))),
        // The default is a courtesy: without the permission for it the quota stays unknown.
        Err(failure) if failure.kind == FailureKind::Denied => Ok(Limits::missing(failure)),
        Err(failure) => Err(failure),
    }
}

async fn list(
    client: &RegionClient,
    service: &str,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    let mut token: Option<String> = None;
    let mut seen = BTreeSet::new();
    let mut barren = 0;
    for _ in 0..MOST_PAGES {
        let page = client.list(service, token.take(), context).await?;
        let before = limits.rows.len();
        for answer in page.quotas() {
            let quota = row::quota(answer, LimitSource::Applied, client.region())?;
            limits.rows.insert(quota.key.clone(), quota);
        }
        barren = if limits.rows.len() == before {
            barren + 1
        } else {
            0
        };
        match page.next_token {
            None => return Ok(limits),
            Some(next) if barren < BARREN_PAGES && seen.insert(next.clone()) => token = Some(next),
            Some(_) => break,
        }
    }
    limits.gaps.push(Failure::new(
        FailureKind::Malformed,
        format!("the listing of {service} did not end properly and may be incomplete"),
    ));
    Ok(limits)
}

impl Limits {
    fn of(quota: Quota) -> Self {
        Self {
            rows: BTreeMap::from([(quota.key.clone(), quota)]),
            gaps: Vec::new(),
        }
    }

    fn missing(gap: Failure) -> Self {
        Self {
            rows: BTreeMap::new(),
            gaps: vec![gap],
        }
    }
}
