//! Checks that every call passes before it is answered: faults, the rate limit, the bearer token.

use std::collections::BTreeMap;

use tokio::time::Instant;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::controls::{Controls, Fault, Method};
use super::errors;

/// How many calls a method accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls a second, sustained.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

/// A token bucket per method.
#[derive(Debug)]
pub(super) struct Buckets {
    limit: RateLimit,
    levels: BTreeMap<Method, (f64, Instant)>,
}

impl Buckets {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            levels: BTreeMap::new(),
        }
    }

    fn take(&mut self, method: Method) -> bool {
        let now = Instant::now();
        let full = f64::from(self.limit.burst);
        let (level, last) = self.levels.entry(method).or_insert((full, now));
        let refilled = now.duration_since(*last).as_secs_f64() * self.limit.per_second;
        *level = (*level + refilled).min(full);
        *last = now;
        let admitted = *level >= 1.0;
        if admitted {
            *level -= 1.0;
        }
        admitted
    }
}

/// A call at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The tenant or project that it is about.
    pub(super) parent: &'a str,
    pub(super) page_token: &'a str,
    pub(super) metadata: &'a MetadataMap,
}

/// How an admitted call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Plain,
    RepeatPageToken,
}

impl Passage {
    /// The next page's token as this call shall see it.
    pub(super) fn next(self, token: String) -> String {
        match self {
            Self::Plain => token,
            Self::RepeatPageToken => "at-0".to_owned(),
        }
    }
}

/// Admits the call, or fails it as the cloud would.
pub(super) async fn admit(controls: &Controls, call: Call<'_>) -> Result<Passage, Status> {
    let is_later_page = !call.page_token.is_empty();
    let (_under_way, fault) = controls.begin(call.method, call.parent, is_later_page);
    let passage = match fault {
        Some(fault) => fail(fault, call.parent).await?,
        None => Passage::Plain,
    };
    let mut state = controls.state();
    if !state.buckets.take(call.method) {
        state.traffic.count_throttled();
        return Err(errors::too_many_requests());
    }
    if call.method != Method::ExchangeToken {
        let authorization = call.metadata.get("authorization");
        let authorization = authorization.and_then(|value| value.to_str().ok());
        state.tokens.admit(authorization)?;
    }
    Ok(passage)
}

async fn fail(fault: Fault, parent: &str) -> Result<Passage, Status> {
    match fault {
        Fault::TooManyRequests => Err(errors::too_many_requests()),
        Fault::BareResourceExhausted => Err(Status::resource_exhausted("exhausted")),
        Fault::QuotaFailure => Err(errors::quota_failure()),
        Fault::NotEnoughResources => Err(errors::not_enough_resources()),
        Fault::PermissionDenied => Err(errors::permission_denied(parent)),
        Fault::Unauthenticated => Err(Status::unauthenticated("the token is not accepted")),
        Fault::Unavailable => Err(Status::unavailable("the service is down")),
        Fault::Unimplemented => Err(Status::unimplemented("unknown service")),
        Fault::ProxyFailure => Err(Status::unknown(
            "unexpected HTTP status code received from server: 522",
        )),
        Fault::Hang => std::future::pending().await,
        Fault::Delay(delay) => {
            tokio::time::sleep(delay).await;
            Ok(Passage::Plain)
        }
        Fault::RepeatPageToken => Ok(Passage::RepeatPageToken),
    }
}
