//! Two backends that turn out to be one account: what one holds is missing at the other.

use std::time::Duration;

use serde_json::{Value, json};
use simulated_clouds::aws::SimulatedAws;

use super::{delete, p5, post, quiet, take, taken};
use crate::harness::{ACCOUNT, P, Service, Setup, let_time_pass, plain_aws};

const TWIN: &str = "/quotas/twin/us-east-1";

fn of_twin() -> Value {
    let mut offer = p5();
    offer["backend"] = "twin".into();
    offer
}

/// A service that knows the account under two names.
async fn service(aws: &SimulatedAws) -> Service {
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 400.0).unwrap();
    let url = aws.url();
    let setup = quiet(Setup::new(aws))
        .set("backends.0.usage_delay", "60s")
        .backend(&format!(
            r#"
            name = "twin"
            kind = "aws"
            regions = ["us-east-1"]
            refresh_every = "6h"
            usage_delay = "60s"
            endpoint_url = "{url}"
            sts_endpoint_url = "{url}"

            [credentials]
            source = "static"
            access_key_id = "AKIAIOSFODNN7EXAMPLE"
            secret_access_key_file = "aws-secret"
            "#
        ));
    let service = setup.start().await;
    service.ready().await;
    service
}

/// Returns what the twin says of the P quota: leased and available.
async fn said(service: &Service) -> (Value, Value) {
    let row = service.get(TWIN).await.quota(P);
    (row["leased"].clone(), row["available"].clone())
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_one_backend_is_missing_at_the_other_of_its_account() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    assert_eq!(said(&service).await, (json!(0), json!(400)));
    let before = service.get(TWIN).await.header("etag").to_owned();

    let lease = taken(&service, &p5(), 2).await;
    assert_eq!(said(&service).await, (json!(384), json!(16)));
    let after = service.get(TWIN).await;
    assert_ne!(after.header("etag"), before);
    assert_eq!(after.header("cache-control"), "private, no-cache");
    let refused = take(&service, &of_twin(), 1).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["verdict"]["quota"]["verdict"], "short");

    // The lease is its own backend's all the same.
    assert_eq!(lease["backend"], "aws");
    let path = format!("/leases/{}", lease["id"].as_str().unwrap());
    assert_eq!(delete(&service, &path).await.status, 204);
    assert_eq!(said(&service).await, (json!(0), json!(400)));
    taken(&service, &of_twin(), 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_one_backend_ends_at_the_other_of_its_account() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    taken(&service, &p5(), 2).await;
    assert_eq!(said(&service).await.0, json!(384));
    let_time_pass(Duration::from_secs(121)).await;
    assert_eq!(said(&service).await, (json!(0), json!(400)));
}

#[tokio::test(start_paused = true)]
async fn a_committed_lease_counts_at_each_backend_until_its_own_rows_show_the_launch() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let lease = taken(&service, &p5(), 1).await;
    let path = format!("/leases/{}/commit", lease["id"].as_str().unwrap());
    assert_eq!(post(&service, &path, &json!({})).await.status, 200);
    aws.controls()
        .set_usage(ACCOUNT, "us-east-1", P, 192.0)
        .unwrap();
    let_time_pass(Duration::from_secs(600)).await;

    // One backend has read since, the other has not.
    assert_eq!(service.post("/refresh/aws/us-east-1").await.status, 200);
    let row = service.get(super::REGION).await.quota(P);
    assert_eq!((&row["usage"], &row["leased"]), (&json!(192), &json!(0)));
    assert_eq!(said(&service).await, (json!(192), json!(208)));

    assert_eq!(service.post("/refresh/twin/us-east-1").await.status, 200);
    assert_eq!(said(&service).await, (json!(0), json!(208)));
}
