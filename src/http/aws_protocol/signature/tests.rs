//! Requests that AWS's own signer signs, as they are and changed on the way.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const BODY: &[u8] = br#"{"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}"#;

/// A request as a signer is told to make it.
#[derive(Clone, Debug)]
struct Plan {
    path: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    region: String,
    service: &'static str,
    secret: &'static str,
    session_token: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            path: "/aws/aws".to_owned(),
            body: BODY.to_vec(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                (
                    "x-amz-target",
                    "ServiceQuotasV20190624.GetServiceQuota".to_owned(),
                ),
            ],
            region: "eu-north-1".to_owned(),
            service: "servicequotas",
            secret: SECRET,
            session_token: None,
        }
    }
}

fn now() -> Timestamp {
    "2026-11-21T19:21:51Z".parse().unwrap()
}

/// The head of the signed request.
fn signed(plan: &Plan) -> Parts {
    let identity = Credentials::new(
        "oracle-1",
        plan.secret,
        plan.session_token.clone(),
        None,
        "",
    );
    let identity = identity.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&plan.region)
        .name(plan.service)
        .time(now().into())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let uri = format!("http://oracle.test:8080{}", plan.path);
    let host = ("host", "oracle.test:8080".to_owned());
    let headers: Vec<_> = plan.headers.iter().cloned().chain([host]).collect();
    let to_sign = SignableRequest::new(
        "POST",
        &uri,
        headers.iter().map(|(name, value)| (*name, value.as_str())),
        SignableBody::Bytes(&plan.body),
    )
    .unwrap();
    let (instructions, _) = sign(to_sign, &params).unwrap().into_parts();
    let mut request = Request::post(&plan.path).body(Body::empty()).unwrap();
    for (name, value) in &headers {
        request
            .headers_mut()
            .append(*name, HeaderValue::from_str(value).unwrap());
    }
    instructions.apply_to_request_http1x(&mut request);
    request.into_parts().0
}

fn verified(head: &Parts, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
    let authorization = Authorization::of(&head.headers).map_err(|error| error.code)?;
    verify(SignedRequest::new(head, body), &authorization, SECRET, now).map_err(|error| error.code)
}

/// The refusal of a request that was changed after it was signed.
fn after(change: impl FnOnce(&mut Parts)) -> Result<(), &'static str> {
    let mut head = signed(&Plan::default());
    change(&mut head);
    verified(&head, BODY, now())
}

fn set(head: &mut Parts, name: &'static str, value: &str) {
    head.headers
        .insert(name, HeaderValue::from_str(value).unwrap());
}

const INVALID: Result<(), &str> = Err("InvalidSignatureException");

#[test]
fn the_request_that_was_signed_is_let_in() {
    assert_eq!(after(|_| ()), Ok(()));
    // Captured from boto3 1.43.11, with the secret that its request was signed with.
    let mut captured = Request::post("/aws/acct-a")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    for (name, value) in [
        ("host", "127.0.0.1:42805"),
        ("accept-encoding", "identity"),
        ("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-date", "20261121T192151Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-north-1/servicequotas/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
             Signature=1a855a5da1f50f42012cc11b5b7e315ec09a4fe0a46092979de010a5e4de0096",
        ),
        (
            "amz-sdk-invocation-id",
            "93e812b2-5cc6-4f16-8b77-3558da26baaa",
        ),
        ("amz-sdk-request", "attempt=1"),
    ] {
        set(&mut captured, name, value);
    }
    let authorization = Authorization::of(&captured.headers).unwrap();
    let sent = SignedRequest::new(&captured, BODY);
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    assert_eq!(verify(sent, &authorization, secret, now()), Ok(()));
}

#[test]
fn a_changed_request_is_refused() {
    assert_eq!(after(|head| set(head, "host", "elsewhere:8080")), INVALID);
    assert_eq!(
        after(|head| set(head, "content-type", "text/plain")),
        INVALID
    );
    assert_eq!(after(|head| set(head, "x-amz-target", "Other")), INVALID);
    assert_eq!(
        after(|head| head.uri = "/aws/other".parse().unwrap()),
        INVALID
    );
    assert_eq!(
        after(|head| head.uri = "/aws/aws?a=b".parse().unwrap()),
        INVALID
    );
    assert_eq!(after(|head| head.method = Method::GET), INVALID);
    let plan = Plan::default();
    assert_eq!(verified(&signed(&plan), b"{}", now()), INVALID);
}

#[test]
fn a_wrong_secret_or_another_region_is_refused() {
    let wrong = Plan {
        secret: "another",
        ..Plan::default()
    };
    assert_eq!(verified(&signed(&wrong), BODY, now()), INVALID);
    let elsewhere = |head: &mut Parts| {
        let text = head.headers["authorization"]
            .to_str()
            .unwrap()
            .replace("eu-north-1", "us-east-1");
        set(head, "authorization", &text);
    };
    assert_eq!(after(elsewhere), INVALID);
}

