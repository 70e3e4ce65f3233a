//! Other processes of a load run: a simulated AWS of many accounts, and one that keeps all
//! processors busy. The bench starts its own executable again for both.

// Each bench that includes this module uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use simulated_clouds::aws::{Account, Settings, SimulatedAws};

/// Arguments that turn the bench into one of the other processes.
const SIMULATE: &str = "simulate-accounts";
const BURN: &str = "burn";

/// Runs as another process if the arguments ask for one; it ends when its standard input closes.
pub(super) fn run_as_other_process() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(SIMULATE) => simulate(arguments[1].parse().expect("the bench passes a number")),
        Some(BURN) => burn(),
        _ => return false,
    }
    true
}

/// A process that ends with the bench.
pub(super) struct OtherProcess(Child);

impl Drop for OtherProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a simulated AWS with this many accounts, and returns its URL.
pub(super) fn start_aws(accounts: usize) -> (OtherProcess, String) {
    let mut child = again(&[SIMULATE, &accounts.to_string()], Stdio::piped());
    let output = child.stdout.take().expect("its output is piped");
    let mut url = String::new();
    BufReader::new(output)
        .read_line(&mut url)
        .expect("the simulated AWS tells its address");
    (OtherProcess(child), url.trim().to_owned())
}

/// Keeps all processors busy until it is dropped.
pub(super) fn keep_busy() -> OtherProcess {
    OtherProcess(again(&[BURN], Stdio::null()))
}

fn again(arguments: &[&str], output: Stdio) -> Child {
    Command::new(std::env::current_exe().expect("the bench is a file"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(output)
        .spawn()
        .expect("the bench can be started again")
}

/// The access key id of an account, counted from 0.
pub(super) fn access_key_id(account: usize) -> String {
    format!("AKIALOADRUN{account:09}")
}

/// Writes a configuration of the first account of the simulated AWS, and its secret, into the
/// folder; `regions` is the line of the regions that are read, or nothing.
pub(super) fn configured(folder: &Path, url: &str, secret: &str, regions: &str) -> PathBuf {
    let key = access_key_id(0);
    let text = format!(
        r#"
        [[backends]]
        kind = "aws"
        endpoint_url = "{url}"
        {regions}
        credentials = {{ source = "static", access_key_id = "{key}", secret_access_key_file = "secret" }}
        "#
    );
    let config = folder.join("quota-oracle.toml");
    for (file, text) in [(&folder.join("secret"), secret), (&config, &text)] {
        fs::write(file, text).expect("the folder can be written");
    }
    config
}

fn simulate(accounts: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    // The demo's limits, latency and rates, in every account.
    let mut settings = Settings::default();
    let first = settings.accounts[0].clone();
    settings.accounts = (0..accounts)
        .map(|account| Account {
            id: format!("{:012}", 100_000_000_000_usize + account),
            access_key_id: access_key_id(account),
            ..first.clone()
        })
        .collect();
    let aws = runtime.block_on(async { SimulatedAws::start(settings).await });
    let aws = aws.expect("loopback is there");
    println!("{}", aws.url());
    wait_for_the_end();
}

fn burn() {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    for _ in 0..threads {
        std::thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    wait_for_the_end();
}

fn wait_for_the_end() {
    // It ends when the bench does, however that ends.
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
}
