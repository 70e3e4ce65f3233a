//! How long the parts of an answer to `GET /offers` take, on the bundled catalog and on one ten
//! times as large.

use std::hint::black_box;
use std::sync::Arc;

mod catalog;

use criterion::{Criterion, criterion_group, criterion_main};
use quota_oracle::catalog::{Filter, Table};
use quota_oracle::model::{
    Amount, Demand, Leased, Limit, LimitSource, Market, Quota, QuotaIndex, QuotaKey, QuotaMarket,
    Scope, Snapshot, Unit, Usage, judge,
};

fn offers(criterion: &mut Criterion) {
    for (size, copies) in [("bundled", 1), ("tenfold", 10)] {
        let catalog = catalog::enlarged(copies);
        let provider = catalog.provider("aws").expect("it was asked for");
        let table = &provider.release.table;
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
        increase_command: None,
        native: None,
        observed_at: None,
        state: Default::default(),
    }]);
    QuotaIndex::new(Arc::new(snapshot), Leased::NOTHING)
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
