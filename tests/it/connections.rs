//! Callers who connect and then do not ask, or not to the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Setup, plain_aws};

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
