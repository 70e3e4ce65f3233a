//! Callers who connect and then do not ask, or not to the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Setup, let_time_pass, plain_aws};

#[tokio::test(start_paused = true)]
async fn whoever_does_not_ask_is_hung_up_on_after_two_minutes_and_who_stops_halfway_after_ten_seconds()
 {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let whole = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let half = "GET /quotas HTTP/1.1\r\nhost: localhost\r\n";
    // A half head may come in one packet with the request before it.
    let [twice, and_half, and_letter] = [whole, half, "G"].map(|rest| format!("{whole}{rest}"));
    let post = "POST /offers HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/json\r\n";
    let post = format!("{post}content-length: 13\r\n\r\n{{\"offers\":[]}}");
    let chunked = post.replace("content-length: 13", "transfer-encoding: chunked");
    let chunked = chunked.replace("{\"offers\":[]}", "d\r\n{\"offers\":[]}\r\n0\r\n\r\n");
    let [post_and_half, chunked_and_half] = [&post, &chunked].map(|one| format!("{one}{half}"));
    for (said, seconds) in [
        ("", 120),
        (&post, 120),
        (&chunked, 120),
        (&post_and_half, 10),
        (&chunked_and_half, 10),
        (whole, 120),
        (&twice, 120),
        ("G", 10),
        (half, 10),
        (&and_half, 10),
        (&and_letter, 10),
    ] {
        let connected = Instant::now();
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let open_for = connected.elapsed();
        let expected = Duration::from_secs(seconds);
        assert!(
            open_for >= expected && open_for < expected + Duration::from_secs(5),
            "{said:?}: {open_for:?}"
        );
        let is_asked = said.starts_with(whole) || said.starts_with("POST");
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), is_asked, "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_a_byte_at_a_time_has_ten_seconds_in_all() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    let connected = Instant::now();
    let stream = TcpStream::connect(service.address()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = tokio::spawn(async move {
        for byte in b"GET /quotas HTTP/1.1\r\nhost: localhost\r\n"
            .iter()
            .cycle()
        {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            let_time_pass(Duration::from_secs(1)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    let open_for = connected.elapsed();
    assert!(open_for < Duration::from_secs(15), "{open_for:?}");
    writing.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_the_body_is_read_loses_no_request() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("reader", &["read"]);
    let service = setup.start().await;
    let body = "x".repeat(1_000_000);
    let length = body.len();
    let refused = [
        format!(
            "POST /no-such-route HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
        format!("POST /offers HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"),
        format!("GET /quotas HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"),
        // Larger than any body may be, and one that would come only after a word: these close.
        "POST /offers HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n".to_owned(),
        "POST /offers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
            .to_owned(),
    ];
    let next = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for (place, request) in refused.into_iter().enumerate() {
        let stream = TcpStream::connect(service.address()).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let closes = place >= 3;
        let writing = tokio::spawn(async move {
            let _ = writer.write_all(request.as_bytes()).await;
            let _ = writer.write_all(next.as_bytes()).await;
            writer
        });
        let mut answers = String::new();
        reader
            .read_to_string(&mut answers)
            .await
            .unwrap_or_default();
        assert!(answers.starts_with("HTTP/1.1 4"), "{place}: {answers}");
        let says_so = answers.contains("connection: close\r\n");
        assert!(says_so, "{place}: {answers}");
        let next_is_answered = answers.contains("HTTP/1.1 200");
        assert_eq!(next_is_answered, !closes, "{place}: {answers}");
        drop(writing.await);
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
    let asked = "GET /offers?limit=0 HTTP/1.1\r\nhost: localhost\r\n\r\n";
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

#[tokio::test]
async fn a_large_answer_on_loopback_is_acknowledged_as_it_comes() {
    let aws = plain_aws().await;
    let service = Setup::new(&aws).start().await;
    service.get("/healthz").await;
    let stream = TcpStream::connect(service.address()).await.unwrap();
    // One segment as large as the send buffer is acknowledged after 40 ms only.
    let segment = socket2::SockRef::from(&stream).tcp_mss().unwrap();
    assert!(segment <= 16 * 1024, "{segment}");
}
