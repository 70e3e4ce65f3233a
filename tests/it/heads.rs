//! Heads of requests as they are sent byte by byte: what is malformed, and which host is meant.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Service, Setup, plain_aws};

async fn service() -> Service {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).token("all", &["admin"]).start().await;
    // The simulated AWS runs as long as its handle lives.
    std::mem::forget(aws);
    service
}

/// Sends these bytes on a connection of their own, and returns what comes back until it closes.
async fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn a_malformed_head_is_refused_by_the_http_library() {
    let service = service().await;
    let many: String = (0..101)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    for (said, status) in [
        (b"no http at all\r\n\r\n".to_vec(), "400 Bad Request"),
        (
            b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            "400 Bad Request",
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").into_bytes(),
            "431 Request Header Fields Too Large",
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65_535)).into_bytes(),
            "414 URI Too Long",
        ),
    ] {
        let answer = exchange(&service, &said).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-length: 0\r\n"), "{answer}");
    }
    // The service goes on.
    assert_eq!(service.get("/healthz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_names_exactly_one_host() {
    let service = service().await;
    let region = "/quotas/aws/us-east-1";
    // The second request would be answered by the fast path.
    assert_eq!(service.get_as("all", region).await.status, 200);
    for hosts in ["", "host: a\r\nhost: b\r\n", "host: a\r\nhost: a\r\n"] {
        for path in [region, "/healthz"] {
            let request = format!(
                "GET {path} HTTP/1.1\r\n{hosts}authorization: Bearer all\r\n\
                 connection: close\r\n\r\n"
            );
            let answer = exchange(&service, request.as_bytes()).await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
            assert!(head.contains("\r\nx-request-id: "), "{head}");
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["type"], "urn:quota-oracle:problem:bad-request");
            assert_eq!(body["field"], "Host");
        }
    }
    // Health checks that speak HTTP/1.0 send none.
    let answer = exchange(&service, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
}
