//! Files that are deployed beside the service name the metrics, calls and versions that there are.

mod runbooks;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quota_oracle::config;
use quota_oracle::model::{Failure, FailureKind, Location};
use quota_oracle::telemetry::{
    CatalogSample, Cause, LeasesSample, Metrics, QuotaSample, QuotaSeries, RegionsSample,
    SnapshotSample,
};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of all metrics that the service exports once everything has happened.
fn exported() -> BTreeSet<String> {
    let metrics = Metrics::new();
    let (backend, region) = ("aws".into(), "us-east-1".into());
    let location = Location {
        backend: "aws".into(),
        region: "us-east-1".into(),
    };
    let refused: Result<(), _> = Err(Failure::new(FailureKind::Throttled, "Rate exceeded"));
    metrics.upstream_call(&backend, &region, "GetServiceQuota", &refused);
    metrics.upstream_throttled(&backend, &region, "GetServiceQuota");
    metrics.upstream_wait(&backend, Duration::ZERO);
    metrics.fetch(&backend, Cause::Preload, &refused);
    metrics.coalesced(&backend);
    metrics.set_shared_store(true, 3, 1);
    metrics.verdicts(&backend, "fits", None, 1);
    metrics.feedback(&backend, "quota");
    metrics.outcome(&backend, "fits", "failed");
    metrics.set_leases([LeasesSample {
        backend: backend.clone(),
        live: 1,
        held: vec![("us-east-1".to_owned(), "L-417A185B".into(), 192.0)],
    }]);
    metrics
        .http_requests("/quotas", 200)
        .answered(Duration::ZERO);
    let quota = QuotaSample {
        location: location.clone(),
        code: "L-417A185B".into(),
        name: "Running On-Demand P instances".into(),
        unit: "vcpu",
        market: "on_demand",
        limit: Some(192.0),
        usage: Some(96.0),
        available: Some(96.0),
    };
    let age = Duration::ZERO;
    let catalog = CatalogSample {
        provider: "aws".into(),
        offers: 1,
        damaged_rows: 0,
        loaded_at: "2026-11-21T19:00:00Z".parse().unwrap(),
        failing: false,
    };
    let series = [QuotaSeries::new([quota])];
    let regions = RegionsSample {
        backend,
        state: "fresh",
        count: 1,
    };
    let snapshot = SnapshotSample { location, age };
    let text = metrics.render(series.iter(), [snapshot], [regions], [catalog]);
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect()
}

/// The names of metrics that a text speaks of.
fn named(text: &str) -> BTreeSet<String> {
    text.match_indices("quota_oracle_")
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect()
}

#[test]
fn the_dashboard_and_the_alert_rules_ask_for_metrics_that_exist() {
    let exported = exported();
    for path in [
        "deploy/grafana/dashboards/quota-oracle.json",
        "deploy/prometheus/rules.yml",
    ] {
        let named = named(&read(path));
        assert!(named.len() > 3, "{path} names too few metrics: {named:?}");
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?} of {exported:?}");
    }
}

#[test]
fn the_page_of_metrics_lists_every_metric() {
    let page = read("docs/metrics.md");
    for name in exported() {
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(&name);
        assert!(page.contains(name), "docs/metrics.md does not name {name}");
    }
}

