//! The time that `/plan` and `/offers/summary` take on the catalog of each cloud, and on all of
//! them together: the real program, over the demo's accounts.
//!
//! Not criterion: the first answer after a reading counts too, and happens once. Run with
//! `cargo bench --bench plan`.

mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::exit;
use std::time::{Duration, Instant};

use simulated_clouds::CLOUDS;
use tokio::runtime::Builder;

use process::Service;

/// The promise of an answer of `/plan`.
const MOST: Duration = Duration::from_millis(10);

const ROUNDS: usize = 101;

const PATHS: [&str; 3] = [
    "/plan?gpus=32&gpu=H100&max_per_node=8&spot=false",
    "/plan?gpus=32&max_per_node=8",
    "/offers/summary",
];

fn main() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a thread can be started");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut config = String::from("[server]\ndrain = \"0s\"\n");
    let mut running = Vec::new();
    for cloud in CLOUDS {
        let cloud = runtime
            .block_on((cloud.start)())
            .expect("loopback is there");
        config.push_str(&cloud.configuration);
        for file in &cloud.files {
            let path = folder.path().join(file.name);
            fs::write(&path, &file.content).expect("the folder can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                .expect("the file is ours");
        }
        running.push(cloud);
    }
    let path = folder.path().join("quota-oracle.toml");
    fs::write(&path, config).expect("the folder can be written");
    let service = Service::start(&path);

    let kinds = kinds(&service);
    let mut is_slow = false;
    for path in PATHS {
        let of_one = kinds.iter().map(|kind| (kind.as_str(), Some(kind)));
        for (name, kind) in of_one.chain([("all", None)]) {
            let separator = if path.contains('?') { '&' } else { '?' };
            let only = kind.map_or_else(String::new, |kind| format!("{separator}backend={kind}"));
            let median = measure(&service, name, &format!("{path}{only}"));
            is_slow |= path.starts_with("/plan") && median > MOST;
        }
    }
    service.stop();
    if is_slow {
        eprintln!("out of bounds: a plan takes more than {MOST:?}");
        exit(1);
    }
}

/// The backends, which have the names of their clouds.
fn kinds(service: &Service) -> Vec<String> {
    let answer = service.get("/quotas").expect("the service listens");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let backends = body["backends"].as_array().expect("backends");
    let names = backends.iter().filter_map(|it| it["backend"].as_str());
    names.map(str::to_owned).collect()
}

/// Prints what the first and the later answers take, connections included; returns the median.
fn measure(service: &Service, name: &str, path: &str) -> Duration {
    let ask = || {
        let asked = Instant::now();
        let answer = service.get(path).expect("the service listens");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        (asked.elapsed(), answer.len())
    };
    let (first, size) = ask();
    let mut took: Vec<Duration> = (0..ROUNDS).map(|_| ask().0).collect();
    took.sort();
    let median = took[ROUNDS / 2];
    let slowest = took[ROUNDS - 1];
    println!(
        "{name}: GET {path}: {size} bytes, the first in {first:?}, median {median:?}, slowest {slowest:?}"
    );
    median
}
