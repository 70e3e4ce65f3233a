//! The accounts that a simulated AWS starts with: a mix of ample, scarce, used-up and absent GPU quota.

use super::settings::{Account, QuotaSeed, Role};

/// The regions that AWS enables in a new account: those launched before 20 March 2019.
pub const DEFAULT_REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

const STANDARD: &str = "L-1216C47A";
const STANDARD_SPOT: &str = "L-34B43A08";
const G: &str = "L-DB2E81BA";
const G_SPOT: &str = "L-3819A6DF";
const P: &str = "L-417A185B";
const P4_SPOT: &str = "L-7212CCBC";
const P5_SPOT: &str = "L-C4BD4855";
const TRN: &str = "L-2C3B7624";
const INF: &str = "L-1945791B";
const ELASTIC_IPS: &str = "L-0263D0A3";
const GP3_TIB: &str = "L-7A658B76";

/// Region, code, limit, usage. What is not here has AWS's default: 5 Standard, no GPU at all.
const MAIN_ACCOUNT: [(&str, &str, f64, f64); 43] = [
    ("us-east-1", STANDARD, 512.0, 148.0),
    ("us-east-1", STANDARD_SPOT, 640.0, 32.0),
    ("us-east-1", G, 64.0, 8.0),
    ("us-east-1", G_SPOT, 128.0, 48.0),
    ("us-east-1", P, 192.0, 96.0),
    ("us-east-1", P4_SPOT, 96.0, 96.0),
    ("us-east-1", P5_SPOT, 192.0, 0.0),
    ("us-east-1", TRN, 128.0, 0.0),
    ("us-east-1", INF, 96.0, 24.0),
    ("us-east-1", ELASTIC_IPS, 10.0, 7.0),
    ("us-east-1", GP3_TIB, 100.0, 41.0),
    ("us-east-2", STANDARD, 640.0, 64.0),
    ("us-east-2", G, 192.0, 0.0),
    ("us-east-2", G_SPOT, 192.0, 16.0),
    ("us-east-2", P, 384.0, 192.0),
    ("us-east-2", P5_SPOT, 384.0, 192.0),
    ("us-east-2", TRN, 256.0, 128.0),
    ("us-west-1", STANDARD, 64.0, 2.0),
    ("us-west-1", G, 8.0, 0.0),
    ("us-west-2", STANDARD, 1_152.0, 500.0),
    ("us-west-2", STANDARD_SPOT, 1_152.0, 0.0),
    ("us-west-2", G, 256.0, 250.0),
    ("us-west-2", G_SPOT, 256.0, 64.0),
    ("us-west-2", P, 96.0, 96.0),
    ("us-west-2", P4_SPOT, 192.0, 0.0),
    ("us-west-2", INF, 192.0, 0.0),
    ("us-west-2", GP3_TIB, 50.0, 49.0),
    ("ca-central-1", STANDARD, 32.0, 4.0),
    ("ca-central-1", G, 8.0, 8.0),
    ("eu-central-1", STANDARD, 128.0, 16.0),
    ("eu-central-1", G, 32.0, 0.0),
    ("eu-north-1", STANDARD, 256.0, 0.0),
    ("eu-north-1", G, 48.0, 4.0),
    ("eu-north-1", P, 192.0, 0.0),
    ("eu-west-1", STANDARD, 256.0, 32.0),
    ("eu-west-1", G, 96.0, 48.0),
    ("eu-west-1", G_SPOT, 96.0, 0.0),
    ("eu-west-2", STANDARD, 64.0, 8.0),
    ("ap-northeast-1", STANDARD, 128.0, 4.0),
    ("ap-northeast-1", G, 16.0, 0.0),
    // Enough for none of the P instances, which a mere "more than zero" would overlook.
    ("ap-northeast-1", P, 8.0, 0.0),
    ("ap-southeast-1", STANDARD, 64.0, 0.0),
    ("ap-south-1", STANDARD, 32.0, 0.0),
];

const OTHER_ACCOUNT: [(&str, &str, f64, f64); 4] = [
    ("us-east-1", STANDARD, 256.0, 0.0),
    ("us-east-1", G, 0.0, 0.0),
    ("us-west-2", P, 768.0, 192.0),
    ("us-west-2", STANDARD, 2_048.0, 96.0),
];

/// Two accounts with the example keys of AWS's documentation; the second one's role is the way
/// into it from the first.
pub(super) fn accounts() -> Vec<Account> {
    vec![
        Account {
            id: "123456789012".to_owned(),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            roles: vec![role("quota-reader", None)],
            regions: regions(),
            quotas: seeds(&MAIN_ACCOUNT),
        },
        Account {
            id: "210987654321".to_owned(),
            access_key_id: "AKIAI44QH8DHBEXAMPLE".to_owned(),
            secret_access_key: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY".to_owned(),
            roles: vec![role("quota-reader", Some("quota-oracle-demo"))],
            regions: regions(),
            quotas: seeds(&OTHER_ACCOUNT),
        },
    ]
}

fn role(name: &str, external_id: Option<&str>) -> Role {
    Role {
        name: name.to_owned(),
        external_id: external_id.map(str::to_owned),
    }
}

fn regions() -> Vec<String> {
    DEFAULT_REGIONS.map(str::to_owned).to_vec()
}

fn seeds(rows: &[(&str, &str, f64, f64)]) -> Vec<QuotaSeed> {
    rows.iter()
        .map(|&(region, code, limit, usage)| QuotaSeed {
            region: region.to_owned(),
            code: code.to_owned(),
            limit,
            usage,
        })
        .collect()
}
