//! Requests that make no sense, and how AWS says so.

use super::harness::{KEY, Oracle, P, Plan, refusal};

fn seen(refusal: (u16, String, String)) -> (u16, String) {
    (refusal.0, refusal.1)
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(start_paused = true)]
async fn wrong_parameters_are_refused_as_on_aws() {
    let oracle = Oracle::start(Plan::default()).await;
    let ours = oracle.sdk("us-east-1");
    let theirs = oracle.direct("us-east-1");
    for client in [ours, theirs] {
        let get = || client.get_service_quota();
        let list = || client.list_service_quotas();
        let illegal = is(400, "IllegalArgumentException");
        assert_eq!(seen(refusal!(get().service_code("ec2").send())), illegal);
        assert_eq!(seen(refusal!(get().quota_code(P).send())), illegal);
        assert_eq!(seen(refusal!(list().send())), illegal);
        for length in [-1, 0, 101] {
            let call = list().service_code("ec2").max_results(length).send();
            assert_eq!(seen(refusal!(call)), illegal);
        }
        let call = list()
            .service_code("ec2")
            .quota_applied_at_level("PLANET".into());
        assert_eq!(seen(refusal!(call.send())), illegal);

        let missing = is(400, "NoSuchResourceException");
        let call = get().service_code("nosuch").quota_code(P).send();
        assert_eq!(seen(refusal!(call)), missing);
        let call = get().service_code("ec2").quota_code("L-00000000").send();
        assert_eq!(seen(refusal!(call)), missing);
        assert_eq!(
            seen(refusal!(list().service_code("nosuch").send())),
            missing
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_token_is_good_for_its_own_question_only() {
    let oracle = Oracle::start(Plan::default()).await;
    let list = |client: &aws_sdk_servicequotas::Client, service: &str, token: Option<&str>| {
        let call = client
            .list_service_quotas()
            .service_code(service)
            .max_results(1);
        call.set_next_token(token.map(str::to_owned)).send()
    };
    let here = oracle.sdk("us-east-1");
    let token = list(&here, "ec2", None).await.unwrap().next_token.unwrap();
    assert!(list(&here, "ec2", Some(&token)).await.is_ok());

    let refused = is(400, "InvalidPaginationTokenException");
    assert_eq!(seen(refusal!(list(&here, "ebs", Some(&token)))), refused);
    assert_eq!(seen(refusal!(list(&here, "ec2", Some("made up")))), refused);
    let elsewhere = oracle.sdk("us-west-2");
    assert_eq!(
        seen(refusal!(list(&elsewhere, "ec2", Some(&token)))),
        refused
    );
    let other = oracle.client("/aws/other", "us-east-1", KEY);
    assert_eq!(seen(refusal!(list(&other, "ec2", Some(&token)))), refused);
}

#[tokio::test(start_paused = true)]
async fn operations_that_are_not_served_are_unknown() {
    let oracle = Oracle::start(Plan::default()).await;
    let client = oracle.sdk("us-east-1");
    let unknown = is(400, "UnknownOperationException");
    assert_eq!(seen(refusal!(client.list_services().send())), unknown);
    let call = client.request_service_quota_increase();
    let call = call
        .service_code("ec2")
        .quota_code(P)
        .desired_value(1e3)
        .send();
    assert_eq!(seen(refusal!(call)), unknown);
    assert_eq!(oracle.answered(400).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_not_there_is_unknown() {
    let oracle = Oracle::start(Plan::default()).await;
    let client = oracle.client("/aws/nosuch", "us-east-1", KEY);
    let call = client.get_service_quota().service_code("ec2").quota_code(P);
    assert_eq!(
        seen(refusal!(call.send())),
        is(400, "AccessDeniedException")
    );
}

#[tokio::test(start_paused = true)]
async fn without_its_table_the_protocol_is_off_and_says_so() {
    let oracle = Oracle::start(Plan {
        protocol: "",
        ..Plan::default()
    })
    .await;
    let client = oracle.sdk("us-east-1");
    let call = client.get_service_quota().service_code("ec2").quota_code(P);
    let (status, code, message) = refusal!(call.send());
    assert_eq!((status, &*code), (400, "AccessDeniedException"));
    assert!(message.contains("[aws_protocol]"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_around_the_protocol_is_told_in_its_words() {
    let oracle = Oracle::start(Plan::default()).await;
    let http = reqwest::Client::new();
    let url = format!("{}/aws/aws", oracle.url);
    let seen = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(header("x-amzn-requestid"), header("x-request-id"));
        let (status, code) = (response.status().as_u16(), header("x-amzn-errortype"));
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["__type"], *code);
        (status, code)
    };
    let get = seen(http.get(&url)).await;
    assert_eq!(get, is(405, "UnknownOperationException"));
    let large = seen(http.post(&url).body(vec![b' '; 70_000])).await;
    assert_eq!(large, is(413, "RequestEntityTooLargeException"));
    let not_utf8 = seen(http.post(format!("{}/aws/%FF", oracle.url))).await;
    assert_eq!(not_utf8, is(400, "IllegalArgumentException"));
}
