//! How long the parts of an answer to `GET /offers` take, on the bundled catalog and on one ten
//! times as large.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Read;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use quota_oracle::catalog::{Catalog, Filter, Provider, Source, Table};
use quota_oracle::model::{
    Amount, Demand, Leased, Limit, LimitSource, Market, Quota, QuotaIndex, QuotaKey, QuotaMarket,
    Scope, Snapshot, Unit, Usage, judge,
};

const BUNDLED: &[u8] = include_bytes!("../src/catalog/bundled/aws.csv.gz");

fn offers(criterion: &mut Criterion) {
    for (size, copies) in [("bundled", 1), ("tenfold", 10)] {
        let provider = catalog_of(copies);
        let table = &provider.edition.table;
        for (name, filter) in filters() {
            criterion.bench_function(&format!("query/{size}/{name}"), |bencher| {
                bencher.iter(|| table.query(black_box(&filter)));
            });
        }
        let quotas = quotas();
        criterion.bench_function(&format!("judge/{size}/every offer"), |bencher| {
            bencher.iter(|| judge_all(table, &quotas));
        });
    }
}

criterion_group!(benches, offers);
criterion_main!(benches);

/// The bundled AWS catalog with each region so many times, loaded as a user's own would be.
fn catalog_of(copies: usize) -> Arc<Provider> {
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
    provider
}

fn filters() -> [(&'static str, Filter); 5] {
    let named = |name: &str| Some(vec![name.to_owned()]);
    [
        ("everything", Filter::default()),
        (
            "one GPU model",
            Filter {
                gpus: named("H100"),
                ..Filter::default()
            },
        ),
        (
            "one region",
            Filter {
                regions: named("us-east-1"),
                ..Filter::default()
            },
        ),
        (
            "GPUs in one region",
            Filter {
                regions: named("us-east-1"),
                min_gpu_count: Some(1),
                ..Filter::default()
            },
        ),
        (
            "cheap on-demand CPUs",
            Filter {
                min_cpus: Some(8),
                max_gpu_count: Some(0),
                max_price: Some(1.0),
                market: Some(Market::OnDemand),
                ..Filter::default()
            },
        ),
    ]
}

const QUOTA: (&str, &str) = ("ec2", "L-1216C47A");

fn quotas() -> QuotaIndex {
    let (service, code) = QUOTA;
    let snapshot = Snapshot::new(vec![Quota {
        key: QuotaKey::new(service, code),
        name: "Running On-Demand Standard instances".into(),
        unit: Unit::Vcpu,
        market: QuotaMarket::OnDemand,
        scope: Scope::Region,
        container: None,
        limit: Limit::Known(Amount::from(192u32)),
        limit_source: LimitSource::Applied,
        usage: Usage::Unknown,
        adjustable: None,
        default: None,
        increase_url: None,
        native: None,
    }]);
    QuotaIndex::new(Arc::new(snapshot), Leased::new())
}

fn judge_all(table: &Table, quotas: &QuotaIndex) -> u64 {
    let (service, code) = QUOTA;
    let demands: Vec<Demand> = table
        .shapes()
        .iter()
        .map(|shape| {
            let mut demand = Demand::default();
            demand.take(QuotaKey::new(service, code), shape.cpus.map(Amount::from));
            demand
        })
        .collect();
    (0..table.len() as u32)
        .map(|row| &demands[table.offer(row).shape_index])
        .filter_map(|demand| judge(demand, 1, quotas).launchable)
        .sum()
}
