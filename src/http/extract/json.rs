//! Bodies in JSON: read strictly, and refused with the path and the place of what is wrong.

use std::fmt;
use std::marker::PhantomData;

use axum::http::{HeaderMap, header};
use headers::{ContentType, HeaderMapExt};
use mime::{Mime, Name};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::error::{Kind, Problem};

/// Understands a body as a `T`, which may borrow from it.
pub(in crate::http) fn read<'b, T: Deserialize<'b>>(
    headers: &HeaderMap,
    body: &'b [u8],
) -> Result<T, Problem> {
    let media_type = headers.typed_get::<ContentType>().map(Mime::from);
    let Some(media_type) = media_type.filter(is_json) else {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "the body has to be JSON, with the header `Content-Type: application/json`",
        ));
    };
    if let Some(charset) = media_type
        .get_param(mime::CHARSET)
        .filter(|it| !is_utf8(it))
    {
        let detail = format!("the body is in `{charset}`, and JSON is in UTF-8 (RFC 8259)");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    if let Some(coding) = coding(headers) {
        let detail = format!("the body is in the coding `{coding}`; send it without one");
        return Err(Problem::new(Kind::UnsupportedCoding, detail));
    }
    let body = without_mark(body);
    // Keeping track of the path costs more than reading, so only a refused body is read with it.
    let object: Result<Object<T>, _> = serde_json::from_slice(body);
    object
        .map(|Object(value)| value)
        .map_err(|_| refusal::<Object<T>>(body))
}

/// Returns the content coding of a body, if it has one.
pub(in crate::http) fn coding(headers: &HeaderMap) -> Option<String> {
    let codings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let text = codings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let text = text.collect::<Vec<_>>().join(", ");
    let mut names = text.split(',').map(str::trim);
    let is_plain = names.all(|name| name.is_empty() || name.eq_ignore_ascii_case("identity"));
    (!is_plain).then_some(text)
}

/// Returns a body without the byte order mark that some editors and tools begin UTF-8 with, which
/// a reader of JSON may pass over (RFC 8259, section 8.1).
pub(in crate::http) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// Whether a charset is UTF-8 or a part of it.
fn is_utf8(charset: &Name<'_>) -> bool {
    ["utf-8", "utf8", "us-ascii"]
        .iter()
        .any(|known| charset.as_str().eq_ignore_ascii_case(known))
}

/// A value sent as an object only: serde would also fill a struct from a list, by
/// the order of its fields, which nobody has promised.
#[derive(Debug)]
pub(in crate::http) struct Object<T>(pub(in crate::http) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Members that offers may have only because answers do; nobody who mistypes one means them.
const ONLY_IN_ANSWERS: &str = ", `price`, `price_basis`, `availability`, `launchable`, `quota`, \
                               `capacity`, `restriction`, `unavailable`";

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
            // What people call the types of numbers.
            let message = message
                .replace("a nonzero u32", "a whole number from 1 to 4294967295")
                .replace("expected u32", "expected a whole number")
                .replace(ONLY_IN_ANSWERS, "");
            // The path of the whole body is a single dot, which names nothing.
            let field = match (path.as_str(), field_of(&message)) {
                (".", None) => return Problem::new(Kind::BadRequest, message),
                (".", Some(name)) => name.to_owned(),
                (_, Some(name)) => format!("{path}.{name}"),
                (_, None) => path,
            };
            Problem::bad(field, message)
        }
    }
}

/// The field that a message misses, or has twice: its path ends before that field.
fn field_of(message: &str) -> Option<&str> {
    let rest = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    rest.split_once('`').map(|(name, _)| name)
}

/// Whether a media type is `application/json` or one of its like (RFC 6838, section 4.2.8).
pub(in crate::http) fn is_json(media_type: &Mime) -> bool {
    let is_plain = media_type.type_() == mime::APPLICATION && media_type.subtype() == mime::JSON;
    is_plain || media_type.suffix() == Some(mime::JSON)
}
