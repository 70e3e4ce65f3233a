//! Secrets that somebody renews while the service runs.

use std::time::Duration;

use reqwest::Method;
use simulated_clouds::aws::SimulatedAws;

use crate::harness::{ACCOUNT, Service, Setup, let_time_pass, plain_aws};

/// A little longer than secrets are kept.
const A_MINUTE: Duration = Duration::from_secs(61);

/// The second account of the simulated AWS.
const OTHER_ACCOUNT: &str = "210987654321";

async fn status(service: &Service, token: &str) -> u16 {
    service.get_as(token, "/quotas").await.status
}

#[tokio::test(start_paused = true)]
async fn a_renewed_token_is_let_in_at_once_and_the_old_one_no_longer() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("old", &["read"]);
    let service = setup.start().await;
    assert_eq!(status(&service, "old").await, 200);
    setup.file("token-old", "new\n");
    let_time_pass(Duration::from_secs(2)).await;
    assert_eq!(status(&service, "new").await, 200);
    assert_eq!(status(&service, "old").await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_token_is_refused_after_a_minute_though_nobody_brings_the_new_one() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("old", &["read"]);
    let service = setup.start().await;
    setup.file("token-old", "new\n");
    let_time_pass(A_MINUTE).await;
    assert_eq!(status(&service, "old").await, 401);
    assert_eq!(status(&service, "new").await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_token_is_refused_at_once_when_the_operator_asks() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("old", &["read"]);
    let service = setup.start().await;
    setup.file("token-old", "new");
    quota_oracle::secret::reload();
    assert_eq!(status(&service, "old").await, 401);
}

/// As Kubernetes renews a mounted secret: `..data` is a link to a folder of one version.
#[tokio::test(start_paused = true)]
async fn a_token_behind_a_swapped_link_is_taken_up() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("old", &["read"]);
    for version in ["old", "new"] {
        std::fs::create_dir(setup.path(version)).unwrap();
        setup.file(&format!("{version}/token"), version);
    }
    let link = |version: &str| {
        std::os::unix::fs::symlink(version, setup.path("..swap")).unwrap();
        std::fs::rename(setup.path("..swap"), setup.path("..data")).unwrap();
    };
    link("old");
    std::fs::remove_file(setup.path("token-old")).unwrap();
    std::os::unix::fs::symlink("..data/token", setup.path("token-old")).unwrap();
    let service = setup.start().await;
    assert_eq!(status(&service, "old").await, 200);
    link("new");
    let_time_pass(A_MINUTE).await;
    assert_eq!(status(&service, "old").await, 401);
    assert_eq!(status(&service, "new").await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_file_is_gone_or_empty_stays_in_force() {
    let aws = plain_aws().await;
    let setup = Setup::new(&aws).token("old", &["read"]);
    let service = setup.start().await;
    setup.file("token-old", "");
    let_time_pass(A_MINUTE).await;
    assert_eq!(status(&service, "old").await, 200);
    assert_eq!(status(&service, "").await, 401);
    std::fs::remove_file(setup.path("token-old")).unwrap();
    let_time_pass(A_MINUTE).await;
    assert_eq!(status(&service, "old").await, 200);
}

/// A service whose keys stand in a shared credentials file.
fn shared(aws: &SimulatedAws, table: &str) -> Setup {
    let table: toml::Table = toml::from_str(table).unwrap();
    let setup = Setup::new(aws).set("backends.0.credentials", table);
    let file = setup.path("credentials");
    setup.variable("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())
}

fn write_keys(setup: &Setup, (id, secret): (&str, &str)) {
    let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    setup.file("credentials", &format!("[default]\n{keys}[gpu]\n{keys}"));
}

const UNKNOWN_KEY: (&str, &str) = ("AKIAOLDKEYOLDKEYOLD1", "old");
const KEY: (&str, &str) = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
);
const OTHER_KEY: (&str, &str) = (
    "AKIAI44QH8DHBEXAMPLE",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
);

const SOURCES: [&str; 2] = [
    "source = \"profile\"\nprofile = \"gpu\"",
    "source = \"default\"",
];

/// Has the region read anew, and returns the account that was read.
async fn read(service: &Service) -> Option<String> {
    let refresh = service.request(Method::POST, "/refresh/aws/us-east-1");
    if service.send(refresh).await.status != 200 {
        return None;
    }
    let answer = service.get("/quotas/aws/us-east-1").await.json();
    answer["account"].as_str().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn renewed_shared_files_are_taken_up_after_a_refusal() {
    let aws = plain_aws().await;
    for source in SOURCES {
        let setup = shared(&aws, source);
        write_keys(&setup, UNKNOWN_KEY);
        let service = setup.start().await;
        assert_eq!(read(&service).await, None, "{source}");
        write_keys(&setup, KEY);
        let_time_pass(Duration::from_secs(2)).await;
        assert_eq!(read(&service).await.as_deref(), Some(ACCOUNT), "{source}");
    }
}

#[tokio::test(start_paused = true)]
async fn renewed_shared_files_are_taken_up_after_a_minute() {
    let aws = plain_aws().await;
    for source in SOURCES {
        let setup = shared(&aws, source);
        write_keys(&setup, KEY);
        let service = setup.start().await;
        assert_eq!(read(&service).await.as_deref(), Some(ACCOUNT), "{source}");
        write_keys(&setup, OTHER_KEY);
        let_time_pass(A_MINUTE).await;
        let account = read(&service).await;
        assert_eq!(account.as_deref(), Some(OTHER_ACCOUNT), "{source}");
    }
}

#[tokio::test(start_paused = true)]
async fn shared_files_that_are_gone_leave_the_last_keys_in_force() {
    let aws = plain_aws().await;
    let setup = shared(&aws, SOURCES[0]);
    write_keys(&setup, KEY);
    let service = setup.start().await;
    assert_eq!(read(&service).await.as_deref(), Some(ACCOUNT));
    std::fs::remove_file(setup.path("credentials")).unwrap();
    let_time_pass(A_MINUTE).await;
    assert_eq!(read(&service).await.as_deref(), Some(ACCOUNT));
}

#[tokio::test(start_paused = true)]
async fn renewed_keys_of_a_backend_are_taken_up_after_a_refusal() {
    let aws = plain_aws().await;
    aws.controls().verify_signatures(true);
    let setup = Setup::new(&aws);
    setup.file("aws-secret", "old");
    let service = setup.start().await;
    assert_eq!(read(&service).await, None);
    setup.file("aws-secret", KEY.1);
    let_time_pass(Duration::from_secs(2)).await;
    assert_eq!(read(&service).await.as_deref(), Some(ACCOUNT));
}
