//! Floods of feedback: in process, where memory has to stay, and over HTTP, beside warm reads.
//!
//! A load run, not a timed test: it prints its figures and fails when a bound is broken. Run with
//! `cargo bench --bench feedback`.

mod account;
mod process;
mod simulated;

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use account::{answered, serving};
use process::{SECRET, Service, resident_mib};
use simulated::{configured, run_as_other_process, start_aws};

/// Reports a second in process, and for how many seconds.
const REPORTS: u32 = 10_000;
const SECONDS: u32 = 20;
/// All bounded lists are full after the first seconds.
const FULL_AFTER: u32 = 5;
const GROWTH_MIB: f64 = 8.0;

/// The callers over HTTP, each with a connection of its own.
const CALLERS: u64 = 8;
/// The rate at which the costs of a report are measured, and for how long.
const TRIED: u64 = 1_000;
const TRIED_FOR: Duration = Duration::from_secs(5);
const FLOODED_FOR: Duration = Duration::from_secs(15);
/// Processors that a flood leaves to others.
const LEFT: f64 = 0.5;

const WARM: &str = "/quotas/aws/us-east-1";

fn main() {
    if run_as_other_process() {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let growth = in_process(&runtime);
    over_http(&runtime);
    if growth > GROWTH_MIB {
        eprintln!("out of bounds: memory grew by {growth:.1} MiB > {GROWTH_MIB} MiB");
        std::process::exit(1);
    }
}

/// Reports made-up failures to the service as a function; the growth of memory in MiB once all
/// lists are full.
fn in_process(runtime: &Runtime) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let service = runtime.block_on(serving(&folder));
    let (mut full, mut last, mut slowest) = (0.0, 0.0, Duration::ZERO);
    for second in 0..SECONDS {
        let started = Instant::now();
        runtime.block_on(async {
            for number in 0..REPORTS {
                let body = report(u64::from(second * REPORTS + number));
                let (status, _) = answered(&service, Method::POST, "/feedback", &body).await;
                assert_eq!(status, StatusCode::ACCEPTED);
            }
        });
        let took = started.elapsed();
        slowest = slowest.max(took);
        last = resident_mib(std::process::id());
        if second + 1 == FULL_AFTER {
            full = last;
        }
        thread::sleep(Duration::from_secs(1).saturating_sub(took));
    }
    println!(
        "in process: {REPORTS} reports take {:.0} ms at most; resident memory {full:.1} MiB after \
         {FULL_AFTER} s, {last:.1} MiB after {SECONDS} s of {REPORTS} a second",
        slowest.as_secs_f64() * 1e3
    );
    last - full
}

/// Floods the program and reads from it meanwhile.
fn over_http(runtime: &Runtime) {
    let (_aws, url) = start_aws(1);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = configured(folder.path(), &url, SECRET, r#"regions = ["us-east-1"]"#);
    let service = Service::spawn_with(&config, None, Stdio::null()).until_ready();
    let processors = thread::available_parallelism().map_or(1, usize::from) as f64;

    let quiet = runtime.block_on(flooded(service.address, 0, FLOODED_FOR));
    let (own, its) = (own_cpu(), service.cpu());
    let tried = runtime.block_on(flooded(service.address, TRIED, TRIED_FOR));
    let cost = (own_cpu() - own + service.cpu() - its).as_secs_f64() / tried.reports as f64;
    let rate = ((processors - LEFT) / cost) as u64;

    let before = service.resident_mib();
    let (own, its, started) = (own_cpu(), service.cpu(), Instant::now());
    let flood = runtime.block_on(flooded(service.address, rate, FLOODED_FOR));
    let seconds = started.elapsed().as_secs_f64();
    let used = |since: Duration, now: Duration| (now - since).as_secs_f64() / seconds;
    println!(
        "{WARM} alone: p50 {:.2} ms, p99 {:.2} ms",
        quiet.p50, quiet.p99
    );
    println!(
        "{WARM} beside {:.0} reports a second: p50 {:.2} ms, p99 {:.2} ms; the service uses {:.2} \
         processors, the callers {:.2}; resident memory {before:.1} MiB before, {:.1} MiB after",
        flood.reports as f64 / seconds,
        flood.p50,
        flood.p99,
        used(its, service.cpu()),
        used(own, own_cpu()),
        service.resident_mib(),
    );
    service.stop();
}

struct Figures {
    reports: u64,
    p50: f64,
    p99: f64,
}

/// Reports so many failures a second for a while; the times of warm reads meanwhile.
async fn flooded(address: SocketAddr, per_second: u64, lasts: Duration) -> Figures {
    let over: &'static AtomicBool = Box::leak(Box::default());
    let sent: &'static AtomicU64 = Box::leak(Box::default());
    let started = Instant::now();
    let callers = (0..CALLERS.min(per_second)).map(|_| {
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            while !over.load(Ordering::Relaxed) {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                let due = Duration::from_secs_f64(number as f64 / per_second as f64);
                tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
                let body = report(number);
                let request = format!(
                    "POST /feedback HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                     content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                connection.ask(&request, "HTTP/1.1 202").await;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut connection = Connection::open(address).await;
    let request = format!("GET {WARM} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut took = Vec::new();
    while started.elapsed() < lasts {
        let asked = Instant::now();
        connection.ask(&request, "HTTP/1.1 200").await;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("a caller does not panic");
    }
    took.sort_by(f64::total_cmp);
    Figures {
        reports: sent.load(Ordering::Relaxed),
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
    }
}

/// A failed launch of a made-up type in a made-up zone, by turns recognised, with a limit, and of
/// no known kind.
fn report(number: u64) -> String {
    let error = match number % 3 {
        0 => r#"{"code": "InsufficientInstanceCapacity"}"#.to_owned(),
        1 => format!(
            r#"{{"code": "VcpuLimitExceeded", "message": "You have requested more vCPU capacity than your current vCPU limit of {number} allows for the instance bucket that the specified instance type belongs to."}}"#
        ),
        _ => format!(r#"{{"code": "Made{number}Up", "message": "the machine {number} is odd"}}"#),
    };
    format!(
        r#"{{"backend": "aws", "region": "us-east-1", "outcome": "failed", "instance_type": "p{number}.huge", "zone": "us-east-1-{number}", "error": {error}}}"#
    )
}

fn own_cpu() -> Duration {
    process::cpu(std::process::id())
}

/// A connection that is kept.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await;
        let stream = stream.expect("the service listens");
        stream.set_nodelay(true).expect("a connection can be set");
        Self {
            stream,
            answer: Vec::new(),
        }
    }

    /// Sends a request and reads its answer, which begins like this.
    async fn ask(&mut self, request: &str, start: &str) {
        let sent = self.stream.write_all(request.as_bytes()).await;
        sent.expect("the service reads");
        self.answer.clear();
        let mut whole = usize::MAX;
        while self.answer.len() < whole {
            let read = self.stream.read_buf(&mut self.answer).await;
            assert!(
                read.expect("the service answers") > 0,
                "the connection stays"
            );
            if whole == usize::MAX {
                whole = length(&self.answer).unwrap_or(usize::MAX);
            }
        }
        assert!(self.answer.starts_with(start.as_bytes()), "{start}");
    }
}

/// Returns the length of an answer with its head, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).expect("heads are ASCII");
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "))?;
    Some(end + length.parse::<usize>().expect("a length is a number"))
}
