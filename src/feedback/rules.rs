//! A cloud's table, ready to be used: codes by name and the patterns of all rules in one.

use std::collections::HashMap;

use regex::RegexSet;

use super::meaning::Class;
use super::places::Places;
use super::statements::{Statement, Statements};
use super::table::{CloudTable, Counts, Effect, Extent, Found, Rule};

/// The table of a cloud, ready to be used.
pub(super) struct CloudRules {
    rules: &'static [Rule],
    /// The patterns of all rules; a rule without one has an empty pattern, which matches always.
    texts: RegexSet,
    exact: HashMap<String, Vec<usize>>,
    /// Codes with a wildcard, in lower case.
    globs: Vec<(&'static str, usize)>,
    code_prefixes: &'static [&'static str],
    pub(super) names_by_type: bool,
    pub(super) statements: Statements,
    pub(super) places: Places,
    counts: fn(&str) -> Counts,
}

/// The rules whose patterns a text has.
pub(super) struct Matching(Vec<bool>);

impl CloudRules {
    pub(super) fn new(table: &CloudTable) -> Self {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut globs = Vec::new();
        for (place, rule) in table.rules.iter().enumerate() {
            for code in rule.codes {
                if code.contains('*') {
                    globs.push((*code, place));
                } else {
                    exact.entry(code.to_lowercase()).or_default().push(place);
                }
            }
        }
        let texts = table.rules.iter().map(|rule| match rule.text {
            "" => String::new(),
            text => format!("(?is){text}"),
        });
        Self {
            rules: table.rules,
            texts: RegexSet::new(texts).expect("the patterns of the tables are tested"),
            exact,
            globs,
            code_prefixes: table.code_prefixes,
            names_by_type: table.names_by_type,
            statements: Statements::new(table),
            places: Places::new(table),
            counts: table.counts,
        }
    }

    /// Returns the rules whose patterns the text has.
    pub(super) fn matching(&self, text: &str) -> Matching {
        let mut matching = vec![false; self.rules.len()];
        for place in self.texts.matches(text) {
            matching[place] = true;
        }
        Matching(matching)
    }

    /// Returns the effect of a code beside this text, if the table has the code.
    pub(super) fn of_code(
        &self,
        code: &str,
        matching: &Matching,
        status: Option<u16>,
    ) -> Option<Effect> {
        let code = self.plain(code).to_lowercase();
        let exact = self.exact.get(&code).into_iter().flatten().copied();
        let globs = self.globs.iter();
        let globs = globs.filter(|(glob, _)| matches_glob(&code, glob));
        let mut places: Vec<usize> = exact.chain(globs.map(|(_, place)| *place)).collect();
        places.sort_unstable();
        let mut rules = places.into_iter().filter(|place| matching.0[*place]);
        let found = rules.find(|place| self.rules[*place].has_status(status))?;
        Some(self.rules[found].effect)
    }

    /// Whether the table has the code spelt like this, with whatever text.
    pub(super) fn knows(&self, code: &str) -> bool {
        let code = self.plain(code);
        let rules = self.exact.get(&code.to_lowercase());
        let is_spelt_so = |place: &usize| self.rules[*place].codes.contains(&code);
        rules.is_some_and(|places| places.iter().any(is_spelt_so))
            || self
                .globs
                .iter()
                .any(|(glob, _)| matches_glob_exactly(code, glob))
    }

    /// Returns the cause that the text alone tells.
    pub(super) fn of_text(&self, matching: &Matching, status: Option<u16>) -> Option<Found> {
        let rules = self.rules.iter().zip(&matching.0);
        let of_text = rules.filter(|(rule, matches)| rule.codes.is_empty() && **matches);
        let mut of_text = of_text.filter(|(rule, _)| rule.has_status(status));
        of_text.find_map(|(rule, _)| match rule.effect {
            Effect::Means(found) => Some(found),
            Effect::SaysNothing => None,
        })
    }

    /// Narrows a cause by what the named quota counts.
    pub(super) fn refined(&self, found: Found, statement: &Statement) -> Found {
        let (Class::Quota, Extent::Quota | Extent::Offer, Some(name)) =
            (found.class, found.extent, &statement.name)
        else {
            return found;
        };
        let resource = Found {
            extent: Extent::Resource(None),
            transient: false,
            ..found
        };
        match (self.counts)(name) {
            Counts::Machines => found,
            Counts::Resources => resource,
            Counts::AccountResources => Found {
                is_everywhere: true,
                ..resource
            },
            Counts::Service(service) => Found {
                extent: Extent::OtherService(service),
                ..resource
            },
        }
    }

    fn plain<'c>(&self, code: &'c str) -> &'c str {
        let mut prefixes = self.code_prefixes.iter();
        let stripped = prefixes.find_map(|prefix| code.strip_prefix(prefix));
        stripped.unwrap_or(code)
    }
}

/// Whether a code in lower case is one that a `glob` stands for.
fn matches_glob(code: &str, glob: &str) -> bool {
    matches_glob_exactly(code, &glob.to_lowercase())
}

fn matches_glob_exactly(code: &str, glob: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        (Some(_), Some(_)) => code.contains(glob.trim_matches('*')),
        (Some(end), None) => code.ends_with(end),
        (None, Some(start)) => code.starts_with(start),
        (None, None) => code == glob,
    }
}
