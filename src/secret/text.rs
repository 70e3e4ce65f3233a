//! The text of a secret: cleaned, and refused if it cannot be one.

use super::{SecretError, SecretString};

/// The mark that Windows editors and PowerShell put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns the text without leading byte order marks and without surrounding blanks and line ends,
/// which editors and tools add and which are part of no secret.
pub fn clean(text: &str) -> &str {
    text.trim_start_matches(|letter: char| letter == BYTE_ORDER_MARK || letter.is_whitespace())
        .trim_end()
}

/// Returns a secret of one word, cleaned; `place` says where it is.
///
/// Tokens and keys travel in headers and signatures, so that anything but one word of visible ASCII
/// would be refused by whoever is sent it, or break the library that sends it.
pub fn word(text: &str, place: &str) -> Result<SecretString, SecretError> {
    let word = clean(text);
    let wrong = |what: &str| Err(SecretError::new(format!("{place} {what}")));
    let quoted = |quote: char| word.len() > 1 && word.starts_with(quote) && word.ends_with(quote);
    if word.is_empty() {
        return Err(SecretError::empty(place));
    }
    if word.contains(['\r', '\n']) {
        return wrong("holds a line break within it: it must be one word of visible ASCII");
    }
    if !word.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("is not one word of visible ASCII characters");
    }
    if quoted('"') || quoted('\'') {
        return wrong("stands in quotation marks, which are no part of it: remove them");
    }
    Ok(SecretString::from(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::ExposeSecret;

    #[test]
    fn what_is_no_word_is_refused_by_its_place_and_not_quoted() {
        for (text, expected) in [
            ("", "the token is empty"),
            (" \r\n\u{feff}", "the token is empty"),
            ("planted\r\nplanted", "holds a line break"),
            ("planted planted", "is not one word of visible ASCII"),
            ("planted\u{0}", "is not one word of visible ASCII"),
            ("plänted", "is not one word of visible ASCII"),
            ("planted\u{200b}", "is not one word of visible ASCII"),
            ("\"planted\"\n", "stands in quotation marks"),
            ("'planted'", "stands in quotation marks"),
        ] {
            let sentence = word(text, "the token").unwrap_err().to_string();
            assert!(sentence.starts_with("the token "), "{sentence}");
            assert!(sentence.contains(expected), "{text:?}: {sentence}");
            assert!(!sentence.contains("planted"), "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn a_word_is_found_whatever_surrounds_it(
            before in "[\u{feff} \t\r\n]{0,4}",
            secret in "[!#-&(-~]{1,40}",
            after in "[ \t\r\n]{0,4}",
        ) {
            let found = word(&format!("{before}{secret}{after}"), "it").unwrap();
            prop_assert_eq!(found.expose_secret(), secret);
        }
    }
}
