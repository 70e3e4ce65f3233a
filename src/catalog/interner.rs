//! Names as numbers: each distinct name once, case-insensitively.

use std::collections::HashMap;
use std::sync::Arc;

/// Distinct names, each with a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Interner {
    /// The number of a name, which is new if the name is; the first spelling is kept.
    pub(super) fn intern(&mut self, name: &str) -> u32 {
        if let Some(known) = self.find(name) {
            return known;
        }
        let number = self.texts.len() as u32;
        self.texts.push(name.into());
        self.numbers.insert(folded(name), number);
        number
    }

    /// The number of a name, if it has one.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(&folded(name)).copied()
    }

    /// The numbers of those of the names that have one.
    pub(super) fn find_all(&self, names: &[String]) -> Vec<u32> {
        let mut numbers: Vec<u32> = names.iter().filter_map(|name| self.find(name)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// All names, in the order of their numbers.
    pub(super) fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    /// For each number, its name's place in alphabetical order.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..self.texts.len() as u32).collect();
        numbers.sort_unstable_by_key(|&number| &self.texts[number as usize]);
        let mut ranks = vec![0; numbers.len()];
        for (rank, number) in numbers.into_iter().enumerate() {
            ranks[number as usize] = rank as u32;
        }
        ranks
    }
}

fn folded(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_are_one() {
        let mut names = Interner::default();
        assert_eq!(
            [
                names.intern("H200"),
                names.intern("A100"),
                names.intern("h200")
            ],
            [0, 1, 0]
        );
        assert_eq!((names.find("a100"), names.find("T4")), (Some(1), None));
        assert_eq!(names.ranks(), [1, 0]);
    }
}
