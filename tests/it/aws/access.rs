//! Regions, addresses and credentials: what can be reached, as whom.

use serde_json::Value;
use simulated_clouds::aws::{Fault, FaultKind, Settings, SimulatedAws};

use super::REGION;
use crate::harness::{ACCOUNT, Process, Setup, plain_aws, run};

#[tokio::test(start_paused = true)]
async fn a_region_younger_than_this_program_is_not_enabled_rather_than_unknown_credentials() {
    let aws = plain_aws().await;
    let regions = vec!["xx-north-9", "us-east-1"];
    let setup = Setup::new(&aws).set("backends.0.regions", regions);
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get("/quotas/aws/xx-north-9").await;
    let body = answer.problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "not_enabled");
    let advice = body["failure"]["advice"].as_str().unwrap();
    assert!(advice.starts_with("enable xx-north-9 "), "{advice}");
    assert_eq!(service.get(REGION).await.json()["freshness"], "fresh");
}

#[tokio::test(start_paused = true)]
async fn all_regions_of_the_partition_are_read_as_far_as_they_are_enabled() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.regions", "all")
        .set("backends.0.usage", "off");
    let service = setup.start().await;
    service.ready().await;
    let overview = service.get("/quotas").await.json();
    let backend = &overview["backends"][0];
    assert_eq!(backend["status"], "partial");
    let regions = backend["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 34);
    let of = |freshness: Option<&str>| {
        let regions = regions.iter();
        regions
            .filter(|region| region["freshness"].as_str() == freshness)
            .count()
    };
    assert_eq!((of(Some("fresh")), of(None)), (17, 17));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_called_so() {
    let aws = plain_aws().await;
    aws.controls().inject(Fault::new(FaultKind::WrongClock));
    let service = Setup::new(&aws).start().await;
    service.ready().await;
    let answer = service.get(REGION).await;
    let body = answer.problem(502, "cloud-refused");
    assert_eq!(body["failure"]["kind"], "denied");
    let advice = body["failure"]["advice"].as_str().unwrap();
    assert!(advice.contains("clock"), "{advice}");
    let detail = body["failure"]["detail"].as_str().unwrap();
    assert!(detail.contains("is now earlier than"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn each_region_may_have_an_address_of_its_own() {
    // The only name of a host that leads to a simulation everywhere has to be a region's.
    let mut settings = Settings::plain();
    settings.accounts[0].regions.push("localhost".to_owned());
    let aws = SimulatedAws::start(settings).await.unwrap();
    let url = aws.url().replace("127.0.0.1", "{region}");
    let setup = Setup::new(&aws)
        .set("backends.0.regions", vec!["localhost"])
        .set("backends.0.endpoint_url", url);
    let service = setup.start().await;
    service.ready().await;
    let answer = service.get("/quotas/aws/localhost").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_refused_at_start() {
    let aws = plain_aws().await;
    for key in ["endpoint_url", "sts_endpoint_url"] {
        for wrong in [
            "127.0.0.1:1",
            "https://",
            "ftp://host",
            "https://{zone}.host",
        ] {
            let file = Setup::new(&aws)
                .set(&format!("backends.0.{key}"), wrong)
                .write();
            let output = run(&["serve", "--config", file.path.to_str().unwrap()], &[]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said}");
            let place = format!("`backends[0].{key}`");
            assert!(said.contains(&place) && said.contains(".toml:"), "{said}");
            assert!(said.contains(&format!("`{wrong}`")), "{said}");
        }
    }
}

/// The shared files are found by the environment, which only a process of its own may have.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_the_shared_files_is_used() {
    let aws = plain_aws().await;
    aws.controls().verify_signatures(true);
    let mut credentials = toml::Table::new();
    credentials.insert("source".to_owned(), "profile".into());
    credentials.insert("profile".to_owned(), "gpu".into());
    let setup = Setup::new(&aws).set("backends.0.credentials", credentials);
    let shared = setup.file(
        "shared-credentials",
        "[default]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = wrong\n\
         [gpu]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
         aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    );
    let file = setup.write();
    let environment = [("AWS_SHARED_CREDENTIALS_FILE", shared.to_str().unwrap())];
    let (_process, url) = Process::serve(&file.path, &environment).await;
    let answer = reqwest::get(format!("{url}{REGION}")).await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["account"], ACCOUNT, "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_misspelt_region_is_told_with_the_one_that_may_be_meant() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .set("backends.0.preload", false)
        .set("backends.0.regions", vec!["us-esat-1"]);
    let service = setup.start().await;
    let body = service.get("/quotas/aws/us-esat-1").await.json();
    let advice = body["failure"]["advice"].as_str().unwrap();
    assert!(
        advice.ends_with("; or is `us-esat-1` meant to be `us-east-1`?"),
        "{advice}"
    );
}
