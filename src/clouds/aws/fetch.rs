//! Reading the limits of a region: one call per wanted quota, or a listing of a whole service.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, try_join, try_join_all};

use crate::model::{Failure, FailureKind, LimitSource, Quota, QuotaKey, Region, Snapshot};
use crate::source::CallContext;
use crate::upstream::Upstream;

use super::client::RegionClient;
use super::demand::GP3_STORAGE;
use super::operations::{GET_SERVICE_QUOTA, LIST_SERVICE_QUOTAS};
use super::pages::{Next, Pages, incomplete};
use super::quotas;
use super::service_and_code::ServiceAndCode;
use super::settings::{MoreQuotas, Settings};
use super::vcpu_quotas::{EC2, VCPU_QUOTAS};

/// EC2's elastic IP addresses, and EBS's storage for gp3 volumes: besides vCPUs the two that a
/// launch meets first.
const ALSO_READ: [(&str, &str); 2] = [(EC2, "L-0263D0A3"), GP3_STORAGE];

/// EC2 has well over a thousand quotas, a dozen pages; anything far beyond is a loop.
const MOST_PAGES: usize = 100;

/// What a listing is expected to take: EC2's dozen and some more.
const EXPECTED_PAGES: u32 = 20;

/// Which quotas a backend reads.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// What verdicts rest on: without them a region is not read.
    needed: BTreeSet<QuotaKey>,
    /// What comes along where it can.
    optional: BTreeSet<QuotaKey>,
    /// The services of which everything comes along.
    listed: BTreeSet<String>,
}

/// What was read of a region's limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) rows: BTreeMap<QuotaKey, Quota>,
    pub(super) gaps: Vec<Failure>,
}

impl Wanted {
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

    /// What is known of what is wanted of a region before it is read.
    pub(super) fn placeholder_quotas(&self, region: &Region) -> Snapshot {
        let keys = self.needed.iter().chain(&self.optional);
        Snapshot::new(
            keys.map(|key| quotas::placeholder_quotas(key, region))
                .collect(),
        )
    }

    /// One quota that every account has, to try credentials with.
    pub(super) fn sample() -> QuotaKey {
        QuotaKey::new(EC2, VCPU_QUOTAS[0].code)
    }

    /// How long reading all of it takes within the rate, when nothing goes wrong.
    pub(super) fn estimated_duration(&self, upstream: &Upstream) -> Duration {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let singles = count(self.needed.len() + self.optional.len());
        let pages = count(self.listed.len()).saturating_mul(EXPECTED_PAGES);
        upstream
            .estimated_duration(&GET_SERVICE_QUOTA, singles)
            .saturating_add(upstream.estimated_duration(&LIST_SERVICE_QUOTAS, pages))
    }
}

/// Reads what is wanted of a region.
pub(super) async fn read(
    client: &RegionClient,
    wanted: &Wanted,
    context: &CallContext,
) -> Result<Limits, Failure> {
    // What a listing brings is not asked for again one by one.
    let unlisted = |key: &QuotaKey| !wanted.listed.contains(&*key.service);
    let singles = one_by_one(client, wanted, unlisted, context);
    let listings = wanted
        .listed
        .iter()
        .map(|service| list(client, service, context));
    let (mut limits, listings) = try_join(singles, join_all(listings).map(Ok)).await?;

    let mut incomplete = BTreeSet::new();
    for (service, listing) in wanted.listed.iter().zip(listings) {
        match listing {
            Ok(part) => {
                if !part.gaps.is_empty() {
                    incomplete.insert(&**service);
                }
                limits.add(part);
            }
            Err(failure) => {
                incomplete.insert(&**service);
                limits.gaps.push(not_listed(service, failure));
            }
        }
    }
    let not_seen =
        |key: &QuotaKey| incomplete.contains(&*key.service) && !limits.rows.contains_key(key);
    let seen_now = one_by_one(client, wanted, not_seen, context).await?;
    limits.add(seen_now);

    // A listing that is whole leaves out what has no applied value.
    let all = wanted.needed.iter().chain(&wanted.optional);
    let left_out: Vec<_> = all
        .filter(|key| {
            !unlisted(key) && !incomplete.contains(&*key.service) && !limits.rows.contains_key(*key)
        })
        .collect();
    let published = left_out.iter().map(|key| published(client, key, context));
    for part in join_all(published).await {
        limits.add(part);
    }
    limits
        .gaps
        .extend(quotas::transient_row_errors(limits.rows.values()));
    Ok(limits)
}

/// Those of the wanted quotas that `which` says, one call each.
async fn one_by_one(
    client: &RegionClient,
    wanted: &Wanted,
    which: impl Fn(&QuotaKey) -> bool,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let needed = wanted.needed.iter().filter(|key| which(key));
    let needed = try_join_all(needed.map(|key| single(client, key, context)));
    let optional = wanted.optional.iter().filter(|key| which(key));
    let optional = join_all(optional.map(async |key| {
        let read = single(client, key, context).await;
        read.unwrap_or_else(|failure| {
            let detail = format!("{key} was not read: {}", failure.detail);
            Limits::missing(Failure { detail, ..failure })
        })
    }));
    let (needed, optional) = try_join(needed, optional.map(Ok)).await?;
    let mut limits = Limits::default();
    for part in needed.into_iter().chain(optional) {
        limits.add(part);
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
            let quota = quotas::quota(&answer, LimitSource::Applied, client.region())?;
            Ok(Limits::of(quota))
        }
        None => Ok(published(client, key, context).await),
    }
}

/// What AWS publishes for new accounts, in place of an applied value that it does not keep.
///
/// The default is a courtesy, on which no verdict rests: without it the quota stays unknown.
async fn published(client: &RegionClient, key: &QuotaKey, context: &CallContext) -> Limits {
    let answer = client.published(&key.service, &key.code, context).await;
    let quota = answer.and_then(|answer| match answer {
        Some(answer) => quotas::quota(&answer, LimitSource::Default, client.region()),
        None => Err(Failure::new(
            FailureKind::NotFound,
            format!("AWS knows no quota {key} in {}", client.region()),
        )),
    });
    quota.map_or_else(Limits::missing, Limits::of)
}

async fn list(
    client: &RegionClient,
    service: &str,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    let mut pages = Pages::at_most(MOST_PAGES);
    let mut token = None;
    loop {
        let page = client.list(service, token.take(), context).await?;
        let before = limits.rows.len();
        for answer in page.quotas() {
            let quota = quotas::quota(answer, LimitSource::Applied, client.region())?;
            limits.rows.insert(quota.key.clone(), quota);
        }
        match pages.after(page.next_token, limits.rows.len() > before) {
            Next::Page(next) => token = Some(next),
            Next::End => return Ok(limits),
            Next::Loop => {
                let what = format!("the listing of {service}");
                limits.gaps.push(incomplete(&what));
                return Ok(limits);
            }
        }
    }
}

fn not_listed(service: &str, failure: Failure) -> Failure {
    let hint = match failure.kind {
        FailureKind::NotFound => Some(format!(
            "correct `{service}/all` in `quotas`, or leave it out where AWS does not offer it"
        )),
        _ => failure.hint,
    };
    Failure {
        detail: format!(
            "the quotas of {service} were not listed: {}",
            failure.detail
        ),
        hint,
        ..failure
    }
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

    fn add(&mut self, part: Self) {
        self.rows.extend(part.rows);
        self.gaps.extend(part.gaps);
    }
}
