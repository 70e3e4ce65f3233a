//! The ways to ask for more of a quota: a page of the console, or a command where no page shows it.

use std::sync::Arc;

use reqwest::Url;

use crate::model::Region;

const CONSOLE: &str = "https://console.cloud.google.com/iam-admin/quotas";

/// Returns the console's page of a metric of Compute Engine.
///
/// Metrics of sizes have names there that do not follow from their codes, such as
/// `ssd_total_storage` for `SSD_TOTAL_GB`, so their page is that of all quotas.
pub(super) fn page(project: &str, code: &str) -> Arc<str> {
    let mut url = Url::parse(CONSOLE).expect("the constant is a URL");
    url.query_pairs_mut()
        .append_pair("project", project)
        .append_pair("service", "compute.googleapis.com");
    if !code.ends_with("_GB") {
        let metric = format!("compute.googleapis.com/{}", code.to_ascii_lowercase());
        url.query_pairs_mut().append_pair("metric", &metric);
    }
    url.as_str().into()
}

/// Returns the command that asks for more of a quota of Cloud Quotas.
pub(super) fn command(
    project: &str,
    quota_id: &str,
    region: &Region,
    family: Option<(&str, &str)>,
) -> Arc<str> {
    let family = family.map(|(dimension, family)| format!(",{dimension}={family}"));
    let family = family.unwrap_or_default();
    format!(
        "gcloud beta quotas preferences create --service=compute.googleapis.com \
         --quota-id={quota_id} --dimensions=region={region}{family} --preferred-value=VALUE \
         --project={project}"
    )
    .into()
}
