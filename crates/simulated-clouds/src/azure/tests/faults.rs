//! Refusals, faults and rate limits.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

async fn with_fault(story: &Story, fault: Fault) -> Answer {
    story.azure.controls().inject(Rule::new(fault).times(1));
    story.usages("eastus").await
}

#[tokio::test]
async fn every_refusal_has_its_status_and_code() {
    let story = Story::new(Settings::default()).await;
    let refusals = [
        (Fault::TokenInvalid, 401, "InvalidAuthenticationToken"),
        (
            Fault::TokenOfOtherTenant,
            401,
            "InvalidAuthenticationTokenTenant",
        ),
        (Fault::AuthorizationFailed, 403, "AuthorizationFailed"),
        (Fault::SubscriptionNotFound, 404, "SubscriptionNotFound"),
        (Fault::NotRegistered, 409, "MissingSubscriptionRegistration"),
        (Fault::NoUsages, 409, "SubscriptionHasNoUsages"),
        (
            Fault::NoRegisteredProvider,
            400,
            "NoRegisteredProviderFound",
        ),
        (Fault::InvalidApiVersion, 400, "InvalidApiVersionParameter"),
        (Fault::InternalError, 500, "InternalServerError"),
        (Fault::Unavailable, 503, "ServerTimeout"),
        (Fault::GatewayTimeout, 504, "GatewayTimeout"),
    ];
    for (fault, status, code) in refusals {
        assert_eq!(with_fault(&story, fault).await.refusal(), (status, code));
    }
    let denied = with_fault(&story, Fault::AuthorizationFailed).await;
    let message = denied.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("action 'Microsoft.Compute/locations/usages/read'"),
        "{message}"
    );
    for (fault, status) in [(Fault::BadGateway, 502), (Fault::ForeignPage, 200)] {
        let answer = with_fault(&story, fault).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "text/html")
        );
        assert_eq!(answer.body, Value::Null);
    }
    assert_eq!(
        with_fault(&story, Fault::CutDocument).await.body,
        Value::Null
    );
    assert_eq!(story.usages("eastus").await.status, 200);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_without_a_fault() {
    let story = Story::new(Settings::default()).await;
    assert_eq!(
        story.usages("mars").await.refusal(),
        (400, "NoRegisteredProviderFound")
    );
    assert_eq!(
        story.usages("global").await.refusal(),
        (400, "NoRegisteredProviderFound")
    );
    let path = usages_path("eastus");
    let old = story.get(&path.replace("2024-07-01", "2014-07-01")).await;
    assert_eq!(old.refusal(), (400, "InvalidApiVersionParameter"));
    let none = story.get(path.split_once('?').unwrap().0).await;
    assert_eq!(none.refusal(), (400, "MissingApiVersionParameter"));
    let of = async |subscription: &str| {
        let url = format!("{}/subscriptions/{subscription}{path}", story.azure.url());
        story.get(&url).await
    };
    let other = of("1f2e3d4c-0000-4000-8000-0000000000ff").await;
    assert_eq!(other.refusal(), (404, "SubscriptionNotFound"));
    assert_eq!(of("mine").await.refusal(), (400, "InvalidSubscriptionId"));
    let url = format!(
        "{}/subscriptions/{SUBSCRIPTION_ID}{path}",
        story.azure.url()
    );
    let anonymous = story.client.get(url).send().await.unwrap();
    let anonymous = Answer::read(anonymous).await;
    assert_eq!(anonymous.refusal(), (401, "AuthenticationFailed"));
}

#[tokio::test]
async fn both_ways_of_throttling_have_their_own_bodies() {
    let story = Story::new(Settings::default()).await;
    let arm = with_fault(
        &story,
        Fault::Throttled {
            retry_after_seconds: 10,
        },
    )
    .await;
    assert_eq!(arm.refusal(), (429, "SubscriptionRequestsThrottled"));
    assert_eq!(arm.header("retry-after"), "10");
    let compute = with_fault(
        &story,
        Fault::ComputeThrottled {
            retry_after_seconds: 1200,
        },
    )
    .await;
    assert_eq!(
        (compute.status, compute.header("retry-after")),
        (429, "1200")
    );
    assert_eq!(compute.body["code"], "OperationNotAllowed");
    assert_eq!(compute.body["details"][0]["code"], "TooManyRequests");
    assert_eq!(story.azure.controls().throttled(), 2);

    let compute = ComputeLimit {
        capacity: 2,
        ..ComputeLimit::assumed()
    };
    let limits = ResourceManagerLimit::documented();
    story.azure.controls().set_limits(limits, compute);
    assert_eq!(story.usages("eastus").await.status, 200);
    assert_eq!(story.usages("eastus").await.status, 200);
    let refused = story.usages("eastus").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, "1200")
    );
    assert_eq!(
        story.usages("westus").await.status,
        200,
        "its bucket is another"
    );
}