#[test]
fn the_dashboard_has_panels_with_queries() {
    let dashboard: Value =
        serde_json::from_str(&read("deploy/grafana/dashboards/quota-oracle.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("a list of panels");
    let asking = panels.iter().filter(|panel| panel["type"] != "row");
    for panel in asking {
        let targets = panel["targets"].as_array().expect("a list of queries");
        assert!(!targets.is_empty(), "{} asks nothing", panel["title"]);
        assert_eq!(panel["datasource"]["uid"], "prometheus");
    }
}

#[test]
fn the_dashboard_shows_leases_and_how_launches_end() {
    let named = named(&read("deploy/grafana/dashboards/quota-oracle.json"));
    for metric in ["leases", "leased", "feedback_total", "outcomes_total"] {
        assert!(
            named.contains(&format!("quota_oracle_{metric}")),
            "no panel shows {metric}"
        );
    }
}

#[test]
fn the_iam_policy_allows_exactly_the_calls_that_are_made() {
    let policy: Value = serde_json::from_str(&read("docs/aws-iam-policy.json")).expect("JSON");
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().expect("a list") {
        match &statement["Action"] {
            Value::String(action) => {
                allowed.insert(action.clone());
            }
            actions => {
                let actions = actions.as_array().expect("a list of actions");
                allowed.extend(actions.iter().filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    let source = read("src/clouds/aws/operations.rs");
    let called: BTreeSet<String> = source
        .split("operation(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|operation| format!("servicequotas:{operation}"))
        .collect();
    assert!(called.len() >= 5, "{called:?}");
    assert_eq!(allowed, called);
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain() {
    let pinned: toml::Table = read("rust-toolchain.toml").parse().expect("TOML");
    let channel = pinned["toolchain"]["channel"].as_str().expect("text");
    assert!(read("Dockerfile").contains(&format!("FROM rust:{channel}-")));
}

#[test]
fn the_image_fetches_dependencies_by_every_manifest_of_the_workspace() {
    let dockerfile = read("Dockerfile");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let folders: Vec<_> = fs::read_dir(crates)
        .expect("the workspace has crates")
        .map(|entry| entry.expect("readable").file_name().into_string())
        .collect();
    assert!(folders.len() >= 3, "{folders:?}");
    for folder in folders {
        let folder = folder.expect("UTF-8");
        let copied = format!("\nCOPY crates/{folder}/Cargo.toml crates/{folder}/\n");
        assert!(dockerfile.contains(&copied), "{copied}");
    }
}

#[test]
fn the_image_holds_no_compiler_runs_as_nobody_and_tells_its_health() {
    let dockerfile = read("Dockerfile");
    let (before, image) = dockerfile.rsplit_once("\nFROM ").expect("several stages");
    assert!(before.contains("\nFROM "), "one stage only:\n{dockerfile}");
    assert!(!image.starts_with("rust:"), "{image}");
    let said = |word: &str| {
        let lines = image.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix(word)).collect()
    };
    let users: Vec<&str> = said("USER ");
    assert_eq!(users, ["65532:65532"]);
    let checks: Vec<&str> = said("HEALTHCHECK ");
    assert_eq!(checks.len(), 1, "{image}");
    let commands: Vec<&str> = said("CMD ");
    assert_eq!(commands[0], "[\"quota-oracle\", \"healthcheck\"]");
}

#[test]
fn the_composed_configuration_has_a_token_and_lets_its_snapshots_survive() {
    let config: toml::Table = read("config/quota-oracle.compose.toml")
        .parse()
        .expect("TOML");
    assert_eq!(config["server"]["listen"].as_str(), Some("0.0.0.0:8080"));
    let compose = read("docker-compose.yml");
    for token in config["server"]["tokens"].as_array().expect("a list") {
        let file = token["token_file"].as_str().expect("text");
        let secret = file
            .strip_prefix("/run/secrets/")
            .expect("a mounted secret");
        let mounted = format!("file: ./secrets/{secret}\n");
        assert!(compose.contains(&mounted), "{secret} is not mounted");
    }
    let directory = config["cache"]["directory"].as_str().expect("text");
    assert!(compose.contains(&format!("snapshots:{directory}\n")));
    assert!(read("Dockerfile").contains(&format!("VOLUME [\"{directory}\"]")));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    for folder in ["docs", "docs/decisions", "docs/runbooks"] {
        let entries = fs::read_dir(root().join(folder)).expect("the documents are readable");
        documents.extend(entries.flatten().map(|entry| entry.path()));
    }
    documents.retain(|path| path.extension().is_some_and(|end| end == "md"));
    let mut broken = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).expect("the documents are readable");
        let folder = document.parent().unwrap_or(Path::new("/"));
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://") || target.contains("::");
            if !elsewhere && !folder.join(target).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_configuration_beside_dstack_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    for secret in ["dstack", "aws"] {
        fs::write(folder.path().join(secret), format!("{secret}-secret")).unwrap();
    }
    let example = read("integrations/dstack/example/quota-oracle.toml");
    let example = example.replace("/run/secrets/", "");
    let file = folder.path().join("quota-oracle.toml");
    fs::write(&file, example).unwrap();
    let loaded = config::load(Some(&file), std::iter::empty()).unwrap();
    assert!(loaded.config.aws_protocol.is_some());
}
