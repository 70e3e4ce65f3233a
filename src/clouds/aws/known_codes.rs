//! Quotas besides those of vCPUs that are known by code, and what they count.

use crate::model::QuotaKey;

/// "Storage for General Purpose SSD (gp3) volumes", which AWS states in TiB and we in bytes.
pub(super) const GP3_STORAGE: (&str, &str) = ("ebs", "L-7A658B76");

/// "EC2-VPC Elastic IPs".
pub(super) const ELASTIC_IPS: (&str, &str) = ("ec2", "L-0263D0A3");

/// EBS quotas that AWS counts in TiB: storage for gp3, gp2, io1, io2, st1, sc1 and magnetic
/// volumes (Amazon EBS User Guide, "Quotas for Amazon EBS").
const COUNTED_IN_TIB: [&str; 7] = [
    GP3_STORAGE.1,
    "L-D18FCD1D",
    "L-FD252861",
    "L-09BD8365",
    "L-82ACEF56",
    "L-17AF77E8",
    "L-9CF3C2EB",
];

/// Whether AWS counts a quota in TiB.
pub(super) fn is_counted_in_tib(service: &str, code: &str) -> bool {
    service == GP3_STORAGE.0 && COUNTED_IN_TIB.contains(&code)
}

/// Returns what a quota counts, where that is known to be no vCPUs.
pub(super) fn counts_no_vcpus(key: &QuotaKey) -> Option<&'static str> {
    match (&*key.service, &*key.code) {
        (service, code) if is_counted_in_tib(service, code) => Some("bytes"),
        ELASTIC_IPS => Some("addresses"),
        _ => None,
    }
}