#[tokio::test(start_paused = true)]
async fn connections_are_cut_delayed_and_left_hanging() {
    let story = Story::new(Settings::default()).await;
    let controls = story.azure.controls();
    let url = format!("{}/subscriptions/{SUBSCRIPTION_ID}", story.azure.url());
    let ask = || {
        let url = format!("{url}{}", usages_path("eastus"));
        story.client.get(url).bearer_auth(&story.token).send()
    };
    controls.inject(
        Rule::new(Fault::Close)
            .on(Method::ListUsages)
            .of("eastus")
            .times(1),
    );
    assert!(ask().await.is_err());
    controls.inject(Rule::new(Fault::Delay { seconds: 30 }).times(1));
    let asked = tokio::time::Instant::now();
    assert_eq!(ask().await.unwrap().status(), 200);
    assert!(asked.elapsed() >= Duration::from_secs(30));
    controls.inject(Rule::new(Fault::Hang).times(1));
    let waited = tokio::time::timeout(Duration::from_secs(3600), ask()).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn links_can_lead_astray() {
    let story = Story::new(Settings::default()).await;
    let repeated = with_fault(&story, Fault::RepeatedPage).await;
    let link = repeated.body["nextLink"].as_str().unwrap();
    assert!(
        link.starts_with(&story.azure.url()) && link.ends_with("skiptoken=0"),
        "{link}"
    );
    let foreign = with_fault(&story, Fault::ForeignLink).await;
    let link = foreign.body["nextLink"].as_str().unwrap();
    assert!(!link.starts_with(&story.azure.url()), "{link}");
}

#[tokio::test]
async fn people_with_curl_change_quotas_and_order_faults() {
    let story = Story::new(Settings::default()).await;
    let url = format!("{}/_sim", story.azure.url());
    let post = async |path: &str, body: Value| {
        let sent = story
            .client
            .post(format!("{url}/{path}"))
            .body(body.to_string());
        sent.send().await.unwrap().status().as_u16()
    };
    let read = async |path: &str| {
        Answer::read(
            story
                .client
                .get(format!("{url}/{path}"))
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    let row = json!({"location": "westus", "name": "cores", "value": 20});
    assert_eq!(post("limit", row.clone()).await, 204);
    assert_eq!(post("usage", row).await, 204);
    let quotas = read("quotas?location=westus").await;
    assert_eq!(quotas.body["quotas"]["cores"], json!([20, 20]));
    let elsewhere = json!({"location": "mars", "name": "cores", "value": 20});
    assert_eq!(post("limit", elsewhere).await, 404);
    assert_eq!(post("limit", json!({"place": "westus"})).await, 400);
    let size = "Standard_D2s_v5";
    let restriction = json!({"location": "westus", "size": size, "reason": "QuotaId"});
    assert_eq!(post("restriction", restriction).await, 204);
    story.azure.controls().edit(|subscription| {
        let found = &subscription.locations["westus"].restrictions[size];
        assert_eq!(found, &Restriction::of_location(Reason::QuotaId));
    });

    let throttled = json!({"throttled": {"retry_after_seconds": 5}});
    let fault = json!({"fault": throttled, "method": "list_usages", "name": "westus"});
    assert_eq!(post("fault", fault).await, 204);
    assert_eq!(story.usages("eastus").await.status, 200);
    assert_eq!(story.usages("westus").await.status, 429);
    let calls = read("calls").await.body;
    assert_eq!(calls["throttled"], 1);
    let expected = json!({"method": "list_usages", "name": "westus", "calls": 1});
    assert!(
        calls["calls"].as_array().unwrap().contains(&expected),
        "{calls}"
    );
    let ended = story.client.delete(format!("{url}/faults")).send().await;
    assert_eq!(ended.unwrap().status(), 204);
    assert_eq!(story.usages("westus").await.status, 200);
}
