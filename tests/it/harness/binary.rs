//! The program itself, as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Variables of a process.
pub(super) type Environment<'a> = &'a [(&'a str, &'a str)];

/// A story that waits longer than this for a process has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program with these arguments, knowing nothing of the environment that the tests run in.
fn command(arguments: &[&str], environment: Environment<'_>) -> Command {
    let program = std::env::var_os("CARGO_BIN_EXE_quota-oracle")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_quota-oracle").into());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .envs(environment.iter().copied());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], environment: Environment<'_>) -> Output {
    command(arguments, environment).output().unwrap()
}

/// A running program; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
    output: Arc<Mutex<String>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str], environment: Environment<'_>) -> Self {
        let mut command = command(arguments, environment);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        let output = Arc::<Mutex<String>>::default();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let (sender, output) = (sender.clone(), Arc::clone(&output));
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                    let _ = sender.send(line);
                }
            });
        }
        Self {
            child,
            lines,
            output,
        }
    }

    /// Starts the service and waits until it listens; its address.
    pub(crate) async fn serve(config: &Path, environment: Environment<'_>) -> (Self, String) {
        let config = config.to_str().unwrap();
        let mut process = Self::start(&["serve", "--config", config], environment);
        let line = process.line("serving").await;
        let line: Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", line["listen"].as_str().unwrap());
        (process, url)
    }

    /// Waits for the next line with this text.
    pub(crate) async fn line(&mut self, text: &str) -> String {
        let found = timeout(PATIENCE, async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(text) {
                    return Some(line);
                }
            }
            None
        });
        match found.await {
            Ok(Some(line)) => line,
            _ => panic!("no line with {text:?} in:\n{}", self.output()),
        }
    }

    /// Everything that it has printed and logged.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Ends it as SIGKILL does, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it the signal of this name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let signal = format!("-{name}");
        let sent = Command::new("kill").args([&signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        // Its output ends when it does.
        let silence = async { while self.lines.recv().await.is_some() {} };
        timeout(PATIENCE, silence).await.expect("it ends in time");
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
