//! Callers who connect and then do not ask, or not to the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Setup, let_time_pass, plain_aws};

#[tokio::test(start_paused = true)]
async fn whoever_does_not_ask_to_the_end_is_hung_up_on_after_two_minutes() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let whole = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for said in ["", "GET /quotas HTTP/1.1\r\nhost: x\r\n", whole] {
        let connected = Instant::now();
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let open_for = connected.elapsed();
        assert!(
            open_for >= Duration::from_secs(120) && open_for < Duration::from_secs(125),
            "{said:?}: {open_for:?}"
        );
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), said == whole);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_read_is_hung_up_on_after_a_minute() {
    let aws = plain_aws().await;
    // All of its offers are more than the kernel keeps for a connection.
    let setup = Setup::new(&aws).set("backends.0.regions", "all");
    let service = setup.set("backends.0.preload", false).start().await;
    let connected = Instant::now();
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    let asked = "GET /offers?limit=0 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    let_time_pass(Duration::from_secs(65)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let head = String::from_utf8_lossy(&answer[..answer.len().min(40)]);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let last_chunk = b"\r\n0\r\n\r\n";
    assert!(!answer.ends_with(last_chunk), "{} bytes", answer.len());
    assert!(connected.elapsed() < Duration::from_secs(70));
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_ask_does_not_keep_the_service_from_stopping() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let mut silent = TcpStream::connect(service.address()).await.unwrap();
    // It is served before it is told to stop.
    assert_eq!(service.get("/healthz").await.status, 200);
    service.stop().await;
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"");
}
