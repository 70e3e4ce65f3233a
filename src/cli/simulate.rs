//! `simulate`: the simulated clouds alone, for tests in other languages.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use simulated_clouds::aws::{Settings as AwsSimulation, SimulatedAws};
use simulated_clouds::azure::{Settings as AzureSimulation, SimulatedAzure};
use simulated_clouds::gcp::{Settings as GcpSimulation, SimulatedGcp};
use simulated_clouds::nebius::{Settings as NebiusSimulation, SimulatedNebius};

use super::output::{Error, print};
use super::secret_file;
use super::serve::listen;
use super::signals::Signals;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address of the simulated AWS; port 0 takes a free one.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// Where to write the credentials file that the simulated Nebius accepts.
    #[arg(long, value_name = "FILE")]
    nebius_credentials: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, mut signals: Signals) -> Result<(), Error> {
    let listener = listen(arguments.listen, "choose another with --listen").await?;
    let aws = SimulatedAws::start_on(listener, AwsSimulation::default()).map_err(Error::failed)?;
    let nebius = SimulatedNebius::start(NebiusSimulation::default())
        .await
        .map_err(Error::failed)?;
    let gcp = SimulatedGcp::start(GcpSimulation::default())
        .await
        .map_err(Error::failed)?;
    let azure = SimulatedAzure::start(AzureSimulation::default())
        .await
        .map_err(Error::failed)?;
    if let Some(file) = arguments.nebius_credentials {
        secret_file::write(&file, &nebius.credentials_file()).map_err(Error::failed)?;
    }
    print(&format!(
        "aws {}\nazure {}\ngcp {}\nnebius {}\nnebius-controls {}\n",
        aws.url(),
        azure.url(),
        gcp.url(),
        nebius.url(),
        nebius.controls_url()
    ))?;
    signals.any().await;
    Ok(())
}
