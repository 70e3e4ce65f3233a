//! The codes in an error, in the order in which they decide.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::launch_error::LaunchError;
use super::rules::{CloudRules, Matching};
use super::text::{bounded, searchable};

/// The evidence that an error gives.
pub(super) struct Evidence {
    /// The text, ready to be searched.
    pub(super) text: String,
    /// The rules whose patterns the text has.
    pub(super) matching: Matching,
    /// The codes in structured details with their depth, the innermost first.
    pub(super) in_details: Vec<(u32, String)>,
    /// The codes that came with the error.
    pub(super) given: Vec<String>,
    /// The codes in the text that the cloud's table has.
    pub(super) in_text: Vec<String>,
    /// Whether the text lists a code besides that nobody knows.
    pub(super) has_unknown_sibling: bool,
}

/// A code where clouds and those who pass their errors on put one: as a label, in quotes or in
/// parentheses, and never as a word of a sentence.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?:^|[\s"'(\[<>=:,;|*`/-])"#,
        r"([A-Za-z][A-Za-z0-9_]*(?:[./-][A-Za-z0-9_]+)*)",
        r#"(["')\]<:`]|\s+-\s|[,;.*]|\s*\n|\s*$|\s+desc\s*=|\s+in service\s)"#,
    ))
    .expect("tested")
});

/// A list of the codes of one failure, as tools that try several zones print it.
static LISTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)return codes?:?\s+((?:'[^']*'(?:,\s*)?)+)").expect("tested"));

/// A code that begins a further clause after another one.
static CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[;,\n]\s*(?:and\s+)?([A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]+)+|[A-Z]+(?:_[A-Z]+)+)(?:: | - )",
    )
    .expect("tested")
});

/// A code as a member of an object in a text.
static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)["'](?:error_?)?code["']\s*:\s*["']([A-Za-z][A-Za-z0-9_./-]*)["']"#)
        .expect("tested")
});

