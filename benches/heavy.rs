//! Heavy callers: how long light questions take beside them, and how much memory crowds cost who
//! ask and do not read.
//!
//! A load run, not a timed test: it prints its figures and fails when a bound is broken. Run with
//! `cargo bench --bench heavy`.

mod process;
mod simulated;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use process::{SECRET, Service};
use simulated::{configured, run_as_other_process, start_aws};

/// Regions that AWS enables in a new account.
const REGIONS: usize = 17;

/// Callers of all offers at once, each asking again when it has its answer.
const HEAVY_CALLERS: usize = 16;
const HEAVY: &str = "/offers?limit=0&sort=launchable";

/// Questions that are answered from memory, and their bound at the 99th percentile.
const LIGHT: [&str; 2] = ["/quotas/aws/us-east-1", "/healthz"];
const LIGHT_P99_MS: f64 = 50.0;

/// The time for which light questions are asked.
const ASKED_FOR: Duration = Duration::from_secs(10);

/// Callers of one route at once who do not read.
const CROWD: usize = 2_000;
const CROWDED: [&str; 6] = [
    "/quotas",
    "/quotas/aws",
    "/offers?limit=0",
    "/offers?limit=0&format=table",
    "/metrics",
    "/openapi.json",
];

/// Memory under such a crowd, and ten seconds after it has gone.
const CROWDED_MIB: f64 = 256.0;
const AFTERWARDS_MIB: f64 = 100.0;

fn main() {
    if run_as_other_process() {
        return;
    }
    // Each caller of a crowd takes a descriptor here, too.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("a process may raise its own limit");
    let (_aws, url) = start_aws(1);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = configured(folder.path(), &url, SECRET, "");
    let service = Service::spawn_with(&config, None, Stdio::null()).until_ready();
    let read = || service.get("/quotas").unwrap_or_default();
    while read().matches("\"taken_at\":\"").count() < REGIONS {
        thread::sleep(Duration::from_millis(100));
    }

    let mut broken = Vec::new();
    for (path, (median, p99)) in LIGHT.iter().zip(light(&service, false)) {
        println!("{path} alone: median {median:.2} ms, p99 {p99:.2} ms");
    }
    for (path, (median, p99)) in LIGHT.iter().zip(light(&service, true)) {
        println!(
            "{path} beside {HEAVY_CALLERS} heavy callers: median {median:.2} ms, p99 {p99:.2} ms"
        );
        if p99 > LIGHT_P99_MS {
            broken.push(format!("{path}: p99 {p99:.2} ms > {LIGHT_P99_MS} ms"));
        }
    }
    for path in CROWDED {
        let most = crowd(&service, path);
        thread::sleep(Duration::from_secs(10));
        let afterwards = service.resident_mib();
        println!("{CROWD} callers of {path}: {most:.0} MiB, ten seconds later {afterwards:.0} MiB");
        if most > CROWDED_MIB || afterwards > AFTERWARDS_MIB {
            broken.push(format!("{path}: {most:.0} MiB, later {afterwards:.0} MiB"));
        }
    }
    service.stop();
    if !broken.is_empty() {
        eprintln!("out of bounds:\n{}", broken.join("\n"));
        std::process::exit(1);
    }
}

/// Asks the light questions, beside heavy callers or alone; median and 99th percentile of each in
/// milliseconds.
fn light(service: &Service, beside_heavy: bool) -> Vec<(f64, f64)> {
    let (address, over) = (service.address, AtomicBool::new(false));
    let answers = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..if beside_heavy { HEAVY_CALLERS } else { 0 } {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    if heavy_answer(address) {
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let asking: Vec<_> = LIGHT
            .iter()
            .map(|path| scope.spawn(move || latencies(address, path)))
            .collect();
        let figures = asking
            .into_iter()
            .map(|asked| asked.join().expect("light questions are answered"))
            .collect();
        over.store(true, Ordering::Relaxed);
        if beside_heavy {
            let answers = answers.load(Ordering::Relaxed);
            println!("heavy answers meanwhile: {answers}");
        }
        figures
    })
}

/// Asks for all offers and reads them; whether they came.
fn heavy_answer(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    let request = format!(
        "GET {HEAVY} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n\
         connection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .expect("the service reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer ends");
    let came = answer.starts_with(b"HTTP/1.1 200");
    if !came {
        assert!(answer.starts_with(b"HTTP/1.1 503"), "whole, or 503");
        // As its `Retry-After` says.
        thread::sleep(Duration::from_secs(1));
    }
    came
}

/// Asks one question again and again over one connection.
fn latencies(address: SocketAddr, path: &str) -> (f64, f64) {
    let stream = TcpStream::connect(address).expect("the service listens");
    stream.set_nodelay(true).expect("a connection can be set");
    let mut stream = BufReader::new(stream);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut took = Vec::new();
    let until = Instant::now() + ASKED_FOR;
    while Instant::now() < until {
        let asked = Instant::now();
        let to = stream.get_mut();
        to.write_all(request.as_bytes()).expect("the service reads");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let length = stream.read_line(&mut head).expect("the service answers");
            assert!(length > 0, "the connection stays");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .expect("the length is told");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("the body comes");
        took.push(asked.elapsed().as_secs_f64() * 1e3);
        thread::sleep(Duration::from_millis(1));
    }
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

/// Lets a crowd ask and not read for five seconds; the most memory meanwhile, in MiB.
fn crowd(service: &Service, path: &str) -> f64 {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut streams = Vec::with_capacity(CROWD);
    let mut most = service.resident_mib();
    for _ in 0..CROWD {
        let mut stream = TcpStream::connect(service.address).expect("the service listens");
        // A caller that is refused at once may not get it all written.
        stream.write_all(request.as_bytes()).ok();
        streams.push(stream);
        if streams.len().is_multiple_of(50) {
            most = most.max(service.resident_mib());
        }
    }
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        most = most.max(service.resident_mib());
        thread::sleep(Duration::from_millis(20));
    }
    most
}
