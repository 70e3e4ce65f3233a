//! Suggestions for misspelt names.

/// The one of `known` that a slip of the finger makes `word` of.
pub fn suggest<'k, K: AsRef<str>>(word: &str, known: &'k [K]) -> Option<&'k str> {
    let word = plain(word);
    let letters = word.chars().count();
    let slips = slips(letters);
    // Each letter too many or too few is a slip. Comparing takes both lengths multiplied, and what
    // is far too long for a name must not cost seconds.
    let may_be_meant = |known: &&str| known.chars().count().abs_diff(letters) <= slips;
    known
        .iter()
        .map(AsRef::as_ref)
        .filter(may_be_meant)
        .map(|known| (strsim::damerau_levenshtein(&word, &plain(known)), known))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, known)| known)
}

/// A slip in three letters: with more than that, a suggestion confuses.
fn slips(letters: usize) -> usize {
    (letters / 3).max(1)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let known = ["us-east-1", "us-east-2", "eu-north1"];
        assert_eq!(suggest("us-esat-1", &known), Some("us-east-1"));
        assert_eq!(suggest("US_EAST_2", &known), Some("us-east-2"));
        assert_eq!(suggest("ap-south-1", &known), None);
        assert_eq!(suggest("x", &["gpu"]), None);
    }

    #[test]
    fn what_is_far_too_long_is_not_compared() {
        let known = ["p5.48xlarge", "us-east-northwest-1"];
        // Comparing takes both lengths multiplied: minutes, if each of these were.
        let long = "x".repeat(10_000_000);
        assert_eq!(suggest(&long, &known), None);
        assert_eq!(suggest("us-east", &known), None);
    }
}
