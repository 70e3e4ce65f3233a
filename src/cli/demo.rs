//! `demo`: the service against simulated clouds in the same process, over real sockets and with
//! the client code that ships.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use reqwest::Client;
use simulated_clouds::{CLOUDS, RunningCloud};
use tempfile::TempDir;
use tokio::time::{Instant, interval};

use crate::app::App;
use crate::clock::Clock;
use crate::config::{self, Config};

use super::output::{Error, print};
use super::secret_file;
use super::serve::listen;
use super::signals::Signals;

/// The configuration in the temporary folder; the files that it names stand beside it.
const CONFIGURATION: &str = "quota-oracle.toml";

/// The file of the generated token.
const TOKEN: &str = "token";

/// Has signatures of the AWS protocol verified.
const VERIFY: (&str, &str) = ("QUOTA_ORACLE__AWS_PROTOCOL__VERIFY", "true");

/// Between two looks at whether the first answers are there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A question about all clouds together.
const OFFERS: &str = "/offers?gpu=H100&min_gpu_count=8&format=table";

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address to listen on; others than loopback need the token that is printed then.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
}

/// Where the demo is reached, and with which token.
struct Reached {
    address: SocketAddr,
    token: Option<String>,
}

pub(super) async fn run(arguments: Arguments, mut signals: Signals) -> Result<(), Error> {
    let started = Instant::now();
    let listener = listen(arguments.listen, "choose another with --listen").await?;
    let address = listener.local_addr().map_err(Error::failed)?;
    let reached = Reached::at(address);
    let mut clouds = Vec::new();
    for cloud in CLOUDS {
        let running = (cloud.start)().await.map_err(Error::failed)?;
        clouds.push((cloud.name, running));
    }
    let folder = TempDir::new().map_err(Error::failed)?;
    let config = configure(&folder, &reached, &clouds)?;
    let app = App::new(&config, Clock::system())
        .await
        .map_err(Error::failed)?;
    print(&welcome(&reached, &clouds))?;
    let announced = tokio::spawn(announce(reached.on_this_machine(), started));
    let stop = async move {
        // A closed terminal ends what was started in it.
        signals.any().await;
        announced.abort();
    };
    app.serve(listener, stop).await.map_err(Error::failed)
}

impl Reached {
    /// Other machines reach an address that is not loopback, so it needs a token.
    fn at(address: SocketAddr) -> Self {
        let token = || hex::encode(rand::random::<[u8; 16]>());
        Self {
            address,
            token: (!address.ip().is_loopback()).then(token),
        }
    }

    /// An address that this machine reaches, where the demo listens on all of them.
    fn on_this_machine(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }

    fn curl(&self, path: &str) -> String {
        let header = self.token.as_ref().map_or_else(String::new, |token| {
            format!("-H 'Authorization: Bearer {token}' ")
        });
        let url = format!("http://{}{path}", self.on_this_machine());
        format!("curl {header}{}\n", quoted(&url))
    }
}

/// Says once that the first answers are there.
async fn announce(address: SocketAddr, started: Instant) {
    let Ok(client) = Client::builder().no_proxy().build() else {
        return;
    };
    let mut look = interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let answer = client.get(format!("http://{address}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    // Whoever has closed the output has stopped reading; the demo goes on.
    let _ = print(&format!("Ready after {seconds:.1} s."));
}

/// Writes the configuration that the clouds ask for, and reads it as that of an operator is read.
/// The environment overrides nothing: the demo is the same everywhere. Beyond loopback callers of
/// the AWS protocol sign with the simulated account's key.
fn configure(
    folder: &TempDir,
    reached: &Reached,
    clouds: &[(&str, RunningCloud)],
) -> Result<Config, Error> {
    let listen = reached.address;
    // Nobody has to be told to go elsewhere.
    let mut text = format!("[server]\nlisten = \"{listen}\"\ndrain = \"0s\"\n");
    if let Some(token) = &reached.token {
        secret_file::write(&folder.path().join(TOKEN), token).map_err(Error::failed)?;
        let scopes = r#"scopes = ["read", "verify", "admin"]"#;
        text.push_str(&format!(
            "[[server.tokens]]\nname = \"demo\"\ntoken_file = \"{TOKEN}\"\n{scopes}\n"
        ));
    }
    for (_, cloud) in clouds {
        text.push('\n');
        text.push_str(&cloud.configuration);
        for file in &cloud.files {
            secret_file::write(&folder.path().join(file.name), &file.content)
                .map_err(Error::failed)?;
        }
    }
    let path = folder.path().join(CONFIGURATION);
    fs::write(&path, text).map_err(Error::failed)?;
    let verified = (VERIFY.0.to_owned(), VERIFY.1.to_owned());
    let overrides = reached.token.iter().map(|_| verified.clone());
    let loaded = config::load(Some(&path), overrides).map_err(Error::failed)?;
    Ok(loaded.config)
}

/// The page's address comes first; commands for the simulated clouds work on this machine only.
fn welcome(reached: &Reached, clouds: &[(&str, RunningCloud)]) -> String {
    let names: Vec<_> = clouds
        .iter()
        .map(|(name, _)| format!("a simulated {name}"))
        .collect();
    let examples = clouds.iter().flat_map(|(_, cloud)| &cloud.examples);
    let examples: String = examples
        .copied()
        .chain([OFFERS])
        .map(|path| reached.curl(path))
        .collect();
    let faults: String = clouds
        .iter()
        .filter(|(_, cloud)| !cloud.fault_commands.is_empty() && reached.token.is_none())
        .map(|(name, cloud)| {
            let commands = &cloud.fault_commands;
            format!("To break the simulated {name}, and to mend it:\n\n{commands}\n")
        })
        .collect();
    let token = reached.token.as_ref().map_or_else(String::new, |token| {
        format!("Other machines reach it too, so it needs this token: {token}\n")
    });
    format!(
        "quota-oracle answers on http://{} with {}.\n\
         {token}\
         Open that in a browser, or try:\n\
         \n\
         {examples}\n\
         {faults}Ctrl-C ends the demo. The first regions are read in about five seconds.\n",
        reached.on_this_machine(),
        names.join(", "),
    )
}

/// The URL as a shell takes it.
fn quoted(url: &str) -> String {
    if url.contains(['?', '&']) {
        format!("'{url}'")
    } else {
        url.to_owned()
    }
}
