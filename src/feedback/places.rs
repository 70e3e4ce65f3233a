//! The region, zone and type that an error speaks of: as it states them, else as the caller does.

use regex::Regex;

use super::launch_error::LaunchError;
use super::table::CloudTable;

/// The place of a failure and the type that failed there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) region: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) instance_type: Option<String>,
}

/// The patterns of places of one cloud, with the named groups `region`, `zone`, `type` and `preset`,
/// which is the second word of a type.
pub(super) struct Places {
    patterns: Vec<Regex>,
    region_of_zone: Option<Regex>,
    region_in_addresses: Option<Regex>,
    elsewhere: Regex,
}

/// The rest of a sentence that names places which have room.
const ELSEWHERE: &str = r"(?is)(?:\bchoosing|\bconsider trying|zonesAvailable|regions with capacity available)[^\n.}\]]*";

impl Places {
    pub(super) fn new(table: &CloudTable) -> Self {
        let regex =
            |pattern: &str| Regex::new(pattern).expect("the patterns of the tables are tested");
        let unless_empty = |pattern: &str| (!pattern.is_empty()).then(|| regex(pattern));
        let patterns = table.places.iter();
        Self {
            patterns: patterns
                .map(|pattern| regex(&format!("(?is){pattern}")))
                .collect(),
            region_of_zone: unless_empty(table.region_of_zone),
            region_in_addresses: unless_empty(table.region_in_addresses),
            elsewhere: regex(ELSEWHERE),
        }
    }

    /// Finds the place in a text that is ready to be searched.
    pub(super) fn find(&self, text: &str, error: &LaunchError<'_>) -> Place {
        let text = self.elsewhere.replace_all(text, "");
        let mut stated = Place::default();
        let mut preset = None;
        for pattern in &self.patterns {
            let Some(found) = pattern.captures(&text) else {
                continue;
            };
            let group = |name| {
                let name = found.name(name)?.as_str().trim_end_matches(['.', ',', ':']);
                Some(name.to_owned()).filter(|name| !name.is_empty() && name.len() <= 200)
            };
            let region = group("region").map(|name| name.replace(' ', "").to_ascii_lowercase());
            stated.region = stated.region.take().or(region);
            stated.zone = stated.zone.take().or(group("zone"));
            stated.instance_type = stated.instance_type.take().or(group("type"));
            preset = preset.or(group("preset"));
        }
        let zone = match (stated.zone, error.zone) {
            // A cloud may say the end of a zone's name only.
            (Some(stated), Some(known)) if ends_with(known, &stated) => Some(known.to_owned()),
            (Some(stated), _) => Some(stated),
            (None, known) => known.map(str::to_owned),
        };
        let of_zone = || {
            let region = self.region_of_zone.as_ref()?.captures(zone.as_deref()?)?;
            Some(region.get(1)?.as_str().to_owned())
        };
        // Addresses are not searched, but for the one that was called.
        let in_address = || {
            let pattern = self.region_in_addresses.as_ref()?;
            let found = pattern.captures(error.message)?;
            Some(found.get(1)?.as_str().to_owned())
        };
        let known = || error.region.map(str::to_owned).or_else(in_address);
        Place {
            region: stated.region.or_else(of_zone).or_else(known),
            instance_type: instance_type(stated.instance_type, preset, error.instance_type),
            zone,
        }
    }
}

/// Returns the type that failed; the caller's name of it where that says the same and more.
fn instance_type(
    stated: Option<String>,
    preset: Option<String>,
    known: Option<&str>,
) -> Option<String> {
    if let Some(preset) = preset {
        return Some(match known.and_then(|known| known.split_once(' ')) {
            Some((platform, _)) => format!("{platform} {preset}"),
            None => known.map_or(preset, str::to_owned),
        });
    }
    let says_more = |known: &str, stated: &str| {
        let known = known.to_ascii_lowercase();
        let rest = known.strip_prefix(&stated.to_ascii_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
    };
    match (stated, known) {
        (Some(stated), Some(known)) if says_more(known, &stated) => Some(known.to_owned()),
        (Some(stated), _) => Some(stated),
        (None, known) => known.map(str::to_owned),
    }
}

fn ends_with(known: &str, stated: &str) -> bool {
    let known = known.to_ascii_lowercase();
    known.ends_with(&stated.to_ascii_lowercase())
}
