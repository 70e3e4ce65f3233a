//! Whether a request was signed with a secret: AWS Signature Version 4 ("Create a signed AWS API
//! request" in the IAM User Guide), in its `Authorization` header form.

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::duration;

use super::authorization::{ALGORITHM, Authorization, SERVICE, TERMINATOR};
use super::error::AwsError;

/// The largest accepted difference between the clocks of a caller and of this machine.
///
/// AWS's usual five minutes, known from its error messages; no document states them for Service
/// Quotas.
const LARGEST_SKEW: std::time::Duration = std::time::Duration::from_mins(5);

const DATE: &str = "x-amz-date";

/// The format of `X-Amz-Date`.
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// A request as it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedRequest<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    pub(super) fn new(head: &'a Parts, body: &'a [u8]) -> Self {
        Self {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            body,
        }
    }
}

/// Refuses a request that was not signed with `secret`, all of it, and just now.
pub(super) fn verify(
    sent: SignedRequest<'_>,
    authorization: &Authorization<'_>,
    secret: &str,
    now: Timestamp,
) -> Result<(), AwsError> {
    if sent.uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(AwsError::invalid_signature(
            "This protocol has no query parameters.",
        ));
    }
    check_coverage(sent.headers, authorization.signed_headers)?;
    let date = sent.headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.unwrap_or_default();
    let signed_at = signed_at(date, authorization.date)?;
    check_skew(signed_at, now)?;

    let key = generate_signing_key(
        secret,
        SystemTime::from(signed_at),
        authorization.region,
        SERVICE,
    );
    let expected = calculate_signature(key, string_to_sign(&sent, authorization, date).as_bytes());
    let presented = authorization.signature.as_bytes();
    if bool::from(expected.as_bytes().ct_eq(presented)) {
        Ok(())
    } else {
        Err(AwsError::signature_does_not_match())
    }
}

/// Refuses a signature that leaves out what it has to cover: the host, and the content type and
/// all of AWS's own headers where they are sent.
fn check_coverage(headers: &HeaderMap, signed_headers: &str) -> Result<(), AwsError> {
    let is_signed = |name: &str| signed_headers.split(';').any(|signed| signed == name);
    let needs_signing = |name: &&str| *name == "content-type" || name.starts_with("x-amz-");
    let sent = headers.keys().map(|name| name.as_str());
    let unsigned = ["host", DATE]
        .into_iter()
        .chain(sent.filter(needs_signing))
        .find(|name| !is_signed(name));
    match unsigned {
        None => Ok(()),
        Some(name) => Err(AwsError::invalid_signature(format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        ))),
    }
}

/// When the request was signed, by its header, which has to agree with the credential scope.
fn signed_at(date: &str, day: &str) -> Result<Timestamp, AwsError> {
    let parsed = DateTime::strptime(DATE_FORMAT, date)
        .ok()
        // The parser is more tolerant than the format.
        .filter(|parsed| parsed.strftime(DATE_FORMAT).to_string() == date)
        .and_then(|parsed| parsed.to_zoned(TimeZone::UTC).ok())
        .ok_or_else(|| {
            AwsError::incomplete_signature(
                "Date must be in ISO-8601 'basic format', as in 'X-Amz-Date: 20261121T192151Z'.",
            )
        })?;
    if !date.starts_with(day) || day.len() != 8 {
        return Err(AwsError::invalid_signature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP.",
        ));
    }
    Ok(parsed.timestamp())
}

fn check_skew(signed_at: Timestamp, now: Timestamp) -> Result<(), AwsError> {
    if now.duration_since(signed_at).unsigned_abs() <= LARGEST_SKEW {
        return Ok(());
    }
    let (what, relation) = match signed_at < now {
        true => ("Signature expired", "earlier"),
        false => ("Signature not yet current", "later"),
    };
    let written = |time: Timestamp| time.strftime(DATE_FORMAT).to_string();
    Err(AwsError::invalid_signature(format!(
        "{what}: {} is {relation} than {} by more than {}.",
        written(signed_at),
        written(now),
        duration::format(LARGEST_SKEW),
    )))
}

fn string_to_sign(
    sent: &SignedRequest<'_>,
    authorization: &Authorization<'_>,
    date: &str,
) -> String {
    format!(
        "{ALGORITHM}\n{date}\n{}/{}/{SERVICE}/{TERMINATOR}\n{}",
        authorization.date,
        authorization.region,
        sha256_hex(&canonical_request(sent, authorization.signed_headers)),
    )
}

/// Bytes, since a header's value need not be text.
fn canonical_request(sent: &SignedRequest<'_>, signed_headers: &str) -> Vec<u8> {
    let mut canonical = format!("{}\n{}\n\n", sent.method, canonical_path(sent.uri)).into_bytes();
    for name in signed_headers.split(';') {
        canonical.extend_from_slice(name.as_bytes());
        canonical.push(b':');
        canonical.extend(canonical_value(sent, name));
        canonical.push(b'\n');
    }
    canonical.extend(format!("\n{signed_headers}\n{}", sha256_hex(sent.body)).into_bytes());
    canonical
}

/// The path as it was sent, encoded once more, as every service but S3 has it.
///
/// Empty and dotted segments, which a signer would leave out, are in none of our routes.
fn canonical_path(uri: &Uri) -> String {
    let encode = |byte: u8| match byte {
        b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    uri.path().bytes().map(encode).collect()
}

/// All values of a header, trimmed, with single spaces inside.
fn canonical_value(sent: &SignedRequest<'_>, name: &str) -> Vec<u8> {
    let values: Vec<_> = sent
        .headers
        .get_all(name)
        .iter()
        .map(|value| {
            let words = value.as_bytes().split(|byte| *byte == b' ');
            let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
            words.join(&b' ')
        })
        .collect();
    match (values.is_empty(), sent.uri.authority()) {
        // HTTP/2 sends the host as a part of the address.
        (true, Some(host)) if name == header::HOST => host.as_str().as_bytes().to_vec(),
        _ => values.join(&b','),
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
