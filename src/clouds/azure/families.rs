//! The families of sizes, by whose names Azure counts vCPUs.
//!
//! A size has the same family everywhere. The list of sizes tells it; `families.csv`, which was
//! made from two Apache-2.0 projects (karpenter-provider-azure 352646f and kubernetes/autoscaler
//! 55c37cd), stands in where that list cannot be read.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;

use super::names::is_same;
use super::sizes::SizeList;

/// A size as far as quotas are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CountedSize {
    /// The name of its family, in some spelling.
    pub(super) family: Arc<str>,
    /// All vCPUs of the size, which quotas count, also where a constrained size has fewer.
    pub(super) vcpus: Option<u32>,
}

/// A size of the bundled table.
#[derive(Debug)]
struct Bundled {
    name: &'static str,
    counted: CountedSize,
}

static BUNDLED: LazyLock<HashMap<String, Bundled>> = LazyLock::new(|| {
    let lines = include_str!("families.csv").lines().skip(1);
    let sizes = lines.filter_map(|line| {
        let mut fields = line.split(',');
        let (name, family, vcpus) = (fields.next()?, fields.next()?, fields.next()?);
        let counted = CountedSize {
            family: family.into(),
            vcpus: vcpus.parse().ok(),
        };
        Some((name.to_ascii_lowercase(), Bundled { name, counted }))
    });
    sizes.collect()
});

/// Returns the sizes that are known without asking.
pub(super) fn bundled_names() -> impl Iterator<Item = &'static str> {
    BUNDLED.values().map(|size| size.name)
}

/// The families of all sizes, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Families {
    /// Where the lists of sizes say other than the table, by the size's name in lower case.
    learned: RwLock<HashMap<String, CountedSize>>,
}

impl Families {
    /// Takes up what a list of sizes says.
    pub(super) fn learn(&self, list: &SizeList) {
        let mut learned = self.learned.write();
        for (key, size) in list.sizes() {
            let Some(family) = &size.family else { continue };
            let bundled = BUNDLED.get(key).map(|size| &size.counted);
            let says_the_same = bundled.is_some_and(|known| {
                is_same(&known.family, family)
                    && (size.vcpus.is_none() || size.vcpus == known.vcpus)
            });
            match says_the_same {
                true => drop(learned.remove(key)),
                false => {
                    let counted = CountedSize {
                        family: family.clone(),
                        vcpus: size.vcpus.or(bundled.and_then(|known| known.vcpus)),
                    };
                    learned.insert(key.clone(), counted);
                }
            }
        }
    }

    /// Returns the family of a size and its vCPUs, if it is known.
    pub(super) fn of(&self, size: &str) -> Option<CountedSize> {
        let key = size.to_ascii_lowercase();
        let learned = self.learned.read().get(&key).cloned();
        learned.or_else(|| Some(BUNDLED.get(&key)?.counted.clone()))
    }

    /// Returns a number that is another one when something else is known.
    pub(super) fn fingerprint(&self) -> u64 {
        let learned = self.learned.read();
        let each = learned.iter().map(|entry| {
            let mut hasher = DefaultHasher::new();
            entry.hash(&mut hasher);
            hasher.finish()
        });
        // In whatever order the map has them.
        each.fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_counts_all_vcpus_of_a_constrained_size() {
        assert_eq!(BUNDLED.len(), 1504);
        let families = Families::default();
        let of = |size: &str| families.of(size).map(|size| (size.family, size.vcpus));
        let known = |family: &str, vcpus| Some((family.into(), Some(vcpus)));
        assert_eq!(
            of("standard_nc4as_t4_v3"),
            known("Standard NCASv3_T4 Family", 4)
        );
        assert_eq!(of("Standard_E32-8s_v4"), known("standardESv4Family", 32));
        assert_eq!(of("Standard_E104is_v5"), known("standardEISv5Family", 104));
        assert_eq!(of("Standard_Z9"), None);
    }
}
