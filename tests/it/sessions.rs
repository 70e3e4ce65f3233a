//! The login of a browser, by a cookie that opens `GET` only.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use tokio::time::advance;

use crate::harness::{Answer, Service, Setup, eventually, plain_aws};

const REGION: &str = "/quotas/aws/us-east-1";

async fn log_in(service: &Service, token: &str) -> Answer {
    let request = service.request(Method::POST, "/session");
    let request = request.header("origin", format!("http://{}", service.address()));
    service.send(request.json(&json!({"token": token}))).await
}

/// The name and value of the cookie that an answer sets, as a browser sends it.
fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    cookie.split_once(';').unwrap().0.to_owned()
}

async fn with_cookie(service: &Service, method: Method, path: &str, cookie: &str) -> Answer {
    let request = service.request(method, path).header("cookie", cookie);
    service.send(request).await
}

#[tokio::test(start_paused = true)]
async fn a_browser_logs_in_reads_and_logs_out() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).token("admin", &["admin"]).start().await;
    service.ready().await;
    // Nothing makes a browser ask for a password of its own accord.
    let refused = service.get("/quotas").await;
    refused.problem(401, "unauthenticated");
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer realm=\"quota-oracle\""
    );
    assert_eq!(
        refused.headers.get_all("www-authenticate").iter().count(),
        1
    );

    log_in(&service, "guessed")
        .await
        .problem(401, "unauthenticated");
    let answer = log_in(&service, " admin\n").await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let set = answer.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(set.split("; ").any(|part| part == word), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains("admin"), "{set}");
    let cookie = format!("theme=dark; {}", cookie(&answer));

    for path in [
        "/quotas", REGION, REGION, "/offers", "/leases", "/metrics", "/docs/",
    ] {
        let answer = with_cookie(&service, Method::GET, path, &cookie).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let seen = with_cookie(&service, Method::GET, "/session", &cookie).await;
    let expected = json!({"name": "bearer of admin", "scope": "admin", "by_cookie": true});
    assert_eq!(seen.json(), expected);
    for (method, path) in [
        (Method::POST, "/refresh/aws"),
        (Method::POST, "/offers"),
        (Method::POST, "/leases"),
        (Method::DELETE, "/feedback/aws"),
    ] {
        let answer = with_cookie(&service, method, path, &cookie).await;
        answer.problem(401, "unauthenticated");
    }

    let answer = with_cookie(&service, Method::DELETE, "/session", &cookie).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    let answer = with_cookie(&service, Method::GET, "/quotas", &cookie).await;
    answer.problem(401, "unauthenticated");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_after_twelve_hours_and_with_its_token() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws)
        .token("reader", &["read"])
        .token("other", &["read"]);
    let service = setup.start().await;
    service.ready().await;
    let status = async |cookie: &str| {
        let answer = with_cookie(&service, Method::GET, "/quotas", cookie).await;
        answer.status
    };
    let old = cookie(&log_in(&service, "other").await);
    // In one jump: the metronome would tick two million times.
    advance(Duration::from_secs(12 * 3600 - 60)).await;
    assert_eq!(status(&old).await, 200);
    let new = cookie(&log_in(&service, "reader").await);
    advance(Duration::from_secs(120)).await;
    assert_eq!(status(&old).await, 401);
    assert_eq!(status(&new).await, 200);
    setup.file("token-reader", "replaced");
    eventually("the token was read again", async || {
        status(&new).await == 401
    })
    .await;
    let made_up = new.replace('=', "=x");
    assert_eq!(status(&made_up).await, 401);
}

#[tokio::test(start_paused = true)]
async fn only_a_page_of_ours_logs_in_and_a_secure_one_stays_secure() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).token("reader", &["read"]).start().await;
    let ask = async |headers: &[(&str, &str)], body: &str| {
        let mut request = service.request(Method::POST, "/session");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        service.send(request.body(body.to_owned())).await
    };
    let json = ("content-type", "application/json");
    let token = r#"{"token": "reader"}"#;
    let foreign = ask(&[json, ("origin", "https://evil.example")], token).await;
    foreign.problem(403, "cross-site");
    let secure = [
        json,
        ("origin", "https://oracle.example"),
        ("host", "oracle.example"),
    ];
    let answer = ask(&secure, token).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
    ask(&[json], r#"{"tokn": "reader"}"#)
        .await
        .problem(400, "bad-request");
    let form = ("content-type", "application/x-www-form-urlencoded");
    ask(&[form], "token=reader")
        .await
        .problem(415, "unsupported-media-type");
}

#[tokio::test(start_paused = true)]
async fn without_tokens_nobody_has_to_log_in() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let answer = log_in(&service, "whatever").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("set-cookie"), "");
    let seen = service.get("/session").await.json();
    assert_eq!(seen["name"], serde_json::Value::Null);
}
