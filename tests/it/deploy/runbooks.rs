//! Each alert leads to the page that says what to do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What follows this key, on each of its lines.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix(key)).collect()
}

/// The alerts with their pages.
fn alerts(rules: &str) -> Vec<(&str, &str)> {
    let names = values(rules, "- alert: ");
    let pages = values(rules, "runbook_url: ");
    assert_eq!(
        names.len(),
        pages.len(),
        "an alert has no runbook_url: {names:?} {pages:?}"
    );
    names.into_iter().zip(pages).collect()
}

#[test]
fn each_alert_has_a_page_that_says_what_to_do() {
    let rules = read("deploy/prometheus/rules.yml");
    let index = read("docs/runbooks/README.md");
    let alerts = alerts(&rules);
    assert!(alerts.len() >= 10, "{alerts:?}");
    for (alert, page) in alerts {
        assert_eq!(page, format!("docs/runbooks/{alert}.md"));
        let text = read(page);
        assert!(text.starts_with(&format!("# {alert}\n")), "{page}");
        for answer in ["**Who notices.**", "**Find out", "epair"] {
            assert!(text.contains(answer), "{page} has no {answer}");
        }
        assert!(
            index.contains(&format!("[{alert}]({alert}.md)")),
            "the index lacks {alert}"
        );
    }
}

#[test]
fn no_page_outlives_its_alert_and_each_alert_is_tested() {
    let rules = read("deploy/prometheus/rules.yml");
    let tests = read("deploy/prometheus/rules_test.yml");
    let known: BTreeSet<_> = alerts(&rules).into_iter().map(|(alert, _)| alert).collect();
    let pages = fs::read_dir(root().join("docs/runbooks")).unwrap();
    let pages: BTreeSet<String> = pages
        .map(|page| page.unwrap().path())
        .filter(|page| page.file_name() != Some(Path::new("README.md").as_os_str()))
        .map(|page| page.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        pages,
        known.iter().map(|alert| (*alert).to_owned()).collect()
    );
    for alert in known {
        assert!(
            tests.contains(&format!("alertname: {alert}\n"))
                || tests.contains(&format!("alertname=\"{alert}\"")),
            "{alert} is in no test of the rules"
        );
    }
}

#[test]
fn the_alerts_that_fire_in_tests_carry_their_page() {
    let tests = read("deploy/prometheus/rules_test.yml");
    let pages = values(&tests, "runbook_url: ");
    assert!(pages.len() >= 5, "{pages:?}");
    for page in pages {
        assert!(root().join(page).is_file(), "{page}");
    }
}
