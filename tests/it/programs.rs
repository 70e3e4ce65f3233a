//! The servers of others that stories rely on start here and answer.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{eventually, nginx, redis_server, valkey_server};

/// A server that ends with the story.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first bytes that come back, once the socket is there.
async fn answer(socket: &Path, request: &str) -> String {
    eventually("the server listens", async || {
        UnixStream::connect(socket).is_ok()
    })
    .await;
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = [0; 64];
    let length = stream.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn redis_and_valkey_start_and_answer() {
    for program in [redis_server(), valkey_server()] {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _server = Server::start(
            Command::new(&program)
                .current_dir(folder.path())
                .args(["--port", "0", "--save", "", "--unixsocket"])
                .arg(&socket),
        );
        let said = answer(&socket, "PING\r\n").await;
        assert_eq!(said, "+PONG\r\n", "{}", program.display());
    }
}

#[tokio::test]
async fn nginx_starts_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let configuration = folder.path().join("nginx.conf");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .concat();
    let text = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
         events {{}}\n\
         http {{ access_log off;\n{temporary}\
         server {{ listen unix:{}; return 204; }} }}\n",
        socket.display()
    );
    fs::write(&configuration, text).unwrap();
    let _server = Server::start(
        Command::new(nginx())
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "stderr", "-c"])
            .arg(&configuration),
    );
    let said = answer(&socket, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 204 "), "{said}");
}
