//! Reading the limits of a region: one call per wanted quota, or a listing of a whole service.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_servicequotas::types::ServiceQuota;
use futures_util::FutureExt;
use futures_util::future::{join_all, try_join, try_join_all};

use crate::clouds::kit::Sent;
use crate::clouds::kit::pages::{Next, Pages, incomplete};
use crate::model::{Failure, FailureKind, LimitSource, Quota, QuotaKey, Region};
use crate::source::CallContext;

use super::client::RegionClient;
use super::quotas;
use super::verified::{FullRead, Verified};
use super::wanted::WantedQuotas;

/// EC2 has well over a thousand quotas, a dozen pages; anything far beyond is a loop.
const MOST_PAGES: usize = 100;

/// The limits that were read of a region.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) rows: BTreeMap<QuotaKey, Quota>,
    pub(super) gaps: Vec<Failure>,
}

/// Reads all that is wanted of a region, but for what is verified meanwhile.
pub(super) async fn read(
    client: &RegionClient,
    wanted: &WantedQuotas,
    verified: &Verified,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let full_read = verified.full_read();
    let full_read = &full_read;
    // What a listing brings is not asked for again one by one.
    let unlisted = |key: &QuotaKey| !wanted.listed.contains(&*key.service);
    let singles = one_by_one(client, wanted, unlisted, full_read, context);
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
    let seen_now = one_by_one(client, wanted, not_seen, full_read, context).await?;
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

/// Reads these quotas alone, one call each; fails if none of them could be read.
pub(super) async fn read_only(
    client: &RegionClient,
    keys: &BTreeSet<QuotaKey>,
    verified: &Verified,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    let mut first_failure = None;
    let single = async |key| {
        let answer = verified.verify(client, key, context).await?;
        known_or_published(client, key, answer, context).await
    };
    let reads = keys.iter().map(async |key| (key, single(key).await));
    for (key, read) in join_all(reads).await {
        match read {
            Ok(part) => limits.add(part),
            Err(failure) => {
                first_failure.get_or_insert_with(|| failure.clone());
                limits.gaps.push(not_read(key, failure));
            }
        }
    }
    match first_failure {
        Some(failure) if limits.rows.is_empty() => Err(failure),
        _ => {
            limits
                .gaps
                .extend(quotas::transient_row_errors(limits.rows.values()));
            Ok(limits)
        }
    }
}

/// Reads those of the wanted quotas that `which` picks, one call each.
async fn one_by_one(
    client: &RegionClient,
    wanted: &WantedQuotas,
    which: impl Fn(&QuotaKey) -> bool,
    full_read: &FullRead<'_>,
    context: &CallContext,
) -> Result<Limits, Failure> {
    let needed = wanted.needed.iter().filter(|key| which(key));
    let single = async |key| {
        let answer = full_read.applied(client, key, context).await?;
        known_or_published(client, key, answer, context).await
    };
    let needed = try_join_all(needed.map(&single));
    let optional = wanted.optional.iter().filter(|key| which(key));
    let optional = join_all(optional.map(async |key| {
        let read = single(key).await;
        read.unwrap_or_else(|failure| Limits::missing(not_read(key, failure)))
    }));
    let (needed, optional) = try_join(needed, optional.map(Ok)).await?;
    let mut limits = Limits::default();
    for part in needed.into_iter().chain(optional) {
        limits.add(part);
    }
    Ok(limits)
}

/// Returns the applied value that AWS has answered with or, if it keeps none, its default.
async fn known_or_published(
    client: &RegionClient,
    key: &QuotaKey,
    applied: Option<Sent<ServiceQuota>>,
    context: &CallContext,
) -> Result<Limits, Failure> {
    match applied {
        Some(answer) => {
            let quota = row(&answer, LimitSource::Applied, client.region())?;
            Ok(Limits::of(quota))
        }
        None => Ok(published(client, key, context).await),
    }
}

/// Reads the default that AWS publishes for new accounts, in place of an applied value that it does not keep.
///
/// The default is a courtesy, on which no verdict rests: without it the quota stays unknown.
async fn published(client: &RegionClient, key: &QuotaKey, context: &CallContext) -> Limits {
    let answer = client.published(&key.service, &key.code, context).await;
    let quota = answer.and_then(|answer| match answer {
        Some(answer) => row(&answer, LimitSource::Default, client.region()),
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
        let Sent { value: page, at } = client.list(service, token.take(), context).await?;
        let before = limits.rows.len();
        for answer in page.quotas() {
            let mut quota = quotas::quota(answer, LimitSource::Applied, client.region())?;
            quota.observed_at = at;
            limits.rows.insert(quota.key.clone(), quota);
        }
        match pages.after(page.next_token, limits.rows.len() > before) {
            Next::Page(next) => token = Some(next),
            Next::End => return Ok(limits),
            Next::Loop(why) => {
                let what = format!("the listing of {service}");
                limits.gaps.push(incomplete(&what, why));
                return Ok(limits);
            }
        }
    }
}

/// Returns the row of an answer, observed when its call was sent.
fn row(
    answer: &Sent<ServiceQuota>,
    source: LimitSource,
    region: &Region,
) -> Result<Quota, Failure> {
    let quota = quotas::quota(&answer.value, source, region)?;
    Ok(Quota {
        observed_at: answer.at,
        ..quota
    })
}

fn not_read(key: &QuotaKey, failure: Failure) -> Failure {
    Failure {
        detail: format!("{key} was not read: {}", failure.detail),
        ..failure
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
