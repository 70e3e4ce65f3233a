//! `check`: what works, what does not, and what to do about it.

use simulated_clouds::aws::{Fault, FaultKind};

use crate::harness::{ACCOUNT, Setup, plain_aws};

use super::said_by;

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_works_what_does_not_and_what_to_do() {
    let aws = plain_aws().await;
    let other = "210987654321";
    aws.controls().inject(
        Fault::new(FaultKind::AccessDenied)
            .account(ACCOUNT)
            .operation("StartQuotaUtilizationReport"),
    );
    aws.controls().inject(
        Fault::new(FaultKind::AccessDenied)
            .account(other)
            .operation("GetServiceQuota"),
    );
    let backend = |name: &str, key: &str| {
        format!(
            "name = \"{name}\"\nkind = \"aws\"\nregions = [\"us-east-1\"]\n\
             endpoint_url = \"{}\"\n[credentials]\nsource = \"static\"\n\
             access_key_id = \"{key}\"\nsecret_access_key_file = \"aws-secret\"",
            aws.url()
        )
    };
    let file = Setup::new(&aws)
        .set("backends.0.regions", vec!["us-east-1", "me-central-1"])
        .backend(&backend("powerless", "AKIAI44QH8DHBEXAMPLE"))
        .backend(&backend("stranger", "AKIANOBODY"))
        .backend(&backend("twin", "AKIAIOSFODNN7EXAMPLE"))
        .write();
    let config = ["--config", file.path.to_str().unwrap()];
    let check = |arguments: &[&str]| said_by(&[&config, arguments].concat());

    let (table, sentence, code) = check(&["check"]);
    println!("{table}");
    assert_eq!(code, 1);
    assert_eq!(sentence, "quota-oracle: unusable: powerless, stranger\n");
    let row = |name: &str, region: &str| {
        let row = table.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next() == Some(region)
        });
        row.unwrap_or_else(|| panic!("{name} {region} is missing in\n{table}"))
    };
    let works = row("aws", "us-east-1");
    assert!(
        works.contains(" ok           21 limits, 0 usages, account 123456789012"),
        "{works}"
    );
    // Everything else that is missing has a row of its own.
    let gap = " denied       usage is unknown: ";
    let gap = table.lines().find(|line| line.contains(gap)).unwrap();
    assert!(
        gap.contains("grant servicequotas:StartQuotaUtilizationReport"),
        "{gap}"
    );
    let disabled = row("aws", "me-central-1");
    assert!(disabled.contains("not_enabled"), "{disabled}");
    assert!(
        disabled.contains("enable me-central-1 for the account"),
        "{disabled}"
    );
    let powerless = row("powerless", "us-east-1");
    assert!(
        powerless.contains("grant servicequotas:GetServiceQuota"),
        "{powerless}"
    );
    let stranger = row("stranger", "us-east-1");
    assert!(stranger.contains("AWS does not know them"), "{stranger}");

    let twin = row("twin", "us-east-1");
    assert!(
        twin.contains("the account of `aws`: they share leases"),
        "{twin}"
    );
    assert!(!works.contains("they share leases"), "{works}");

    let (_, sentence, code) = check(&["check", "aws"]);
    assert_eq!((code, &*sentence), (0, ""), "one usable region is enough");
    let (_, sentence, code) = check(&["check", "azure"]);
    assert_eq!(code, 2);
    assert!(
        sentence.contains("known: aws, powerless, stranger, twin"),
        "{sentence}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_even_the_action_that_reading_seldom_needs() {
    let aws = plain_aws().await;
    let seldom = "GetAWSDefaultServiceQuota";
    aws.controls()
        .inject(Fault::new(FaultKind::AccessDenied).operation(seldom));
    let file = Setup::new(&aws).write();
    let (table, _, code) = said_by(&["--config", file.path.to_str().unwrap(), "check"]);
    assert_eq!(code, 0, "{table}");
    let advice = "grant servicequotas:GetAWSDefaultServiceQuota";
    assert!(table.contains(advice), "{table}");
    assert!(table.contains("  21 limits, 21 usages"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_a_failure_that_all_regions_share_once() {
    let regions = ["us-east-1", "us-west-2", "eu-west-1"];
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::AccessDenied));
    for (setup, kind) in [
        (Setup::new(&aws), " denied "),
        // Nobody listens there.
        (Setup::at("http://127.0.0.1:1"), " unavailable "),
    ] {
        let file = setup
            .set("backends.0.regions", regions.to_vec())
            .set("backends.0.usage", "off")
            .write();
        let (table, _, code) = said_by(&["--config", file.path.to_str().unwrap(), "check"]);
        assert_eq!(code, 1, "{table}");
        let rows: Vec<_> = table.lines().filter(|line| line.contains(kind)).collect();
        assert_eq!(rows.len(), 1, "{table}");
        assert!(rows[0].contains("all 3"), "{table}");
        assert!(
            !regions.iter().any(|region| table.contains(region)),
            "{table}"
        );
    }
}
