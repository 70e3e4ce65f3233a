//! `simulate`: the simulated clouds alone, for tests in other languages.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use crate::sim::aws::{Settings, SimulatedAws};

use super::serve::{listen, stop_signal};
use super::{Error, print};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Error> {
    let listener = listen(arguments.listen, "choose another with --listen").await?;
    let simulated = SimulatedAws::start_on(listener, Settings::default()).map_err(Error::failed)?;
    print(&format!("aws {}\n", simulated.url()))?;
    stop_signal()?.await;
    Ok(())
}
