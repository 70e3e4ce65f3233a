//! The real program, as a process of its own.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running service.
pub(super) struct Service {
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) ready_after: Duration,
}

impl Service {
    /// Starts it, and waits until it is ready.
    pub(super) fn start(config: &std::path::Path) -> Self {
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

    pub(super) fn spawn(config: &std::path::Path) -> Self {
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
    pub(super) fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.address).ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub(super) fn resident_mib(&self) -> f64 {
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
