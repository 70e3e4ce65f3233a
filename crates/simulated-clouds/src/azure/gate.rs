//! Checks that every call passes before it is answered: faults, the bearer token, the
//! subscription, the version and the rate limits.

use std::time::Duration;

use axum::http::StatusCode;

use crate::socket::ConnectionCutter;
use crate::steering::{CallGuard, Standing};

use super::controls::{Controls, Fault, Method, State};
use super::credentials::CLIENT_ID;
use super::errors::{self, Refusal};
use super::pages::Links;
use super::request::Asked;
use super::sign_in_errors::SignInError;
use super::throttling::{Left, Refused};

/// The versions that each call is served in.
const VERSIONS: &[(Method, &[&str])] = &[
    (
        Method::ListUsages,
        &["2024-07-01", "2024-11-01", "2025-04-01", "2026-04-01"],
    ),
    (
        Method::ListSkus,
        &["2017-09-01", "2019-04-01", "2021-07-01"],
    ),
    (Method::ListLocations, &["2020-01-01", "2022-12-01"]),
    (Method::ListNetworkUsages, &["2023-11-01", "2024-05-01"]),
    (Method::ListVmFamilies, &["2026-04-30", "2026-07-01"]),
    (Method::MetadataToken, &["2018-02-01", "2019-08-01"]),
    (Method::AppServiceToken, &["2019-08-01"]),
];

/// An admitted call; it is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    _under_way: CallGuard<State>,
    /// The link to the next page, as faults have it.
    pub(super) links: Links,
    /// The tokens left in the buckets, for calls that are limited.
    pub(super) left: Option<Left>,
}

/// Admits the call, or fails it as the cloud would.
pub(super) async fn admit(
    controls: &Controls,
    asked: &Asked,
    cutter: &ConnectionCutter,
) -> Result<Admitted, Refusal> {
    let (under_way, fault) = controls.begin(asked.method, &asked.location, asked.skip() > 0);
    let links = match fault {
        Some(fault) => fail(controls, asked, fault, cutter).await?,
        None => Links::Next,
    };
    let mut state = controls.state();
    let left = match asked.method {
        Method::SignIn => None,
        Method::MetadataToken | Method::AppServiceToken => {
            check_version(asked)?;
            None
        }
        _ => Some(manage(&mut state, asked)?),
    };
    Ok(Admitted {
        _under_way: under_way,
        links,
        left,
    })
}

/// Checks a call of Resource Manager.
fn manage(state: &mut State, asked: &Asked) -> Result<Left, Refusal> {
    let Some(authorization) = asked.authorization() else {
        return Err(errors::no_token());
    };
    match state.tokens.standing(Some(authorization)) {
        Standing::Good(()) => {}
        Standing::Unknown => return Err(errors::token_invalid()),
        Standing::Expired(ago) => return Err(expired(state, ago)),
    }
    let id = &asked.owner;
    let is_well_formed = id.len() == 36 && id.matches('-').count() == 4;
    if !is_well_formed {
        return Err(errors::malformed_subscription(id));
    }
    if !id.eq_ignore_ascii_case(&state.subscription.id) {
        return Err(errors::no_such_subscription(id));
    }
    let taken = state.buckets.take(asked.method, &asked.location);
    let left = taken.map_err(|refused| {
        state.traffic.count_throttled();
        match refused {
            Refused::ByResourceManager { retry_after } => {
                errors::throttled(asked, CLIENT_ID, retry_after)
            }
            Refused::ByCompute { retry_after } => {
                errors::compute_throttled(&state.now().to_string(), retry_after)
            }
        }
    })?;
    check_version(asked)?;
    let is_about_a_location = !matches!(asked.method, Method::ListLocations | Method::ListSkus);
    if is_about_a_location && state.subscription.served(&asked.location).is_none() {
        return Err(errors::no_registered_provider(asked));
    }
    Ok(left)
}

fn check_version(asked: &Asked) -> Result<(), Refusal> {
    let version = asked.parameter("api-version");
    if version.is_empty() {
        return Err(errors::missing_version());
    }
    let mut served = VERSIONS.iter();
    let served = served.find(|(method, _)| *method == asked.method);
    match served.is_some_and(|(_, versions)| versions.contains(&version)) {
        true => Ok(()),
        false => Err(errors::invalid_version(version)),
    }
}

fn expired(state: &State, ago: Duration) -> Refusal {
    let now = state.now();
    let expired = now.saturating_sub(ago).unwrap_or(now);
    errors::token_expired(&expired.to_string(), &now.to_string())
}

/// Fails the call, or returns with which links it is answered all the same.
async fn fail(
    controls: &Controls,
    asked: &Asked,
    fault: Fault,
    cutter: &ConnectionCutter,
) -> Result<Links, Refusal> {
    let now = controls.now();
    let throttled = || controls.state().traffic.count_throttled();
    Err(match fault {
        Fault::Throttled {
            retry_after_seconds,
        } => {
            throttled();
            errors::throttled(asked, CLIENT_ID, Duration::from_secs(retry_after_seconds))
        }
        Fault::ComputeThrottled {
            retry_after_seconds,
        } => {
            throttled();
            let wait = Duration::from_secs(retry_after_seconds);
            errors::compute_throttled(&now.to_string(), wait)
        }
        Fault::TokenInvalid => errors::token_invalid(),
        Fault::TokenOfOtherTenant => errors::token_of_other_tenant("other-tenant"),
        Fault::AuthorizationFailed => errors::authorization_failed(asked, CLIENT_ID),
        Fault::SubscriptionNotFound => errors::no_such_subscription(&asked.owner),
        Fault::NotRegistered => errors::not_registered(asked.method),
        Fault::NoUsages => errors::no_usages(asked),
        Fault::NoRegisteredProvider => errors::no_registered_provider(asked),
        Fault::InvalidApiVersion => errors::invalid_version(asked.parameter("api-version")),
        Fault::InternalError => errors::internal_error(),
        Fault::BadGateway => errors::bad_gateway(),
        Fault::Unavailable => errors::unavailable(),
        Fault::GatewayTimeout => errors::gateway_timeout(),
        Fault::CutDocument => errors::cut_document(),
        Fault::ForeignPage => errors::foreign_page(),
        Fault::Close => {
            cutter.cut();
            errors::plain(StatusCode::OK)
        }
        Fault::Hang => std::future::pending().await,
        Fault::Delay { seconds } => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            return Ok(Links::Next);
        }
        Fault::RepeatedPage => return Ok(Links::Repeated),
        Fault::ForeignLink => return Ok(Links::Foreign),
        Fault::ExpiredSecret => Box::new(SignInError::ExpiredSecret.response(now)),
        Fault::IdentityNotFound => errors::metadata(400, "invalid_request", "Identity not found"),
        Fault::IdentityGone => errors::metadata(410, "gone", "The service is being updated"),
    })
}
