//! Finds all mistakes of a table, by mending each and going on.

use toml::{Table, Value};

use super::key_path::Segment;
use super::problem::Remedy;
use super::{KeyPath, Problem};

/// The most mistakes that are told of one table; who makes more is not helped by a longer list.
const MOST_MISTAKES: usize = 20;

/// A key that was mended.
struct Renamed {
    was: KeyPath,
    now: KeyPath,
}

/// Parses the table at `at`. Mistakes become problems; beyond them there is a result only where
/// what is left can be read, and it serves to find more of them.
pub(super) fn parse_leniently<T>(
    table: &Table,
    at: &KeyPath,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&Table) -> Result<T, Problem>,
) -> Option<T> {
    let mut table = table.clone();
    let mut mended: Vec<KeyPath> = Vec::new();
    let mut renamed: Vec<Renamed> = Vec::new();
    for _ in 0..MOST_MISTAKES {
        let mut problem = match parse(&table) {
            Ok(parsed) => return Some(parsed),
            Err(problem) => problem,
        };
        let inner = KeyPath::from(&problem.path.segments()[at.segments().len()..]);
        let value = inner.find(&table).cloned();
        // What is missing in a table from which something was taken out may have been that.
        let is_follow_up = value.as_ref().is_none_or(Value::is_table)
            && mended.iter().any(|path| path.starts_with(&inner));
        // A key may be one that somebody else reads.
        let is_renamed = problem.at_key && renamed.iter().any(|it| it.now == inner);
        let is_mended = mend(&mut table, &inner, &problem.remedy);
        mended.extend(inner.parent());
        if let (Remedy::Rename(name), Some(parent)) = (&problem.remedy, inner.parent()) {
            let now = parent.key(name);
            renamed.push(Renamed {
                was: inner.clone(),
                now,
            });
        }
        for it in renamed.iter().filter(|it| inner.starts_with(&it.now)) {
            let rest = KeyPath::from(&inner.segments()[it.now.segments().len()..]);
            problem.path = at.then_all(&it.was).then_all(&rest);
        }
        if !is_follow_up && !is_renamed {
            problems.push(problem);
        }
        if !is_mended {
            return None;
        }
    }
    None
}

/// Renames the key at the path, or takes it out; whether it was there.
fn mend(table: &mut Table, path: &KeyPath, remedy: &Remedy) -> bool {
    // Without an element of a list, the places of the others would change.
    let Some(path) = path.ancestors().find(|path| path.last_key().is_some()) else {
        return false;
    };
    let (Some(key), Some(parent)) = (path.last_key(), path.parent()) else {
        return false;
    };
    let Some(holder) = table_at(table, &parent) else {
        return false;
    };
    let Some(value) = holder.remove(key) else {
        return false;
    };
    if let Remedy::Rename(name) = remedy {
        holder.entry(name).or_insert(value);
    }
    true
}

fn table_at<'t>(table: &'t mut Table, path: &KeyPath) -> Option<&'t mut Table> {
    let Some((Segment::Key(first), rest)) = path.segments().split_first() else {
        return Some(table);
    };
    let start = table.get_mut(first)?;
    let found = rest.iter().try_fold(start, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
    });
    found?.as_table_mut()
}
