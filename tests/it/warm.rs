//! The short way to a region that is fresh, and that nobody can tell from the long way.

use reqwest::Method;

use crate::harness::{Service, Setup, plain_aws};

/// The short way is taken to a region and not to a query, not even to an empty one.
const SHORT: &str = "/quotas/aws/us-east-1";
const LONG: &str = "/quotas/aws/us-east-1?";

async fn service() -> Service {
    let aws = plain_aws().await;
    let service = Setup::new(&aws)
        .token("reader", &["read"])
        .token("verifier", &["verify"])
        .token_for("stranger", &["read"], Some(&["other"]))
        .backend("name = \"other\"\nkind = \"scripted\"\npreload = false\nreading = \"never_ends\"")
        .start()
        .await;
    service.ready().await;
    // The first answer is rendered, and the next ones are found.
    assert_eq!(service.get_as("reader", SHORT).await.status, 200);
    // The simulated AWS runs as long as its handle lives.
    std::mem::forget(aws);
    service
}

/// Asks both ways, holds the answers to be the same, and gives what they are.
async fn both(service: &Service, method: Method, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
    let ask = async |path: &str| {
        let mut request = service.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        service.send(request).await
    };
    let (mut short, mut long) = (ask(SHORT).await, ask(LONG).await);
    let context = format!("{method} {headers:?}");
    // What tells the ways apart: the short one keeps compressed bodies, and so knows their length.
    if method == Method::GET && !short.header("content-encoding").is_empty() {
        let lengths = [&short, &long].map(|answer| !answer.header("content-length").is_empty());
        let weighed = headers
            .iter()
            .any(|(_, value)| value.contains(';') || *value == "*");
        assert_eq!(lengths, [!weighed, false], "{context}");
    }
    assert_eq!(short.status, long.status, "{context}");
    assert_eq!(short.header("x-request-id").len(), 32, "{context}");
    for answer in [&mut short, &mut long] {
        for changing in ["x-request-id", "date"] {
            answer.headers.remove(changing);
        }
        // Whoever compresses for one answer only does not know the length beforehand.
        if !answer.header("content-encoding").is_empty() {
            answer.headers.remove("content-length");
            answer.headers.remove("transfer-encoding");
            answer.bytes.clear();
        }
    }
    assert_eq!(short.headers, long.headers, "{context}");
    assert_eq!(short.bytes, long.bytes, "{context}");
    (short.status, short.bytes)
}

#[tokio::test(start_paused = true)]
async fn both_ways_say_the_same() {
    let service = service().await;
    let reader = ("authorization", "Bearer reader");
    let (status, body) = both(&service, Method::GET, &[reader]).await;
    assert_eq!(status, 200);
    assert!(body.starts_with(b"{\"backend\":\"aws\","));

    for accepted in [
        "identity",
        "gzip",
        "zstd",
        "deflate, gzip, zstd",
        "br",
        "gzip;q=0.5, zstd;q=0",
        "*",
        "",
    ] {
        let headers = [reader, ("accept-encoding", accepted)];
        let (status, _) = both(&service, Method::GET, &headers).await;
        assert_eq!(status, 200);
    }

    let etag = service
        .get_as("reader", LONG)
        .await
        .header("etag")
        .to_owned();
    for (tag, status) in [(&*etag, 304), ("*", 304), ("W/\"other\"", 200)] {
        let headers = [reader, ("if-none-match", tag), ("accept-encoding", "gzip")];
        assert_eq!(both(&service, Method::GET, &headers).await.0, status);
    }
    let table = [reader, ("accept", "text/plain")];
    let (_, text) = both(&service, Method::GET, &table).await;
    assert!(text.starts_with(b"aws/us-east-1  account"));
    assert_eq!(both(&service, Method::HEAD, &[reader]).await, (200, vec![]));
}

#[tokio::test(start_paused = true)]
async fn the_short_way_lets_nobody_in_whom_the_long_one_refuses() {
    let service = service().await;
    for (token, status) in [("nobody", 401), ("verifier", 200), ("stranger", 404)] {
        let bearer = format!("Bearer {token}");
        let path = service.get_as(token, SHORT).await;
        assert_eq!(path.status, status, "{bearer}");
    }
    assert_eq!(service.get(SHORT).await.status, 401);
    for path in [
        "/quotas/aws/us-east-1/",
        "/quotas/aws/us-east-9",
        "/quotas//us-east-1",
    ] {
        assert_eq!(service.get_as("reader", path).await.status, 404, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_ways_are_counted() {
    let service = service().await;
    let labels = "route=\"/quotas/{backend}/{region}\",status=\"200\"";
    let count = async || {
        let request = service
            .request(Method::GET, "/metrics")
            .bearer_auth("reader");
        let text = service.send(request).await;
        let start = format!("quota_oracle_http_requests_total{{{labels}}} ");
        let line = text
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(&start));
        line.unwrap().parse::<u64>().unwrap()
    };
    let before = count().await;
    for path in [SHORT, LONG] {
        assert_eq!(service.get_as("reader", path).await.status, 200);
    }
    assert_eq!(count().await, before + 2);
}
