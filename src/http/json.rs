//! Bodies in JSON: read strictly, and refused with the path and the place of what is wrong.

use axum::http::{HeaderMap, header};
use serde::Deserialize;

use super::problem::{Kind, Problem};

/// Understands a body as a `T`, which may borrow from it.
pub(super) fn read<'b, T: Deserialize<'b>>(
    headers: &HeaderMap,
    body: &'b [u8],
) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "the body has to be JSON, with the header `Content-Type: application/json`",
        ));
    }
    // Keeping track of the path costs more than reading, so only a refused body is read with it.
    serde_json::from_slice(body).map_err(|_| refusal::<T>(body))
}

fn refusal<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Problem {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let outcome = serde_path_to_error::deserialize::<_, T>(&mut deserializer);
    match outcome {
        Ok(_) => match deserializer.end() {
            Err(error) => Problem::new(Kind::BadRequest, error.to_string()),
            Ok(()) => Problem::new(Kind::BadRequest, "the body cannot be read"),
        },
        Err(error) => {
            let path = error.path().to_string();
            let message = error.inner().to_string();
            // The path of the whole body is a single dot, which names nothing.
            let field = match (path.as_str(), missing(&message)) {
                (".", None) => return Problem::new(Kind::BadRequest, message),
                (".", Some(name)) => name.to_owned(),
                (_, Some(name)) => format!("{path}.{name}"),
                (_, None) => path,
            };
            Problem::bad(field, message)
        }
    }
}

/// The field that a message misses: its path ends where the field should have been.
fn missing(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("missing field `")?;
    rest.split_once('`').map(|(name, _)| name)
}

/// `application/json` and its like, with parameters or without (RFC 6838, section 4.2.8).
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}
