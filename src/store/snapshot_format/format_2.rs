//! Format 2, which was written until rows had a moment of observation: flat rows, and the reading
//! beside the envelope's own fields.

use serde_json::{Map, Value, json};

/// The version of the format.
pub(super) const FORMAT: u32 = 2;

/// Returns the same file in the current format.
///
/// Members that are missing become null, which the current format refuses where it needs them.
pub(super) fn upgrade(mut file: Map<String, Value>, format: u32) -> Value {
    let mut take = |name| file.remove(name).unwrap_or_default();
    let mut regions = take("regions");
    let rows = regions.as_object_mut().into_iter().flatten();
    for row in rows.filter_map(|(_, rows)| rows.as_array_mut()).flatten() {
        upgrade_row(row);
    }
    let mut gaps = take("gaps");
    for gap in gaps.as_array_mut().into_iter().flatten() {
        rename(gap, "advice", "hint");
    }
    json!({
        "format": format,
        "fingerprint": take("settings"),
        "backend": take("backend"),
        "unit": take("unit"),
        "taken_at": take("taken_at"),
        "reading": {
            "account": take("account"),
            "regions": regions,
            "gaps": gaps,
        },
    })
}

fn upgrade_row(row: &mut Value) {
    let Some(row) = row.as_object_mut() else {
        return;
    };
    let mut take = |name| row.remove(name).unwrap_or_default();
    let key = json!({ "service": take("service"), "code": take("code") });
    let usage = match (take("usage"), take("usage_as_of")) {
        (Value::Null, _) => json!("unknown"),
        (amount, as_of) => json!({ "known": { "amount": amount, "as_of": as_of } }),
    };
    let container = match take("container") {
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([kind, id]) => json!({ "kind": kind, "id": id }),
            Err(other) => Value::Array(other),
        },
        other => other,
    };
    row.insert("key".to_owned(), key);
    row.insert("usage".to_owned(), usage);
    row.insert("container".to_owned(), container);
}

fn rename(object: &mut Value, from: &str, to: &str) {
    if let Some(object) = object.as_object_mut()
        && let Some(value) = object.remove(from)
    {
        object.insert(to.to_owned(), value);
    }
}
