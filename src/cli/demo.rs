//! `demo`: the service against simulated clouds in the same process, over real sockets and with
//! the client code that ships.

use std::net::{Ipv4Addr, SocketAddr};
use std::{fs, iter};

use clap::Args;
use simulated_clouds::{CLOUDS, RunningCloud};
use tempfile::TempDir;

use crate::app::App;
use crate::clock::Clock;
use crate::config::{self, Config};

use super::output::{Error, print};
use super::secret_file;
use super::serve::listen;
use super::signals::Signals;

/// The configuration in the temporary folder; the files that it names stand beside it.
const CONFIGURATION: &str = "quota-oracle.toml";

/// A question about all clouds together.
const OFFERS: &str = "/offers?gpu=H100&min_gpu_count=8&format=table";

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address to listen on.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments, mut signals: Signals) -> Result<(), Error> {
    if !arguments.listen.ip().is_loopback() {
        return Err(Error::usage(
            "the demo has no tokens, so it listens on loopback only",
        ));
    }
    let listener = listen(arguments.listen, "choose another with --listen").await?;
    let address = listener.local_addr().map_err(Error::failed)?;
    let mut clouds = Vec::new();
    for cloud in CLOUDS {
        let running = (cloud.start)().await.map_err(Error::failed)?;
        clouds.push((cloud.name, running));
    }
    let folder = TempDir::new().map_err(Error::failed)?;
    let config = configure(&folder, address, &clouds)?;
    let app = App::new(&config, Clock::system())
        .await
        .map_err(Error::failed)?;
    print(&welcome(address, &clouds))?;
    let stop = async move {
        // A closed terminal ends what was started in it.
        signals.any().await;
    };
    app.serve(listener, stop).await.map_err(Error::failed)
}

/// Writes the configuration that the clouds ask for, and reads it as that of an operator is read.
/// The environment overrides nothing: the demo is the same everywhere.
fn configure(
    folder: &TempDir,
    listen: SocketAddr,
    clouds: &[(&str, RunningCloud)],
) -> Result<Config, Error> {
    // Nobody has to be told to go elsewhere.
    let mut text = format!("[server]\nlisten = \"{listen}\"\ndrain = \"0s\"\n");
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
    let loaded = config::load(Some(&path), iter::empty()).map_err(Error::failed)?;
    Ok(loaded.config)
}

fn welcome(address: SocketAddr, clouds: &[(&str, RunningCloud)]) -> String {
    let names: Vec<_> = clouds
        .iter()
        .map(|(name, _)| format!("a simulated {name}"))
        .collect();
    let examples = clouds.iter().flat_map(|(_, cloud)| &cloud.examples);
    let examples: String = examples
        .copied()
        .chain([OFFERS])
        .map(|path| format!("curl {}\n", quoted(&format!("http://{address}{path}"))))
        .collect();
    let faults: String = clouds
        .iter()
        .filter(|(_, cloud)| !cloud.fault_commands.is_empty())
        .map(|(name, cloud)| {
            let commands = &cloud.fault_commands;
            format!("How the simulated {name} is broken and mended:\n\n{commands}\n")
        })
        .collect();
    format!(
        "quota-oracle answers on http://{address} for {}.\n\
         The first regions are read in about five seconds. Try:\n\
         \n\
         {examples}\n\
         {faults}Ctrl-C ends the demo.\n",
        names.join(" and "),
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
