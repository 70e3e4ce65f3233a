//! Verification of callers.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use jiff::{SignedDuration, Timestamp};
use quota_oracle::clock::Clock;

use super::harness::{KEY, OTHER_KEY, Oracle, P, Plan, client, refusal};

const BODY: &str = r#"{"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}"#;

/// A request as it is signed, and what is changed on its way.
#[derive(Clone, Copy, Debug)]
struct Request {
    service: &'static str,
    host: Option<&'static str>,
    body: &'static str,
    extra: Option<(&'static str, &'static str)>,
}

const AS_SIGNED: Request = Request {
    service: "servicequotas",
    host: None,
    body: BODY,
    extra: None,
};

/// The status, and the error code of a refusal.
async fn answer(oracle: &Oracle, request: Request) -> (u16, String) {
    let identity = Credentials::from_keys(KEY.0, KEY.1, None).into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(request.service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = format!("{}/aws/aws", oracle.url);
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota"),
    ];
    let body = SignableBody::Bytes(BODY.as_bytes());
    let to_sign = SignableRequest::new("POST", &url, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(to_sign, &params).unwrap().into_parts();
    let mut sent = reqwest::Client::new().post(&url).body(request.body);
    for (name, value) in headers.into_iter().chain(instructions.headers()) {
        sent = sent.header(name, value);
    }
    if let Some(host) = request.host {
        sent = sent.header("host", host);
    }
    if let Some((name, value)) = request.extra {
        sent = sent.header(name, value);
    }
    let response = sent.send().await.unwrap();
    let status = response.status().as_u16();
    let body: serde_json::Value = response.json().await.unwrap();
    (
        status,
        body["__type"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_was_signed_is_let_in_and_what_was_changed_is_not() {
    let oracle = Oracle::start(Plan::default()).await;
    let let_in = (200, String::new());
    let refused = (400, "InvalidSignatureException".to_owned());
    assert_eq!(answer(&oracle, AS_SIGNED).await, let_in);
    for changed in [
        Request {
            service: "ec2",
            ..AS_SIGNED
        },
        Request {
            host: Some("elsewhere.localhost:80"),
            ..AS_SIGNED
        },
        Request {
            body: "{}",
            ..AS_SIGNED
        },
        Request {
            extra: Some(("x-amz-unsigned", "1")),
            ..AS_SIGNED
        },
        Request {
            extra: Some(("x-amz-security-token", "1")),
            ..AS_SIGNED
        },
    ] {
        assert_eq!(answer(&oracle, changed).await, refused, "{changed:?}");
    }
    let unsigned = Request {
        extra: Some(("amz-sdk-request", "attempt=1")),
        ..AS_SIGNED
    };
    assert_eq!(answer(&oracle, unsigned).await, let_in);
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_request_is_told_to_sign() {
    let oracle = Oracle::start(Plan::default()).await;
    let http = reqwest::Client::new();
    let url = format!("{}/aws/aws", oracle.url);
    for request in [http.post(&url), http.post(&url).bearer_auth("a-token")] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["__type"], "MissingAuthenticationTokenException");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_open_only_what_is_theirs() {
    let oracle = Oracle::start(Plan::default()).await;
    let ask = |path: &str, key| {
        let client = oracle.client(path, "us-east-1", key);
        client
            .get_service_quota()
            .service_code("ec2")
            .quota_code(P)
            .send()
    };
    assert!(ask("/aws/aws", KEY).await.is_ok());
    assert!(ask("/aws/other", OTHER_KEY).await.is_ok());
    let (_, code, _) = refusal!(ask("/aws/aws", OTHER_KEY));
    assert_eq!(code, "AccessDeniedException");
    let (_, code, _) = refusal!(ask("/aws/aws", ("oracle-3", KEY.1)));
    assert_eq!(code, "UnrecognizedClientException");
    let (_, code, message) = refusal!(ask("/aws/aws", (KEY.0, OTHER_KEY.1)));
    assert_eq!(code, "InvalidSignatureException");
    assert!(!message.contains("secret of"), "{message}");
    assert_eq!(oracle.answered(400).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_secret_is_taken_up_and_the_replaced_one_refused() {
    let renewed = (KEY.0, "the-next-secret-of-oracle-1");
    // The second is as an editor of Windows writes it.
    for written in [renewed.1, "\u{feff}the-next-secret-of-oracle-1\r\n"] {
        for wait in [Duration::from_secs(2), Duration::from_secs(61)] {
            let oracle = Oracle::start(Plan::default()).await;
            let ask = |key| {
                let client = oracle.client("/aws/aws", "us-east-1", key);
                let call = client.get_service_quota().service_code("ec2");
                call.quota_code(P).send()
            };
            assert!(ask(KEY).await.is_ok());
            oracle.renew((KEY.0, written));
            tokio::time::sleep(wait).await;
            // Within the minute it is the new one that has the files read again.
            assert!(ask(renewed).await.is_ok(), "{written:?} after {wait:?}");
            let (_, code, _) = refusal!(ask(KEY));
            assert_eq!(code, "InvalidSignatureException");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaced_secret_is_refused_after_a_minute_though_nobody_brings_the_new_one() {
    let oracle = Oracle::start(Plan::default()).await;
    let ask = || {
        let client = oracle.sdk("us-east-1");
        let call = client.get_service_quota().service_code("ec2");
        call.quota_code(P).send()
    };
    assert!(ask().await.is_ok());
    oracle.renew((KEY.0, "another"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    let (_, code, _) = refusal!(ask());
    assert_eq!(code, "InvalidSignatureException");
}

#[tokio::test(start_paused = true)]
async fn a_session_token_is_signed_along() {
    let oracle = Oracle::start(Plan::default()).await;
    let credentials = Credentials::from_keys(KEY.0, KEY.1, Some("a token".to_owned()));
    let client = client(format!("{}/aws/aws", oracle.url), "us-east-1", credentials);
    let call = client.get_service_quota().service_code("ec2").quota_code(P);
    assert!(call.send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_old_signature_has_expired() {
    for minutes in [-6, 6] {
        let wall = Timestamp::now() + SignedDuration::from_mins(minutes);
        let oracle = Oracle::start(Plan {
            clock: Clock::starting_at(wall),
            ..Plan::default()
        })
        .await;
        let client = oracle.sdk("us-east-1");
        let call = client.get_service_quota().service_code("ec2").quota_code(P);
        let (status, code, message) = refusal!(call.send());
        assert_eq!((status, &*code), (400, "InvalidSignatureException"));
        let why = if minutes > 0 {
            "Signature expired"
        } else {
            "Signature not yet current"
        };
        assert!(message.starts_with(why), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn signatures_take_the_place_of_bearer_tokens() {
    let oracle = Oracle::start(Plan {
        server: r#"tokens = [{ name = "dashboard", token_file = "token" }]"#,
        ..Plan::default()
    })
    .await;
    let plain = reqwest::get(format!("{}/quotas", oracle.url))
        .await
        .unwrap();
    assert_eq!(plain.status(), 401);
    let client = oracle.sdk("us-east-1");
    let call = client.get_service_quota().service_code("ec2").quota_code(P);
    assert!(call.send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn without_verification_any_signature_will_do_but_there_has_to_be_one() {
    let oracle = Oracle::start(Plan {
        protocol: "[aws_protocol]\nverify = false",
        ..Plan::default()
    })
    .await;
    let client = oracle.client("/aws", "us-east-1", ("anyone", "anything"));
    let call = client.get_service_quota().service_code("ec2").quota_code(P);
    assert!(call.send().await.is_ok());
    let url = format!("{}/aws", oracle.url);
    let unsigned = reqwest::Client::new().post(url).send().await.unwrap();
    assert_eq!(unsigned.status(), 400);
}
