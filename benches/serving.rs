//! What a warm answer costs, beside a bare axum handler that returns the same bytes; what the
//! service weighs with all regions, how soon it is ready from its snapshots, and how soon it tells
//! of offers while AWS cannot be reached.
//!
//! Not criterion: the question is throughput and tail latency over real connections, and the
//! machine's own ceiling has to be measured in turns with the service, because machines are noisy.
//! Run with `cargo bench --bench serving`.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use quota_oracle::sim::aws::{RateLimits, Settings, SimulatedAws};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const PATH: &str = "/quotas/aws/us-east-1";
const CONNECTIONS: usize = 32;
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 9;

fn main() {
    let simulated = one_thread("simulated");
    let aws = simulated.block_on(async {
        let mut settings = Settings::plain();
        settings.rate_limits = RateLimits::unlimited();
        settings.accounts[0].regions = ALL_REGIONS.map(str::to_owned).to_vec();
        SimulatedAws::start(settings)
            .await
            .expect("loopback is there")
    });
    keep_running(simulated);

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = folder.path().join("quota-oracle.toml");
    std::fs::write(&config, configuration(&aws.url(), "snapshots"))
        .expect("the folder can be written");
    std::fs::write(folder.path().join("secret"), SECRET).expect("the folder can be written");

    let cold = Service::start(&config);
    println!(
        "start to ready, cold, 34 regions within the rate limits: {:?}",
        cold.ready_after
    );
    let warm_up = one_thread("warm-up");
    let body = warm_up.block_on(async {
        let mut connection = Connection::open(cold.address).await;
        connection.ask().await;
        connection.body()
    });
    println!(
        "resident memory with 34 regions: {:.1} MiB",
        cold.resident_mib()
    );
    for path in ["/offers", "/offers?limit=0"] {
        let answer = cold.get(path).expect("the service answers");
        println!(
            "resident memory after GET {path} of {} bytes: {:.1} MiB",
            answer.len(),
            cold.resident_mib()
        );
    }
    println!("body of GET {PATH}: {} bytes", body.len());

    let bare = one_thread("bare");
    let bare_address = bare.block_on(serve_bare(body));
    keep_running(bare);
    compare(cold.address, bare_address);
    println!(
        "resident memory after the load: {:.1} MiB",
        cold.resident_mib()
    );
    cold.stop();

    let mut restarts: Vec<Duration> = (0..5)
        .map(|_| {
            let service = Service::start(&config);
            let ready_after = service.ready_after;
            service.stop();
            ready_after
        })
        .collect();
    restarts.sort();
    println!(
        "start to ready, from snapshots, median of 5: {:?}",
        restarts[2]
    );

    // One closes the port, the other takes connections and says nothing.
    let refusing = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = |listener: &std::net::TcpListener| {
        let address = listener.local_addr().expect("the listener is bound");
        format!("http://{address}")
    };
    let (refused, unanswered) = (address(&refusing), address(&silent));
    drop(refusing);
    for (what, url) in [
        ("refuses connections", refused),
        ("never answers", unanswered),
    ] {
        std::fs::write(&config, configuration(&url, "none")).expect("the folder can be written");
        tell_offers(what, &config);
    }
}

/// Asks for offers as soon as the service listens, and again.
fn tell_offers(what: &str, config: &std::path::Path) {
    let service = Service::spawn(config);
    let started = Instant::now();
    while std::net::TcpStream::connect(service.address).is_err() {
        thread::sleep(Duration::from_millis(1));
        assert!(started.elapsed() < Duration::from_secs(60), "never listens");
    }
    let mut took: Vec<Duration> = (0..21)
        .map(|_| {
            let asked = Instant::now();
            let answer = service.get("/offers").expect("the service answers");
            let took = asked.elapsed();
            assert!(answer.contains("\"availability\":\"unknown\""));
            assert!(!answer.contains("\"availability\":\"available\""));
            took
        })
        .collect();
    let first = took[0];
    took.sort();
    println!(
        "GET /offers while AWS {what}: the first in {first:?}, median of 21 {:?}, slowest {:?}",
        took[10], took[20]
    );
    service.stop();
}

