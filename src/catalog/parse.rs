//! Parsing a provider's CSV file into a table, skipping damaged rows.
//!
//! A line is a record: gpuhunt writes no field with a line break in it, so that a quote which is
//! never closed damages the line that it stands in and none after it.

use std::io::{BufRead, BufReader, Read};

use csv::StringRecord;
use csv_core::{ReadRecordResult, Terminator};

use super::row::{Columns, Row};
use super::row_errors::Damage;
use super::table::{Builder, Table};
use crate::model::CloudKind;

/// The largest published CSV file is a few megabytes; an archive that unpacks to more than this is
/// a mistake or an attack.
const MAX_CSV_BYTES: u64 = 64 << 20;

/// A line of gpuhunt's is a hundredth as long; its fields take several times as much memory.
const LONGEST_LINE: u64 = 64 * 1024;

/// The contents of a file.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) table: Table,
    pub(super) damaged_rows: usize,
}

/// Parses a file of foreign origin, up to [`MAX_CSV_BYTES`].
pub(super) fn parse_bounded(
    kind: &CloudKind,
    file: impl Read,
    name: &str,
) -> Result<Parsed, String> {
    let mut bounded = file.take(MAX_CSV_BYTES);
    let parsed = parse(kind, &mut bounded);
    if bounded.limit() == 0 {
        return Err(format!("{name} is larger than {} MiB", MAX_CSV_BYTES >> 20));
    }
    parsed.map_err(|sentence| format!("{name}: {sentence}"))
}

/// Parses a file, or returns a sentence that says why none of it can be used.
pub(super) fn parse(kind: &CloudKind, file: impl Read) -> Result<Parsed, String> {
    let mut lines = Lines::of(file);
    let mut record = StringRecord::new();
    if lines.next()? {
        lines
            .read(&mut record)
            .map_err(|sentence| format!("its first row cannot be read: {sentence}"))?;
    }
    let columns = Columns::find(&record)?;
    let fields = record.len();

    let mut builder = Builder::default();
    let mut damage = Damage::default();
    while lines.next()? {
        let whole = lines.read(&mut record).and_then(|()| match record.len() {
            found if found == fields => Ok(()),
            found => Err(format!("it has {found} fields and not {fields}")),
        });
        match whole.and_then(|()| Row::read(&columns, &record)) {
            Ok(row) => builder.push(&Row {
                region: region(kind, row.region),
                ..row
            }),
            Err(sentence) => damage.note(lines.number, sentence),
        }
    }

    let table = builder.finish();
    if table.is_empty() {
        return Err(match damage.first() {
            Some(first) => format!(
                "none of its {} rows can be read ({first})",
                damage.damaged_rows()
            ),
            None => "it has no rows".to_owned(),
        });
    }
    damage.log(kind);
    Ok(Parsed {
        table,
        damaged_rows: damage.damaged_rows(),
    })
}

/// Returns the region of a location: gpuhunt's rows of Google Cloud are by zone.
///
/// The first two parts of a zone's name are its region's, and its last part may be longer than a
/// letter, as in `us-south1-ai1b`.
fn region<'a>(kind: &CloudKind, location: &'a str) -> &'a str {
    if kind.as_str() != "gcp" {
        return location;
    }
    let mut ends = location.match_indices('-').map(|(end, _)| end);
    let region = ends.nth(1).map_or(location, |end| &location[..end]);
    // A region's name ends in a number; whatever else there is has no zones.
    match region.ends_with(|last: char| last.is_ascii_digit()) {
        true => region,
        false => location,
    }
}

