//! The floors of `src/`: who may use whom, as docs/architecture.md draws it.
//!
//! The paths are read from the source itself, so that a folder cannot come to use another one
//! without this table saying so.

mod paths;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use paths::{Use, uses};

/// A folder and the folders that it may use besides itself; lowest floor first.
///
/// A name stands for the folder with everything in it, except that a part of `clouds` never uses
/// another part: what clouds share is in `clouds/mod.rs` and lower.
const FLOORS: [(&str, &[&str]); 14] = [
    // 0: the words.
    ("model", &[]),
    // 1: what every other floor leans on.
    ("clock", &["model"]),
    ("secret", &["model"]),
    ("telemetry", &["model"]),
    // 2: how a cloud is called, what a cloud is, where answers rest, what can be rented.
    ("upstream", &["model", "clock", "telemetry", "source"]),
    ("source", &["model"]),
    ("store", &["model", "clock", "secret", "telemetry"]),
    ("catalog", &["model", "clock", "telemetry"]),
    // 3: the clouds.
    (
        "clouds",
        &[
            "model",
            "clock",
            "secret",
            "telemetry",
            "upstream",
            "source",
        ],
    ),
    // 3: the answers, which know no cloud by name.
    (
        "oracle",
        &["model", "clock", "telemetry", "source", "store", "catalog"],
    ),
    // 4: what the world sees.
    ("http", &["model", "clock", "secret", "telemetry", "oracle"]),
    // 5: the settings of all floors, and the place that joins them.
    (
        "config",
        &[
            "model",
            "secret",
            "telemetry",
            "upstream",
            "source",
            "store",
            "catalog",
            "clouds",
            "oracle",
            "http",
        ],
    ),
    (
        "app",
        &[
            "model",
            "clock",
            "secret",
            "telemetry",
            "upstream",
            "source",
            "store",
            "catalog",
            "clouds",
            "oracle",
            "http",
            "config",
        ],
    ),
    // 6: the command line.
    (
        "cli",
        &[
            "model",
            "clock",
            "secret",
            "telemetry",
            "upstream",
            "source",
            "store",
            "catalog",
            "clouds",
            "oracle",
            "http",
            "config",
            "app",
        ],
    ),
];

/// Folders whose parts never use each other.
const APART: [&str; 1] = ["clouds"];

/// Crates that only these folders name. Tests are free to use what they compare with.
const CRATES: [(&str, &[&str]); 9] = [
    ("aws_config", &["clouds"]),
    ("aws_sdk_servicequotas", &["clouds"]),
    ("aws_sdk_sts", &["clouds"]),
    ("axum", &["http", "app", "cli"]),
    ("governor", &["upstream"]),
    ("moka", &["store"]),
    ("nebius_api", &["clouds"]),
    ("simulated_clouds", &["cli"]),
    ("tonic", &["clouds"]),
];

/// Folders that may read the environment; `RUST_LOG` is read by the logging library.
const READ_ENVIRONMENT: [&str; 2] = ["config", "cli"];

#[test]
fn no_folder_uses_a_higher_floor_or_a_sibling() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    let mut seen = 0;
    for file in rust_files(&root) {
        let name = file.strip_prefix(&root).expect("files are below the root");
        let text = fs::read_to_string(&file).expect("source files are readable");
        seen += 1;
        violations.extend(violations_of(name, &text, &is_folder));
    }
    assert!(seen > 50, "only {seen} files were found");
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// What the file does that the table forbids, one sentence each.
fn violations_of(file: &Path, text: &str, is_part: &IsPart<'_>) -> Vec<String> {
    let module = module_path(file);
    let Some(folder) = module.first() else {
        // lib.rs lists the folders and main.rs starts the command line; they hold nothing else.
        return Vec::new();
    };
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| name == folder) else {
        return vec![format!(
            "{}: `{folder}` has no place in the table of floors",
            file.display()
        )];
    };
    let in_tests = module.iter().any(|part| part == "tests");
    let mut violations: Vec<String> = uses(text, &module)
        .into_iter()
        .filter_map(|found| {
            let why = objection(&module, allowed, in_tests, &found, is_part)?;
            Some(format!("{}:{}: {why}", file.display(), found.line()))
        })
        .collect();
    // A group of paths from one place is one thing to mend.
    violations.dedup();
    violations
}

fn objection(
    module: &[String],
    allowed: &[&str],
    in_tests: bool,
    found: &Use,
    is_part: &IsPart<'_>,
) -> Option<String> {
    let folder = module[0].as_str();
    match found {
        Use::Module { path, .. } => {
            let Some(target) = path.first() else {
                return Some(format!("`{folder}` uses the whole crate at once"));
            };
            if target == folder {
                let part =
                    |path: &[String]| path.get(1).filter(|part| is_part(folder, part)).cloned();
                let (own, other) = (part(module)?, part(path)?);
                return (APART.contains(&folder) && own != other)
                    .then(|| format!("{folder}/{own} uses its sibling {folder}/{other}"));
            }
            let is_allowed = allowed.contains(&target.as_str());
            (!is_allowed).then(|| format!("`{folder}` may not use `{target}`"))
        }
        Use::Environment { .. } => (!READ_ENVIRONMENT.contains(&folder))
            .then(|| format!("`{folder}` reads the environment, which only config may")),
        Use::Crate { name, in_test, .. } => {
            let (_, owners) = CRATES.iter().find(|(known, _)| known == name)?;
            (!owners.contains(&folder) && !in_tests && !in_test)
                .then(|| format!("`{folder}` names {name}, which only {owners:?} may"))
        }
    }
}

