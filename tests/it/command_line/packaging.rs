//! What a package ships beside the program: completions and man pages.

use std::process::{Command, Stdio};

use super::{refused, said_by};

#[test]
fn every_shell_gets_completions_of_all_commands() {
    let (help, _, _) = said_by(&["--help"]);
    assert!(
        help.contains("completions") && help.contains("man"),
        "{help}"
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, said, code) = said_by(&["completions", shell]);
        assert_eq!((code, &*said), (0, ""), "{shell}");
        for word in ["quota-oracle", "healthcheck", "min-gpu-count"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let (_, said, code) = said_by(&["completions", "tcsh"]);
    assert_eq!(code, 2);
    assert!(said.contains("possible values: bash"), "{said}");
}

#[test]
fn bash_completes_a_command_and_a_flag() {
    let (script, _, _) = said_by(&["completions", "bash"]);
    let complete = |words: &[&str]| {
        let line = words.join(" ");
        let last = words.len() - 1;
        let asks = format!(
            "{script}\nCOMP_WORDS=({line})\nCOMP_CWORD={last}\n\
             _quota__oracle quota-oracle '{}' '{}'\necho \"${{COMPREPLY[@]}}\"",
            words[last],
            words[last - 1]
        );
        let bash = Command::new("bash").args(["-c", &asks]).output().unwrap();
        String::from_utf8(bash.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete(&["quota-oracle", "healthc"]), "healthcheck");
    assert_eq!(
        complete(&["quota-oracle", "offers", "--max-p"]),
        "--max-price"
    );
    // A configuration counts for some commands only.
    assert_eq!(complete(&["quota-oracle", "check", "--con"]), "--config");
    assert_eq!(complete(&["quota-oracle", "leases", "--con"]), "");
}

#[test]
fn there_is_a_man_page_of_every_command() {
    let (page, said, code) = said_by(&["man"]);
    assert_eq!((code, &*said), (0, ""));
    for part in [
        ".TH quota-oracle 1",
        ".SH SUBCOMMANDS",
        "quota\\-oracle\\-offers(1)",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    let (offers, _, code) = said_by(&["man", "offers"]);
    assert_eq!(code, 0);
    assert!(offers.contains(".TH quota-oracle-offers 1"), "{offers}");
    assert!(offers.contains("\\-\\-min\\-gpu\\-count"), "{offers}");
    let sentence = refused(&["man", "no-such-command"], 2);
    assert!(sentence.contains("(known: serve, "), "{sentence}");
    assert!(!sentence.contains("simulate"), "{sentence}");

    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let (_, said, code) = said_by(&["man", "--directory", pages.to_str().unwrap()]);
    assert_eq!((code, &*said), (0, ""));
    let written = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    assert_eq!(written("quota-oracle.1"), page);
    assert_eq!(written("quota-oracle-offers.1"), offers);
    assert!(!pages.join("quota-oracle-simulate.1").exists());

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let sentence = refused(&["man", "--directory", file.to_str().unwrap()], 1);
    assert!(
        sentence.starts_with("cannot write man pages into "),
        "{sentence}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let program = env!("CARGO_BIN_EXE_quota-oracle");
    for arguments in ["man", "completions zsh", "openapi"] {
        let line = format!("{program} {arguments} | head -n 1; echo ${{PIPESTATUS[0]}}");
        let mut bash = Command::new("bash");
        let ran = bash.args(["-c", &line]).stderr(Stdio::piped()).output();
        let ran = ran.unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(printed.lines().last(), Some("0"), "{arguments}: {printed}");
        assert!(ran.stderr.is_empty(), "{arguments}");
    }
}

#[test]
fn a_configuration_is_taken_only_where_it_counts() {
    let sentence = refused(&["--config", "x.toml", "leases"], 2);
    assert!(sentence.contains("`--config`"), "{sentence}");
    let (_, said, code) = said_by(&["offers", "--config", "x.toml"]);
    assert_eq!(code, 2);
    assert!(said.contains("unexpected argument '--config'"), "{said}");
    let sentence = refused(&["--config", "x.toml", "check", "--config", "y.toml"], 2);
    assert!(sentence.contains("twice"), "{sentence}");
    for before_or_after in [
        ["--config", "/nowhere.toml", "serve"],
        ["serve", "--config", "/nowhere.toml"],
    ] {
        let sentence = refused(&before_or_after, 2);
        assert!(sentence.contains("/nowhere.toml"), "{sentence}");
    }
}
