//! The real program, as a process of its own.

// Each bench that includes this module uses a part of it.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running service.
pub(super) struct Service {
    child: Child,
    started: Instant,
    pub(super) address: SocketAddr,
    pub(super) ready_after: Duration,
}

impl Service {
    /// Starts it, and waits until it is ready.
    pub(super) fn start(config: &std::path::Path) -> Self {
        Self::spawn(config).until_ready()
    }

    /// Waits until it is ready.
    pub(super) fn until_ready(mut self) -> Self {
        while !self
            .get("/readyz")
            .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        {
            thread::sleep(Duration::from_millis(2));
            let waited = self.started.elapsed();
            assert!(waited < Duration::from_secs(600), "never ready");
        }
        self.ready_after = self.started.elapsed();
        self
    }

    pub(super) fn spawn(config: &std::path::Path) -> Self {
        Self::spawn_with(config, Some("1"), Stdio::null())
    }

    /// Starts it with this many worker threads, or its own number, and its log there.
    pub(super) fn spawn_with(config: &std::path::Path, threads: Option<&str>, log: Stdio) -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("loopback is there");
        let child = Command::new(env!("CARGO_BIN_EXE_quota-oracle"))
            .args(["serve", "--config"])
            .arg(config)
            .env("QUOTA_ORACLE__SERVER__LISTEN", address.to_string())
            .envs(threads.map(|threads| ("TOKIO_WORKER_THREADS", threads)))
            .stderr(log)
            .spawn()
            .expect("the program was built");
        Self {
            child,
            started: Instant::now(),
            address,
            ready_after: Duration::ZERO,
        }
    }

    /// The whole answer, if the service listens.
    pub(super) fn get(&self, path: &str) -> Option<String> {
        self.ask("GET", path)
    }

    /// The whole answer to a request without a body, if the service listens.
    pub(super) fn ask(&self, method: &str, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.address).ok()?;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub(super) fn resident_mib(&self) -> f64 {
        resident_mib(self.child.id())
    }

    /// Processor time spent so far.
    pub(super) fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }

    pub(super) fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(
            asked.is_ok_and(|status| status.success()),
            "SIGTERM could not be sent"
        );
        self.child.wait().expect("the service ends");
    }
}

/// Processor time that a process has spent so far.
pub(super) fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))
        .expect("the process runs on Linux");
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 of proc(5).
    let (_, rest) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let fields: Vec<u64> = rest
        .split(' ')
        .skip(11)
        .take(2)
        .flat_map(str::parse)
        .collect();
    // Linux counts for user space in hundredths of a second on every architecture of today.
    Duration::from_millis(10 * fields.iter().sum::<u64>())
}

/// The resident memory of a process.
pub(super) fn resident_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .expect("the process runs on Linux");
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse().ok())
        .expect("Linux tells the resident memory");
    kib / 1024.0
}

/// The secret of AWS's documentation, which the simulated account has.
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A configuration that reads all regions of the AWS at this address.
pub(super) fn configuration(endpoint_url: &str, snapshots: &str) -> String {
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
