//! Shows on made-up sources that the test of the floors can fail.

use super::Sources;

const DOCUMENT: &str = "
| folder | may use |
|---|---|
| `model` | nothing |
| `clouds` | `model`, `clouds/kit` |
| `http` | `model` |
| `config` | `*` |

| crates | named only in |
|---|---|
| `aws_sdk_sts` | `clouds/aws` |
| `std::env` | `config` |
";

/// Parses one file from each line: its path, and its text.
fn made_up(lines: &str) -> Sources {
    let files = lines
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    Sources::parse(files.map(|(file, text)| (file.to_owned(), text.to_owned())))
}

#[test]
fn every_way_to_use_a_forbidden_folder_or_crate_is_noticed() {
    for (line, seen) in [
        (
            "model/a.rs: use crate::{model::B, http::{self}};",
            "crate::http",
        ),
        (
            "model/a.rs: pub(crate) use super::super::http::A;",
            "crate::http::A",
        ),
        (
            "model/a.rs: mod b { use super::super::super::http::A; }",
            "crate::http::A",
        ),
        (
            "model/a.rs: fn f() -> crate::http::A { g() }",
            "crate::http::A",
        ),
        (
            "model/a.rs: fn f() { a!(b, crate::http::g(1)) }",
            "crate::http::g",
        ),
        (
            "model/a.rs: #[b(c = crate::http::d)] struct A;",
            "crate::http::d",
        ),
        ("model/a.rs: use crate::*;", "crate::glob"),
        ("new/a.rs: use crate::model::A;", "crate::model::A"),
        ("http/a.rs: use std::env::{self, vars};", "std::env::vars"),
        ("http/a.rs: fn f() { env::var_os(\"A\"); }", "env::var_os"),
        ("clouds/b/a.rs: use aws_sdk_sts as sts;", "aws_sdk_sts"),
        (
            "clouds/b/a.rs: use super::super::aws::A;",
            "crate::clouds::aws::A",
        ),
        (
            "clouds/kit/a.rs: use crate::clouds::{aws::A};",
            "crate::clouds::aws::A",
        ),
    ] {
        let rest =
            "clouds/aws/c.rs: fn f() {}\nclouds/b/c.rs: fn f() {}\nclouds/kit/c.rs: fn f() {}";
        let found = made_up(&format!("{line}\n{rest}")).violations(DOCUMENT);
        let (file, _) = line.split_once(':').unwrap();
        assert_eq!(
            Vec::from_iter(found),
            [format!("{file} may not use {seen}")],
            "{line}"
        );
    }
}

#[test]
fn what_is_allowed_is_no_violation() {
    let sources = made_up(
        r#"model/a.rs: const A: &str = "crate::http"; use super::b::B; /* crate::http */
        config/a.rs: use crate::http; fn f() { std::env::var("A"); }
        clouds/aws/a.rs: use super::{b::B, super::kit::C}; use aws_sdk_sts::Client;
        clouds/kit/a.rs: use crate::model::A; const V: &str = env!("V");
        http/a.rs: #[cfg(test)] mod tests { use aws_sdk_sts::Client; }"#,
    );
    assert!(sources.violations(DOCUMENT).is_empty());
}

#[test]
fn circles_of_files_are_noticed_and_the_lines_of_a_parent_make_none() {
    for (lines, expected) in [
        (
            "http/a.rs: use super::b::B;\nhttp/b.rs: use super::c as d;\nhttp/c.rs: fn f(_: super::a::A) {}",
            3,
        ),
        // Through a re-export of the parent, and from tests only.
        (
            "http/mod.rs: mod a; mod b; pub use b::B as C;\nhttp/a.rs: use super::C;\nhttp/b.rs: use super::a::A;",
            2,
        ),
        (
            "http/a.rs: #[cfg(test)] mod tests { use super::super::b::B; }\nhttp/b.rs: use super::a::A;",
            0,
        ),
        // A child may use what its parent passes on, but not what the parent itself has.
        (
            "http/mod.rs: mod a; mod b; pub use a::A; pub use b::B;\nhttp/a.rs: struct A;\nhttp/b.rs: use super::A;",
            0,
        ),
        ("http/mod.rs: mod b; use b::B;\nhttp/b.rs: use super::A;", 2),
        (
            "http/mod.rs: mod b; pub use b::B; struct A(B);\nhttp/b.rs: use super::A;",
            2,
        ),
        (
            "http/mod.rs: mod b; fn f() { b::f() }\nhttp/b.rs: use super::A;",
            2,
        ),
    ] {
        let circles = made_up(lines).circles();
        assert_eq!(
            circles.iter().map(Vec::len).sum::<usize>(),
            expected,
            "{lines}\n{circles:#?}"
        );
    }
}

#[test]
#[should_panic(expected = "may not use `config`, which is not above")]
fn a_table_in_which_floors_use_each_other_is_refused() {
    super::floors(&DOCUMENT.replace("| `http` | `model` |", "| `http` | `config` |"));
}
