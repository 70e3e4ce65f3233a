//! The name of an AWS quota, or of all quotas of a service, as operators write it.

use serde::Deserialize;

/// `service/code`, such as `ebs/L-7A658B76`, or `service/all`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceAndCode {
    /// AWS's code of the service, such as `ebs`.
    pub service: String,
    /// The quota's code; all of the service's quotas if absent.
    pub code: Option<String>,
}

impl TryFrom<String> for ServiceAndCode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('/') {
            Some((service, code)) if is_name(service, 63) && is_name(code, 128) => Ok(Self {
                service: service.to_owned(),
                code: (code != "all").then(|| code.to_owned()),
            }),
            _ => Err(format!(
                "`{text}` is not `service/code` such as `ebs/L-7A658B76`, or `service/all`"
            )),
        }
    }
}

/// Whether AWS may have a service or quota of that name, which is `[a-zA-Z][a-zA-Z0-9-]+` (Service
/// Quotas API Reference, `ServiceCode` and `QuotaCode`).
fn is_name(text: &str, longest: usize) -> bool {
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    (2..=longest).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(is_plain)
}