#[test]
fn what_has_to_be_signed_cannot_be_added_afterwards() {
    assert_eq!(
        after(|head| set(head, "x-amz-security-token", "t")),
        INVALID
    );
    assert_eq!(after(|head| set(head, "x-amz-anything", "t")), INVALID);
    assert_eq!(after(|head| set(head, "x-unsigned", "t")), Ok(()));
    let without_content_type = Plan {
        headers: Vec::new(),
        ..Plan::default()
    };
    let mut head = signed(&without_content_type);
    assert_eq!(verified(&head, BODY, now()), Ok(()));
    set(&mut head, "content-type", "application/x-amz-json-1.1");
    assert_eq!(verified(&head, BODY, now()), INVALID);
    let host_unsigned = |head: &mut Parts| {
        let text = head.headers["authorization"]
            .to_str()
            .unwrap()
            .replace("host;", "");
        set(head, "authorization", &text);
    };
    assert_eq!(after(host_unsigned), INVALID);
}

#[test]
fn a_session_token_is_signed_like_everything_else() {
    let plan = Plan {
        session_token: Some("token".to_owned()),
        ..Plan::default()
    };
    let mut head = signed(&plan);
    assert_eq!(verified(&head, BODY, now()), Ok(()));
    set(&mut head, "x-amz-security-token", "another");
    assert_eq!(verified(&head, BODY, now()), INVALID);
}

#[test]
fn a_signature_is_good_for_five_minutes_around_its_date() {
    let head = signed(&Plan::default());
    let at = |seconds: i64| {
        let later = jiff::SignedDuration::from_secs(seconds);
        verified(&head, BODY, now().checked_add(later).unwrap())
    };
    assert_eq!([at(-300), at(0), at(300)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!([at(-301), at(301)], [INVALID, INVALID]);
}

#[test]
fn the_date_is_written_one_way_and_agrees_with_the_scope() {
    for date in [
        "",
        "2026-11-21T19:21:51Z",
        "20261121T192151",
        "20261121T 92151Z",
        "+20261121T192151Z",
    ] {
        let refused = after(|head| set(head, "x-amz-date", date));
        assert_eq!(refused, Err("IncompleteSignatureException"), "{date}");
    }
    let another_day = |head: &mut Parts| {
        let text = head.headers["authorization"]
            .to_str()
            .unwrap()
            .replace("20261121", "20261120");
        set(head, "authorization", &text);
    };
    assert_eq!(after(another_day), INVALID);
}

#[test]
fn a_refusal_repeats_nothing_of_the_secret_or_the_signature() {
    let head = signed(&Plan::default());
    let authorization = Authorization::of(&head.headers).unwrap();
    let sent = SignedRequest::new(&head, b"{}");
    let refused = verify(sent, &authorization, SECRET, now()).unwrap_err();
    let expected = calculate_signature(
        generate_signing_key(SECRET, now().into(), "eu-north-1", "servicequotas"),
        string_to_sign(&sent, &authorization, "20261121T192151Z").as_bytes(),
    );
    for kept in [SECRET, &expected, authorization.signature] {
        assert!(!refused.message.contains(kept));
    }
}

/// One change of one byte, wherever it is.
#[derive(Clone, Debug)]
struct Flip {
    place: prop::sample::Index,
    bit: u8,
}

impl Flip {
    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let mut flipped = bytes.to_vec();
        let place = self.place.index(bytes.len());
        flipped[place] ^= 1 << self.bit;
        flipped
    }
}

fn flips() -> impl Strategy<Value = Flip> {
    (any::<prop::sample::Index>(), 0u8..7).prop_map(|(place, bit)| Flip { place, bit })
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        "(/[a-zA-Z0-9_~-]([a-zA-Z0-9._~-]|%2[0-9A-F]){0,12}){1,4}/?",
        prop::collection::vec(any::<u8>(), 1..300),
        "[!-~]([ -~]{0,30}[!-~])?",
        "[a-z]{2}-[a-z]{4,9}-[1-9]",
        prop::option::of("[A-Za-z0-9+/=]{1,60}"),
    )
        .prop_map(|(path, body, agent, region, session_token)| {
            let mut plan = Plan {
                path,
                body,
                region,
                session_token,
                ..Plan::default()
            };
            plan.headers.push(("x-amz-user-agent", agent));
            plan
        })
}

proptest! {
    #[test]
    fn whatever_is_signed_is_let_in_and_nothing_else(plan in plans(), flip in flips()) {
        let head = signed(&plan);
        prop_assert_eq!(verified(&head, &plan.body, now()), Ok(()));

        prop_assert_eq!(verified(&head, &flip.of(&plan.body), now()), INVALID);

        let path = flip.of(plan.path.as_bytes());
        if let Ok(uri) = String::from_utf8(path).unwrap_or_default().parse::<Uri>() {
            let mut moved = signed(&plan);
            moved.uri = uri;
            prop_assert!(verified(&moved, &plan.body, now()).is_err());
        }
        let mut forged = signed(&plan);
        let authorization = flip.of(head.headers["authorization"].as_bytes());
        if let Ok(value) = HeaderValue::from_bytes(&authorization) {
            forged.headers.insert("authorization", value);
            // The key id is looked up, not signed, so that another one is no forgery by itself.
            let same_key = Authorization::of(&forged.headers)
                .is_ok_and(|authorization| authorization.access_key_id == "oracle-1");
            if same_key {
                prop_assert!(verified(&forged, &plan.body, now()).is_err());
            }
        }
    }
}
