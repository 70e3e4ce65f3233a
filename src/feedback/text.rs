//! The text of an error, made ready to be searched: bounded, plain, and without what must not be
//! searched.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::launch_error::MOST_TEXT;

/// JSON in JSON escapes quotes and line breaks once for every layer.
static ESCAPES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\\+(?:u00(22|27|3[cCeE]|26)|(["'/nrt]))"#).expect("tested"));

/// Addresses hold the limit that a form would ask for, regions of other services, and codes.
static ADDRESSES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s"'<>|]*"#).expect("tested"));

/// Encoded messages and keys hold any letters.
static BLOBS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(encoded (?:authorization (?:failure )?)?message)\W{0,4}\s*[A-Za-z0-9+/_=-]+|[A-Za-z0-9+_=-]{80,}")
        .expect("tested")
});

/// Returns the text as it may be searched.
pub(super) fn searchable(text: &str) -> String {
    let text = bounded(text, MOST_TEXT);
    let text = ESCAPES.replace_all(&text, |found: &regex::Captures<'_>| {
        let plain = match (found.get(1), found.get(2)) {
            (Some(code), _) => match code.as_str() {
                "22" => "\"",
                "27" => "'",
                "26" => "&",
                code if code.eq_ignore_ascii_case("3c") => "<",
                _ => ">",
            },
            (_, Some(letter)) => match letter.as_str() {
                "\"" => "\"",
                "'" => "'",
                "/" => "/",
                "n" | "r" => "\n",
                _ => " ",
            },
            _ => " ",
        };
        plain.to_owned()
    });
    let text = ADDRESSES.replace_all(&text, " ");
    let text = BLOBS.replace_all(&text, "$1 ");
    text.chars()
        .map(|c| match c {
            '‘' | '’' | '′' => '\'',
            '“' | '”' => '"',
            '\u{a0}' | '\u{202f}' | '│' | '╷' | '╵' => ' ',
            c => c,
        })
        .collect()
}

/// Returns at most so many bytes of a text: its start and its end, where a traceback has the error.
pub(super) fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let start = &text[..text.floor_char_boundary(most / 2)];
    let end = &text[text.ceil_char_boundary(text.len() - most / 2)..];
    Cow::Owned(format!("{start}\n{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_in_json_reads_as_it_was_written() {
        let text = r#"{"message":"{\r\n  \"error\": {\r\n    \"code\": \"X\"}\u0027s"#;
        let plain = searchable(text);
        assert!(plain.contains("\"error\": {"), "{plain}");
        assert!(plain.contains("\"code\": \"X\"}'s"), "{plain}");
        assert_eq!(searchable("exceeded.\\nLimit: 1"), "exceeded.\nLimit: 1");
    }

    #[test]
    fn addresses_and_encoded_messages_are_taken_out() {
        let text = "PUT https://x.example/a?limit=96: no; Encoded authorization failure message: \
                    JUmMQUOTA_EXCEEDED then";
        assert_eq!(
            searchable(text),
            "PUT   no; Encoded authorization failure message  then"
        );
    }

    #[test]
    fn of_a_long_text_the_start_and_the_end_are_kept() {
        let text = format!("start {} end", "é".repeat(MOST_TEXT));
        let kept = bounded(&text, MOST_TEXT);
        assert!(kept.len() <= MOST_TEXT + 1);
        assert!(kept.starts_with("start ") && kept.ends_with(" end"));
    }
}
