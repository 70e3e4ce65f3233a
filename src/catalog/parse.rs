//! Reads a provider's CSV file into a table, and goes on past damaged rows.

use std::io::Read;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use super::row::{Columns, Row};
use super::table::{Builder, Table};
use crate::model::CloudKind;

/// How many damaged rows a log line names; the rest are counted.
const NAMED_ROWS: usize = 5;

/// What a file held.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) table: Table,
    pub(super) damaged_rows: usize,
}

/// Reads a file, or says in a sentence why none of it can be used.
pub(super) fn parse(kind: &CloudKind, file: impl Read) -> Result<Parsed, String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
    let in_words = |error: csv::Error| format!("it cannot be read: {error}");
    let columns = Columns::find(reader.headers().map_err(in_words)?)?;

    let mut builder = Builder::default();
    let mut damage = Damage::default();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => match Row::read(&columns, &record) {
                Ok(row) => builder.push(&row),
                Err(sentence) => damage.note(record_line(&record, line), sentence),
            },
            Err(error) if is_of_one_row(&error) => {
                let line = error.position().map_or(line, csv::Position::line);
                damage.note(line, error.to_string());
            }
            Err(error) => return Err(in_words(error)),
        }
    }

    let table = builder.finish();
    if table.is_empty() {
        return Err(match damage.named.first() {
            Some(first) => format!("none of its {} rows can be read ({first})", damage.count),
            None => "it has no rows".to_owned(),
        });
    }
    damage.log(kind);
    Ok(Parsed {
        table,
        damaged_rows: damage.count,
    })
}

/// Whether the reader can go on with the next row.
fn is_of_one_row(error: &csv::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Utf8 { .. } | ErrorKind::UnequalLengths { .. }
    )
}

fn record_line(record: &StringRecord, otherwise: u64) -> u64 {
    record.position().map_or(otherwise, csv::Position::line)
}

#[derive(Default)]
struct Damage {
    count: usize,
    named: Vec<String>,
}

impl Damage {
    fn note(&mut self, line: u64, sentence: String) {
        self.count += 1;
        if self.named.len() < NAMED_ROWS {
            self.named.push(format!("line {line}: {sentence}"));
        }
    }

    fn log(&self, kind: &CloudKind) {
        if self.count > 0 {
            tracing::warn!(
                provider = %kind,
                damaged_rows = self.count,
                "damaged rows of the catalog are left out, such as {}",
                self.named.join("; "),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Filter;

    const HEADER: &str =
        "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot";

    fn parsed(rows: &[&str]) -> Result<Parsed, String> {
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        parse(&"aws".into(), text.as_bytes())
    }

    #[test]
    fn a_damaged_row_is_counted_and_skipped() {
        let parsed = parsed(&[
            "m5.large,us-east-1,0.096,2,8.0,0,,,False",
            "m5.large,us-east-2,0.096,two,8.0,0,,,False",
            "m5.large,us-east-2,0.096",
            "m5.large,us-west-2,0.096,2,8.0,0,,,False",
        ])
        .unwrap();
        assert_eq!(parsed.damaged_rows, 2);
        assert_eq!(parsed.table.query(&Filter::default()).len(), 2);
    }

    #[test]
    fn a_row_that_is_not_text_is_counted_and_skipped() {
        let mut bytes = format!("{HEADER}\n").into_bytes();
        bytes.extend_from_slice(b"m5.\xff,us-east-1,0.1,2,8.0,0,,,False\n");
        bytes.extend_from_slice(b"m5.large,us-east-1,0.1,2,8.0,0,,,False\n");
        let parsed = parse(&"aws".into(), bytes.as_slice()).unwrap();
        assert_eq!((parsed.damaged_rows, parsed.table.len()), (1, 1));
    }

    #[test]
    fn a_file_without_a_needed_column_names_it() {
        let error = parse(&"aws".into(), &b"instance_name,price\nm5.large,1\n"[..]).unwrap_err();
        assert_eq!(error, "it has no column location, which is needed");
    }

    #[test]
    fn a_file_without_a_good_row_says_what_the_first_lacks() {
        let error = parsed(&["m5.large,us-east-1,x,2,8.0,0,,,False"]).unwrap_err();
        assert_eq!(
            error,
            r#"none of its 1 rows can be read (line 2: price is not a number of at least 0: "x")"#
        );
        assert_eq!(parsed(&[]).unwrap_err(), "it has no rows");
    }
}
