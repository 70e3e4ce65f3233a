//! Tokens and their scopes.

use reqwest::Method;
use serde_json::json;
use simulated_clouds::aws::{Fault, FaultKind, SimulatedAws};

use crate::harness::{Answer, Service, Setup, eventually, plain_aws};

fn setup(aws: &SimulatedAws) -> Setup {
    Setup::new(aws)
        .other_account()
        .token("reader", &["read"])
        .token("verifier", &["verify"])
        .token("admin", &["admin"])
        .token_for("narrow", &["admin"], Some(&["aws"]))
        .token_for("stranger", &["read"], Some(&["other"]))
}

async fn service(aws: &SimulatedAws) -> Service {
    setup(aws).start().await
}

#[tokio::test(start_paused = true)]
async fn each_scope_allows_what_it_says_and_no_more() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    service.ready().await;
    let status = async |token: &str, method: Method, path: &str| {
        let request = service.request(method, path).bearer_auth(token);
        service.send(request).await.status
    };
    for (token, reads, verifies, refreshes) in [
        ("reader", 200, 403, 403),
        ("verifier", 200, 200, 403),
        ("admin", 200, 200, 200),
        ("nobody", 401, 401, 401),
    ] {
        let region = "/quotas/aws/us-east-1";
        assert_eq!(status(token, Method::GET, region).await, reads);
        assert_eq!(status(token, Method::GET, "/metrics").await, reads);
        let newer = format!("{region}?max_age=1h");
        assert_eq!(status(token, Method::GET, &newer).await, verifies);
        let refresh = "/refresh/aws/us-east-1";
        assert_eq!(status(token, Method::POST, refresh).await, refreshes);
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_tells_strangers_nothing_of_the_account() {
    let aws = plain_aws().await;
    let denied = Fault::new(FaultKind::AccessDenied).region("us-east-1");
    aws.controls().inject(denied);
    let service = service(&aws).await;
    service.ready().await;
    let failure = async |answer: Answer| answer.json()["failed"][0]["failure"].clone();
    let nobody = service.get("/readyz").await;
    assert_eq!(nobody.json()["failed_count"], 2, "{}", nobody.text());
    assert_eq!(nobody.json()["failed"], serde_json::json!([]));
    assert!(!nobody.text().contains("us-east-1"), "{}", nobody.text());
    let of_others = service.get_as("stranger", "/readyz").await.json();
    assert_eq!(of_others["failed_count"], 2, "{of_others}");
    assert_eq!(
        of_others["failed"].as_array().unwrap().len(),
        1,
        "{of_others}"
    );
    assert_eq!(
        of_others["failed"][0]["locations"],
        json!(["other/us-east-1"])
    );
    let told = failure(service.get_as("reader", "/readyz").await).await;
    let told = told.as_str().unwrap();
    assert!(told.contains("servicequotas:GetServiceQuota"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn readiness_tells_strangers_nothing_of_the_catalogs_source() {
    let aws = plain_aws().await;
    let service = setup(&aws)
        .set("catalog.source", "no-such-folder")
        .start()
        .await;
    service.ready().await;
    let failure = async |answer: Answer| answer.json()["catalogs"][0]["last_error"].clone();
    let looked = async || {
        let told = failure(service.get_as("reader", "/readyz").await).await;
        told.is_string()
    };
    eventually("the folder was looked at", looked).await;
    let nobody = service.get("/readyz").await;
    assert_eq!(nobody.json()["catalogs"], json!([]), "{}", nobody.text());
    assert!(!nobody.text().contains("aws"), "{}", nobody.text());
    let told = failure(service.get_as("reader", "/readyz").await).await;
    let told = told.as_str().unwrap();
    assert!(told.contains("no-such-folder"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_a_token_may_not_see_does_not_exist_for_it() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    service.ready().await;

    let all = service.get_as("admin", "/quotas").await.json();
    assert_eq!(all["backends"].as_array().unwrap().len(), 2);
    let seen = service.get_as("narrow", "/quotas").await;
    assert_eq!(seen.json()["backends"].as_array().unwrap().len(), 1);
    assert!(!seen.text().contains("other"));

    for path in ["/quotas/other", "/quotas/other/us-east-1", "/quotas/none"] {
        let body = service
            .get_as("narrow", path)
            .await
            .problem(404, "unknown-backend");
        assert_eq!(body["known"], json!(["aws"]));
    }
    let request = service.request(Method::POST, "/refresh/other");
    let answer = service.send(request.bearer_auth("narrow")).await;
    answer.problem(404, "unknown-backend");
    let metrics = service.get_as("narrow", "/metrics").await;
    assert!(!metrics.text().contains("backend=\"other\""));
}

#[tokio::test(start_paused = true)]
async fn a_browser_may_give_its_token_as_a_password_but_only_to_read() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    let basic = async |method: Method, path: &str, password: &str| {
        let request = service.request(method, path);
        let request = request.basic_auth("anyone", Some(password));
        service.send(request).await
    };
    assert_eq!(basic(Method::GET, "/quotas", "admin").await.status, 200);
    basic(Method::GET, "/quotas", "wrong")
        .await
        .problem(401, "unauthenticated");
    basic(Method::POST, "/refresh/aws", "admin")
        .await
        .problem(401, "unauthenticated");

    let challenges: Vec<_> = service
        .get("/")
        .await
        .headers
        .get_all("www-authenticate")
        .iter()
        .map(|challenge| challenge.to_str().unwrap().to_owned())
        .collect();
    assert!(
        challenges
            .iter()
            .any(|challenge| challenge.starts_with("Bearer"))
    );
    // A browser would ask for a password of its own accord.
    assert!(
        !challenges
            .iter()
            .any(|challenge| challenge.starts_with("Basic"))
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_probes_and_the_signed_routes_need_no_token() {
    let aws = plain_aws().await;
    let service = service(&aws).await;
    service.ready().await;
    let document = service.get_as("reader", "/openapi.json").await.json();
    let mut open = Vec::new();
    for path in document["paths"].as_object().unwrap().keys() {
        let filled = path
            .replace("{backend}", "aws")
            .replace("{region}", "us-east-1");
        let documented = document["paths"][path].as_object().unwrap();
        for method in documented.keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase().parse().unwrap();
            let answer = service.send(service.request(method, &filled)).await;
            if answer.status != 401 {
                open.push(path.as_str());
            }
        }
    }
    open.sort_unstable();
    // Callers of the AWS protocol are known by their signature, and switched off it refuses all.
    // A session is begun with a token in the body, and ended by whoever has it.
    let signed = ["/aws", "/aws/{backend}"];
    let others = ["/healthz", "/readyz", "/session", "/session"];
    assert_eq!(open, [&signed[..], &others[..]].concat());
}
