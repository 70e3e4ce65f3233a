//! Tables in a terminal: as wide as it is, and coloured where it takes colours.

use reqwest::Client;
use unicode_width::UnicodeWidthStr;

use crate::harness::{Process, eventually};

use super::said_by;

/// Starts the demo, and waits until its regions are read; its address.
async fn demo() -> (Process, String) {
    let mut demo = Process::start(&["demo", "--listen", "127.0.0.1:0"], &[]);
    let line = demo.line("http://127.0.0.1:").await;
    let at = line.find("http://").unwrap();
    let ends = |c: char| c.is_whitespace() || c == '/';
    let address = line[at + 7..].split(ends).next().unwrap();
    let url = format!("http://{address}");
    let client = Client::builder().no_proxy().build().unwrap();
    eventually("the first regions are read", async || {
        let answer = client.get(format!("{url}/readyz")).send().await;
        answer.unwrap().status() == 200
    })
    .await;
    (demo, url)
}

/// What a terminal shows of a line, which it does not obey.
fn without_colours(text: &str) -> String {
    let mut shown = String::new();
    let mut parts = text.split('\u{1b}');
    shown.push_str(parts.next().unwrap());
    for part in parts {
        let (code, rest) = part.split_once('m').unwrap();
        let is_colour =
            code.starts_with('[') && code[1..].chars().all(|c| c.is_ascii_digit() || c == ';');
        assert!(is_colour, "{code:?} in {text:?}");
        shown.push_str(rest);
    }
    shown
}

const COMMANDS: [&[&str]; 8] = [
    &["status"],
    &["status", "aws"],
    &["offers", "--gpu", "H100:8"],
    &["offers", "--all", "-b", "nebius"],
    &["plan", "--gpus", "64", "--gpu", "H100"],
    &["quotas", "aws", "us-east-1"],
    &["quotas", "nebius"],
    &["refresh", "nebius", "eu-north1"],
];

#[tokio::test(flavor = "multi_thread")]
async fn no_table_is_wider_than_its_terminal_unless_all_is_wanted() {
    let (_demo, url) = demo().await;
    let environment = [("QUOTA_ORACLE_URL", &*url)];
    for command in COMMANDS {
        let piped = said_by(&[command, &["--url", &url]].concat());
        assert_eq!((piped.2, &*piped.1), (0, ""), "{command:?}");
        assert!(!piped.0.contains(['\u{1b}', '…']), "{}", piped.0);
        assert!(!piped.0.contains("--wide"), "{}", piped.0);
        for columns in [40, 80, 200] {
            let (shown, code) = Process::on_terminal(command, &environment, columns, "");
            assert_eq!(code, Some(0), "{command:?}: {shown}");
            assert!(shown.contains('\u{1b}'), "{command:?}: {shown}");
            for line in without_colours(&shown).lines() {
                let width = line.width();
                assert!(width <= columns.into(), "{width} of {columns}: {line:?}");
            }
        }
        let wide = [command, &["--wide"]].concat();
        let (shown, _) = Process::on_terminal(&wide, &environment, 40, "");
        let header = |text: &str| {
            let is_header = |line: &&str| {
                let mut words = line.split_whitespace();
                words.clone().count() > 2
                    && words.all(|word| word.bytes().all(|b| b.is_ascii_uppercase()))
            };
            let header = text.lines().find(is_header).expect("a header");
            header.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(header(&without_colours(&shown)), header(&piped.0));
        let plain = [environment[0], ("NO_COLOR", "1")];
        let (shown, _) = Process::on_terminal(command, &plain, 40, "");
        assert!(!shown.contains('\u{1b}'), "{command:?}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_finds_where_eight_h100_fit() {
    let (_demo, url) = demo().await;
    let environment = [("QUOTA_ORACLE_URL", &*url)];
    let (shown, code) = Process::on_terminal(&["offers", "--gpu", "H100:8"], &environment, 80, "");
    assert_eq!(code, Some(0), "{shown}");
    let fitting = shown.lines().find(|line| line.contains("aws/us-east-2"));
    assert!(fitting.unwrap().contains("\u{1b}[32mavailable"), "{shown}");
    let short = shown.lines().find(|line| line.contains("aws/us-west-2"));
    assert!(short.unwrap().contains("\u{1b}[31mno_quota"), "{shown}");
    assert!(shown.contains("needs 192 vCPU of"), "{shown}");

    let plan = ["plan", "--gpus", "8", "--gpu", "H100"];
    let (shown, code) = Process::on_terminal(&plan, &environment, 80, "");
    assert_eq!(code, Some(0), "{shown}");
    let first = without_colours(&shown).lines().nth(1).unwrap().to_owned();
    let words: Vec<_> = first.split_whitespace().collect();
    assert_eq!(words[..3], ["nebius/eu-north1", "yes", "1"], "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gpus_are_what_is_looked_for_unless_all_is_wanted() {
    let (_demo, url) = demo().await;
    let count = |arguments: &[&str]| {
        let limits = ["--limit", "0", "--json", "--url", &url];
        let (json, said, code) = said_by(&[&["offers"], arguments, &limits].concat());
        assert_eq!(code, 0, "{said}");
        let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
        let offers = answer["offers"].as_array().unwrap();
        let with_gpus = offers.iter().filter(|offer| !offer["gpu"].is_null());
        (with_gpus.count(), offers.len())
    };
    let (gpus, shown) = count(&[]);
    assert!(gpus > 0 && gpus == shown, "{gpus} of {shown}");
    let (with_gpus, all) = count(&["--all"]);
    assert!(with_gpus == gpus && all > gpus, "{with_gpus} of {all}");
    // A type that is named is shown, whatever it is made of.
    assert_eq!(count(&["--instance-type", "m7i.large"]).0, 0);
    assert!(count(&["--instance-type", "m7i.large"]).1 > 0);
    assert_eq!(count(&["--max-gpu-count", "0"]), (0, all - gpus));

    let (table, _, _) = said_by(&["offers", "--all", "--url", &url]);
    let last = table.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("100 of {all} offers, ")),
        "{last}"
    );
    assert!(last.ends_with("; `--limit 0` shows all"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_off_by_a_reader_ends_well() {
    let (_demo, url) = demo().await;
    let program = env!("CARGO_BIN_EXE_quota-oracle");
    for arguments in [
        "offers --all --limit 0",
        "offers --all --limit 0 --json",
        "quotas aws",
    ] {
        let line =
            format!("{program} {arguments} --url {url} | head -n 1; echo ${{PIPESTATUS[0]}}");
        let ran = std::process::Command::new("bash")
            .args(["-c", &line])
            .output();
        let ran = ran.unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(printed.lines().last(), Some("0"), "{arguments}: {printed}");
        assert!(ran.stderr.is_empty(), "{arguments}");
    }
}
