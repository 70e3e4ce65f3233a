//! Callers over keep-alive connections, and how long each answer took.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) const PATH: &str = "/quotas/aws/us-east-1";
const CONNECTIONS: usize = 32;
const ROUND: Duration = Duration::from_secs(2);

pub(super) struct Load {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

pub(super) async fn load(address: SocketAddr) -> Load {
    let until = Instant::now() + ROUND;
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut took = Vec::with_capacity(8192);
            while Instant::now() < until {
                let asked = Instant::now();
                connection.ask().await;
                took.push(asked.elapsed());
            }
            took
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("a client does not panic"));
    }
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    Load {
        per_second: took.len() as f64 / ROUND.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
    }
}

/// A keep-alive connection that asks the same question again and again.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    body_at: usize,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("the socket is open");
        Self {
            stream,
            answer: vec![0; 64 * 1024],
            body_at: 0,
        }
    }

    pub(super) async fn ask(&mut self) {
        let request = format!("GET {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream
            .write_all(request.as_bytes())
            .await
            .expect("the server listens");
        self.answer.resize(64 * 1024, 0);
        let mut filled = 0;
        loop {
            let read = self
                .stream
                .read(&mut self.answer[filled..])
                .await
                .expect("the server answers");
            assert!(read > 0, "the server hung up");
            filled += read;
            let Some(head) = self.answer[..filled]
                .windows(4)
                .position(|w| w == b"\r\n\r\n")
            else {
                continue;
            };
            self.body_at = head + 4;
            let head = std::str::from_utf8(&self.answer[..head]).expect("headers are text");
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|length| length.parse().ok())
                .expect("the answer has a length");
            if filled == self.body_at + length {
                self.answer.truncate(filled);
                return;
            }
        }
    }

    pub(super) fn body(&self) -> Bytes {
        Bytes::copy_from_slice(&self.answer[self.body_at..])
    }
}
