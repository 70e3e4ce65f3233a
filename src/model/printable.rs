//! Text of foreign origin on its way to a terminal.

use std::borrow::Cow;

/// Returns the text without what a terminal obeys or what reorders its line: control characters,
/// line breaks included, are shown as `\u{1b}` and the like.
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, |_| false)
}

/// The same for text of several lines, whose line breaks and tabs stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |character| matches!(character, '\n' | '\t'))
}

fn replaced(text: &str, stays: fn(char) -> bool) -> Cow<'_, str> {
    let is_obeyed = |character: char| is_obeyed(character) && !stays(character);
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_obeyed(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Control characters, line and paragraph separators, and those that change the direction of text.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        assert_eq!(
            printable("p5.48xlarge – Größe 48 \u{1f600}"),
            "p5.48xlarge – Größe 48 \u{1f600}"
        );
        assert_eq!(printable("\u{1b}]0;owned\u{7}"), "\\u{1b}]0;owned\\u{7}");
        assert_eq!(printable("a\rb\nc\td"), "a\\u{d}b\\u{a}c\\u{9}d");
        assert_eq!(printable("\u{9b}2J\u{202e}gpj"), "\\u{9b}2J\\u{202e}gpj");
        assert_eq!(printable_lines("a\nb\tc\r"), "a\nb\tc\\u{d}");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(is_obeyed));
            let once = printable(&text).into_owned();
            prop_assert_eq!(&*printable(&once), once.as_str());
        }
    }
}
