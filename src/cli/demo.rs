//! `demo`: the service against simulated clouds in the same process, over real sockets and with
//! the client code that ships.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::app::App;
use crate::clock::Clock;
use crate::clouds::{self, RegionChoice, aws};
use crate::config::{Backend, Config};
use crate::model::BackendName;
use crate::oracle::BackendSettings;
use crate::sim::aws::{Settings as SimulatedSettings, SimulatedAws};
use crate::{cache, catalog, http};

use super::serve::{listen, stop_signal};
use super::{Error, print};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address to listen on.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Error> {
    if !arguments.listen.ip().is_loopback() {
        return Err(Error::usage(
            "the demo has no tokens, so it listens on loopback only",
        ));
    }
    let listener = listen(arguments.listen, "choose another with --listen").await?;
    let address = listener.local_addr().map_err(Error::failed)?;
    let settings = SimulatedSettings::default();
    let credentials = aws::Credentials::Static {
        access_key_id: settings.accounts[0].access_key_id.clone(),
        secret_access_key: Some(settings.accounts[0].secret_access_key.as_str().into()),
        secret_access_key_file: None,
        session_token: None,
        session_token_file: None,
    };
    let simulated = SimulatedAws::start(settings).await.map_err(Error::failed)?;
    let cloud = aws::Settings {
        credentials,
        endpoint_url: Some(simulated.url()),
        ..aws::Settings::default()
    };
    let config = Config {
        server: http::Settings {
            listen: address,
            ..http::Settings::default()
        },
        cache: cache::Settings::default(),
        catalog: catalog::Settings::default(),
        backends: vec![Backend {
            name: BackendName::from(aws::REGISTRATION.kind),
            kind: &clouds::REGISTRY[0],
            regions: RegionChoice::Default,
            settings: BackendSettings::default(),
            rate_limit: aws::REGISTRATION.rate_limit,
            cloud: Arc::new(cloud),
            aws_protocol: http::AwsAnswers::default(),
        }],
        aws_protocol: None,
        base: PathBuf::from("."),
    };
    let app = App::new(&config, Clock::system())
        .await
        .map_err(Error::failed)?;
    print(&format!(
        "quota-oracle is answering on http://{address} for a simulated AWS at {}\n\
         \n\
         curl http://{address}/quotas/aws/us-east-1\n\
         curl 'http://{address}/quotas/aws/us-east-1?format=table'\n\
         curl http://{address}/quotas\n\
         \n\
         Ctrl-C ends it.\n",
        simulated.url(),
    ))?;
    app.serve(listener, stop_signal()?)
        .await
        .map_err(Error::failed)
}
