//! The line to write in the place of a mistake.

use toml::{Table, Value};

use super::KeyPath;
use super::key_path::Segment;
use super::problem::{Problem, Remedy};
use super::secret_keys::is_secret;

/// Every key with its default.
const EXAMPLE: &str = include_str!("../../config/quota-oracle.example.toml");

/// The longest line that is worth repeating in a sentence.
const LONGEST: usize = 160;

/// Returns the line that mends a problem of this configuration.
pub(super) fn line(problem: &Problem, table: &Table) -> Option<String> {
    let path = &problem.path;
    let line = match &problem.remedy {
        Remedy::None => None,
        Remedy::Line(line) => Some(line.clone()),
        Remedy::Rename(name) => renamed(path, name, table),
        Remedy::Example => example(path, table),
        Remedy::ExampleOf(path) => example(path, table),
    };
    line.filter(|line| line.chars().count() <= LONGEST)
}

fn renamed(path: &KeyPath, name: &str, table: &Table) -> Option<String> {
    let value = path.find(table)?;
    let is_secret = is_secret(name) || path.last_key().is_some_and(is_secret);
    match value {
        Value::Table(_) => Some(format!("[{name}]")),
        Value::Array(elements) if elements.iter().any(Value::is_table) => {
            Some(format!("[[{name}]]"))
        }
        _ if is_secret => None,
        value => Some(format!("{name} = {value}")),
    }
}

/// What the example has in the place of a value.
fn example(path: &KeyPath, table: &Table) -> Option<String> {
    if matches!(path.segments().last(), Some(Segment::Index(_))) {
        return None;
    }
    let text = |path: &KeyPath| path.find(table)?.as_str().map(str::to_owned);
    let backend = match path.segments() {
        [Segment::Key(key), Segment::Index(index), ..] if key == "backends" => {
            Some(KeyPath::of("backends").index(*index))
        }
        _ => None,
    };
    let kind = backend.as_ref().and_then(|at| text(&at.key("kind")));
    let source = backend.and_then(|at| text(&at.key("credentials").key("source")));
    path.ancestors().find_map(|path| {
        let key = path.last_key()?;
        let section = path.parent()?.heading();
        let lines: Vec<Line> = lines()
            .filter(|line| line.section == section && line.key == key)
            .collect();
        let own = |line: &&Line| line.kind == kind.as_deref();
        let source = source
            .as_ref()
            .map(|source| format!("source = \"{source}\""));
        let says = |line: &&Line| source.as_ref().is_some_and(|it| line.text.contains(&**it));
        let fitting = lines.iter().find(|line| own(line) && says(line));
        let found = fitting.or_else(|| lines.iter().find(own));
        let found = found.or_else(|| lines.iter().find(|line| line.kind.is_none()));
        found.map(|line| line.text.to_owned())
    })
}

/// A setting of the example.
struct Line {
    section: String,
    /// The kind of backend that it is for, where not for all.
    kind: Option<&'static str>,
    key: &'static str,
    text: &'static str,
}

/// The settings of the example, those in comments included.
fn lines() -> impl Iterator<Item = Line> {
    let (mut section, mut kind) = (String::new(), None);
    EXAMPLE.lines().filter_map(move |line| {
        if let Some(border) = line.strip_prefix("# ---- ") {
            let begins = border.strip_suffix(": begin ----");
            kind = begins.and_then(|border| border.rsplit(' ').next());
            return None;
        }
        let text = line.trim_start_matches(['#', ' ']);
        if let Some(heading) = text.strip_prefix('[').filter(|it| it.ends_with(']')) {
            section = heading.trim_matches(['[', ']']).to_owned();
            return None;
        }
        let (key, _) = text.split_once(" = ")?;
        let is_key = key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
        is_key.then(|| Line {
            section: section.clone(),
            kind,
            key,
            text,
        })
    })
}
