//! `demo`: the service against simulated clouds in the same process, over real sockets and with
//! the client code that ships.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use simulated_clouds::aws::{Settings as AwsSimulation, SimulatedAws};
use simulated_clouds::nebius::{Settings as NebiusSimulation, SimulatedNebius};
use tempfile::TempDir;

use crate::app::App;
use crate::clock::Clock;
use crate::clouds::{CloudSettings, RegionChoice, Registration, aws, nebius};
use crate::config::{Backend, Config};
use crate::model::BackendName;
use crate::oracle::BackendSettings;
use crate::{catalog, http, store};

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
    let clouds = SimulatedClouds::start().await?;
    let config = Config {
        server: http::Settings {
            listen: address,
            ..http::Settings::default()
        },
        cache: store::Settings::default(),
        catalog: catalog::Settings::default(),
        backends: clouds.backends()?,
        // Nobody but this machine can ask, and what it would see is made up.
        aws_protocol: Some(http::AwsProtocolSettings {
            verify: false,
            clients: Vec::new(),
        }),
        base: clouds.folder.path().to_owned(),
    };
    let app = App::new(&config, Clock::system())
        .await
        .map_err(Error::failed)?;
    print(&format!(
        "quota-oracle answers on http://{address} for a simulated AWS and a simulated Nebius.\n\
         The first regions are read in about five seconds. Try:\n\
         \n\
         curl http://{address}/quotas/aws/us-east-1\n\
         curl 'http://{address}/quotas/nebius/eu-north1?format=table'\n\
         curl 'http://{address}/offers?gpu=H100&min_gpu_count=8&format=table'\n\
         \n\
         How the simulated AWS is broken and mended:\n\
         \n\
         curl -d '{{\"kind\": \"throttle\"}}' {0}/_sim/fault\n\
         curl -X DELETE {0}/_sim/faults\n\
         \n\
         Ctrl-C ends the demo.\n",
        clouds.aws.url(),
    ))?;
    app.serve(listener, stop_signal()?)
        .await
        .map_err(Error::failed)
}

/// The simulated clouds and the secrets that they accept, for as long as the demo lasts.
struct SimulatedClouds {
    aws: SimulatedAws,
    aws_settings: AwsSimulation,
    nebius: SimulatedNebius,
    folder: TempDir,
}

/// The service account's credentials file in the temporary folder.
const NEBIUS_CREDENTIALS: &str = "nebius.json";

impl SimulatedClouds {
    async fn start() -> Result<Self, Error> {
        let aws_settings = AwsSimulation::default();
        let aws = SimulatedAws::start(aws_settings.clone())
            .await
            .map_err(Error::failed)?;
        let nebius = SimulatedNebius::start(NebiusSimulation::default())
            .await
            .map_err(Error::failed)?;
        let folder = TempDir::new().map_err(Error::failed)?;
        let file = folder.path().join(NEBIUS_CREDENTIALS);
        std::fs::write(file, nebius.credentials_file()).map_err(Error::failed)?;
        Ok(Self {
            aws,
            aws_settings,
            nebius,
            folder,
        })
    }

    fn backends(&self) -> Result<Vec<Backend>, Error> {
        let account = &self.aws_settings.accounts[0];
        let endpoint_url = aws::EndpointUrl::try_from(self.aws.url()).map_err(Error::failed)?;
        let aws = aws::Settings {
            credentials: aws::Credentials::Static(aws::StaticKeys {
                access_key_id: account.access_key_id.clone(),
                secret_access_key: Some(account.secret_access_key.as_str().into()),
                ..aws::StaticKeys::default()
            }),
            endpoint_url: Some(endpoint_url),
            ..aws::Settings::default()
        };
        let address = nebius::Address::try_from(self.nebius.url()).map_err(Error::failed)?;
        let nebius = nebius::Settings {
            credentials: nebius::CredentialsSettings::CredentialsFile(NEBIUS_CREDENTIALS.into()),
            tenant: None,
            projects: None,
            capacity: true,
            endpoints: nebius::Endpoints::all_at(&address),
        };
        Ok(vec![
            backend(&aws::REGISTRATION, Arc::new(aws)),
            backend(&nebius::REGISTRATION, Arc::new(nebius)),
        ])
    }
}

fn backend(kind: &'static Registration, cloud: Arc<dyn CloudSettings>) -> Backend {
    Backend {
        name: BackendName::from(kind.kind),
        kind,
        regions: RegionChoice::Default,
        settings: BackendSettings::default(),
        rate_limit: kind.rate_limit,
        aws_protocol: http::AwsAnswers::default(),
        cloud,
        fingerprint: "demo".to_owned(),
    }
}
