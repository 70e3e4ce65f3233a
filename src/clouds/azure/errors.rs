//! The meaning of a refused call to Azure.
//!
//! The status 429 decides first: Microsoft.Compute throttles with the code of a launch's quota
//! error. Then the code of the body decides, then the status; never the message.

use reqwest::StatusCode;
use reqwest::header::HeaderName;

use super::operations::Call;
use super::wire::{Refusal, RefusalBody};
use crate::clouds::kit::optional::bounded;
use crate::clouds::kit::rest::Answer;
use crate::clouds::kit::token::TokenRefusal;
use crate::model::{Failure, FailureKind, Region};

/// The id by which Microsoft finds a request.
const CORRELATION: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");

/// Said where the metadata service has no token.
pub(super) const ONLY_ON_AZURE: &str = "a managed identity works only on an Azure machine, app or \
                                        container that has one: assign it, and name a \
                                        user-assigned one by `client_id`";

/// Returns the failure that a refusal stands for.
pub(super) fn failure(
    answer: &Answer,
    call: &Call,
    subscription: &str,
    location: &Region,
) -> Failure {
    if let Some(id) = answer.header(&CORRELATION) {
        let status = answer.status.as_u16();
        tracing::debug!(
            operation = call.operation.name,
            status,
            correlation = bounded(id),
            "refused by Azure"
        );
    }
    let by_status = answer.refusal();
    let body = match serde_json::from_slice(&answer.body) {
        Ok(Refusal::Enveloped { error } | Refusal::Bare(error)) => error,
        // Gateways answer in HTML, proxies in anything.
        Err(_) => RefusalBody {
            code: String::new(),
            message: String::new(),
        },
    };
    let detail = match (&*body.code, &*body.message) {
        ("", _) => by_status.detail.clone(),
        (code, message) => bounded(&format!("{code}: {message}")),
    };
    let failure = |kind| Failure::new(kind, detail.clone());
    let transient = |kind| Failure {
        retry_after: by_status.retry_after,
        ..failure(kind)
    };
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        return transient(FailureKind::Throttled);
    }
    let provider = call.provider;
    match &*body.code {
        "InvalidAuthenticationTokenTenant" => failure(FailureKind::Denied).with_hint(format!(
            "check `tenant`: subscription {subscription} belongs to another"
        )),
        "SubscriptionNotFound" | "InvalidSubscriptionId" => failure(FailureKind::NotFound)
            .with_hint(format!(
                "check `subscription` and `cloud`: {subscription} is not in it, or not visible to \
                 these credentials"
            )),
        "MissingSubscriptionRegistration" | "MissingRegistrationForResourceProvider" => {
            failure(FailureKind::Denied).with_hint(format!(
                "register it: `az provider register --namespace {provider} --subscription \
                 {subscription}`"
            ))
        }
        "SubscriptionHasNoUsages" => failure(FailureKind::NotEnabled).with_hint(format!(
            "the subscription has never used {provider} in {location}, so that Azure knows no \
             limits there: leave it out of `regions`, or create something in it once"
        )),
        "NoRegisteredProviderFound" | "LocationNotAvailableForResourceType" | "InvalidLocation" => {
            failure(FailureKind::NotEnabled).with_hint(format!(
                "leave {location} out of `regions`, or correct its name"
            ))
        }
        "InvalidApiVersionParameter" | "InvalidResourceType" => failure(FailureKind::Malformed)
            .with_hint("check `cloud`: this one lacks the call, or its version"),
        "ServerTimeout"
        | "GatewayTimeout"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "RetryableError" => transient(FailureKind::Unavailable),
        _ => match answer.status {
            StatusCode::UNAUTHORIZED => failure(FailureKind::Denied).with_hint(
                "the access token is not accepted: check `cloud`, and that this host's clock is \
                 right",
            ),
            StatusCode::FORBIDDEN => {
                let action = call.action;
                failure(FailureKind::Denied).with_hint(format!(
                    "grant the action {action} on subscription {subscription}; a new grant takes \
                     some minutes"
                ))
            }
            _ => transient(by_status.kind),
        },
    }
}

/// Returns the failure that a refusal of the token service stands for.
pub(super) fn token_failure(answer: &Answer) -> Failure {
    let by_status = answer.refusal();
    if by_status.kind.is_transient() {
        return by_status;
    }
    let refusal: TokenRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    // Behind its first sentences stand ids and the time, which are others each time.
    let description = refusal.error_description.split("Trace ID:").next();
    let detail = match &*refusal.error {
        "" => by_status.detail,
        error => {
            let described = bounded(description.unwrap_or_default());
            format!("the token service: {}: {described}", bounded(error))
        }
    };
    Failure::new(FailureKind::Denied, detail).with_hint(token_hint(&refusal.error_codes))
}

/// Returns what a person can do about a refused request for a token, by Microsoft's number of it
/// ("Microsoft Entra authentication and authorization error codes").
fn token_hint(codes: &[u64]) -> String {
    let known = codes.iter().find_map(|code| {
        let hint = match code {
            7_000_215 => {
                "the secret is wrong: it must be the secret's value, not its id; create a new \
                 client secret and store its value"
            }
            7_000_222 => "the client secret has expired: create a new one and store its value",
            700_027 => {
                "the certificate is not accepted: upload it to the application's registration, \
                 and check that it has not expired"
            }
            700_024 => "the assertion is outside its time: check that this host's clock is right",
            700_016 | 7_000_112 => {
                "there is no such application, or it is disabled: check `client_id` and `tenant`"
            }
            90_002 | 900_021 | 900_023 => "there is no such tenant: check `tenant` and `cloud`",
            70_021 | 700_211 | 700_212 | 700_213 => {
                "the application trusts no such token: add a federated credential with its issuer, \
                 subject and audience"
            }
            _ => return None,
        };
        Some(format!("AADSTS{code}: {hint}"))
    });
    known.unwrap_or_else(|| {
        let code = codes.first().map(|code| format!("AADSTS{code}: "));
        format!(
            "{}check `tenant`, `client_id` and the credentials",
            code.unwrap_or_default()
        )
    })
}

/// Returns the failure that a refusal of a metadata service stands for.
pub(super) fn metadata_failure(answer: &Answer) -> Failure {
    let failure = answer.refusal();
    match answer.status {
        // Documented as passing: the service is being updated.
        StatusCode::NOT_FOUND | StatusCode::GONE => Failure {
            kind: FailureKind::Unavailable,
            ..failure
        },
        _ if failure.kind.is_transient() => failure,
        // Whatever the service finds wrong with the machine's own question is the machine's.
        _ => Failure {
            kind: FailureKind::Denied,
            ..failure
        }
        .with_hint(ONLY_ON_AZURE),
    }
}