/// A list of errors as a member of an object.
static ERRORS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)["']errors["']\s*:\s*\["#).expect("tested"));

/// Ends of names that look like a code and are none: classes of exceptions, and members of answers.
const NO_CODES: [&str; 8] = [
    "Error",
    "Exception",
    "Id",
    "ID",
    "Code",
    "Name",
    "Message",
    "Status",
];

/// So many layers of JSON in JSON are looked into.
const MOST_LAYERS: u32 = 6;

/// So many codes of one error are looked at.
const MOST_CODES: usize = 256;

/// Members that hold a code.
const CODE_MEMBERS: [&str; 6] = [
    "code",
    "errorcode",
    "error_code",
    "reason",
    "status",
    "errortype",
];

/// Members with places that have room, or with numbers that are no limits.
const NOT_SEARCHED: [&str; 9] = [
    "zonesavailable",
    "quota_limit_value",
    "links",
    "help",
    "logging_tips",
    "troubleshooting_tips",
    "request_endpoint",
    "allowedrequestcount",
    "measuredrequestcount",
];

impl Evidence {
    pub(super) fn of(rules: &CloudRules, error: &LaunchError<'_>) -> Self {
        let mut details = Details::default();
        if let Some(value) = error.details {
            details.add(value, 0);
        }
        let mut text = searchable(error.message);
        if !details.text.is_empty() {
            text.push('\n');
            text.push_str(&searchable(&details.text));
        }
        details
            .codes
            .sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        let given = error
            .code
            .map(|code| bounded(code, 1024))
            .unwrap_or_default();
        let mut codes_given = vec![given.trim().to_owned()];
        codes_given.extend(labels(&given).map(str::to_owned));
        codes_given.extend(given.split([',', ' ', ';']).map(str::to_owned));
        let in_text = labels(&text).filter(|code| rules.knows(code));
        Self {
            matching: rules.matching(&text),
            in_details: details.codes,
            given: codes_given,
            in_text: in_text.take(MOST_CODES).map(str::to_owned).collect(),
            has_unknown_sibling: has_unknown_sibling(rules, &text),
            text,
        }
    }
}

fn labels(text: &str) -> impl Iterator<Item = &str> {
    let found = LABEL.captures_iter(text);
    found.filter_map(|found| {
        let (code, after) = (found.get(1)?.as_str(), found.get(2)?.as_str().trim());
        let is_marked = after.starts_with(['"', '\'', ')', ']', '<', ':', '`', '-']);
        is_no_plain_word(code, is_marked).then_some(code)
    })
}

/// Whether a label cannot be a word of a sentence: one such as `Blocked` can, unless it is marked
/// as a label, and one in small letters always.
fn is_no_plain_word(code: &str, is_marked: bool) -> bool {
    let mut rest = code.chars();
    let first = rest.next().unwrap_or_default();
    let is_word = rest.all(|c| c.is_ascii_lowercase());
    !is_word || (is_marked && first.is_ascii_uppercase())
}

/// Whether codes stand side by side and one of them is in no table.
fn has_unknown_sibling(rules: &CloudRules, text: &str) -> bool {
    let group = |found: regex::Captures<'_>| found.get(1).map(|code| code.as_str().to_owned());
    let listed = LISTED.captures_iter(text).filter_map(group);
    let listed = listed.flat_map(|list| {
        let codes = list
            .split('\'')
            .filter(|code| code.len() > 3 && !code.contains(','));
        codes.map(|code| code.trim().to_owned()).collect::<Vec<_>>()
    });
    // Before the first code there are the names that those who pass it on have for their own parts.
    let first = LABEL.captures_iter(text).filter_map(|found| found.get(1));
    let mut first = first.filter(|code| rules.knows(code.as_str()));
    let rest = first.next().map_or("", |code| &text[code.end()..]);
    let clauses = CLAUSE.captures_iter(rest).filter_map(group);
    let clauses = clauses.filter(|code| !NO_CODES.iter().any(|end| code.ends_with(end)));
    let members: Vec<String> = MEMBER.captures_iter(text).filter_map(group).collect();
    // The members of one list: what holds others in it is named differently from them.
    let members = match ERRORS.is_match(text) {
        true => members,
        false => Vec::new(),
    };
    let mut all = listed.chain(clauses).chain(members);
    all.any(|code| !rules.knows(&code))
}

/// The codes and texts of structured details.
#[derive(Default)]
struct Details {
    codes: Vec<(u32, String)>,
    text: String,
}

impl Details {
    fn add(&mut self, value: &Value, depth: u32) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let lower = name.to_lowercase();
                    if NOT_SEARCHED.contains(&&*lower) {
                        continue;
                    }
                    self.code(depth, name);
                    match member {
                        Value::String(code) if CODE_MEMBERS.contains(&&*lower) => {
                            self.code(depth, code);
                        }
                        Value::String(_) | Value::Number(_) => {}
                        other => {
                            self.add(other, depth + 1);
                            continue;
                        }
                    }
                    self.text.push_str(&format!("\"{name}\": {member}, "));
                    if let Value::String(text) = member {
                        self.layer(text, depth);
                    }
                }
                self.text.push('\n');
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item, depth + 1)),
            Value::String(text) => {
                self.text.push_str(text);
                self.text.push('\n');
                self.layer(text, depth);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Looks into a text that is itself JSON.
    fn layer(&mut self, text: &str, depth: u32) {
        let text = text.trim();
        if depth < MOST_LAYERS
            && text.starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            // Its text is there already.
            let length = self.text.len();
            self.add(&value, depth + 1);
            self.text.truncate(length);
        }
    }

    fn code(&mut self, depth: u32, code: &str) {
        if self.codes.len() < MOST_CODES && code.len() <= 200 {
            self.codes.push((depth, code.to_owned()));
        }
    }
}