/// The lines of a file, each read as a record of its own.
struct Lines<R> {
    file: BufReader<R>,
    /// The line that was read last, with a line break.
    line: Vec<u8>,
    /// Its number, counted from 1.
    number: u64,
    parser: csv_core::Reader,
    /// The fields of a record, one after the other, and where each ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Lines<R> {
    fn of(file: R) -> Self {
        Self {
            file: BufReader::new(file),
            line: Vec::new(),
            number: 0,
            parser: csv_core::ReaderBuilder::new()
                .terminator(Terminator::Any(b'\n'))
                .build(),
            fields: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Goes on to the next line that is not blank; there is none at the end of the file.
    fn next(&mut self) -> Result<bool, String> {
        loop {
            self.line.clear();
            let mut bounded = (&mut self.file).take(LONGEST_LINE);
            let read = bounded.read_until(b'\n', &mut self.line);
            if read.map_err(|error| format!("it cannot be read: {error}"))? == 0 {
                return Ok(false);
            }
            self.number += 1;
            if self.line.len() as u64 == LONGEST_LINE && !self.line.ends_with(b"\n") {
                let number = self.number;
                return Err(format!("line {number} is longer than {LONGEST_LINE} bytes"));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Parses the line as a record, or returns a sentence that says why it is not one.
    fn read(&mut self, record: &mut StringRecord) -> Result<(), String> {
        record.clear();
        let line = self.line.trim_ascii_end().len();
        self.line.truncate(line);
        self.line.push(b'\n');
        // No line has more bytes in its fields, or more fields, than bytes.
        self.fields.resize(self.line.len(), 0);
        self.ends.resize(self.line.len(), 0);
        self.parser.reset();
        let (outcome, _, _, ends) =
            self.parser
                .read_record(&self.line, &mut self.fields, &mut self.ends);
        if outcome != ReadRecordResult::Record {
            return Err("a quote is opened and not closed".to_owned());
        }
        let mut start = 0;
        for &end in &self.ends[..ends] {
            let field = std::str::from_utf8(&self.fields[start..end])
                .map_err(|_| "it is not UTF-8 text".to_owned())?;
            record.push_field(field.trim());
            start = end;
        }
        Ok(())
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
    fn zones_of_google_cloud_are_folded_into_their_region_and_gpus_told_apart() {
        let rows = [
            "n1-standard-8,us-central1-a,0.38,8,30.0,0,,,False",
            "n1-standard-8,us-central1-b,0.38,8,30.0,0,,,False",
            "n1-standard-8,us-central1-a,0.73,8,30.0,1,T4,16.0,False",
            "n1-standard-8,us-central1-c,0.73,8,30.0,1,T4,16.0,False",
            "n1-standard-8,us-central1-c,1.08,8,30.0,2,T4,16.0,False",
            "v6e-1,us-south1-ai1b,2.7,44,176.0,1,tpu-v6e-1,32.0,False",
            "g2-standard-4,europe-west4,0.7,4,16.0,1,L4,24.0,False",
        ];
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        let table = parse(&"gcp".into(), text.as_bytes()).unwrap().table;
        let regions: Vec<&str> = table
            .regions()
            .iter()
            .map(|region| region.as_str())
            .collect();
        assert_eq!(regions, ["us-central1", "us-south1", "europe-west4"]);
        assert_eq!(table.len(), 5);
        let shape = |gpu, count| table.shape_for("n1-standard-8", gpu, count);
        assert!(shape(None, 0).is_some() && shape(Some("t4"), 2).is_some());
        assert_ne!(shape(Some("T4"), 1), shape(Some("T4"), 2));
        // Other clouds have regions of more parts.
        let local = parsed(&["m5.large,us-west-2-lax-1,0.1,2,8.0,0,,,False"]).unwrap();
        assert_eq!(local.table.regions()[0].as_str(), "us-west-2-lax-1");
    }

    #[test]
    fn a_stray_quote_damages_its_own_line_only() {
        let good = "m5.large,us-east-1,0.096,2,8.0,0,,,False";
        for stray in [
            "\"m5.large,us-east-2,0.096,2,8.0,0,,,False",
            "m5.large,us-east-2,0.096,2,8.0,0,\",,False",
            "m5\"large,\"us-east-2,0.096,2,8.0,0,,,False",
        ] {
            let parsed = parsed(&[good, stray, "m5.large,us-west-2,0.096,2,8.0,0,,,False"]);
            let parsed = parsed.unwrap();
            let sizes = (parsed.damaged_rows, parsed.table.len());
            assert_eq!(sizes, (1, 2), "{stray}");
        }
    }

    #[test]
    fn quoted_fields_blank_lines_and_the_line_ends_of_windows_are_no_damage() {
        let text = format!(
            "\u{feff}{HEADER},extra\r\n\r\n\
             \"m5.large\",us-east-1, 0.096 ,2,8.0,0,,,False,\"{{\"\"a\"\": \"\"b, c\"\"}}\"\r\n\
             m5.large,us-east-2,0.096,2,8.0,0,,,False,"
        );
        let parsed = parse(&"aws".into(), text.as_bytes()).unwrap();
        assert_eq!((parsed.damaged_rows, parsed.table.len()), (0, 2));
        assert_eq!(&*parsed.table.offer(0).shape.instance_type, "m5.large");
    }

    #[test]
    fn a_row_that_is_not_text_is_counted_and_skipped() {
        let mut bytes = format!("{HEADER}\n").into_bytes();
        bytes.extend_from_slice(b"m5.\xff,us-east-1,0.1,2,8.0,0,,,False\n");
        // Text as a whole, and none in either field.
        bytes.extend_from_slice(b"m5.\xc3,\xa9us-east-1,0.1,2,8.0,0,,,False\n");
        bytes.extend_from_slice(b"m5.large,us-east-1,0.1,2,8.0,0,,,False\n");
        let parsed = parse(&"aws".into(), bytes.as_slice()).unwrap();
        assert_eq!((parsed.damaged_rows, parsed.table.len()), (2, 1));
    }

    #[test]
    fn a_file_without_a_needed_column_names_it() {
        let error = |text: &str| parse(&"aws".into(), text.as_bytes()).unwrap_err();
        assert_eq!(
            error("instance_name,price\nm5.large,1\n"),
            "it has no column location, which is needed"
        );
        assert_eq!(error(""), "it has no column instance_name, which is needed");
        assert_eq!(
            error("\"instance_name\n"),
            "its first row cannot be read: a quote is opened and not closed"
        );
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

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        let endless = std::io::repeat(b'\n');
        let error = parse_bounded(&"aws".into(), endless, "aws.csv").unwrap_err();
        assert_eq!(error, "aws.csv is larger than 64 MiB");
    }
}
