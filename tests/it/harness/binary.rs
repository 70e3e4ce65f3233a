//! The program itself, as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

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

/// A program as another one is told to start it.
fn within(other: &[&str], program: &Command) -> Command {
    let mut command = Command::new(other[0]);
    command.args(&other[1..]).arg(program.get_program());
    command.args(program.get_args()).env_clear();
    command.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command
}

/// Sends a process the signal of this name.
fn send_signal(process: &str, name: &str) {
    let signal = format!("-{name}");
    let sent = Command::new("kill").args([&*signal, process]).status();
    assert!(sent.unwrap().success());
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], environment: Environment<'_>) -> Output {
    command(arguments, environment).output().unwrap()
}

/// Runs the program to its end, printing and logging there; its exit code.
pub(crate) fn run_into(
    arguments: &[&str],
    environment: Environment<'_>,
    printed: Stdio,
    logged: Stdio,
) -> Option<i32> {
    let mut command = command(arguments, environment);
    command.stdout(printed).stderr(logged);
    command.status().unwrap().code()
}

/// The port that a process listens on, as Linux tells it.
fn listening_on(process: u32) -> Option<u16> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let links = descriptors.filter_map(|it| std::fs::read_link(it.ok()?.path()).ok());
    let own: Vec<String> = links
        .filter_map(|link| {
            let link = link.into_os_string().into_string().ok()?;
            let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let sockets = std::fs::read_to_string("/proc/net/tcp").ok()?;
    sockets.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = fields[1].split_once(':')?;
        let listens = fields[3] == "0A" && own.iter().any(|inode| inode == fields[9]);
        u16::from_str_radix(port, 16).ok().filter(|_| listens)
    })
}

/// A running program; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
    output: Arc<Mutex<String>>,
}

impl Process {
    /// Runs the program to its end on a terminal of so many columns, on which these lines are typed;
    /// returns what the terminal shows, and the exit code.
    pub(crate) fn on_terminal(
        arguments: &[&str],
        environment: Environment<'_>,
        columns: u16,
        typed: &str,
    ) -> (String, Option<i32>) {
        let program = command(arguments, environment);
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let words =
            words.map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''")));
        let words = words.collect::<Vec<_>>().join(" ");
        let line = format!("stty cols {columns} rows 24 -echo; exec {words}");
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env_clear();
        command
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("PATH", "/usr/bin:/bin");
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        keyboard.write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(keyboard);
        let shown = String::from_utf8(output.stdout).unwrap().replace('\r', "");
        (shown, output.status.code())
    }

    pub(crate) fn start(arguments: &[&str], environment: Environment<'_>) -> Self {
        Self::spawn(command(arguments, environment), Stdio::piped())
    }

    fn spawn(mut command: Command, log: Stdio) -> Self {
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        let output = Arc::<Mutex<String>>::default();
        let printed = child.stdout.take().map(|stream| Box::new(stream) as Box<_>);
        let logged = child.stderr.take().map(|stream| Box::new(stream) as Box<_>);
        let streams: [Option<Box<dyn Read + Send>>; 2] = [printed, logged];
        for stream in streams.into_iter().flatten() {
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
        let process = Self::start(&["serve", "--config", config], environment);
        process.listening().await
    }

    async fn listening(mut self) -> (Self, String) {
        let line = self.line("serving").await;
        let line: Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", line["listen"].as_str().unwrap());
        (self, url)
    }

    /// Starts the program as process 1 of a namespace, as in a container; nothing where this machine
    /// allows none. [`Process::signal_child`] sends signals to it.
    pub(crate) fn start_as_process_1(arguments: &[&str]) -> Option<Self> {
        let unshare = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child"];
        let mut trial = within(&unshare, &Command::new("/bin/true"));
        let is_allowed = trial.output().is_ok_and(|output| output.status.success());
        let program = within(&unshare, &command(arguments, &[]));
        is_allowed.then(|| Self::spawn(program, Stdio::piped()))
    }

    /// Starts the service where at most so many descriptors may be open, with a soft limit of fewer,
    /// and waits until it listens; its address.
    pub(crate) async fn serve_with_descriptors(config: &Path, most: u32) -> (Self, String) {
        let program = command(&["serve", "--config", config.to_str().unwrap()], &[]);
        let limits = format!("ulimit -S -n 64; ulimit -H -n {most}; exec \"$@\"");
        let limited = within(&["/bin/sh", "-c", &limits, "sh"], &program);
        Self::spawn(limited, Stdio::piped()).listening().await
    }

    /// Starts the service with its log there, where the story cannot read it, and waits until it
    /// listens.
    pub(crate) async fn serve_with_log(
        config: &Path,
        environment: Environment<'_>,
        log: Stdio,
    ) -> (Self, String) {
        let config = config.to_str().unwrap();
        let process = Self::spawn(command(&["serve", "--config", config], environment), log);
        let listens = async {
            loop {
                match listening_on(process.child.id()) {
                    Some(port) => return port,
                    None => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let port = timeout(PATIENCE, listens).await.expect("it listens");
        (process, format!("http://127.0.0.1:{port}"))
    }

    /// The kibibytes of memory that it occupies, besides its own code, which is large in a build for
    /// tests.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
        let amount = line.unwrap().trim().strip_suffix(" kB").unwrap();
        amount.trim().parse().unwrap()
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
        send_signal(&self.child.id().to_string(), name);
    }

    /// Sends the signal of this name to the only process that it has started.
    pub(crate) fn signal_child(&self, name: &str) {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        send_signal(children.unwrap().trim(), name);
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
