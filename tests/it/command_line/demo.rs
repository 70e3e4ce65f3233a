//! `demo` in a terminal: what it says to try works, and what it says breaks the cloud does.

use reqwest::Client;
use serde_json::{Value, json};

use crate::harness::{Process, QUOTAS_OF_A_REGION, eventually};

const TIB: f64 = (1_u64 << 40) as f64;

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn get(url: &str) -> String {
    let answer = client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.text().await.unwrap()
}

async fn get_json(url: &str) -> Value {
    serde_json::from_str(&get(url).await).unwrap()
}

/// The last address in a line.
fn address(line: &str) -> String {
    let at = line.rfind("http://").unwrap();
    let ends = |c: char| c.is_whitespace() || c == '\'';
    line[at..].split(ends).next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_demo_says_to_try_works_and_what_it_says_breaks_the_cloud_does() {
    let mut demo = Process::start(&["demo", "--listen", "127.0.0.1:0"], &[]);
    let url = address(&demo.line("quota-oracle answers on ").await);
    let quotas = address(&demo.line("curl ").await);
    let table = address(&demo.line("curl ").await);
    let offers = address(&demo.line("curl ").await);
    let breaks = demo.line("/_sim/fault").await;
    let mends = address(&demo.line("curl -X DELETE ").await);
    assert_eq!(quotas, format!("{url}/quotas/aws/us-east-1"));
    demo.line("Ready after ").await;

    let quotas = get_json(&quotas).await;
    let rows = quotas["quotas"].as_array().unwrap();
    assert_eq!(rows.len() as u64, QUOTAS_OF_A_REGION);
    let fault = address(&breaks);
    let cloud = fault.strip_suffix("/_sim/fault").unwrap();
    let account = get_json(&format!("{cloud}/_sim/quotas?region=us-east-1")).await;
    let account = account["quotas"].as_array().unwrap();
    let mut in_use = 0;
    for row in rows {
        let has = account.iter().find(|one| one["code"] == row["code"]);
        let has = has.unwrap();
        let unit = if row["unit"] == "byte" { TIB } else { 1.0 };
        for member in ["limit", "usage"] {
            let amount = has[member].as_f64().unwrap() * unit;
            assert_eq!(row[member].as_f64(), Some(amount), "{member} of {row}");
        }
        in_use += usize::from(row["usage"] != 0);
    }
    assert!(in_use > 5, "{in_use}");

    let table = get(&table).await;
    assert!(table.starts_with("nebius/eu-north1  account "), "{table}");
    assert!(table.contains("  fresh"), "{table}");
    let offers = get(&offers).await;
    for (place, said) in [
        ("nebius/eu-north1", "  available  "),
        ("aws/us-east-1", "  no_quota  "),
        ("aws/us-east-2", "  available  "),
        ("gcp/us-central1", "  available  "),
        ("azure/eastus", "  available  "),
        ("azure/westus3", "  no_quota  "),
    ] {
        let mut lines = offers.lines();
        let found = lines.any(|line| line.contains(place) && line.contains(said));
        assert!(found, "{place}{said}in\n{offers}");
    }

    let throttle = breaks.split('\'').nth(1).unwrap().to_owned();
    let broken = client().post(&fault).body(throttle);
    assert!(broken.send().await.unwrap().status().is_success());
    let refresh = client().post(format!("{url}/refresh/aws/us-east-1"));
    let refreshed: Value = refresh.send().await.unwrap().json().await.unwrap();
    let region = &refreshed["regions"][0];
    assert_eq!(region["last_failure"]["kind"], "throttled", "{refreshed}");
    let mended = client().delete(&mends).send().await.unwrap();
    assert!(mended.status().is_success());
    let faults = get_json(&format!("{cloud}/_sim/faults")).await;
    assert_eq!(faults["faults"], json!([]), "{faults}");

    demo.terminate();
    assert!(demo.ended().await.success(), "{}", demo.output());
    let said = demo.output();
    assert!(!said.contains("everybody on this machine"), "{said}");
    assert!(!said.contains("INFO"), "{said}");
    assert!(said.starts_with("quota-oracle answers on "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_other_machines_reach_has_a_token() {
    let mut demo = Process::start(&["demo", "--listen", "0.0.0.0:0"], &[]);
    let url = address(&demo.line("quota-oracle answers on ").await);
    let told = demo.line("token: ").await;
    let token = told.split("token: ").nth(1).unwrap().trim().to_owned();
    assert_eq!(token.len(), 32, "{told}");
    let example = demo.line("curl ").await;
    let header = format!("-H 'Authorization: Bearer {token}' ");
    assert!(example.contains(&header), "{example}");
    demo.line("Ready after ").await;
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let example = address(&example);
    let refused = client().get(&example).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let answered = client().get(&example).bearer_auth(&token).send();
    assert_eq!(answered.await.unwrap().status(), 200);
    let refresh = client().post(format!("{url}/refresh/aws/us-east-1"));
    let refreshed = refresh.bearer_auth(&token).send().await.unwrap();
    assert_eq!(refreshed.status(), 200, "the token may do everything");

    let mut other = Process::start(&["demo", "--listen", "0.0.0.0:0"], &[]);
    let told = other.line("token: ").await;
    assert!(!told.contains(&token), "each demo has a token of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_asks_no_proxy_for_clouds_on_this_machine() {
    // Nobody listens at these ports, and the second is of a kind that no client speaks.
    for (name, proxy) in [
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("https_proxy", "http://127.0.0.1:9"),
    ] {
        let arguments = ["demo", "--listen", "127.0.0.1:0"];
        let mut demo = Process::start(&arguments, &[(name, proxy)]);
        let url = address(&demo.line("quota-oracle answers on ").await);
        eventually("all backends are read", async || {
            let quotas = get_json(&format!("{url}/quotas")).await;
            let backends = quotas["backends"].as_array().unwrap();
            backends.iter().all(|backend| backend["status"] == "ok")
        })
        .await;
    }
}
