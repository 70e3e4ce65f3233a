//! The catalogs inside the binary; `bundled/README.md` says where they come from.

use flate2::read::GzDecoder;

use super::load::{Origin, Release};
use super::parse::parse;
use crate::model::CloudKind;

const FILES: &[(&str, &[u8])] = &[
    ("aws", include_bytes!("bundled/aws.csv.gz")),
    ("azure", include_bytes!("bundled/azure.csv.gz")),
    ("gcp", include_bytes!("bundled/gcp.csv.gz")),
    ("nebius", include_bytes!("bundled/nebius.csv.gz")),
];

/// Returns the bundled release of a provider, or an error sentence if there is none.
pub(super) fn release(kind: &CloudKind) -> Result<Release, String> {
    let (_, file) = FILES
        .iter()
        .find(|(provider, _)| *provider == kind.as_str())
        .ok_or_else(|| format!("no catalog of {kind} is bundled"))?;
    let parsed = parse(kind, GzDecoder::new(*file))?;
    Ok(Release::new(parsed, Origin::Bundled, None))
}
