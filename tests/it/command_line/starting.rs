//! `serve` with settings that it cannot start with.

use tokio::net::TcpListener;

use crate::harness::{Setup, plain_aws};

use super::refused;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_start_says_why_in_one_sentence() {
    let aws = plain_aws().await;
    let serve = |setup: &Setup, code| {
        let file = setup.write();
        let sentence = refused(&["serve", "--config", file.path.to_str().unwrap()], code);
        let folder = file.path.parent().unwrap().to_str().unwrap().to_owned();
        sentence.replace(&folder, "etc")
    };

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = Setup::new(&aws).set("server.listen", &*address);
    let sentence = serve(&setup, 1);
    assert!(
        sentence.starts_with(&format!("cannot listen on {address}: ")),
        "{sentence}"
    );
    assert!(sentence.ends_with("; stop what listens there, or set `server.listen`"));

    let setup = Setup::new(&aws).set("server.listen", "0.0.0.0:0");
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("which other machines may reach, so callers need a token"),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.credentials.secret_access_key_file", "nowhere");
    let sentence = serve(&setup, 2);
    assert!(sentence.starts_with("etc/quota-oracle.toml:"), "{sentence}");
    assert!(
        sentence.contains(
            "`backends[0].credentials.secret_access_key_file`: cannot read the secret file \
             etc/nowhere: "
        ),
        "{sentence}"
    );

    let setup = Setup::new(&aws).token("gone", &["read"]);
    std::fs::remove_file(setup.path("token-gone")).unwrap();
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("cannot read the secret file etc/token-gone: "),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.rate_limit.per_second", 0.001);
    let sentence = serve(&setup, 2);
    assert!(
        sentence.contains("backend `aws`: ") && sentence.contains("raise `rate_limit.per_second`"),
        "{sentence}"
    );

    let setup = Setup::new(&aws).set("backends.0.refresh_evry", "1m");
    let sentence = serve(&setup, 2);
    assert!(sentence.starts_with("etc/quota-oracle.toml:"), "{sentence}");
    assert!(
        sentence.contains("refresh_evry") && sentence.contains("`refresh_every`"),
        "{sentence}"
    );

    let broken = setup.file("broken.toml", "[server]\nlisten = \"127.0.0.1:0\n");
    let sentence = refused(&["serve", "--config", broken.to_str().unwrap()], 2);
    assert!(sentence.contains("broken.toml:2:"), "{sentence}");
    assert!(sentence.contains("this is not valid TOML"), "{sentence}");
    let sentence = refused(&["serve", "--config", "/nowhere/at/all.toml"], 2);
    assert!(sentence.starts_with("cannot read the configuration file /nowhere/at/all.toml: "));
}
