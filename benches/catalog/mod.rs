//! The catalogs that are measured.

use std::fmt::Write as _;
use std::io::Read;

use flate2::read::GzDecoder;
use quota_oracle::catalog::{Catalog, Source};

const BUNDLED: &[u8] = include_bytes!("../../src/catalog/bundled/aws.csv.gz");

/// The bundled AWS catalog with each region so many times, loaded as a user's own would be.
pub(super) fn enlarged(copies: usize) -> Catalog {
    let mut csv = String::new();
    GzDecoder::new(BUNDLED)
        .read_to_string(&mut csv)
        .expect("the bundled catalog is text");
    let (header, rows) = csv.split_once('\n').expect("it has a header");
    let mut larger = format!("{header}\n");
    for copy in 0..copies {
        for row in rows.lines() {
            let mut fields = row.splitn(3, ',');
            let mut field = || fields.next().expect("a row has three fields and more");
            let (instance_type, region, rest) = (field(), field(), field());
            let suffix = if copy == 0 {
                String::new()
            } else {
                format!("-{copy}")
            };
            writeln!(larger, "{instance_type},{region}{suffix},{rest}")
                .expect("a string takes all that is written");
        }
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("aws.csv"), larger).expect("a writable directory");
    let catalog = Catalog::new(Source::Directory(directory.path().into()), ["aws".into()]);
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(catalog.reload());
    let provider = catalog.provider("aws").expect("it was asked for");
    assert_eq!(provider.last_error, None);
    catalog
}
