//! Stories of reading wanted quotas alone, told against the simulated AWS over real sockets.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use simulated_clouds::aws::{Filter, Settings, SimulatedAws};
use tokio::time::Instant;

use super::REGISTRATION;
use crate::clock::Clock;
use crate::clouds::cloud::{CloudSettings, Connection, RegionChoice};
use crate::model::{BackendName, Failure, Limit, Quota, QuotaKey, Reading, Region, UnitId};
use crate::source::{CallContext, Priority, QuotaRef, QuotaSource, Urgency, Wanted};
use crate::telemetry::Metrics;
use crate::upstream::{Shared, Upstream};

const REGION: &str = "us-east-1";
const P: &str = "L-417A185B";
const G: &str = "L-DB2E81BA";
const STANDARD: &str = "L-1216C47A";

struct Story {
    cloud: SimulatedAws,
    source: Arc<dyn QuotaSource>,
}

impl Story {
    async fn with(settings: &str) -> Self {
        let simulated = Settings::default();
        let account = simulated.accounts[0].clone();
        let cloud = SimulatedAws::start(simulated).await.unwrap();
        let settings = format!(
            "{settings}\nendpoint_url = \"{}\"\ncredentials = {{ source = \"static\", \
             access_key_id = \"{}\", secret_access_key = \"{}\" }}",
            cloud.url(),
            account.access_key_id,
            account.secret_access_key,
        );
        let settings = (REGISTRATION.parse)(settings.parse().unwrap()).unwrap();
        let backend = BackendName::from("aws");
        let connection = Connection {
            backend: backend.clone(),
            regions: RegionChoice::Default,
            upstream: Upstream::new(
                backend,
                REGISTRATION.rate_limit,
                Shared::new(Clock::system(), Metrics::new()),
            ),
            base: PathBuf::new(),
            variables: Default::default(),
            secret_variables: Default::default(),
        };
        let source = settings.connect(connection).await.unwrap();
        Self { cloud, source }
    }

    async fn read(&self, wanted: Wanted) -> Result<Reading, Failure> {
        let context = CallContext {
            urgency: Urgency::new(Priority::Verify),
            deadline: (Instant::now() + Duration::from_secs(60)).into_std(),
        };
        let unit = UnitId::from(REGION);
        self.source.fetch(&unit, &wanted, &context).await
    }

    fn calls(&self, operation: &str) -> u64 {
        let filter = Filter::any().operation(operation);
        self.cloud.controls().calls(&filter)
    }
}

fn only(codes: &[&str]) -> Wanted {
    let row = |code: &&str| QuotaRef {
        region: Region::from(REGION),
        key: QuotaKey::new("ec2", *code),
    };
    Wanted::Only(codes.iter().map(row).collect::<BTreeSet<_>>())
}

fn rows(reading: &Reading) -> &[Quota] {
    reading.regions[REGION].quotas()
}

#[tokio::test(start_paused = true)]
async fn wanted_rows_alone_cost_a_call_each_and_one_report() {
    let story = Story::with("").await;
    let reading = story.read(only(&[P, G])).await.unwrap();
    let codes: Vec<_> = rows(&reading).iter().map(|row| &*row.key.code).collect();
    assert_eq!(codes, [P, G]);
    assert!(rows(&reading).iter().all(|row| row.usage.known().is_some()));
    assert_eq!(reading.gaps, []);
    assert_eq!(story.calls("GetServiceQuota"), 2);
    assert_eq!(story.calls("StartQuotaUtilizationReport"), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_within_seconds_share_a_report_and_a_full_read_never_does() {
    let story = Story::with("").await;
    story.read(only(&[P])).await.unwrap();
    let second = story.read(only(&[STANDARD])).await.unwrap();
    assert!(rows(&second)[0].usage.known().is_some());
    assert_eq!(story.calls("StartQuotaUtilizationReport"), 1);
    story.read(Wanted::All).await.unwrap();
    assert_eq!(story.calls("StartQuotaUtilizationReport"), 2);
    tokio::time::advance(Duration::from_secs(60)).await;
    story.read(only(&[P])).await.unwrap();
    assert_eq!(story.calls("StartQuotaUtilizationReport"), 3);
}

#[tokio::test(start_paused = true)]
async fn without_usage_only_the_limits_are_asked_for() {
    let story = Story::with("usage = \"off\"").await;
    let reading = story.read(only(&[P])).await.unwrap();
    assert!(matches!(rows(&reading)[0].limit, Limit::Known(_)));
    assert_eq!(story.calls("GetServiceQuota"), 1);
    assert_eq!(story.calls("StartQuotaUtilizationReport"), 0);
}

#[tokio::test(start_paused = true)]
async fn each_region_is_called_as_itself_by_the_one_client() {
    let story = Story::with("usage = \"off\"").await;
    story.read(only(&[P])).await.unwrap();
    let here = Filter::any().region(REGION);
    let controls = story.cloud.controls();
    assert_eq!(controls.calls(&here), controls.calls(&Filter::any()));
}

#[test]
fn the_environment_says_whose_account_it_is_only_where_the_keys_do_not() {
    let variables = |credentials: &str| {
        let settings = format!("credentials = {{ source = {credentials} }}");
        let settings: super::Settings = toml::from_str(&settings).unwrap();
        CloudSettings::account_variables(&settings)
    };
    assert!(variables("\"default\"").contains(&"AWS_PROFILE"));
    // A profile is named, and the environment says in which file it is.
    let of_profile = variables("\"profile\", profile = \"gpu\"");
    assert!(of_profile.contains(&"AWS_CONFIG_FILE") && !of_profile.contains(&"AWS_PROFILE"));
    for credentials in [
        "\"static\", access_key_id = \"AKIA\"",
        "\"assume_role\", role_arn = \"arn\"",
    ] {
        assert!(variables(credentials).is_empty(), "{credentials}");
    }
}
