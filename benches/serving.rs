//! The cost of a warm answer, beside a bare axum handler that returns the same bytes; what the
//! service weighs with all regions, how soon it is ready from its snapshots, and how soon it tells
//! of offers while AWS cannot be reached.
//!
//! Not criterion: the question is throughput and tail latency over real connections, and the
//! machine's own ceiling has to be measured in turns with the service, because machines are noisy.
//! Run with `cargo bench --bench serving`.

mod load;
mod process;

use std::net::SocketAddr;
use std::ops::RangeBounds;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use quota_oracle::clouds::{CloudSettings, RegionChoice, aws};
use simulated_clouds::aws::{Settings, SimulatedAws};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use load::{Connection, Load, PATH, load};
use process::{SECRET, Service, configuration};

const ROUNDS: usize = 9;

fn main() {
    let simulated = one_thread("simulated");
    let aws = simulated.block_on(async {
        let mut settings = Settings::plain();
        let all = aws::Settings::default().regions(&RegionChoice::All);
        let all = all.expect("they are known before AWS is asked");
        settings.accounts[0].regions = all.iter().map(ToString::to_string).collect();
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
    hold("MiB with 34 regions", cold.resident_mib(), ..57.0);
    for path in ["/offers", "/offers?limit=0", "/offers?limit=0&format=table"] {
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
    hold("MiB after the load", cold.resident_mib(), ..95.0);
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
    hold(
        "ms to ready from snapshots",
        restarts[2].as_secs_f64() * 1e3,
        ..300.0,
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
            let unknown = answer.matches("\"availability\":\"unknown\"").count();
            assert_eq!(unknown, 100, "every offer of the first page");
            took
        })
        .collect();
    let first = took[0];
    took.sort();
    println!(
        "GET /offers while AWS {what}: the first in {first:?}, median of 21 {:?}, slowest {:?}",
        took[10], took[20]
    );
    hold(
        "ms until the first offers",
        first.as_secs_f64() * 1e3,
        ..50.0,
    );
    service.stop();
}

/// Ends the run if a figure is out of its bound: the median of many, or one with much room.
fn hold(what: &str, figure: f64, bound: impl RangeBounds<f64>) {
    if !bound.contains(&figure) {
        eprintln!("out of bounds: {figure:.3} {what}");
        std::process::exit(1);
    }
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
    let throughput = median(|(bare, service)| service.per_second / bare.per_second);
    let p99 = median(|(bare, service)| service.p99.as_secs_f64() / bare.p99.as_secs_f64());
    println!(
        "median of {ROUNDS} rounds: {:.0} answers/s against {:.0}/s bare, p99 {:.0} us against {:.0} us; \
         throughput ratio {throughput:.3}, p99 ratio {p99:.3}",
        median(|(_, service)| service.per_second),
        median(|(bare, _)| bare.per_second),
        median(|(_, service)| service.p99.as_secs_f64() * 1e6),
        median(|(bare, _)| bare.p99.as_secs_f64() * 1e6),
    );
    hold("of the bare handler's throughput", throughput, 0.8..);
    hold("times the bare handler's p99", p99, ..=1.5);
}

/// A handler that does nothing but return the body.
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
