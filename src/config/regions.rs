//! Which regions a backend reads, as an operator writes it.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::clouds::RegionChoice;
use crate::model::Region;

/// The `regions` of a `[[backends]]` table: `"default"`, `"all"`, or a list.
#[derive(Clone, Debug)]
pub(super) struct Regions(pub(super) RegionChoice);

impl Default for Regions {
    fn default() -> Self {
        Self(RegionChoice::Default)
    }
}

impl<'de> Deserialize<'de> for Regions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Choice).map(Self)
    }
}

struct Choice;

impl<'de> Visitor<'de> for Choice {
    type Value = RegionChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"default\", \"all\" or a list of regions")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<RegionChoice, E> {
        match word {
            "default" => Ok(RegionChoice::Default),
            "all" => Ok(RegionChoice::All),
            _ => Err(E::custom(format!(
                "{word:?} is neither \"default\" nor \"all\"; a list is written {}",
                as_list(word)
            ))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<RegionChoice, A::Error> {
        let mut listed: Vec<Region> = Vec::new();
        while let Some(name) = names.next_element::<String>()? {
            if name.trim().is_empty() {
                return Err(A::Error::custom("a region's name is empty"));
            }
            if name.contains(',') {
                return Err(A::Error::custom(format!(
                    "{name:?} is no region; a list is written {}",
                    as_list(&name)
                )));
            }
            if listed.iter().any(|region| region.as_str() == name) {
                return Err(A::Error::custom(format!("{name:?} is listed twice")));
            }
            listed.push(Region::new(name));
        }
        if listed.is_empty() {
            let why = "the list is empty, so the backend would read nothing";
            return Err(A::Error::custom(why));
        }
        Ok(RegionChoice::Listed(listed))
    }
}

/// Returns the names in a text as TOML writes a list of them, however the text divides them.
fn as_list(text: &str) -> String {
    let divides = |letter: char| ",;[]()'\"".contains(letter) || letter.is_whitespace();
    let names = text.split(divides);
    let names: Vec<_> = names
        .filter(|name| !name.is_empty())
        .map(|name| format!("{name:?}"))
        .collect();
    format!("[{}]", names.join(", "))
}
