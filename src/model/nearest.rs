//! What somebody may have meant.

/// The one of `known` that a slip of the finger makes `word` of.
pub fn nearest<'k, K: AsRef<str>>(word: &str, known: &'k [K]) -> Option<&'k str> {
    let word = plain(word);
    let slips = slips(&word);
    known
        .iter()
        .map(AsRef::as_ref)
        .filter(|known| are_worth_comparing(&word, known))
        .map(|known| (strsim::damerau_levenshtein(&word, &plain(known)), known))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, known)| known)
}

/// A slip in three letters: with more than that, a suggestion confuses.
fn slips(word: &str) -> usize {
    (word.chars().count() / 3).max(1)
}

/// Each letter too many or too few is a slip. Comparing takes both lengths multiplied, and what is
/// far too long for a name must not cost seconds.
fn are_worth_comparing(word: &str, known: &str) -> bool {
    let letters = |word: &str| word.chars().count();
    letters(known).abs_diff(letters(word)) <= slips(word)
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
        assert_eq!(nearest("us-esat-1", &known), Some("us-east-1"));
        assert_eq!(nearest("US_EAST_2", &known), Some("us-east-2"));
        assert_eq!(nearest("ap-south-1", &known), None);
        assert_eq!(nearest("x", &["gpu"]), None);
    }

    #[test]
    fn what_is_far_too_long_is_not_compared() {
        assert!(!are_worth_comparing(&"x".repeat(100_000), "p5.48xlarge"));
        assert!(!are_worth_comparing("us-east", "us-east-northwest-1"));
        assert!(are_worth_comparing("us-east", "us-east-1"));
        assert!(are_worth_comparing("us-east-12", "us-east-1"));
    }
}
