//! A real Redis or Valkey of a story's own, which it may stop, pause and empty.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::programs::{redis_server, valkey_server};

/// Each engine that a story runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Redis,
    Valkey,
}

/// A running server; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct StoreServer {
    program: PathBuf,
    arguments: Vec<String>,
    port: u16,
    folder: TempDir,
    child: Option<Child>,
}

/// A server that takes longer to answer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

impl StoreServer {
    pub(crate) fn start(engine: Engine) -> Self {
        Self::start_with(engine, &[])
    }

    /// The same with further arguments of the server.
    pub(crate) fn start_with(engine: Engine, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut server = Self {
            program: match engine {
                Engine::Redis => redis_server(),
                Engine::Valkey => valkey_server(),
            },
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            port,
            folder: tempfile::tempdir().unwrap(),
            child: None,
        };
        server.resume_empty();
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it; what it had is lost.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again, with nothing in it.
    pub(crate) fn resume_empty(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&self) {
        let patience = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < patience, "the server does not listen");
            std::thread::yield_now();
        }
    }

    /// Stops its process from running, until [`StoreServer::go_on`].
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &process])
            .status();
        assert!(sent.unwrap().success());
    }

    /// A connection for the story itself.
    pub(crate) async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
