//! The keys whose values are secrets.

/// Keys that hold a secret as it is; each has a sister that names a file.
pub(super) const SECRETS: [&str; 4] =
    ["token", "secret_access_key", "session_token", "private_key"];

/// Whether the value of this key is a secret: never shown, and never read as anything but text.
pub(super) fn is_secret(key: &str) -> bool {
    SECRETS.contains(&key) || key == "redis_url"
}