/// Asks both in turns, so that what else the machine does hits both alike.
fn compare(service: SocketAddr, bare: SocketAddr) {
    let client = one_thread("client");
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let bare = client.block_on(load(bare));
        let service = client.block_on(load(service));
        // The first round warms both up.
        if round > 0 {
            println!(
                "round {round}: bare {:.0}/s p50 {:?} p99 {:?}; service {:.0}/s p50 {:?} p99 {:?}",
                bare.per_second, bare.p50, bare.p99, service.per_second, service.p50, service.p99
            );
            rounds.push((bare, service));
        }
    }
    let median = |value: fn(&(Load, Load)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!(
        "median of {ROUNDS} rounds: {:.0} answers/s against {:.0}/s bare; throughput ratio {:.3}, p99 ratio {:.3}",
        median(|(_, service)| service.per_second),
        median(|(bare, _)| bare.per_second),
        median(|(bare, service)| service.per_second / bare.per_second),
        median(|(bare, service)| service.p99.as_secs_f64() / bare.p99.as_secs_f64()),
    );
}

struct Load {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

async fn load(address: SocketAddr) -> Load {
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
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    body_at: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
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

    async fn ask(&mut self) {
        let request = "GET /quotas/aws/us-east-1 HTTP/1.1\r\nhost: localhost\r\n\r\n";
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

    fn body(&self) -> Bytes {
        Bytes::copy_from_slice(&self.answer[self.body_at..])
    }
}

async fn serve_bare(body: Bytes) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback is there");
    let address = listener.local_addr().expect("the listener is bound");
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let router = Router::new().route("/quotas/{backend}/{region}", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The real program as a process of its own.
struct Service {
    child: Child,
    address: SocketAddr,
    ready_after: Duration,
}

impl Service {
    /// Starts it, and waits until it is ready.
    fn start(config: &std::path::Path) -> Self {
        let started = Instant::now();
        let mut service = Self::spawn(config);
        while !service
            .get("/readyz")
            .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        {
            thread::sleep(Duration::from_millis(2));
            assert!(started.elapsed() < Duration::from_secs(120), "never ready");
        }
        service.ready_after = started.elapsed();
        service
    }

    fn spawn(config: &std::path::Path) -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("loopback is there");
        let child = Command::new(env!("CARGO_BIN_EXE_quota-oracle"))
            .args(["serve", "--config"])
            .arg(config)
            .env("QUOTA_ORACLE__SERVER__LISTEN", address.to_string())
            .env("TOKIO_WORKER_THREADS", "1")
            .stderr(Stdio::null())
            .spawn()
            .expect("the program was built");
        Self {
            child,
            address,
            ready_after: Duration::ZERO,
        }
    }

    /// The whole answer, if the service listens.
    fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.address).ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the service runs on Linux");
        let kib: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.trim().parse().ok())
            .expect("Linux tells the resident memory");
        kib / 1024.0
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(
            asked.is_ok_and(|status| status.success()),
            "SIGTERM could not be sent"
        );
        self.child.wait().expect("the service ends");
    }
}

/// The server under test has one thread, so does its client, and there are two cores.
fn one_thread(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("a thread can be started")
}

/// Leaks the runtime on purpose: its server is needed until the process ends.
fn keep_running(runtime: Runtime) {
    std::mem::forget(runtime);
}

/// The secret of AWS's documentation, which the simulated account has.
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn configuration(endpoint_url: &str, snapshots: &str) -> String {
    format!(
        r#"
        [cache]
        directory = "{snapshots}"
        [[backends]]
        kind = "aws"
        regions = "all"
        endpoint_url = "{endpoint_url}"
        credentials = {{ source = "static", access_key_id = "AKIAIOSFODNN7EXAMPLE", secret_access_key_file = "secret" }}
        "#
    )
}

const ALL_REGIONS: [&str; 34] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];
