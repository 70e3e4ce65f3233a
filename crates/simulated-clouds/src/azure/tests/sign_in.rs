//! Tokens, by every credential.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::json;

use super::*;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Signs an assertion from the certificate's file alone, as a client has it.
fn assertion(azure: &SimulatedAzure) -> String {
    let blocks = pem::parse_many(azure.certificate_file()).unwrap();
    let der = blocks.iter().find(|block| block.tag() == "CERTIFICATE");
    let der = der.unwrap().contents();
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    let mut header = Header::new(Algorithm::RS256);
    header.x5t = Some(URL_SAFE_NO_PAD.encode(sha1));
    let now = get_current_timestamp();
    let claims = json!({
        "aud": format!("{}/{TENANT_ID}/oauth2/v2.0/token", azure.url()),
        "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": "1", "nbf": now, "exp": now + 600,
    });
    let key = EncodingKey::from_rsa_pem(azure.certificate_file().as_bytes()).unwrap();
    encode(&header, &claims, &key).unwrap()
}

#[tokio::test]
async fn a_secret_a_certificate_and_a_federated_token_are_accepted() {
    let story = Story::new(Settings::default()).await;
    let signed = assertion(&story.azure);
    let federated = story.azure.controls().federated_token();
    for assertion in [&signed, &federated] {
        let fields = [
            ("client_assertion", &**assertion),
            ("client_assertion_type", ASSERTION_TYPE),
        ];
        let answer = story.ask_token(&fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 3599);
    }
    story.azure.controls().register_certificate(false);
    let fields = [
        ("client_assertion", &*signed),
        ("client_assertion_type", ASSERTION_TYPE),
    ];
    let refused = story.ask_token(&fields).await;
    assert_eq!(
        (refused.status, &refused.body["error_codes"]),
        (401, &json!([700_027]))
    );
    story.azure.controls().rotate_federated_token();
    let fields = [
        ("client_assertion", &*federated),
        ("client_assertion_type", ASSERTION_TYPE),
    ];
    let refused = story.ask_token(&fields).await;
    assert_eq!(refused.body["error_codes"], json!([700_024]));
    assert_eq!(story.azure.controls().calls(Method::SignIn), 5);
}

#[tokio::test]
async fn whoever_is_refused_a_token_is_told_by_a_code() {
    let story = Story::new(Settings::default()).await;
    let secret = ("client_secret", CLIENT_SECRET);
    let wrong = [
        (
            401,
            "invalid_client",
            7_000_215,
            vec![("client_secret", "its-id")],
        ),
        (
            400,
            "unauthorized_client",
            700_016,
            vec![secret, ("client_id", "other")],
        ),
        (
            400,
            "unsupported_grant_type",
            70_003,
            vec![secret, ("grant_type", "password")],
        ),
        (
            400,
            "invalid_resource",
            500_011,
            vec![secret, ("scope", "https://graph/.default")],
        ),
        (401, "invalid_client", 7_000_218, vec![]),
    ];
    for (status, error, code, fields) in wrong {
        let answer = story.ask_token(&fields).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.body["error"], error);
        assert_eq!(answer.body["error_codes"], json!([code]));
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")),
            "{description}"
        );
    }
    let elsewhere = format!("{}/other/oauth2/v2.0/token", story.azure.url());
    let answer = story.client.post(elsewhere).body("").send().await.unwrap();
    assert_eq!(
        Answer::read(answer).await.body["error_codes"],
        json!([90_002])
    );
}

#[tokio::test]
async fn managed_identities_have_numbers_as_texts() {
    let story = Story::new(Settings::default()).await;
    let query = "resource=https://management.azure.com";
    let metadata = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&{query}",
        story.azure.url()
    );
    let ask = async |url: &str, header: (&str, &str)| {
        let request = story.client.get(url).header(header.0, header.1);
        Answer::read(request.send().await.unwrap()).await
    };
    let answer = ask(&metadata, ("Metadata", "true")).await;
    assert_eq!(answer.body["expires_in"], "3599", "{}", answer.body);
    let expires_on = answer.body["expires_on"].as_str().unwrap();
    let left = expires_on.parse::<i64>().unwrap() - story.azure.controls().now().as_second();
    assert!((3590..=3599).contains(&left), "{left}");
    assert_eq!(ask(&metadata, ("Other", "true")).await.status, 400);
    let assigned = format!("{metadata}&client_id={IDENTITY_CLIENT_ID}");
    assert_eq!(ask(&assigned, ("Metadata", "true")).await.status, 200);
    let unassigned = ask(&format!("{metadata}&client_id=other"), ("Metadata", "true")).await;
    assert_eq!(unassigned.status, 400);
    assert_eq!(unassigned.body["error_description"], "Identity not found");

    let endpoint = story.azure.identity_endpoint();
    let endpoint = format!("{endpoint}?api-version=2019-08-01&{query}");
    let answer = ask(&endpoint, ("X-IDENTITY-HEADER", IDENTITY_HEADER)).await;
    assert!(answer.body["expires_on"].is_string(), "{}", answer.body);
    assert_eq!(
        ask(&endpoint, ("X-IDENTITY-HEADER", "other")).await.status,
        401
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_expire_and_are_revoked() {
    let settings = Settings {
        token_lifetime: Duration::from_secs(60),
        ..Settings::default()
    };
    let story = Story::new(settings).await;
    assert_eq!(story.usages("eastus").await.status, 200);
    tokio::time::advance(Duration::from_secs(61)).await;
    let expired = story.usages("eastus").await;
    assert_eq!(expired.refusal(), (401, "ExpiredAuthenticationToken"));
    assert!(expired.header("www-authenticate").starts_with("Bearer "));
    story.azure.controls().revoke_tokens();
    let unknown = story.usages("eastus").await;
    assert_eq!(unknown.refusal(), (401, "InvalidAuthenticationToken"));
}
