//! Lists of row numbers by what the rows have in common, in two flat arrays.

/// For each key, the numbers of the items that have it, ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct InvertedIndex {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl InvertedIndex {
    /// The items of each of `keys` keys, where item `n` has the `n`th key of `key_of_item`, if any.
    pub(super) fn new(keys: usize, key_of_item: impl Iterator<Item = Option<u32>> + Clone) -> Self {
        let mut starts = vec![0u32; keys + 1];
        for key in key_of_item.clone().flatten() {
            starts[key as usize + 1] += 1;
        }
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[keys] as usize];
        for (item, key) in key_of_item.enumerate() {
            if let Some(key) = key {
                let place = &mut next[key as usize];
                items[*place as usize] = item as u32;
                *place += 1;
            }
        }
        Self { starts, items }
    }

    /// The items of a key.
    pub(super) fn of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        &self.items[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// Returns the number of items that these keys have together.
    pub(super) fn total(&self, keys: &[u32]) -> usize {
        keys.iter().map(|&key| self.of(key).len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_listed_under_their_key() {
        let keys = [Some(2), None, Some(0), Some(2)];
        let groups = InvertedIndex::new(3, keys.into_iter());
        assert_eq!(
            [groups.of(0), groups.of(1), groups.of(2)],
            [&[2][..], &[], &[0, 3]]
        );
        assert_eq!(groups.total(&[0, 2]), 3);
    }
}
