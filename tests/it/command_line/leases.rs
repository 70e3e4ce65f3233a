//! `verify` and `leases` in a terminal.

use serde_json::Value;

use crate::harness::{ACCOUNT, P, Process, Setup, plain_aws};

use super::{refused, said_by};

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_is_verified_and_its_lease_is_listed() {
    let aws = plain_aws().await;
    let controls = aws.controls();
    controls.set_limit(ACCOUNT, "us-east-1", P, 192.0).unwrap();
    let file = Setup::new(&aws).set("backends.0.preload", false).write();
    let (_process, url) = Process::serve(&file.path, &[]).await;
    let service = ["--url", &url];
    let ask = |arguments: &[&str]| said_by(&[arguments, &service].concat());
    assert_eq!(ask(&["leases"]), ("no leases\n".into(), String::new(), 0));

    let launch = ["verify", "aws", "us-east-1", "p5.48xlarge", "--lease", "5m"];
    let (said, _, code) = ask(&launch);
    assert_eq!(code, 0);
    let lines: Vec<_> = said.lines().collect();
    assert!(
        lines[0].starts_with("available: needs 192 vCPU of "),
        "{said}"
    );
    assert!(lines[1].starts_with("verified, read at 20"), "{said}");
    let lease = lines[2].strip_prefix("lease ").unwrap();
    let (id, _) = lease.split_once(" until ").unwrap();

    let (table, _, _) = ask(&["leases"]);
    for part in [
        id,
        "held",
        "aws/us-east-1",
        "p5.48xlarge",
        &format!("192 of {P}"),
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let (json, _, _) = ask(&["leases", "--json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(listed["leases"][0]["id"], *id);

    let (said, _, code) = ask(&[&launch[..4], &["--count", "2", "--spot"]].concat());
    assert_eq!(code, 0);
    assert!(said.starts_with("no_quota: needs 384 vCPU of "), "{said}");
    let (json, _, _) = ask(&[&launch[..4], &["--json", "--max-age", "1h"]].concat());
    let short: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(short["quota"]["binding"]["leased"], 192);
    let sentence = refused(
        &[&launch[..4], &["--max-age", "soon"], &service].concat(),
        2,
    );
    assert!(
        sentence.contains("\"soon\" is not a duration"),
        "{sentence}"
    );
}
