//! Requests that are repeated: one lease, whatever the network loses.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{delete, leases, p_of, quiet};
use crate::harness::{ACCOUNT, Answer, P, Service, Setup, let_time_pass, plain_aws};

async fn post(service: &Service, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = service.request(Method::POST, path).json(body);
    let request = request.bearer_auth(token).header("idempotency-key", key);
    service.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_gets_the_first_ones_lease() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 16.0).unwrap();
    let setup = quiet(Setup::new(&aws))
        .set("cache.directory", "data")
        .token("one", &["verify"])
        .token("other", &["verify"]);
    let service = setup.start().await;
    service.ready().await;
    let body = json!({"offer": p_of(8), "ttl": "2m"});
    let first = post(&service, "one", "/leases", "a", &body).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = post(&service, "one", "/leases", "a", &body).await;
    assert_eq!((again.status, again.json()), (201, first.json()));

    let changed = json!({"offer": p_of(8), "ttl": "3m"});
    let refused = post(&service, "one", "/leases", "a", &changed).await;
    refused.problem(422, "idempotency-key-reused");
    // The same word of another caller means something else.
    let other = post(&service, "other", "/leases", "a", &body).await;
    assert_ne!(other.json()["id"], first.json()["id"]);
    // There is no room for a third, and the second is answered as often as it is asked for.
    assert_eq!(
        post(&service, "one", "/leases", "b", &body).await.status,
        409
    );
    assert_eq!(
        post(&service, "other", "/leases", "a", &body).await.json(),
        other.json()
    );

    // The key outlives its lease by ten minutes, and the process too.
    let_time_pass(Duration::from_secs(121)).await;
    assert_eq!(
        post(&service, "one", "/leases", "a", &body).await.json(),
        first.json()
    );
    service.stop().await;
    let service = setup.start().await;
    assert_eq!(
        post(&service, "one", "/leases", "a", &body).await.json(),
        first.json()
    );
    post(&service, "one", "/leases", "a", &changed)
        .await
        .problem(422, "idempotency-key-reused");
    let_time_pass(Duration::from_secs(601)).await;
    let fresh = post(&service, "one", "/leases", "a", &body).await;
    assert_eq!(fresh.status, 201);
    assert_ne!(fresh.json()["id"], first.json()["id"]);

    let long = "k".repeat(256);
    for key in ["", &long] {
        let refused = post(&service, "one", "/leases", key, &body).await;
        let problem = refused.problem(400, "bad-request");
        assert_eq!(problem["field"], "Idempotency-Key");
    }
    assert_eq!(
        post(&service, "one", "/leases", &long[1..], &body)
            .await
            .status,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeated_verification_fits_as_the_first_one_did() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 8.0).unwrap();
    let service = quiet(Setup::new(&aws)).start().await;
    service.ready().await;
    let body = json!({"offer": p_of(8), "lease": "2m", "max_age": "1h"});
    let first = post(&service, "", "/verify", "a", &body).await.json();
    assert_eq!(first["quota"]["verdict"], "fits", "{first}");
    // The room that its own lease holds is not missing.
    let again = post(&service, "", "/verify", "a", &body).await.json();
    assert_eq!(again, first);
    let other = post(&service, "", "/verify", "b", &body).await.json();
    assert_eq!(
        (&other["quota"]["verdict"], &other["lease"]),
        (&json!("short"), &Value::Null)
    );
    let reused = post(&service, "", "/leases", "a", &json!({"offer": p_of(8)})).await;
    reused.problem(422, "idempotency-key-reused");

    let id = first["lease"]["id"].as_str().unwrap();
    assert_eq!(delete(&service, &format!("/leases/{id}")).await.status, 204);
    assert_eq!(leases(&service).await, Vec::<Value>::new());
}
