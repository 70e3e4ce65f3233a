//! The damaged rows of a file: counted, and named by their lines in one line of the log.

use std::fmt;

use crate::model::{CloudKind, printable};

/// Upper bound on explained rows; for the others the line numbers are enough.
const EXPLAINED_ROWS: usize = 5;

/// The longest part of a sentence that is kept: it repeats what the file says, in logs and answers.
const LONGEST_SENTENCE: usize = 160;

/// The damaged rows of a file.
#[derive(Debug, Default)]
pub(super) struct Damage {
    lines: LineNumbers,
    explained: Vec<String>,
}

impl Damage {
    /// Adds a damaged row, on a later line than all before.
    pub(super) fn note(&mut self, line: u64, sentence: String) {
        self.lines.push(line);
        if self.explained.len() < EXPLAINED_ROWS {
            let end = sentence.floor_char_boundary(LONGEST_SENTENCE);
            let rest = if end < sentence.len() { "…" } else { "" };
            let sentence = printable(&sentence[..end]);
            self.explained
                .push(format!("line {line}: {sentence}{rest}"));
        }
    }

    /// Returns the number of damaged rows.
    pub(super) fn damaged_rows(&self) -> usize {
        self.lines.count
    }

    /// Returns the line and the error of the first damaged row.
    pub(super) fn first(&self) -> Option<&str> {
        self.explained.first().map(String::as_str)
    }

    /// Logs a warning if any row is damaged.
    pub(super) fn log(&self, kind: &CloudKind) {
        if self.lines.count > 0 {
            tracing::warn!(
                provider = %kind,
                damaged_rows = self.lines.count,
                lines = %self.lines,
                "damaged rows of the catalog are left out, such as {}",
                self.explained.join("; "),
            );
        }
    }
}

/// Ascending line numbers, such as `3, 7-9`.
#[derive(Debug, Default)]
struct LineNumbers {
    count: usize,
    ranges: Vec<(u64, u64)>,
}

impl LineNumbers {
    fn push(&mut self, line: u64) {
        self.count += 1;
        match self.ranges.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => self.ranges.push((line, line)),
        }
    }
}

impl fmt::Display for LineNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.ranges.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_a_range() {
        let shown = |lines: &[u64]| {
            let mut numbers = LineNumbers::default();
            lines.iter().for_each(|line| numbers.push(*line));
            numbers.to_string()
        };
        assert_eq!(shown(&[]), "");
        assert_eq!(shown(&[2]), "2");
        assert_eq!(shown(&[2, 3, 4, 9, 11, 12]), "2-4, 9, 11-12");
    }
}
