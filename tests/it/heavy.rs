//! Crowds of callers who ask for much and read little: memory has its bound, and light questions
//! their answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use simulated_clouds::aws::SimulatedAws;

use crate::harness::{ConfigFile, Process, Setup, eventually, plain_aws};

/// Containers are given 256 MiB at the least, some of which is code.
const MOST_KIB: u64 = 200 * 1024;

/// The memory soon after a crowd has gone.
const AFTERWARDS_KIB: u64 = 60 * 1024;

async fn service() -> (Process, SocketAddr, (ConfigFile, SimulatedAws)) {
    let aws = plain_aws().await;
    let file = Setup::new(&aws)
        .set("backends.0.regions", "all")
        .set("backends.0.preload", false)
        .set("server.request_timeout", "3s")
        .write();
    let (process, url) = Process::serve(&file.path, &[]).await;
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    // Its catalog is loaded with the first question.
    eventually("there are offers", async || {
        let mut caller = ask(address, &get("/offers?limit=1", ""));
        whole(&mut caller).0 == 200
    })
    .await;
    (process, address, (file, aws))
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n").into()
}

/// A list of so many offers to be judged.
fn list(offers: usize) -> Vec<u8> {
    let offer = json!({"backend": "aws", "region": "us-east-1", "instance_type": "p5.48xlarge"});
    let offers: Value = vec![offer; offers].into();
    let body = json!({ "offers": offers }).to_string();
    let length = body.len();
    format!(
        "POST /offers HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// Sends a request, as far as it is taken, and reads nothing yet.
fn ask(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_write_timeout(patience).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // Whoever is refused before is told so in the answer.
    let _ = stream.write_all(request);
    stream
}

/// Reads an answer to its end; its status, and its head. One that is refused says why.
fn whole(stream: &mut TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(end) = end else {
        panic!("no head, but {read:?} after {} bytes", answer.len());
    };
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let is_whole = match header("content-length: ") {
        Some(length) => answer.len() == end + 4 + length.parse::<usize>().unwrap(),
        None => answer.ends_with(b"\r\n0\r\n\r\n"),
    };
    assert!(is_whole, "{read:?} after {} bytes of\n{head}", answer.len());
    let status = head[9..12].parse().unwrap();
    if status == 503 {
        let problem = String::from_utf8_lossy(&answer[end..]);
        let kinds = ["problem:overloaded", "problem:deadline"];
        let is_of_them = kinds.iter().any(|kind| problem.contains(kind));
        assert!(is_of_them, "{problem}");
    }
    (status, head.to_lowercase())
}

/// Lets a crowd ask and not read, and then read; the most memory that the service had meanwhile,
/// and how many were answered.
async fn crowd(
    process: &Process,
    address: SocketAddr,
    callers: usize,
    request: Vec<u8>,
) -> (u64, usize) {
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let request = request.clone();
            tokio::task::spawn_blocking(move || -> Vec<TcpStream> {
                (0..callers / 8).map(|_| ask(address, &request)).collect()
            })
        })
        .collect();
    let mut most = 0;
    let mut streams = Vec::new();
    for asked in asking {
        while !asked.is_finished() {
            most = most.max(process.resident_kib());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        streams.extend(asked.await.unwrap());
    }
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        most = most.max(process.resident_kib());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let read = |mut stream: TcpStream| {
        std::thread::spawn(move || {
            let (status, head) = whole(&mut stream);
            match status {
                200 => 1,
                503 if head.contains("retry-after: ") => 0,
                _ => panic!("{head}"),
            }
        })
    };
    let reading: Vec<_> = streams.into_iter().map(read).collect();
    let mut answered = 0;
    for reader in reading {
        while !reader.is_finished() {
            most = most.max(process.resident_kib());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let read = reader.join();
        answered += read.unwrap_or_else(|_| panic!("an answer is cut:\n{}", process.output()));
    }
    (most, answered)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_take_bounded_memory_and_give_it_back() {
    let (process, address, _kept) = service().await;
    println!("at rest: {} MiB", process.resident_kib() / 1024);
    let gzip = "accept-encoding: gzip\r\n";
    let some = "/offers?limit=0&min_gpu_count=1";
    let crowds: [(&str, usize, Vec<u8>); 7] = [
        ("lists", 40, list(10_000)),
        ("small lists", 400, list(150)),
        ("many offers", 400, get(some, "")),
        ("many offers in gzip", 400, get(some, gzip)),
        ("a page", 800, get("/offers?limit=250", "")),
        ("a table", 200, get(&format!("{some}&format=table"), "")),
        ("the document", 800, get("/openapi.json", gzip)),
    ];
    for (name, callers, request) in crowds {
        let (most, answered) = crowd(&process, address, callers, request).await;
        println!(
            "{name}: {answered} of {callers} answered, {} MiB",
            most / 1024
        );
        assert!(most < MOST_KIB, "{name}: {most} KiB");
        assert!(answered > 0, "{name}");
    }
    let gone = Instant::now();
    while process.resident_kib() > AFTERWARDS_KIB {
        let waited = gone.elapsed();
        let resident = process.resident_kib() / 1024;
        assert!(waited < Duration::from_secs(10), "still {resident} MiB");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("afterwards: {} MiB", process.resident_kib() / 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn light_questions_are_answered_beside_heavy_ones() {
    let (_process, address, _kept) = service().await;
    let until = Instant::now() + Duration::from_secs(5);
    let heavy: Vec<_> = (0..16)
        .map(|_| {
            tokio::task::spawn_blocking(move || {
                let path = "/offers?limit=0&sort=launchable&min_gpu_count=8";
                let request = get(path, "accept-encoding: gzip\r\n");
                while Instant::now() < until {
                    let (status, _) = whole(&mut ask(address, &request));
                    assert!([200, 503].contains(&status));
                }
            })
        })
        .collect();
    let light = tokio::task::spawn_blocking(move || {
        let mut took = Vec::new();
        while Instant::now() < until {
            let asked = Instant::now();
            let (status, _) = whole(&mut ask(address, &get("/healthz", "")));
            assert_eq!(status, 200);
            took.push(asked.elapsed());
            std::thread::sleep(Duration::from_millis(5));
        }
        took.sort();
        took
    });
    let took = light.await.unwrap();
    for caller in heavy {
        caller.await.unwrap();
    }
    let median = took[took.len() / 2];
    println!("{} light answers, half within {median:?}", took.len());
    println!("99 of 100 within {:?}", took[took.len() * 99 / 100]);
    // Of an unoptimized build on a machine that does other things too.
    assert!(median < Duration::from_millis(100), "{median:?}");
}
