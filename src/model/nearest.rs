//! What somebody may have meant.

/// The one of `known` that a slip of the finger makes `word` of.
pub fn nearest<'k, K: AsRef<str>>(word: &str, known: &'k [K]) -> Option<&'k str> {
    let word = plain(word);
    let length = word.chars().count();
    // A slip in three letters: with more than that, a suggestion confuses.
    let slips = (length / 3).max(1);
    known
        .iter()
        .map(AsRef::as_ref)
        // Each letter too many or too few is a slip, and comparing takes both lengths multiplied:
        // what is far too long for a name must not cost seconds.
        .filter(|known| known.chars().count().abs_diff(length) <= slips)
        .map(|known| (strsim::damerau_levenshtein(&word, &plain(known)), known))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, known)| known)
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
        // With the letters compared this takes minutes.
        let known: Vec<String> = (0..1000).map(|n| format!("type-{n}.48xlarge")).collect();
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
    }
}
