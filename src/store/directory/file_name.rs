//! File names for backends and units.

/// Ends the name of a snapshot.
pub(super) const EXTENSION: &str = "json";

/// Returns a file name for any text: bytes other than letters, digits, `-` and `_` are escaped in
/// hexadecimal.
pub(super) fn file_name(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}