/// Whether `folder::name` is a folder of its own, and not something that `folder/mod.rs` holds.
type IsPart<'a> = dyn Fn(&str, &str) -> bool + 'a;

fn is_folder(folder: &str, name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    root.join(folder).join(name).is_dir()
}

/// `a/b.rs` and `a/b/mod.rs` are both the module `a::b`; `lib.rs` is the root.
fn module_path(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("folders of the sources are readable") {
        let path = entry.expect("folders of the sources are readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[track_caller]
fn assert_violates(file: &str, text: &str, expected: &[&str]) {
    let is_part = |folder: &str, name: &str| folder == "clouds" && ["aws", "other"].contains(&name);
    let found = violations_of(Path::new(file), text, &is_part);
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_higher_floor_is_noticed_however_it_is_written() {
    let seen = "model/quota.rs:1: `model` may not use `http`";
    for text in [
        "use crate::http;",
        "use crate::http::Problem;",
        "use crate::{model::Quota, http::{self, Problem}};",
        "pub(crate) use super::super::http::Problem;",
        "mod inner { use super::super::super::http::Problem; }",
        "fn f() -> crate::http::Problem { todo!() }",
        "macro_rules! m { () => { $crate::http::x() } }",
    ] {
        assert_violates("model/quota.rs", text, &[seen]);
    }
    let second = "model/quota.rs:2: `model` may not use `oracle`";
    let lines = "use crate::{\n    oracle::Oracle,\n};";
    assert_violates("model/quota.rs", lines, &[second]);
    let glob = "model/quota.rs:1: `model` uses the whole crate at once";
    assert_violates("model/quota.rs", "use crate::*;", &[glob]);
}

#[test]
fn a_sibling_cloud_is_noticed_and_what_clouds_share_is_not() {
    let sibling = "clouds/aws/client.rs:1: clouds/aws uses its sibling clouds/other";
    for text in [
        "use crate::clouds::other::Settings;",
        "use super::super::other::Settings;",
        "use crate::{clouds::{other, Connection}, model::Region};",
    ] {
        assert_violates("clouds/aws/client.rs", text, &[sibling]);
    }
    for text in [
        "use crate::clouds::Connection;",
        "use super::super::Connection;",
        "use super::settings::Settings;",
    ] {
        assert_violates("clouds/aws/client.rs", text, &[]);
    }
    assert_violates("clouds/mod.rs", "use crate::clouds::aws::Settings;", &[]);
}

#[test]
fn the_environment_and_foreign_crates_have_their_places() {
    let environment = "oracle/mod.rs:1: `oracle` reads the environment, which only config may";
    for text in [
        "fn f() { std::env::var(\"HOME\").ok(); }",
        "use std::env::{self, vars};",
        "fn f() { let _ = env::var_os(\"HOME\"); }",
    ] {
        assert_violates("oracle/mod.rs", text, &[environment]);
        assert_violates("config/mod.rs", text, &[]);
    }
    assert_violates(
        "oracle/mod.rs",
        "const V: &str = env!(\"CARGO_PKG_VERSION\");",
        &[],
    );
    let foreign = "oracle/mod.rs:1: `oracle` names moka, which only [\"store\"] may";
    assert_violates("oracle/mod.rs", "use moka::sync::Cache;", &[foreign]);
}

#[test]
fn comments_and_strings_use_nothing_and_tests_may_stand_on_a_simulated_cloud() {
    let harmless = r##"
        //! See [`crate::http`].
        /* crate::http /* crate::app */ crate::cli */
        const A: &str = "crate::http \" crate::http";
        const B: &str = r#"crate::http " crate::http"#;
        const C: char = '"'; fn f<'a>(_: &'a str) {}
        use super::amount::Amount; use crate::model::Unit; use self::quota::Quota;
    "##;
    assert_violates("model/quota.rs", harmless, &[]);
    let simulated = "use simulated_clouds::aws::Settings;";
    let seen = "oracle/fetch.rs:1: `oracle` names simulated_clouds, which only [\"cli\"] may";
    assert_violates("oracle/fetch.rs", simulated, &[seen]);
    assert_violates("oracle/tests/cold.rs", simulated, &[]);
    let inline = format!("#[cfg(test)]\nmod tests {{ {simulated} }}");
    assert_violates("oracle/fetch.rs", &inline, &[]);
    let unknown = "junk/mod.rs: `junk` has no place in the table of floors";
    assert_violates("junk/mod.rs", "", &[unknown]);
}

#[test]
fn the_document_draws_the_same_folders() {
    let document = include_str!("../../docs/architecture.md");
    for (folder, _) in FLOORS {
        let drawn =
            document.contains(&format!("{folder}/")) || document.contains(&format!("{folder}.rs"));
        assert!(drawn, "docs/architecture.md does not draw `{folder}`");
    }
}
