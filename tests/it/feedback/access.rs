//! Access to feedback, and to the list of errors that were not understood.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Service, Setup, plain_aws};

async fn post_as(service: &Service, token: &str, body: &Value) -> Answer {
    let request = service.request(Method::POST, "/feedback").json(body);
    service.send(request.bearer_auth(token)).await
}

#[tokio::test(start_paused = true)]
async fn learning_needs_more_than_reading() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws)
        .token("reader", &["read"])
        .token("verifier", &["verify"])
        .token("admin", &["admin"])
        .token_for("stranger", &["admin"], Some(&["other"]))
        .backend("name = \"other\"\nkind = \"scripted\"\npreload = false\nreading = \"never_ends\"")
        .start()
        .await;
    let error = json!({"code": "Nobody.Knows", "message": "request 1 broke"});
    let body = json!({"backend": "aws", "outcome": "failed", "error": error});
    let mut dry_run = body.clone();
    dry_run["dry_run"] = json!(true);
    assert_eq!(post_as(&service, "reader", &dry_run).await.status, 200);
    post_as(&service, "reader", &body)
        .await
        .problem(403, "forbidden");
    assert_eq!(post_as(&service, "verifier", &body).await.status, 202);
    for body in [&body, &dry_run] {
        post_as(&service, "stranger", body)
            .await
            .problem(404, "unknown-backend");
    }

    let unrecognised = async |token| service.get_as(token, "/feedback/unrecognised").await;
    unrecognised("verifier").await.problem(403, "forbidden");
    let seen = unrecognised("admin").await.json();
    let list = seen["unrecognised"].as_array().unwrap();
    assert_eq!(list.len(), 1, "{seen}");
    assert_eq!(list[0]["code"], "Nobody.Knows");
    assert_eq!(
        (&list[0]["cloud"], &list[0]["times"]),
        (&json!("aws"), &json!(1))
    );
    assert_eq!(
        unrecognised("stranger").await.json(),
        json!({"unrecognised": []})
    );
}
