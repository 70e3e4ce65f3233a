//! Sizes of machines, from a table of the sizes that Azure publishes.

use std::str::SplitN;
use std::sync::{Arc, LazyLock};

/// Name, family, vCPUs, memory, GPUs, whether it is sold as spot, and the locations of sizes that
/// are not everywhere.
const TABLE: &str = include_str!("fixtures/sizes.csv");

static SIZES: LazyLock<Arc<Vec<Size>>> =
    LazyLock::new(|| Arc::new(TABLE.lines().skip(1).map(Size::parse).collect()));

/// A size of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// Its name, such as `Standard_D2s_v5`.
    pub name: String,
    /// The family by whose quota it is counted, in the spelling of the list of sizes.
    pub family: Option<String>,
    /// The vCPUs that count against quotas.
    pub vcpus: u32,
    /// The vCPUs that a machine has, which constrained sizes have fewer of.
    pub available_vcpus: u32,
    /// Memory in GiB, as it is written.
    pub memory_gb: String,
    /// GPUs.
    pub gpus: u32,
    /// Whether it is sold as spot.
    pub is_low_priority_capable: bool,
    /// The locations that offer it; all of them if empty.
    pub locations: Vec<String>,
}

impl Size {
    /// Every size of the table.
    pub(super) fn all() -> Arc<Vec<Self>> {
        Arc::clone(&SIZES)
    }

    fn parse(line: &str) -> Self {
        let mut fields = line.splitn(7, ',');
        let name = next(&mut fields).to_owned();
        let family = next(&mut fields).to_owned();
        let vcpus = number(next(&mut fields));
        Self {
            available_vcpus: constrained(&name).unwrap_or(vcpus),
            name,
            family: Some(family),
            vcpus,
            memory_gb: next(&mut fields).to_owned(),
            gpus: number(next(&mut fields)),
            is_low_priority_capable: next(&mut fields) == "yes",
            locations: next(&mut fields)
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(super) fn is_in(&self, location: &str) -> bool {
        self.locations.is_empty() || self.locations.iter().any(|name| name == location)
    }
}

fn next<'a>(fields: &mut SplitN<'a, char>) -> &'a str {
    fields
        .next()
        .expect("each line of the table has all fields")
}

fn number(field: &str) -> u32 {
    field.parse().expect("the table has whole numbers there")
}

/// The vCPUs that a constrained size has, as `E32-8s_v4` says that it has eight of 32.
fn constrained(name: &str) -> Option<u32> {
    let (_, rest) = name.split_once('-')?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_size() {
        let sizes = Size::all();
        assert!(sizes.len() > 1000, "{}", sizes.len());
        let named = |name: &str| sizes.iter().find(|size| size.name == name).unwrap();
        let t4 = named("Standard_NC4as_T4_v3");
        assert_eq!(t4.family.as_deref(), Some("Standard NCASv3_T4 Family"));
        assert_eq!((t4.vcpus, t4.gpus), (4, 1));
        assert!(t4.is_in("eastus") && !t4.is_in("westindia"));
        let constrained = named("Standard_E32-8s_v4");
        assert_eq!((constrained.vcpus, constrained.available_vcpus), (32, 8));
        assert!(constrained.is_in("westindia"));
        assert!(!named("Standard_B1s").is_low_priority_capable);
    }
}
