//! Whether a SigV4 signature was made with the secret of its access key; the date is not judged.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::ApiError;
use super::request::{Authorization, Request};

/// Refuses a request whose signature does not fit the secret.
pub(super) fn verify(
    request: &Request,
    authorization: &Authorization,
    secret: &str,
) -> Result<(), ApiError> {
    let day = day(&authorization.date).ok_or_else(ApiError::bad_signature)?;
    let key = generate_signing_key(secret, day, &authorization.region, &authorization.service);
    let expected = calculate_signature(key, string_to_sign(request, authorization).as_bytes());
    let same = expected
        .as_bytes()
        .ct_eq(authorization.signature.as_bytes());
    if bool::from(same) {
        Ok(())
    } else {
        Err(ApiError::bad_signature())
    }
}

fn day(yyyymmdd: &str) -> Option<SystemTime> {
    let date = Date::strptime("%Y%m%d", yyyymmdd).ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().into())
}

fn string_to_sign(request: &Request, authorization: &Authorization) -> String {
    format!(
        "AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}",
        request.header("x-amz-date").unwrap_or_default(),
        authorization.date,
        authorization.region,
        authorization.service,
        sha256_hex(canonical_request(request, authorization).as_bytes()),
    )
}

fn canonical_request(request: &Request, authorization: &Authorization) -> String {
    let headers: String = authorization
        .signed_headers
        .split(';')
        .map(|name| {
            let value = request.header(name).unwrap_or_default();
            format!("{name}:{}\n", value.trim())
        })
        .collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        request.uri.path(),
        request.uri.query().unwrap_or_default(),
        authorization.signed_headers,
        sha256_hex(&request.body),
    )
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
