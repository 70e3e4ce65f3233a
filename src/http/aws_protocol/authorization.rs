//! The `Authorization` header of AWS Signature Version 4: who signed what, for which region.

use axum::http::{HeaderMap, header};

use super::error::AwsError;

/// The only algorithm; SigV4A and presigned URLs are not for this service.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The name that signatures for Service Quotas are scoped to.
pub(super) const SERVICE: &str = "servicequotas";

/// The end of every credential scope.
pub(super) const TERMINATOR: &str = "aws4_request";

/// Hex digits of an HMAC-SHA256.
const SIGNATURE_LENGTH: usize = 64;

/// The header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    /// The day, as `YYYYMMDD`.
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    /// The signed headers, in the order and spelling of the signature.
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header, and refuses whatever is not exactly as it should be; nothing of it is
    /// repeated in a refusal.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, AwsError> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Err(AwsError::missing_authentication("sign the request")),
            (Some(value), None) => value.to_str().ok(),
            (Some(_), Some(_)) => None,
        };
        let value = value.ok_or_else(|| incomplete("Authorization"))?;
        let Some(parts) = value.strip_prefix(ALGORITHM) else {
            return Err(AwsError::missing_authentication(
                "this address takes AWS signatures, version 4, and nothing else",
            ));
        };
        let parts = Parts::of(parts)?;
        let mut scope = parts.credential.rsplitn(5, '/');
        let mut next = || scope.next().filter(|part| !part.is_empty());
        let (Some(TERMINATOR), Some(service), Some(region), Some(date), Some(access_key_id)) =
            (next(), next(), next(), next(), next())
        else {
            return Err(incomplete("Credential"));
        };
        if service != SERVICE {
            return Err(AwsError::invalid_signature(format!(
                "Credential should be scoped to correct service: '{SERVICE}'."
            )));
        }
        if !region.bytes().all(is_of_region) {
            return Err(incomplete("Credential"));
        }
        Ok(Self {
            access_key_id,
            date,
            region,
            signed_headers: parts.signed_headers,
            signature: parts.signature,
        })
    }
}

/// The three parameters of the header.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, AwsError> {
        // Without the space it would be the name of another algorithm.
        let text = text.strip_prefix(' ').ok_or_else(|| incomplete("="))?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or_else(|| incomplete("="))?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(incomplete("Authorization")),
            };
            if place.replace(value).is_some() {
                return Err(incomplete(name));
            }
        }
        let signed_headers = signed_headers
            .filter(|names| are_sorted(names))
            .ok_or_else(|| incomplete("SignedHeaders"))?;
        let signature = signature
            .filter(|digits| is_signature(digits))
            .ok_or_else(|| incomplete("Signature"))?;
        Ok(Self {
            credential: credential.ok_or_else(|| incomplete("Credential"))?,
            signed_headers,
            signature,
        })
    }
}

/// Whether the header names are in lower case, in order and each there once, as the
/// specification has it.
fn are_sorted(names: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
    };
    let names: Vec<_> = names.split(';').collect();
    names.iter().all(|name| is_name(name)) && names.is_sorted_by(|a, b| a < b)
}

fn is_signature(digits: &str) -> bool {
    digits.len() == SIGNATURE_LENGTH
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_of_region(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn incomplete(what: &str) -> AwsError {
    AwsError::incomplete_signature(format!(
        "Authorization header requires '{what}' in its proper form."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    const SIGNATURE: &str = "1a855a5da1f50f42012cc11b5b7e315ec09a4fe0a46092979de010a5e4de0096";

    fn code(value: &str) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        Authorization::of(&headers)
            .map(drop)
            .map_err(|error| error.code)
    }

    fn written(credential: &str, signed: &str, signature: &str) -> String {
        format!(
            "{ALGORITHM} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        )
    }

    const SCOPE: &str = "oracle/1/20261121/eu-north-1/servicequotas/aws4_request";

    #[test]
    fn a_key_id_may_hold_slashes_and_a_list_no_spaces() {
        let mut headers = HeaderMap::new();
        let value = written(SCOPE, "content-type;host;x-amz-date", SIGNATURE).replace(", ", ",");
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        let read = Authorization::of(&headers).unwrap();
        assert_eq!((read.access_key_id, read.date), ("oracle/1", "20261121"));
        assert_eq!(read.region, "eu-north-1");
    }

    #[test]
    fn what_is_not_exactly_a_signature_is_refused_with_its_reason() {
        let missing = "MissingAuthenticationTokenException";
        let incomplete = "IncompleteSignatureException";
        assert_eq!(
            Authorization::of(&HeaderMap::new()).unwrap_err().code,
            missing
        );
        assert_eq!(code("Bearer abc"), Err(missing));
        assert_eq!(code("AWS4-ECDSA-P256-SHA256 Credential=x"), Err(missing));
        assert_eq!(code("AWS4-HMAC-SHA256"), Err(incomplete));
        assert_eq!(code("AWS4-HMAC-SHA256-PAYLOAD x"), Err(incomplete));
        for (credential, signed, signature) in [
            (
                "20261121/eu-north-1/servicequotas/aws4_request",
                "host",
                SIGNATURE,
            ),
            (
                "a/20261121/EU/servicequotas/aws4_request",
                "host",
                SIGNATURE,
            ),
            ("a/20261121/eu/servicequotas/aws4", "host", SIGNATURE),
            (SCOPE, "", SIGNATURE),
            (SCOPE, "x-amz-date;host", SIGNATURE),
            (SCOPE, "host;host", SIGNATURE),
            (SCOPE, "Host", SIGNATURE),
            (SCOPE, "host", "1a85"),
            (SCOPE, "host", &SIGNATURE.to_uppercase()),
        ] {
            let value = written(credential, signed, signature);
            assert_eq!(code(&value), Err(incomplete), "{value}");
        }
        let twice = written(SCOPE, "host", SIGNATURE) + ", Signature=" + SIGNATURE;
        assert_eq!(code(&twice), Err(incomplete));
    }

    #[test]
    fn a_signature_for_another_service_is_refused() {
        let value = written(&SCOPE.replace("servicequotas", "ec2"), "host", SIGNATURE);
        assert_eq!(code(&value), Err("InvalidSignatureException"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[ -~]{0,200}") {
            let _ = code(&text);
            let _ = code(&format!("{ALGORITHM} {text}"));
        }
    }
}
