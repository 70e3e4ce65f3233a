//! Shows on made-up sources that the test of the floors can fail.

use super::{Source, Sources};

/// The path and text of a file in each line, and what it uses against the tables, if anything.
#[test]
fn what_the_tables_forbid_is_noticed_however_it_is_written() {
    let lines = include_str!("made_up/files.txt").lines();
    let lines: Vec<Vec<_>> = lines.map(|line| line.split(" ~ ").collect()).collect();
    let forbidden = lines.iter().filter(|line| line.len() > 2);
    let expected = forbidden.map(|line| format!("{} may not use {}", line[0], line[2]));
    let sources = Sources::of(lines.iter().map(|line| Source::parse(line[0], line[1])));
    let found = sources.violations(include_str!("made_up/tables.md"));
    assert_eq!(found, expected.collect());
}

/// How many uses make a circle in each line, and its files.
#[test]
fn circles_of_files_are_noticed_and_the_lines_of_a_parent_make_none() {
    for line in include_str!("made_up/circles.txt").lines() {
        let (expected, files) = line.split_once(" ~ ").unwrap();
        let files = files.split(" ~ ").filter_map(|file| file.split_once(": "));
        let circles = Sources::of(files.map(|(file, text)| Source::parse(file, text))).circles();
        let found: usize = circles.iter().map(Vec::len).sum();
        assert_eq!(found.to_string(), expected, "{line}\n{circles:#?}");
    }
}
