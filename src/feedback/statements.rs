//! Sentences that state a limit, a usage or an amount, and of which quota.

use std::collections::BTreeMap;

use regex::{Captures, Regex};

use crate::model::{Amount, QuotaMarket};

use super::table::CloudTable;

/// The statement of an error about a quota; what it does not state is absent.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Statement {
    pub(super) name: Option<String>,
    /// The resource, where it has another name than the quota.
    pub(super) resource: Option<String>,
    pub(super) limit: Option<Amount>,
    pub(super) usage: Option<Amount>,
    pub(super) required: Option<Amount>,
    /// The market that the quota's name tells.
    pub(super) market: Option<QuotaMarket>,
    pub(super) region: Option<String>,
    /// Whether it is one quota for all regions.
    pub(super) is_global: bool,
}

/// The sentences of one cloud.
///
/// The patterns have named groups: `name`, `limit`, `usage`, `required`, `left` (of the limit),
/// `region`, `zone` and `global`. The first one that gives a name gives the place from which on
/// numbers count.
pub(super) struct Statements {
    patterns: Vec<Regex>,
    synonyms: BTreeMap<&'static str, &'static str>,
    market: fn(&str) -> Option<QuotaMarket>,
    region_of_zone: Option<Regex>,
}

/// A number as clouds print it, with or without thousands separators, fraction and quotes.
pub(super) const NUMBER: &str =
    r#"['"]?([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)['"]?"#;

impl Statements {
    pub(super) fn new(table: &CloudTable) -> Self {
        let patterns = table.statements.iter().map(|pattern| {
            // `<limit>` stands for a number in the group of that name.
            let mut pattern = (*pattern).to_owned();
            for name in ["limit", "usage", "required", "left"] {
                let group = NUMBER.replacen("([", &format!("(?P<{name}>["), 1);
                pattern = pattern.replace(&format!("<<{name}>>"), &group);
            }
            Regex::new(&format!("(?is){pattern}")).expect("the patterns of the tables are tested")
        });
        let of_zone = Some(table.region_of_zone).filter(|pattern| !pattern.is_empty());
        Self {
            patterns: patterns.collect(),
            synonyms: table.synonyms.iter().copied().collect(),
            market: table.market,
            region_of_zone: of_zone
                .map(|pattern| Regex::new(pattern).expect("the patterns of the tables are tested")),
        }
    }

    /// Returns the first statement of a text.
    pub(super) fn first(&self, text: &str) -> Statement {
        let mut statement = Statement::default();
        let named = self.patterns.iter().filter_map(|pattern| {
            let found = pattern
                .captures_iter(text)
                .find(|found| found.name("name").is_some())?;
            let start = found.get(0)?.start();
            Some((start, found))
        });
        let mut from = 0;
        if let Some((start, found)) = named.min_by_key(|(start, _)| *start) {
            from = start;
            self.add(&mut statement, &found);
        }
        // Numbers stand after the name, but for members of an object, which have any order.
        let object = text[..from]
            .rfind(['{', '[', '\n'])
            .map_or(from, |start| start + 1);
        for from in [from, object] {
            for pattern in &self.patterns {
                // A second quota's name is not this one's.
                let says_name = |found: &Captures<'_>| {
                    let name = found.name("name").map(|name| self.row_name(name.as_str()));
                    name.is_some() && name != statement.name
                };
                if let Some(found) = pattern.captures(&text[from..])
                    && !says_name(&found)
                {
                    self.add(&mut statement, &found);
                }
            }
        }
        statement
    }

    fn add(&self, statement: &mut Statement, found: &Captures<'_>) {
        let number = |name| {
            let text = found.name(name)?.as_str().replace(',', "");
            Amount::new(text.parse().ok()?)
        };
        let text = |name: &str| Some(found.name(name)?.as_str().trim().to_owned());
        if statement.name.is_none()
            && let Some(name) = text("name")
        {
            statement.market = (self.market)(&name);
            statement.is_global = name.to_ascii_uppercase().ends_with("ALL_REGIONS");
            statement.name = Some(self.row_name(&name));
        }
        statement.resource = statement.resource.take().or(text("resource"));
        statement.is_global |= found.name("global").is_some();
        statement.limit = statement.limit.or(number("limit"));
        statement.required = statement.required.or(number("required"));
        let used = number("usage").or_else(|| {
            let (limit, left) = statement.limit.zip(number("left"))?;
            Some(limit.saturating_sub(left))
        });
        statement.usage = statement.usage.or(used);
        let of_zone = || {
            let zone = text("zone")?;
            let region = self.region_of_zone.as_ref()?.captures(&zone)?;
            Some(region.get(1)?.as_str().to_owned())
        };
        let region = text("region").or_else(of_zone);
        let region = region.map(|name| name.replace(' ', "").to_ascii_lowercase());
        statement.region = statement.region.take().or(region);
    }

    /// Returns the name that the cloud's rows have for a quota.
    fn row_name(&self, name: &str) -> String {
        let name = name.trim();
        let synonym = self.synonyms.get(&*name.to_ascii_lowercase());
        synonym.map_or_else(|| name.to_owned(), |name| (*name).to_owned())
    }
}
