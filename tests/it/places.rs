//! Places for connections: one peer cannot take all of them, and probes find some.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::harness::{Process, Setup, eventually, plain_aws};

/// Descriptors that may be open: 256 of them are kept for everything else.
const DESCRIPTORS: u32 = 256 + 100;

const REQUEST: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Connects from an address of this machine, and asks; the connection if it is answered with 200,
/// and kept.
async fn ask(from: &str, address: SocketAddr) -> Option<std::net::TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let mut stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    // One that finds no place may be closed before.
    let _ = stream.write_all(REQUEST.as_bytes());
    let mut answer = [0; 512];
    let length = match stream.read(&mut answer) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
        read => read.unwrap(),
    };
    let answer = str::from_utf8(&answer[..length]).unwrap();
    match answer.starts_with("HTTP/1.1 200") {
        true => Some(stream),
        false => {
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            None
        }
    }
}

async fn crowd(from: &str, address: SocketAddr) -> Vec<std::net::TcpStream> {
    let mut kept = Vec::new();
    for _ in 0..60 {
        kept.extend(ask(from, address).await);
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_leaves_places_to_others_and_to_probes() {
    let aws = plain_aws().await;
    let file = Setup::new(&aws).set("backends.0.preload", false).write();
    let (_process, url) = Process::serve_with_descriptors(&file.path, DESCRIPTORS).await;
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    // One peer has half of the places, all peers together all but those of probes.
    let first = crowd("127.0.0.2", address).await;
    assert_eq!(first.len(), 50);
    let second = crowd("127.0.0.3", address).await;
    assert_eq!(second.len(), 18);
    let third = crowd("127.0.0.4", address).await;
    assert_eq!(third.len(), 8, "a peer of this machine may be a probe");
    let probe = ask("127.0.0.1", address).await;
    assert!(probe.is_some());
    drop((first, second, third));
    eventually("the places are given back", async || {
        ask("127.0.0.2", address).await.is_some()
    })
    .await;
    assert_eq!(crowd("127.0.0.5", address).await.len(), 50);
}
