//! Every quota that this AWS has: names, codes and default values of EC2, EBS and VPC.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The actions of the EC2 API reference, each of which has two request-bucket quotas.
const EC2_ACTIONS: &str = include_str!("ec2_actions.txt");

/// The quotas that are known by name, with where they were found.
const NAMED_QUOTAS: &str = include_str!("quotas.txt");

/// The services, by code.
pub(super) const SERVICES: [(&str, &str); 3] = [
    ("ebs", "Amazon Elastic Block Store (Amazon EBS)"),
    ("ec2", "Amazon Elastic Compute Cloud (Amazon EC2)"),
    ("vpc", "Amazon Virtual Private Cloud (Amazon VPC)"),
];

static CATALOGUE: LazyLock<Vec<CatalogueQuota>> = LazyLock::new(build);

/// One quota, the same in every account and region.
#[derive(Debug)]
pub(super) struct CatalogueQuota {
    pub(super) service: &'static str,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) default: f64,
    pub(super) adjustable: bool,
    /// The `Class` dimension of its usage metric; only vCPU quotas have the metric.
    pub(super) class: Option<&'static str>,
    /// Whether the utilization report has a row for it.
    pub(super) metered: bool,
}

impl CatalogueQuota {
    pub(super) fn service_name(&self) -> &'static str {
        SERVICES
            .into_iter()
            .find(|(code, _)| *code == self.service)
            .map_or("", |(_, name)| name)
    }

    pub(super) fn description(&self) -> String {
        match self.class {
            Some(_) => format!("Maximum number of vCPUs assigned to the {}.", self.name),
            None => format!("{}.", self.name),
        }
    }
}

/// All quotas of a service, by code; none where the service is unknown.
pub(super) fn of_service(service: &str) -> &'static [CatalogueQuota] {
    let start = CATALOGUE.partition_point(|quota| quota.service < service);
    let end = CATALOGUE.partition_point(|quota| quota.service <= service);
    &CATALOGUE[start..end]
}

/// The quota of this code, which is unique over all services.
pub(super) fn find(code: &str) -> Option<&'static CatalogueQuota> {
    all().iter().find(|quota| quota.code == code)
}

/// All quotas, by service and code.
pub(super) fn all() -> &'static [CatalogueQuota] {
    &CATALOGUE
}

fn build() -> Vec<CatalogueQuota> {
    let named = NAMED_QUOTAS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| named_quota(line).expect("every line of quotas.txt has its six fields"));
    let buckets = EC2_ACTIONS.lines().flat_map(request_buckets);
    let mut all: Vec<_> = named.chain(buckets).collect();
    all.sort_by(|a, b| (a.service, &a.code).cmp(&(b.service, &b.code)));
    all
}

fn named_quota(line: &'static str) -> Option<CatalogueQuota> {
    let mut fields = line.split('|');
    Some(CatalogueQuota {
        service: fields.next()?,
        code: fields.next()?.to_owned(),
        default: fields.next()?.parse().ok()?,
        class: fields.next().map(|class| (class != "-").then_some(class))?,
        metered: fields.next()? == "metered",
        name: fields.next()?.to_owned(),
        adjustable: true,
    })
}

/// Values from "Request throttling for the Amazon EC2 API"; they cannot be adjusted.
fn request_buckets(action: &str) -> [CatalogueQuota; 2] {
    let reads = ["Describe", "Get", "List", "Search"]
        .iter()
        .any(|verb| action.starts_with(verb));
    let (capacity, refill) = match action {
        "RunInstances" => (5.0, 2.0),
        _ if reads => (100.0, 20.0),
        _ => (50.0, 5.0),
    };
    [("maximum capacity", capacity), ("refill rate", refill)].map(|(what, value)| {
        let name = format!("{action} request bucket {what}");
        CatalogueQuota {
            service: "ec2",
            code: made_up_code(&name),
            name,
            default: value,
            adjustable: false,
            class: None,
            metered: false,
        }
    })
}

/// A code in AWS's form that stays the same from run to run; the real ones are not published.
fn made_up_code(name: &str) -> String {
    format!("L-{}", &hex::encode_upper(Sha256::digest(name))[..8])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ec2_has_well_over_a_thousand_quotas() {
        assert!(of_service("ec2").len() > 1_500);
        assert!(of_service("nosuch").is_empty());
    }

    #[test]
    fn there_are_nineteen_vcpu_quotas_with_their_documented_defaults() {
        let vcpu: Vec<_> = all().iter().filter(|quota| quota.class.is_some()).collect();
        assert_eq!(vcpu.len(), 19);
        for quota in vcpu {
            let documented = if quota.name.contains("Standard") {
                5.0
            } else {
                0.0
            };
            assert_eq!(quota.default, documented, "{}", quota.name);
        }
    }

    #[test]
    fn no_two_quotas_share_a_code() {
        let codes: BTreeSet<_> = all().iter().map(|quota| &quota.code).collect();
        assert_eq!(codes.len(), all().len());
    }
}
