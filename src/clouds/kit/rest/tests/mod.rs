//! Answers that no cloud should give, over real sockets.

pub(in crate::clouds) mod canned;

use proptest::prelude::*;
use reqwest::Proxy;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Deserialize)]
struct Quota {
    name: String,
}

/// Serves these bytes to one connection and hangs up; its URL.
async fn serve(bytes: Vec<u8>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/quota", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = socket.read(&mut head).await;
        // A client that has read enough hangs up first.
        let _ = socket.write_all(&bytes).await;
    });
    url.parse().unwrap()
}

async fn answer(bytes: impl Into<Vec<u8>>) -> Result<Answer, Failure> {
    let url = serve(bytes.into()).await;
    let request = Rest::shared().request(Method::GET, url);
    ask("GetQuota", request, TIMEOUT).await
}

async fn quota(bytes: &str) -> Result<Quota, Failure> {
    answer(bytes)
        .await?
        .json(|quota: &Quota| quota.name == "gpus")
}

fn ok(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}")
}

const JSON: &str = "content-type: application/json; charset=utf-8";

#[tokio::test]
async fn a_whole_answer_to_the_question_is_taken() {
    for headers in [JSON, "x-no-type: at-all"] {
        let quota = quota(&ok(headers, r#"{"name":"gpus"}"#)).await.unwrap();
        assert_eq!(quota.name, "gpus");
    }
}

#[tokio::test]
async fn an_answer_that_something_in_between_gave_is_transient() {
    let html = "content-type: text/html";
    let gzip = format!("{JSON}\r\ncontent-encoding: gzip");
    for (what, bytes) in [
        ("a proxy's page", ok(html, "<html>SECRET</html>")),
        (
            "another question's answer",
            ok(JSON, r#"{"name":"SECRET"}"#),
        ),
        ("a damaged document", ok(JSON, r#"{"name":SECRET"#)),
        ("another shape", ok(JSON, r#"["SECRET"]"#)),
        ("an undecodable body", ok(&gzip, "SECRET")),
        (
            "a cut body",
            format!("HTTP/1.1 200 OK\r\n{JSON}\r\ncontent-length: 999\r\n\r\n{{\"name\":"),
        ),
        ("a cut head", "HTTP/1.1 200 OK\r\nconte".to_owned()),
        ("no answer", String::new()),
    ] {
        let failure = quota(&bytes).await.unwrap_err();
        assert!(failure.kind.is_transient(), "{what}: {failure}");
        assert!(!failure.to_string().contains("SECRET"), "{what}: {failure}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_and_no_further() {
    let endless = {
        let head = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.resize(LARGEST_BODY + bytes.len() + 1, b' ');
        bytes
    };
    let failure = answer(endless).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Malformed, "{failure}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = serve(ok(JSON, r#"{"name":"gpus"}"#).into_bytes()).await;
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    let answer = answer(redirect).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.refusal().kind, FailureKind::Malformed);
}

#[tokio::test]
async fn a_refusal_is_told_by_its_status_with_the_wait_asked_for() {
    for (status, kind) in [
        ("408 Request Timeout", FailureKind::Timeout),
        ("429 Too Many Requests", FailureKind::Throttled),
        ("403 Forbidden", FailureKind::Denied),
        ("404 Not Found", FailureKind::NotFound),
        ("503 Service Unavailable", FailureKind::Unavailable),
    ] {
        let bytes = format!("HTTP/1.1 {status}\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n");
        let failure = quota(&bytes).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(30)));
    }
    let dated = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\
                 date: Fri, 27 Nov 2026 07:27:15 GMT\r\n\
                 retry-after: Fri, 27 Nov 2026 07:28:00 GMT\r\n\r\n";
    let failure = quota(dated).await.unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(45)));
}

#[tokio::test]
async fn this_machine_is_never_asked_by_way_of_a_proxy() {
    let nowhere = Proxy::all("http://127.0.0.1:1").unwrap();
    let rest = Rest::new(&tls::shared(), |builder| builder.proxy(nowhere)).unwrap();
    let url = serve(ok(JSON, r#"{"name":"gpus"}"#).into_bytes()).await;
    let near = ask("GetQuota", rest.request(Method::GET, url), TIMEOUT).await;
    assert_eq!(near.unwrap().status, 200);
    let far = "http://quota.test.invalid/".parse().unwrap();
    let far = ask("GetQuota", rest.request(Method::GET, far), TIMEOUT).await;
    assert_eq!(far.unwrap_err().kind, FailureKind::Unavailable);
}

proptest! {
    #[test]
    fn no_answer_makes_reading_it_panic(
        status in 100..600_u16,
        wait in "[ -~]{0,30}",
        body in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, wait.parse().unwrap());
        let answer = Answer {
            operation: "GetQuota",
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
        };
        let read = answer.json(|_: &Quota| true);
        prop_assert!(read.is_err() || answer.status.is_success());
    }
}

#[tokio::test]
async fn a_client_that_trusts_a_private_ca_asks_as_any_other() {
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clouds/kit/test_ca.pem");
    let rest = Rest::trusting(Path::new(ca)).unwrap();
    let url = serve(ok(JSON, r#"{"name":"gpus"}"#).into_bytes()).await;
    let answer = ask("GetQuota", rest.request(Method::GET, url), TIMEOUT).await;
    assert_eq!(answer.unwrap().status, 200);
    let missing = Rest::trusting(Path::new("/nonexistent/ca.pem")).unwrap_err();
    assert_eq!(missing.kind, FailureKind::Denied);
}
